/* SPDX-License-Identifier: MPL-2.0 */
/* backoff: doubles, up to its cap, and draws. Nothing fails: without randomness there is no jitter. */
#include "ferry/backoff.h"

#include <sys/random.h>

unsigned backoff_next(backoff_t *self)
{
    unsigned draw = 0;
    if (self->span_ms == 0)
        self->span_ms = BACKOFF_LEAST_MS;
    else if (self->span_ms < BACKOFF_MOST_MS / 2)
        self->span_ms *= 2;
    else
        self->span_ms = BACKOFF_MOST_MS;
    if (getrandom(&draw, sizeof draw, GRND_NONBLOCK) != sizeof draw)
        draw = 0;
    return self->span_ms - draw % (self->span_ms / 2 + 1);
}
