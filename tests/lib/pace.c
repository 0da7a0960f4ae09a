/* SPDX-License-Identifier: MPL-2.0 */
/* pace: the bucket holds a quarter of a second and is worth opening at a fiftieth. Nothing can fail. */
#include "lib/pace.h"

#define THOUSAND 1000

void pace_init(pace_t *self, uint32_t rate, int64_t now_ms)
{
    *self = (pace_t){.rate = rate, .at_ms = now_ms};
}

uint32_t pace_allowance(pace_t *self, int64_t now_ms)
{
    if (self->rate == PACE_FREE)
        return UINT32_MAX;
    if (self->rate == PACE_NEVER)
        return 0;
    uint64_t full = (uint64_t)self->rate * THOUSAND / 4;
    uint64_t worth_it = (uint64_t)self->rate * THOUSAND / 50;
    self->tokens += (uint64_t)(now_ms - self->at_ms) * self->rate;
    self->at_ms = now_ms;
    if (self->tokens > full)
        self->tokens = full;
    return self->tokens >= worth_it ? (uint32_t)(self->tokens / THOUSAND) : 0;
}

uint32_t pace_size(const pace_t *self)
{
    if (self->rate == PACE_FREE)
        return UINT32_MAX;
    return self->rate == PACE_NEVER ? 0 : self->rate / 4;
}

void pace_spend(pace_t *self, uint64_t size)
{
    if (self->rate != PACE_FREE)
        self->tokens -= size * THOUSAND;
}
