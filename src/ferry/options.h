/* SPDX-License-Identifier: MPL-2.0 */
/* options: what stands on the command line, read by one table from which the help of every command is made too. */
#ifndef FERRY_FERRY_OPTIONS_H
#define FERRY_FERRY_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { OPTIONS_WATCH_MAX = 16 };

/* Every string is borrowed from the command line, the environment or a literal. */
typedef struct {
    const char *gateway;  /* --gateway, else FERRY_GATEWAY, else the default */
    const char *admin;    /* --admin, else FERRY_ADMIN, else the default */
    const char *as;       /* NULL unless given */
    uint64_t count;       /* messages; 0 unless given */
    uint64_t wait_s;      /* seconds, a day at most; 0 unless given */
    uint64_t reconnect_s; /* the same; the default unless given */
    bool reconnect_given, wait_given, gateway_given;
    bool resend;
    bool quiet;
    bool json;
    bool help;
    bool version;

    /* Of `ferry bench`. Numbers are 0 unless given, and where 0 may be given, too, there is a flag. */
    const char *protocol; /* NULL unless given */
    const char *plot;     /* the same */
    uint64_t clients, size, pipeline, rate, processes;
    uint64_t duration_ms, warm_up_ms; /* a day at most */
    bool size_given, pipeline_given, warm_up_given;
    const char *watches[OPTIONS_WATCH_MAX];
    unsigned watch_count;

    char *const *operands; /* what is no option, in its order */
    int operand_count;
} options_t;

/* Reads argv[1] and what follows into *self. `letters` are those of the options that are allowed here; with `stop` true
 * reading ends at the first operand, and the operands are everything from there on. Options that an earlier call set
 * into *self stay; a first call starts from {0}. Returns 0, or -1 after one sentence on stderr that starts with `who`
 * ("ferry send"). */
int options_parse(options_t *self, const char *who, const char *letters, bool stop, int argc, char **argv);

/* Writes one line or more for each option of `letters`, as --help shows them. */
void options_help(const char *letters, FILE *out);

#endif
