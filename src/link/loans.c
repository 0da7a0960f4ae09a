/* SPDX-License-Identifier: MPL-2.0 */
/* loans: an array; the oldest end first as a rule. Nothing fails but by abort. Owner: the link's thread. */
#include "link/loans.h"

#include <stdlib.h>
#include <string.h>

void loans_fini(loans_t *self)
{
    free(self->items);
    *self = (loans_t){0};
}

void loans_add(loans_t *self, uint64_t number, span_t name)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : 16;
        self->items = realloc(self->items, self->capacity * sizeof *self->items);
        if (!self->items)
            abort();
    }
    loan_t *loan = &self->items[self->count++];
    loan->number = number;
    loan->name_size = (uint8_t)name.size;
    memcpy(loan->name, name.data, name.size);
}

void loans_end(loans_t *self, uint64_t number, span_t name)
{
    size_t i = 0;
    while (i < self->count && (self->items[i].number != number || !span_equal(loan_name(&self->items[i]), name)))
        i++;
    if (i == self->count)
        return;
    self->count--;
    memmove(&self->items[i], &self->items[i + 1], (self->count - i) * sizeof *self->items);
}

void loans_clear(loans_t *self)
{
    self->count = 0;
}
