/* SPDX-License-Identifier: MPL-2.0 */
/* schedule: when each message is due if so many are to be sent a second: one after the other at even distances, by the
 * senders in turns. It does not wait for anything, so that a message that could not be sent in time has a latency from
 * the time at which it should have been sent. Times are nanoseconds after the beginning. Pure. */
#ifndef FERRY_FERRY_BENCH_SCHEDULE_H
#define FERRY_FERRY_BENCH_SCHEDULE_H

#include <stdint.h>

typedef struct {
    uint64_t rate;         /* messages a second, of all senders; not 0 */
    unsigned sender_count; /* not 0 */
} schedule_t;

/* When message `number`, from 0, of this sender is due. */
static inline uint64_t schedule_due_ns(const schedule_t *self, unsigned sender, uint64_t number)
{
    uint64_t place = number * self->sender_count + sender;
    return place / self->rate * 1000000000 + place % self->rate * 1000000000 / self->rate;
}

/* How many messages of this sender are due at that time or before. */
uint64_t schedule_count(const schedule_t *self, unsigned sender, uint64_t at_ns);

#endif
