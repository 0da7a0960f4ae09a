/* SPDX-License-Identifier: MPL-2.0 */
/* histogram: how often a value fell into each of many buckets, which grow with the value: from one power of two to the
 * next, or 1024 buckets between two of them, so that three decimal digits of a value are known. Owned by one thread;
 * nothing can fail but histogram_init_precise, which aborts without memory. */
#ifndef FERRY_BASE_HISTOGRAM_H
#define FERRY_BASE_HISTOGRAM_H

#include <jansson.h>
#include <stdint.h>

enum {
    HISTOGRAM_BOUNDS_MAX = 32,
    HISTOGRAM_PRECISE_BITS = 10,   /* 2^10 buckets between two powers of two: a value is known to 1 in 1024 */
    HISTOGRAM_PRECISE_POWERS = 43, /* the last bound of a precise one is 2^43: two hours in nanoseconds */
};

typedef struct {
    uint64_t sum;                              /* of all values */
    uint64_t max;                              /* the largest value, 0 without one */
    uint64_t *many;                            /* the counts of a precise one, its own; NULL: they are `counts` */
    unsigned bound_count;                      /* buckets but the last, which is for what is above all bounds */
    unsigned bits;                             /* 2^bits buckets between two powers of two */
    uint64_t counts[HISTOGRAM_BOUNDS_MAX + 1]; /* counts[i]: above bound i-1 and up to bound i; the last: above all */
} histogram_t;

/* Empties `self` and gives it the bounds 1, 2, 4 … 2^(bound_count-1); 1 to HISTOGRAM_BOUNDS_MAX of them. There is
 * nothing to free. */
void histogram_init(histogram_t *self, unsigned bound_count);

/* Empties `self` and lets it know three digits of each value. The counts lie in memory that processes which are forked
 * later share, so that one that adds and one that looks need the same memory for *self only. */
void histogram_init_precise(histogram_t *self);

/* Frees what histogram_init_precise took. */
void histogram_fini(histogram_t *self);

/* The bucket of a value. Buckets have a bound that belongs to them, so it is the value below that is divided. */
static inline unsigned histogram_bucket(unsigned bits, uint64_t value)
{
    uint64_t below = value ? value - 1 : 0;
    if (below >> bits <= 1)
        return (unsigned)below;
    unsigned shift = 63 - (unsigned)__builtin_clzll(below) - bits;
    return (shift << bits) + (unsigned)(below >> shift);
}

/* Counts one value: a few instructions, for hot paths. */
static inline void histogram_add(histogram_t *self, uint64_t value)
{
    unsigned bucket = histogram_bucket(self->bits, value);
    uint64_t *counts = self->many ? self->many : self->counts;
    counts[bucket < self->bound_count ? bucket : self->bound_count]++;
    self->sum += value;
    if (value > self->max)
        self->max = value;
}

/* Adds all values of `other`, which must have the same bounds. */
void histogram_merge(histogram_t *self, const histogram_t *other);

/* How many values there are. */
uint64_t histogram_count(const histogram_t *self);

/* How many values lie in a bucket, 0 to bound_count, and its bound: its largest value, UINT64_MAX for the last. */
uint64_t histogram_count_at(const histogram_t *self, unsigned bucket);
uint64_t histogram_bound(const histogram_t *self, unsigned bucket);

/* The value that this many per cent of all values, 0 to 100, do not exceed, as exactly as the buckets know it; never
 * more than the largest value. 0 without a value. */
uint64_t histogram_percentile(const histogram_t *self, double percent);

/* {"bounds":[1,2,4],"counts":[0,0,0,0],"sum":0}, see proto/admin.md; the counts are not cumulative. The caller owns
 * it. */
json_t *histogram_json(const histogram_t *self);

#endif
