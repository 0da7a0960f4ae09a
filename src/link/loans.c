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

/* Takes off the first of the items from `from` to `end` that is this one; returns how many it took. */
static size_t loans_take(loans_t *self, size_t from, size_t end, uint64_t number, span_t name)
{
    size_t i = from;
    while (i < end && (self->items[i].number != number || !span_equal(loan_name(&self->items[i]), name)))
        i++;
    if (i == end)
        return 0;
    self->count--;
    memmove(&self->items[i], &self->items[i + 1], (self->count - i) * sizeof *self->items);
    return 1;
}

void loans_end(loans_t *self, uint64_t number, span_t name)
{
    self->doubted -= loans_take(self, 0, self->doubted, number, name);
    (void)loans_take(self, self->doubted, self->count, number, name);
}

static int loan_compare(const void *a, const void *b)
{
    const loan_t *left = a;
    const loan_t *right = b;
    if (left->number != right->number)
        return left->number < right->number ? -1 : 1;
    if (left->name_size != right->name_size)
        return left->name_size < right->name_size ? -1 : 1;
    return memcmp(left->name, right->name, left->name_size);
}

/* Leaves each once. */
static void loans_unite(loans_t *self)
{
    size_t kept = 0;
    qsort(self->items, self->count, sizeof *self->items, loan_compare);
    for (size_t i = 0; i < self->count; i++)
        if (kept == 0 || loan_compare(&self->items[kept - 1], &self->items[i]) != 0)
            self->items[kept++] = self->items[i];
    self->count = kept;
}

void loans_doubt(loans_t *self)
{
    if (self->doubted > 0)
        loans_unite(self);
    self->doubted = self->count;
}

void loans_settle(loans_t *self)
{
    if (self->doubted == 0)
        return; /* there may be no items */
    self->count -= self->doubted;
    memmove(self->items, self->items + self->doubted, self->count * sizeof *self->items);
    self->doubted = 0;
}

void loans_clear(loans_t *self)
{
    self->count = self->doubted = 0;
}
