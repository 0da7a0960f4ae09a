/* SPDX-License-Identifier: MPL-2.0 */
/* pace: how many bytes may be read or written now, at a rate of bytes per second; a token bucket that the clock fills.
 * Embedded; belongs to its owner's thread. */
#ifndef FERRY_TESTS_PACE_H
#define FERRY_TESTS_PACE_H

#include <stdint.h>

#define PACE_FREE  0          /* a rate: without limit */
#define PACE_NEVER UINT32_MAX /* a rate: nothing at all */

typedef struct {
    uint32_t rate;   /* bytes per second, PACE_FREE or PACE_NEVER */
    int64_t at_ms;   /* when it was last filled */
    uint64_t tokens; /* thousandths of a byte */
} pace_t;

void pace_init(pace_t *self, uint32_t rate, int64_t now_ms);

/* How many bytes may move now: UINT32_MAX without a limit, 0 until enough has gathered for a call to be worth it. */
uint32_t pace_allowance(pace_t *self, int64_t now_ms);

/* The most that pace_allowance says. */
uint32_t pace_size(const pace_t *self);

/* Takes note that `size` bytes, at most the allowance, were moved. */
void pace_spend(pace_t *self, uint64_t size);

#endif
