/* SPDX-License-Identifier: MPL-2.0 */
/* outcome: what a run has found, as text and as JSON. */
#ifndef FERRY_FERRY_BENCH_OUTCOME_H
#define FERRY_FERRY_BENCH_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/histogram.h"
#include "ferry/bench/plan.h"
#include "ferry/bench/watched.h"

enum { OUTCOME_SAMPLES_MAX = 1000 };

typedef struct {
    const plan_t *plan;           /* borrowed */
    double seconds;               /* that were measured */
    uint64_t messages;            /* that were delivered meanwhile, or logins */
    uint64_t lost, doubled, late; /* in all */
    histogram_t latency;          /* ns, over all generators */
    uint64_t generator_cpu_ns;    /* while it was measured */
    unsigned watched_count;
    struct {
        const char *name; /* borrowed */
        uint64_t cpu_ns;  /* while it was measured */
        uint64_t memory_before, memory_full,
            memory_after; /* bytes: before the first login, after the last, at the end */
    } watched[WATCHED_MAX];
    unsigned sample_count;
    struct {
        double seconds; /* since messages began to flow */
        double per_s;   /* messages or logins since the sample before */
    } samples[OUTCOME_SAMPLES_MAX];
} outcome_t;

void outcome_init(outcome_t *self, const plan_t *plan);
void outcome_fini(outcome_t *self);

/* True if everything arrived, once and in its order. */
bool outcome_is_good(const outcome_t *self);

/* As people read it. */
void outcome_write(const outcome_t *self, FILE *out);

/* As one object (ferry(1), `ferry bench`), and the end of the line. */
void outcome_write_json(const outcome_t *self, FILE *out);

#endif
