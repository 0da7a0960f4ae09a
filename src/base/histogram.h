/* SPDX-License-Identifier: MPL-2.0 */
/* histogram: how often a value fell between one power of two and the next. Embedded, owned by one thread; nothing can
 * fail. */
#ifndef FERRY_BASE_HISTOGRAM_H
#define FERRY_BASE_HISTOGRAM_H

#include <jansson.h>
#include <stdint.h>

enum { HISTOGRAM_BOUNDS_MAX = 32 };

typedef struct {
    uint64_t sum;                              /* of all values */
    uint64_t counts[HISTOGRAM_BOUNDS_MAX + 1]; /* counts[i]: above 2^(i-1) and up to 2^i; the last: above all bounds */
    unsigned bound_count;                      /* the bounds are 2^0 to 2^(bound_count-1) */
} histogram_t;

/* Empties `self` and gives it the bounds 1, 2, 4 … 2^(bound_count-1); 1 to HISTOGRAM_BOUNDS_MAX of them. */
void histogram_init(histogram_t *self, unsigned bound_count);

/* Counts one value: a few instructions, for hot paths. */
static inline void histogram_add(histogram_t *self, uint64_t value)
{
    unsigned bucket = value <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(value - 1);
    self->counts[bucket < self->bound_count ? bucket : self->bound_count]++;
    self->sum += value;
}

/* {"bounds":[1,2,4],"counts":[0,0,0,0],"sum":0}, see proto/admin.md; the counts are not cumulative. The caller owns
 * it. */
json_t *histogram_json(const histogram_t *self);

#endif
