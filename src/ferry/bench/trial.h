/* SPDX-License-Identifier: MPL-2.0 */
/* trial: one run of the benchmark, from the first login to the last leave. */
#ifndef FERRY_FERRY_BENCH_TRIAL_H
#define FERRY_FERRY_BENCH_TRIAL_H

#include "ferry/bench/gateways.h"
#include "ferry/bench/outcome.h"
#include "ferry/bench/plan.h"
#include "ferry/bench/watched.h"

/* Runs the plan, with generators that are forked here, so that this process must have no other thread, and puts what it
 * found into `outcome`, which is initialized. Returns 0, or -1 after one sentence on stderr if it came to no end: then
 * nothing is known but that. */
int trial_run(const plan_t *plan, const gateways_t *gateways, const watched_t *watched, unsigned watched_count,
    outcome_t *outcome);

#endif
