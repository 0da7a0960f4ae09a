/* SPDX-License-Identifier: MPL-2.0 */
/* refusals: a sorted array. Notices come in the order of the messages almost always, so a new one goes to the end;
 * tidying costs nothing on average, since it waits until the array has doubled. Nothing can fail. Owner: the link's
 * thread. */
#include "link/refusals.h"

#include <stdlib.h>

#define REFUSALS_KEPT 64 /* that are not worth tidying */

void refusals_fini(refusals_t *self)
{
    free(self->items);
    *self = (refusals_t){0};
}

static bool refusal_is_before(const refusal_t *self, uint64_t number, uint32_t recipient)
{
    return self->number < number || (self->number == number && self->recipient < recipient);
}

/* Where that refusal is, or belongs. */
static size_t refusals_find(const refusals_t *self, uint64_t number, uint32_t recipient)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (refusal_is_before(&self->items[middle], number, recipient))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool refusals_has_at(const refusals_t *self, size_t at, uint64_t number, uint32_t recipient)
{
    return at < self->count && self->items[at].number == number && self->items[at].recipient == recipient;
}

bool refusals_has(const refusals_t *self, uint64_t number, uint32_t recipient)
{
    return refusals_has_at(self, refusals_find(self, number, recipient), number, recipient);
}

bool refusals_add(refusals_t *self, uint64_t number, uint32_t recipient)
{
    size_t at = refusals_find(self, number, recipient);
    if (refusals_has_at(self, at, number, recipient))
        return false;
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : REFUSALS_KEPT;
        self->items = realloc(self->items, self->capacity * sizeof *self->items);
        if (!self->items)
            abort();
    }
    for (size_t i = self->count++; i > at; i--)
        self->items[i] = self->items[i - 1];
    self->items[at] = (refusal_t){number, recipient};
    return true;
}

void refusals_tidy(refusals_t *self, bool (*is_taken)(const void *arg, uint64_t number), const void *arg)
{
    if (self->count <= self->tidy_count)
        return;
    size_t left = 0;
    for (size_t i = 0; i < self->count; i++)
        if (!is_taken(arg, self->items[i].number))
            self->items[left++] = self->items[i];
    self->count = left;
    self->tidy_count = 2 * left + REFUSALS_KEPT;
}
