/* SPDX-License-Identifier: MPL-2.0 */
/* inlet: how what a client reads is checked. Where the protocol lets one foretell what a message looks like at its
 * reader, it is compared as a whole, and not taken apart. The owner is the generator's only thread. */
#ifndef FERRY_FERRY_BENCH_INLET_H
#define FERRY_FERRY_BENCH_INLET_H

#include "ferry/bench/plan.h"

/* What is the same for all clients of a process. */
typedef struct {
    const plan_t *plan; /* borrowed */
    frame_layout_t layout;
    size_t stamp_size; /* bytes at the beginning of a text that differ */
    char *rest;        /* what follows them: the filling, and what ends a frame */
    size_t rest_size;
    bool foretold; /* false: nothing above but stamp_size and the filling is known */
} inlet_shape_t;

/* What one client reads. */
typedef struct {
    char *head;           /* a frame as far as its text; NULL if that is not foretold */
    unsigned head_sender; /* whose name stands there */
    char *held;           /* the beginning of what has not come to its end; NULL without one */
    size_t held_size;
} inlet_t;

/* A message that was found to be whole. */
typedef struct {
    unsigned sender;
    uint64_t stamp;
    uint64_t due_ns; /* if the plan is timed */
} arrival_t;

void inlet_shape_init(inlet_shape_t *self, const plan_t *plan);
void inlet_shape_fini(inlet_shape_t *self);

void inlet_init(inlet_t *self, const inlet_shape_t *shape, unsigned client);
void inlet_fini(inlet_t *self);

/* Looks whether the input begins with a message, whole and as it must be. Its size is shape->layout.size. */
bool inlet_match(inlet_t *self, const inlet_shape_t *shape, const char *input, size_t size, arrival_t *arrival);

/* Looks whether a text, of a message that was taken apart, is as it must be. */
bool inlet_match_text(const inlet_shape_t *shape, span_t text, arrival_t *arrival);

/* Keeps the rest of some input; an empty one, too. */
void inlet_hold(inlet_t *self, const char *rest, size_t size);

#endif
