/* SPDX-License-Identifier: MPL-2.0 */
/* slots: arrays by slot, and a stack of the free ones, so that a node has low slots, which its brokers keep arrays for.
 * Owner: the node's thread. */
#include "link/slots.h"

#include <stdlib.h>

#include "wire/control.h"

#define SLOTS_FIRST      64
#define SLOTS_GENERATION (UINT64_C(1) << 32)

void slots_fini(slots_t *self)
{
    free(self->items);
    free(self->ids);
    free(self->spare);
    *self = (slots_t){0};
}

static void slots_grow(slots_t *self)
{
    uint32_t count = self->count ? 2 * self->count : SLOTS_FIRST;
    self->items = realloc(self->items, count * sizeof *self->items);
    self->ids = realloc(self->ids, count * sizeof *self->ids);
    self->spare = realloc(self->spare, count * sizeof *self->spare);
    if (!self->items || !self->ids || !self->spare)
        abort();
    for (uint32_t slot = count; slot-- > self->count;) {
        self->items[slot] = NULL;
        self->ids[slot] = slot;
        self->spare[self->spare_count++] = slot;
    }
    self->count = count;
}

uint64_t slots_add(slots_t *self, void *item, uint64_t kind)
{
    if (self->spare_count == 0)
        slots_grow(self);
    uint32_t slot = self->spare[--self->spare_count];
    self->items[slot] = item;
    return self->ids[slot] = ((self->ids[slot] & ~LINK_SESSION_KINDS) + SLOTS_GENERATION) | kind;
}

void *slots_get(const slots_t *self, uint64_t id)
{
    uint32_t slot = (uint32_t)id;
    return slot < self->count && self->ids[slot] == id ? self->items[slot] : NULL;
}

void slots_remove(slots_t *self, uint64_t id)
{
    uint32_t slot = (uint32_t)id;
    self->items[slot] = NULL;
    self->spare[self->spare_count++] = slot;
}

void *slots_next_session(const slots_t *self, uint32_t *at)
{
    while (*at < self->count) {
        uint32_t slot = (*at)++;
        if (self->items[slot] && !(self->ids[slot] & LINK_SESSION_KINDS))
            return self->items[slot];
    }
    return NULL;
}
