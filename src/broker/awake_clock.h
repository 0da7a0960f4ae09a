/* SPDX-License-Identifier: MPL-2.0 */
/* awake_clock: the time in which its owner was able to listen. It stands still while the process is stopped, or busy
 * for long, so that what was not read in that time does not count as silence. Embedded; its owner's thread. */
#ifndef FERRY_BROKER_AWAKE_CLOCK_H
#define FERRY_BROKER_AWAKE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t now_ms;  /* at the last tick */
    uint64_t read_ms; /* the real clock then */
    uint32_t step_ms; /* the most by which it advances until the next tick */
} awake_clock_t;

/* Starts at the real time, for an owner who ticks every `tick_ms`. */
void awake_clock_init(awake_clock_t *self, uint64_t real_ms, uint32_t tick_ms);

/* The time; never 0 if the real one was not. */
static inline uint64_t awake_clock_now(const awake_clock_t *self, uint64_t real_ms)
{
    uint64_t passed = real_ms - self->read_ms;
    return self->now_ms + (passed < self->step_ms ? passed : self->step_ms);
}

/* Returns true if time has passed that does not count. */
bool awake_clock_tick(awake_clock_t *self, uint64_t real_ms);

#endif
