/* SPDX-License-Identifier: MPL-2.0 */
/* options: one table of all options; a command names the letters that it takes, getopt_long does the reading. A mistake
 * is one sentence on stderr that names the command and its --help. */
#include "ferry/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ferry/display.h"

#define DEFAULT_GATEWAY "tcp://127.0.0.1:7400"
#define DEFAULT_ADMIN   "http://127.0.0.1:7480"

enum { DEFAULT_RECONNECT_S = 30, SECONDS_MAX = 86400, OPTION_COUNT_MAX = 16, SHORT_SIZE = 3 * OPTION_COUNT_MAX };

typedef struct {
    char letter; /* what a command lists; also typed as -g where `brief` says so */
    bool brief;  /* has a one-letter form */
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *help;     /* its lines, separated by newlines */
} option_spec_t;

static const option_spec_t specs[] = {
    {'a', false, "as", "NAME", "log in as NAME"},
    {'n', true, "count", "N", "end after N messages"},
    {'w', false, "wait", "SECONDS", "wait so long for rest"},
    {'r', false, "resend", NULL, "send lines that are in doubt again"},
    {'c', false, "reconnect", "SECONDS",
        "look so long for a gateway when one was stopped or lost\n"
        "(default: 30; 0: do not)"},
    {'q', true, "quiet", NULL, "say less on standard error"},
    {'j', false, "json", NULL, "print JSON"},
    {'g', true, "gateway", "ADDRESS",
        "the gateway: tcp://HOST:PORT, HOST:PORT or ipc://PATH\n"
        "(default: FERRY_GATEWAY, else " DEFAULT_GATEWAY ")"},
    {'u', false, "admin", "URL",
        "the admin endpoint of the process\n"
        "(default: FERRY_ADMIN, else " DEFAULT_ADMIN ")"},
    {'h', true, "help", NULL, "show this help"},
    {'V', true, "version", NULL, "show the version"},
};

static const option_spec_t *spec_find(int letter)
{
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
        if (specs[i].letter == letter)
            return &specs[i];
    return NULL;
}

/* The same table as getopt_long wants it, with only the options of `letters`. */
static void specs_for_getopt(const char *letters, char *brief, struct option *longs)
{
    for (; *letters; letters++) {
        const option_spec_t *spec = spec_find(*letters);
        int argument = spec->argument ? required_argument : no_argument;
        *longs++ = (struct option){spec->name, argument, NULL, spec->letter};
        if (spec->brief) {
            *brief++ = spec->letter;
            if (spec->argument)
                *brief++ = ':';
        }
    }
    *brief = '\0';
    *longs = (struct option){0};
}

/* 0, or -1 after one sentence. */
static int number_parse(const char *who, int letter, const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    if (!errno && !*end && *text >= '0' && *text <= '9' && *number >= least && *number <= most)
        return 0;
    display_complain("%s: --%s wants a number of at least %" PRIu64 "%s, not \"%s\"", who, spec_find(letter)->name,
        least, most == SECONDS_MAX ? " and at most 86400" : "", text);
    return -1;
}

static int option_set(options_t *self, const char *who, int letter, const char *value)
{
    switch (letter) {
    case 'a':
        self->as = value;
        return 0;
    case 'g':
        self->gateway = value;
        return 0;
    case 'u':
        self->admin = value;
        return 0;
    case 'n':
        return number_parse(who, letter, value, 1, UINT64_MAX, &self->count);
    case 'w':
        return number_parse(who, letter, value, 0, SECONDS_MAX, &self->wait_s);
    case 'c':
        self->reconnect_given = true;
        return number_parse(who, letter, value, 0, SECONDS_MAX, &self->reconnect_s);
    case 'r':
        self->resend = true;
        return 0;
    case 'q':
        self->quiet = true;
        return 0;
    case 'j':
        self->json = true;
        return 0;
    case 'h':
        self->help = true;
        return 0;
    default:
        self->version = true;
        return 0;
    }
}

/* getopt_long answers '?' and ':' alike for short and long options; what was typed stands in optopt or in argv. */
static void option_refuse(const char *who, int answer, char *const *argv)
{
    const char *typed = argv[optind - 1];
    const option_spec_t *spec = spec_find(optopt);
    if (answer == ':')
        display_complain("%s: --%s needs an argument; see `%s --help`", who, spec->name, who);
    else if (optopt && spec && strncmp(typed, "--", 2) == 0)
        display_complain("%s: --%s takes no argument; see `%s --help`", who, spec->name, who);
    else if (optopt)
        display_complain("%s: unknown option -%c; see `%s --help`", who, optopt, who);
    else
        display_complain("%s: unknown option %s; see `%s --help`", who, typed, who);
}

static const char *value_or_default(const char *value, const char *variable, const char *fallback)
{
    if (value)
        return value;
    const char *environment = getenv(variable);
    return environment && *environment ? environment : fallback;
}

int options_parse(options_t *self, const char *who, const char *letters, bool stop, int argc, char **argv)
{
    struct option longs[OPTION_COUNT_MAX + 1];
    char brief[SHORT_SIZE] = {stop ? '+' : ':', stop ? ':' : '\0'};
    specs_for_getopt(letters, brief + strlen(brief), longs);
    opterr = 0;
    optind = 0; /* starts getopt afresh */
    int letter;
    while ((letter = getopt_long(argc, argv, brief, longs, NULL)) != -1) {
        if (letter == '?' || letter == ':') {
            option_refuse(who, letter, argv);
            return -1;
        }
        if (option_set(self, who, letter, optarg))
            return -1;
    }
    if (!self->reconnect_given)
        self->reconnect_s = DEFAULT_RECONNECT_S;
    self->gateway = value_or_default(self->gateway, "FERRY_GATEWAY", DEFAULT_GATEWAY);
    self->admin = value_or_default(self->admin, "FERRY_ADMIN", DEFAULT_ADMIN);
    self->operands = argv + optind;
    self->operand_count = argc - optind;
    return 0;
}

static void option_help(const option_spec_t *spec, FILE *out)
{
    char left[40];
    char brief[] = {'-', spec->letter, ',', '\0'};
    snprintf(left, sizeof left, "%s --%s%s%s", spec->brief ? brief : "   ", spec->name, spec->argument ? " " : "",
        spec->argument ? spec->argument : "");
    for (const char *line = spec->help; line;) {
        size_t size = strcspn(line, "\n");
        fprintf(out, "  %-25s %.*s\n", left, (int)size, line);
        left[0] = '\0';
        line = line[size] ? line + size + 1 : NULL;
    }
}

void options_help(const char *letters, FILE *out)
{
    for (; *letters; letters++)
        option_help(spec_find(*letters), out);
}
