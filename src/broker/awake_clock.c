/* SPDX-License-Identifier: MPL-2.0 */
/* awake_clock: between two ticks the clock advances by twice their period at most: whoever ticks that late was not
 * there to listen. Nothing fails. Owner: its owner's thread. */
#include "broker/awake_clock.h"

#define AWAKE_TICKS 2

void awake_clock_init(awake_clock_t *self, uint64_t real_ms, uint32_t tick_ms)
{
    *self = (awake_clock_t){.now_ms = real_ms, .read_ms = real_ms, .step_ms = AWAKE_TICKS * tick_ms};
}

bool awake_clock_tick(awake_clock_t *self, uint64_t real_ms)
{
    bool is_lost = real_ms - self->read_ms > self->step_ms;
    self->now_ms = awake_clock_now(self, real_ms);
    self->read_ms = real_ms;
    return is_lost;
}
