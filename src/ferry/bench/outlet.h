/* SPDX-License-Identifier: MPL-2.0 */
/* outlet: what one client of the benchmark writes. Its messages are made beforehand, as many as are written at once,
 * and get only their numbers, times and recipients when their turn comes. Between messages it may answer a ping. The
 * owner is the generator's only thread. */
#ifndef FERRY_FERRY_BENCH_OUTLET_H
#define FERRY_FERRY_BENCH_OUTLET_H

#include "ferry/bench/plan.h"
#include "ferry/bench/schedule.h"

typedef struct {
    unsigned client;
    char *frames;          /* `capacity` messages; NULL until the first is to be written */
    unsigned capacity;     /* how many fit */
    size_t size;           /* bytes of `frames` that are to be written */
    size_t at;             /* bytes of them that are written */
    uint64_t made;         /* messages that were made so far */
    frame_layout_t layout; /* of each message */
    unsigned distance;     /* where an `any` order goes on: the next recipient is the client + 1 + distance */
    char *answer;          /* a line to be written between messages, NULL without one */
    size_t answer_size, answer_at;
} outlet_t;

void outlet_init(outlet_t *self, unsigned client);
void outlet_fini(outlet_t *self);

/* Makes up to `count` messages, after everything that was made before is written. `room` is how many bytes of messages
 * may be made at once, but one message always may. Their time is that of the schedule, or, if that is NULL, `now_ns`.
 * Returns how many were made. */
unsigned outlet_fill(
    outlet_t *self, const plan_t *plan, uint64_t count, size_t room, const schedule_t *schedule, uint64_t now_ns);

/* Writes what the socket takes. Returns 0, or an errno other than EAGAIN. */
int outlet_write(outlet_t *self, int fd);

/* True if everything that was made is written. */
static inline bool outlet_is_empty(const outlet_t *self)
{
    return self->at == self->size && !self->answer;
}

/* Takes back the messages of which nothing is written yet. Returns how many. */
uint64_t outlet_cut(outlet_t *self);

/* Queues the answer to a ping: "PONG" and the text, which is copied. A second one waits for the first in vain: who
 * pings waits for the answer. */
void outlet_answer(outlet_t *self, span_t text);

#endif
