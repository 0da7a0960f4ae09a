/* SPDX-License-Identifier: MPL-2.0 */
/* histogram: log-linear buckets. With no bit for the linear part they are the powers of two, so that both kinds are one
 * code. Owner: the thread that owns the histogram. */
#include "base/histogram.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PRECISE_COUNT = (HISTOGRAM_PRECISE_POWERS - HISTOGRAM_PRECISE_BITS + 1) << HISTOGRAM_PRECISE_BITS };

#define PRECISE_SIZE ((PRECISE_COUNT + 1) * sizeof(uint64_t))

void histogram_init(histogram_t *self, unsigned bound_count)
{
    assert(bound_count >= 1 && bound_count <= HISTOGRAM_BOUNDS_MAX);
    *self = (histogram_t){.bound_count = bound_count};
}

void histogram_init_precise(histogram_t *self)
{
    *self = (histogram_t){.bound_count = PRECISE_COUNT, .bits = HISTOGRAM_PRECISE_BITS};
    self->many = mmap(NULL, PRECISE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (self->many == MAP_FAILED)
        abort();
}

void histogram_fini(histogram_t *self)
{
    if (self->many)
        munmap(self->many, PRECISE_SIZE);
    self->many = NULL;
}

uint64_t histogram_count_at(const histogram_t *self, unsigned bucket)
{
    return self->many ? self->many[bucket] : self->counts[bucket];
}

uint64_t histogram_bound(const histogram_t *self, unsigned bucket)
{
    if (bucket >= self->bound_count)
        return UINT64_MAX;
    if (bucket >> self->bits <= 1)
        return bucket + UINT64_C(1);
    unsigned shift = (bucket >> self->bits) - 1;
    return (bucket - ((uint64_t)shift << self->bits) + 1) << shift;
}

void histogram_merge(histogram_t *self, const histogram_t *other)
{
    assert(self->bound_count == other->bound_count && self->bits == other->bits);
    uint64_t *counts = self->many ? self->many : self->counts;
    for (unsigned i = 0; i <= self->bound_count; i++)
        counts[i] += histogram_count_at(other, i);
    self->sum += other->sum;
    if (other->max > self->max)
        self->max = other->max;
}

uint64_t histogram_count(const histogram_t *self)
{
    uint64_t count = 0;
    for (unsigned i = 0; i <= self->bound_count; i++)
        count += histogram_count_at(self, i);
    return count;
}

uint64_t histogram_percentile(const histogram_t *self, double percent)
{
    /* N.B. 99.9 is a little more than it says: what is a whole number but for that is not rounded up. */
    double exact = (double)histogram_count(self) * percent / 100;
    uint64_t wanted = (uint64_t)(exact + 1 - 1e-6);
    uint64_t count = 0;
    for (unsigned i = 0; i <= self->bound_count; i++) {
        count += histogram_count_at(self, i);
        uint64_t bound = histogram_bound(self, i);
        if (count > 0 && count >= wanted)
            return bound < self->max ? bound : self->max;
    }
    return self->max;
}

json_t *histogram_json(const histogram_t *self)
{
    json_t *bounds = json_array();
    json_t *counts = json_array();
    for (unsigned i = 0; i < self->bound_count; i++)
        json_array_append_new(bounds, json_integer((json_int_t)histogram_bound(self, i)));
    for (unsigned i = 0; i <= self->bound_count; i++)
        json_array_append_new(counts, json_integer((json_int_t)histogram_count_at(self, i)));
    return json_pack("{s:o, s:o, s:I}", "bounds", bounds, "counts", counts, "sum", (json_int_t)self->sum);
}
