/* SPDX-License-Identifier: MPL-2.0 */
/* numbers: a sorted array. What is over stays until that is the larger part, so that ending costs little wherever it
 * happens, and one number that stays for long does not keep those behind it. Nothing fails but by abort. Owner: the
 * thread that has it. */
#include "client/numbers.h"

#include <stdlib.h>

void numbers_fini(numbers_t *self)
{
    free(self->items);
    *self = (numbers_t){0};
}

void numbers_add(numbers_t *self, uint64_t number, uint64_t value)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : 64;
        self->items = realloc(self->items, self->capacity * sizeof *self->items);
        if (!self->items)
            abort();
    }
    self->items[self->count++] = (number_t){.number = number, .value = value};
}

number_t *numbers_find(const numbers_t *self, uint64_t number)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->items[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    number_t *item = low < self->count ? &self->items[low] : NULL;
    return item && item->number == number && item->value ? item : NULL;
}

static void numbers_tidy(numbers_t *self)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].value)
            self->items[kept++] = self->items[i];
    self->count = kept;
    self->over = 0;
}

void numbers_end(numbers_t *self, number_t *item)
{
    item->value = 0;
    self->over++;
    if (self->over > self->count / 2)
        numbers_tidy(self);
}
