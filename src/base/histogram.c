/* SPDX-License-Identifier: MPL-2.0 */
/* histogram: how often a value fell between one power of two and the next. Nothing can fail. Owner: the thread that
 * owns the histogram. */
#include "base/histogram.h"

#include <assert.h>

void histogram_init(histogram_t *self, unsigned bound_count)
{
    assert(bound_count >= 1 && bound_count <= HISTOGRAM_BOUNDS_MAX);
    *self = (histogram_t){.bound_count = bound_count};
}

json_t *histogram_json(const histogram_t *self)
{
    json_t *bounds = json_array();
    json_t *counts = json_array();
    for (unsigned i = 0; i < self->bound_count; i++)
        json_array_append_new(bounds, json_integer((json_int_t)(UINT64_C(1) << i)));
    for (unsigned i = 0; i <= self->bound_count; i++)
        json_array_append_new(counts, json_integer((json_int_t)self->counts[i]));
    return json_pack("{s:o, s:o, s:I}", "bounds", bounds, "counts", counts, "sum", (json_int_t)self->sum);
}
