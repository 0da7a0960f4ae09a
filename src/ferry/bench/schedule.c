/* SPDX-License-Identifier: MPL-2.0 */
/* schedule: counts what is due. */
#include "ferry/bench/schedule.h"

uint64_t schedule_count(const schedule_t *self, unsigned sender, uint64_t at_ns)
{
    /* Places that are due: place 0 is due at 0, and each further one 1/rate later, its nanosecond rounded down. */
    uint64_t seconds = at_ns / 1000000000, rest_ns = at_ns % 1000000000;
    uint64_t due = seconds * self->rate + ((rest_ns + 1) * self->rate + 999999999) / 1000000000;
    return due <= sender ? 0 : (due - sender - 1) / self->sender_count + 1;
}
