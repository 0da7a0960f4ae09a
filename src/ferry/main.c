/* SPDX-License-Identifier: MPL-2.0 */
/* main: `ferry`, the command-line tool. It reads the arguments, finds the command and lets it run on the only thread.
 * Exit codes: 0 done, 1 failed, 2 a wrong command line; `ferry drain` adds those of the drained process,
 * and `ferry ledger` 3. */
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ferry/command.h"
#include "ferry/display.h"

#define MAIN_LETTERS "guhV"

static const command_t *const commands[] = {
    &chat_command,
    &send_command,
    &listen_command,
    &status_command,
    &ledger_command,
    &drain_command,
    &bench_command,
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static const command_t *command_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static void help_all(FILE *out)
{
    fprintf(out, "Usage: ferry COMMAND [OPTION]...\n\n"
                 "Talk through a FerryMQ gateway, or look after a FerryMQ process.\n\nCommands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  ferry %-7s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(out, "\nOptions of all commands:\n");
    options_help(MAIN_LETTERS, out);
    fprintf(out, "\n`ferry COMMAND --help` tells more, and so does ferry(1). In two terminals:\n\n"
                 "  ferry listen bob\n"
                 "  ferry send --as alice bob 'hello, bob'\n");
}

static void help_command(const command_t *command, FILE *out)
{
    fprintf(out, "Usage: ferry %s %s\n\n%s\nOptions:\n", command->name, command->synopsis, command->description);
    options_help(command->letters, out);
}

static int operands_check(const command_t *command, const char *who, const options_t *options)
{
    if (options->operand_count < command->operands_min)
        display_complain("%s: something is missing: %s %s", who, who, command->synopsis);
    else if (options->operand_count > command->operands_max)
        display_complain("%s: \"%s\" is too much; quote what holds spaces: %s %s", who,
            options->operands[command->operands_max], who, command->synopsis);
    else
        return 0;
    return -1;
}

static int command_run(const command_t *command, options_t *options, int argc, char **argv)
{
    char who[32];
    snprintf(who, sizeof who, "ferry %s", command->name);
    if (options_parse(options, who, command->letters, false, argc, argv))
        return COMMAND_USAGE;
    if (options->help) {
        help_command(command, stdout);
        return EXIT_SUCCESS;
    }
    if (operands_check(command, who, options))
        return COMMAND_USAGE;
    return command->run(options);
}

/* Lines are UTF-8 whatever the user's locale is; the editor and the widths of characters follow LC_CTYPE. */
static void locale_use_utf8(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

/* A stream that the caller has closed must not become the connection's descriptor. */
static void streams_open(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            abort();
}

int main(int argc, char **argv)
{
    streams_open();
    locale_use_utf8();
    options_t options = {0};
    if (options_parse(&options, "ferry", MAIN_LETTERS, true, argc, argv))
        return COMMAND_USAGE;
    if (options.version) {
        printf("ferry %s\n", FERRY_VERSION);
        return EXIT_SUCCESS;
    }
    if (options.help) {
        help_all(stdout);
        return EXIT_SUCCESS;
    }
    if (options.operand_count == 0) {
        help_all(stderr);
        return COMMAND_USAGE;
    }
    const command_t *command = command_find(options.operands[0]);
    if (!command) {
        display_complain("ferry: there is no command \"%s\"; see `ferry --help`", options.operands[0]);
        return COMMAND_USAGE;
    }
    int skipped = argc - options.operand_count;
    return command_run(command, &options, argc - skipped, argv + skipped);
}
