/* SPDX-License-Identifier: MPL-2.0 */
/* reported: a sorted array, of few items as a rule; a new one goes to its end almost always. Owner: the link's thread.
 */
#include "link/reported.h"

#include <stdlib.h>
#include <string.h>

#define ITEMS_FIRST 16

static void items_free(reported_item_t *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((char *)items[i].report.name.data);
}

void reported_fini(reported_t *self)
{
    items_free(self->items, self->count);
    free(self->items);
    *self = (reported_t){0};
}

size_t reported_find(const reported_t *self, uint64_t number, uint64_t recipient)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const reported_item_t *item = &self->items[middle];
        if (item->report.number < number || (item->report.number == number && item->recipient < recipient))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool reported_is(const reported_t *self, size_t at, uint64_t number, uint64_t recipient)
{
    return at < self->count && self->items[at].report.number == number && self->items[at].recipient == recipient;
}

static span_t name_copy(span_t name)
{
    char *copy = malloc(name.size);
    if (!copy)
        abort();
    memcpy(copy, name.data, name.size);
    return span_of(copy, name.size);
}

void reported_add(reported_t *self, uint64_t recipient, const body_report_t *report)
{
    size_t at = reported_find(self, report->number, recipient);
    for (; reported_is(self, at, report->number, recipient); at++)
        if (span_equal(self->items[at].report.name, report->name))
            return;
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : ITEMS_FIRST;
        self->items = realloc(self->items, self->capacity * sizeof *self->items);
        if (!self->items)
            abort();
    }
    memmove(self->items + at + 1, self->items + at, (self->count++ - at) * sizeof *self->items);
    self->items[at] = (reported_item_t){recipient, *report};
    self->items[at].report.name = name_copy(report->name);
}

void reported_cut(reported_t *self, uint64_t floor)
{
    size_t count = self->count ? reported_find(self, floor, 0) : 0;
    if (count == 0)
        return;
    items_free(self->items, count);
    self->count -= count;
    memmove(self->items, self->items + count, self->count * sizeof *self->items);
}
