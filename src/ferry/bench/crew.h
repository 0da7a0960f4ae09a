/* SPDX-License-Identifier: MPL-2.0 */
/* crew: the generator processes of a run, as their supervisor sees them: it starts them, leads them through the phases,
 * and notices when one of them ends before its time, or a signal comes. None outlives it. */
#ifndef FERRY_FERRY_BENCH_CREW_H
#define FERRY_FERRY_BENCH_CREW_H

#include <stdbool.h>

#include "ferry/bench/board.h"
#include "ferry/bench/gateways.h"
#include "ferry/bench/plan.h"

typedef struct crew crew_t;

/* Forks the generators; all arguments are borrowed for life. This process must have no other thread. The caller owns
 * the result. SIGINT, SIGTERM and SIGCHLD are blocked from now on. */
crew_t *crew_new(const plan_t *plan, board_t *board, const gateways_t *gateways);

/* Kills whoever still runs, and waits for it. */
void crew_destroy(crew_t **self_p);

/* Tells all that this phase has begun. */
void crew_begin(crew_t *self, phase_t phase);

/* Waits until all have done the phase. Returns 0; 1 if `until_ns`, monotonic, came first; -1 after one sentence on
 * stderr if a generator failed or a signal came. */
int crew_await(crew_t *self, phase_t phase, int64_t until_ns);

/* Waits until that time. Returns 0, or -1 as above. */
int crew_wait(crew_t *self, int64_t until_ns);

/* CPU time that all have taken so far, in ns. */
uint64_t crew_cpu_ns(const crew_t *self);

#endif
