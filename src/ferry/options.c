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

enum { DEFAULT_RECONNECT_S = 30, SECONDS_MAX = 86400, OPTION_COUNT_MAX = 24, SHORT_SIZE = 3 * OPTION_COUNT_MAX };

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
    {'p', false, "protocol", "NAME",
        "what the router speaks: line (default), nats, mqtt,\n"
        "redis or irc"},
    {'C', false, "clients", "N", "so many clients (default: 100)"},
    {'s', false, "size", "BYTES", "the text of a message (default: 128)"},
    {'P', false, "pipeline", "N",
        "at most N messages under way for each sender\n"
        "(default: 0, as many as TCP takes; fanout: 64)"},
    {'R', false, "rate", "N", "N messages a second over all senders, when due"},
    {'d', false, "duration", "SECONDS", "measure so long (default: 10)"},
    {'W', false, "warm-up", "SECONDS", "run so long before (default: 1)"},
    {'F', false, "processes", "N",
        "generator processes (default: as many as the\n"
        "clients' descriptors need)"},
    {'H', false, "watch", "NAME=PID",
        "tell CPU time and memory of this process, or of\n"
        "NAME=PID,PID together; may be repeated"},
    {'o', false, "plot", "FILE", "draw latency or throughput as .svg or .png"},
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

/* Seconds, with a fraction, as milliseconds. */
static int seconds_parse(const char *who, int letter, const char *text, uint64_t least_ms, uint64_t *ms)
{
    char *end;
    double seconds = strtod(text, &end);
    bool is_number = (*text >= '0' && *text <= '9') || *text == '.';
    if (is_number && end != text && !*end && seconds >= 0 && seconds <= SECONDS_MAX &&
        (uint64_t)(seconds * 1000 + 0.5) >= least_ms) {
        *ms = (uint64_t)(seconds * 1000 + 0.5);
        return 0;
    }
    display_complain("%s: --%s wants seconds, at least %g and at most %d, not \"%s\"", who, spec_find(letter)->name,
        (double)least_ms / 1000, SECONDS_MAX, text);
    return -1;
}

static int watch_add(options_t *self, const char *who, const char *text)
{
    if (self->watch_count == OPTIONS_WATCH_MAX) {
        display_complain("%s: --watch may be given %d times at most", who, OPTIONS_WATCH_MAX);
        return -1;
    }
    self->watches[self->watch_count++] = text;
    return 0;
}

/* The options of `ferry bench` alone. */
static int bench_option_set(options_t *self, const char *who, int letter, const char *value)
{
    switch (letter) {
    case 'p':
        self->protocol = value;
        return 0;
    case 'C':
        return number_parse(who, letter, value, 1, UINT64_MAX, &self->clients);
    case 's':
        self->size_given = true;
        return number_parse(who, letter, value, 0, UINT64_MAX, &self->size);
    case 'P':
        self->pipeline_given = true;
        return number_parse(who, letter, value, 0, UINT64_MAX, &self->pipeline);
    case 'R':
        return number_parse(who, letter, value, 1, UINT64_MAX, &self->rate);
    case 'd':
        return seconds_parse(who, letter, value, 1, &self->duration_ms);
    case 'W':
        self->warm_up_given = true;
        return seconds_parse(who, letter, value, 0, &self->warm_up_ms);
    case 'F':
        return number_parse(who, letter, value, 1, UINT64_MAX, &self->processes);
    case 'H':
        return watch_add(self, who, value);
    default:
        self->plot = value;
        return 0;
    }
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
        self->wait_given = true;
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
    case 'V':
        self->version = true;
        return 0;
    default:
        return bench_option_set(self, who, letter, value);
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
    self->gateway_given = self->gateway;
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
