/* SPDX-License-Identifier: MPL-2.0 */
/* generator: one process of the benchmark, with its share of the clients. It does what the board's phase asks for, and
 * says there what it has counted and done. Whatever must not happen (a message damaged, an error line, a connection's
 * end) ends the process with 1, and the reason stands on the board. */
#ifndef FERRY_FERRY_BENCH_GENERATOR_H
#define FERRY_FERRY_BENCH_GENERATOR_H

#include "ferry/bench/board.h"
#include "ferry/bench/gateways.h"
#include "ferry/bench/plan.h"

typedef struct {
    const plan_t *plan; /* all are borrowed */
    board_t *board;
    const gateways_t *gateways;
    unsigned process; /* its place on the board */
    int wake_fd;      /* an eventfd that can be read when there is a new phase */
    int done_fd;      /* an eventfd that it adds to when it has done a phase */
} generator_options_t;

/* Runs until the last phase is done. */
void generator_run(const generator_options_t *options);

#endif
