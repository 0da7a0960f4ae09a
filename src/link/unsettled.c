/* SPDX-License-Identifier: MPL-2.0 */
/* unsettled: few messages as a rule, since a message is here only while a client is slow; new ones go to the end almost
 * always. Nothing can fail. Owner: the link's thread. */
#include "link/unsettled.h"

#include <stdlib.h>

void unsettled_fini(unsettled_t *self)
{
    free(self->items);
    *self = (unsettled_t){0};
}

void unsettled_add(unsettled_t *self, const unsettled_message_t *message)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : 64;
        self->items = realloc(self->items, self->capacity * sizeof *self->items);
        if (!self->items)
            abort();
    }
    size_t at = self->count++;
    for (; at > 0 && self->items[at - 1].number > message->number; at--)
        self->items[at] = self->items[at - 1];
    self->items[at] = *message;
}

unsettled_message_t *unsettled_find(const unsettled_t *self, uint64_t number)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->items[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < self->count && self->items[low].number == number && !self->items[low].settled ? &self->items[low]
                                                                                               : NULL;
}

void unsettled_settle(unsettled_t *self, unsettled_message_t *message)
{
    message->settled = true;
    self->settled++;
}

void unsettled_tidy(unsettled_t *self)
{
    if (self->settled * 2 <= self->count)
        return;
    size_t left = 0;
    for (size_t i = 0; i < self->count; i++)
        if (!self->items[i].settled)
            self->items[left++] = self->items[i];
    self->count = left;
    self->settled = 0;
}
