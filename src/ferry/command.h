/* SPDX-License-Identifier: MPL-2.0 */
/* command: what each file of a command gives to main. */
#ifndef FERRY_FERRY_COMMAND_H
#define FERRY_FERRY_COMMAND_H

#include "ferry/options.h"

enum { COMMAND_USAGE = 2 }; /* the exit code of a wrong command line; 0 and 1 are EXIT_SUCCESS and EXIT_FAILURE */

typedef struct {
    const char *name;        /* what follows `ferry` */
    const char *synopsis;    /* the rest of its usage line */
    const char *letters;     /* the options that it takes */
    int operands_min;        /* how many operands it wants, */
    int operands_max;        /* and how many it bears */
    const char *summary;     /* one line for the list of commands */
    const char *description; /* for its --help: lines of at most 80 columns */

    /* Runs it and returns the exit code. The options are checked for kind and number only. */
    int (*run)(const options_t *options);
} command_t;

extern const command_t chat_command;
extern const command_t send_command;
extern const command_t listen_command;
extern const command_t status_command;
extern const command_t ledger_command;
extern const command_t drain_command;
extern const command_t bench_command;

#endif
