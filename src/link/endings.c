/* SPDX-License-Identifier: MPL-2.0 */
/* endings: a sorted array. Notices come in the order of the messages almost always, so a new one goes to the end;
 * tidying costs nothing on average, since it waits until the array has doubled. Nothing can fail. Owner: the link's
 * thread. */
#include "link/endings.h"

#include <stdlib.h>

#define ENDINGS_KEPT 64 /* that are not worth tidying */

void endings_fini(endings_t *self)
{
    free(self->items);
    *self = (endings_t){0};
}

static bool ending_is_before(const ending_t *self, uint64_t number, uint64_t recipient)
{
    return self->number < number || (self->number == number && self->recipient < recipient);
}

/* Where that ending is, or belongs. */
static size_t endings_place(const endings_t *self, uint64_t number, uint64_t recipient)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ending_is_before(&self->items[middle], number, recipient))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const ending_t *endings_find(const endings_t *self, uint64_t number, uint64_t recipient)
{
    size_t at = endings_place(self, number, recipient);
    const ending_t *ending = at < self->count ? &self->items[at] : NULL;
    return ending && ending->number == number && ending->recipient == recipient ? ending : NULL;
}

bool endings_concern(const endings_t *self, uint64_t number)
{
    size_t at = endings_place(self, number, 0);
    return at < self->count && self->items[at].number == number;
}

bool endings_add(endings_t *self, const ending_t *ending)
{
    if (endings_find(self, ending->number, ending->recipient))
        return false;
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : ENDINGS_KEPT;
        self->items = realloc(self->items, self->capacity * sizeof *self->items);
        if (!self->items)
            abort();
    }
    size_t at = endings_place(self, ending->number, ending->recipient);
    for (size_t i = self->count++; i > at; i--)
        self->items[i] = self->items[i - 1];
    self->items[at] = *ending;
    return true;
}

void endings_tidy(endings_t *self, bool (*is_taken)(const void *arg, uint64_t number), const void *arg)
{
    if (self->count <= self->tidy_count)
        return;
    size_t left = 0;
    for (size_t i = 0; i < self->count; i++)
        if (!is_taken(arg, self->items[i].number))
            self->items[left++] = self->items[i];
    self->count = left;
    self->tidy_count = 2 * left + ENDINGS_KEPT;
}

void endings_forget_positions(endings_t *self)
{
    size_t left = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].recipient >= ENDING_MEMBER)
            self->items[left++] = self->items[i];
    self->count = left;
}
