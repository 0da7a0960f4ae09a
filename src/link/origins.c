/* SPDX-License-Identifier: MPL-2.0 */
/* origins: nodes come and go seldom and their handles are looked up for every run of copies, so the index by handle is
 * made anew at each change. Nothing can fail. Owner: the link's thread. */
#include "link/origins.h"

#include <stdlib.h>

void origins_fini(origins_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        free(self->items[i]);
    free(self->items);
    free(self->slots);
    *self = (origins_t){0};
}

static void origins_index(origins_t *self)
{
    size_t slot_count = 8;
    while (slot_count < 2 * self->count)
        slot_count *= 2;
    free(self->slots);
    self->slots = calloc(slot_count, sizeof *self->slots);
    if (!self->slots)
        abort();
    self->slot_count = slot_count;
    for (size_t i = 0; i < self->count; i++) {
        if (!self->items[i]->bound)
            continue;
        size_t at = self->items[i]->handle & (slot_count - 1);
        while (self->slots[at])
            at = (at + 1) & (slot_count - 1);
        self->slots[at] = self->items[i];
    }
}

static origin_t *origins_of_node(origins_t *self, const link_id_t *node)
{
    for (size_t i = 0; i < self->count; i++)
        if (link_id_equal(&self->items[i]->node, node))
            return self->items[i];
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : 8;
        self->items = realloc(self->items, self->capacity * sizeof *self->items);
        if (!self->items)
            abort();
    }
    origin_t *origin = calloc(1, sizeof *origin);
    if (!origin)
        abort();
    origin->node = *node;
    return self->items[self->count++] = origin;
}

void origins_put(origins_t *self, uint32_t handle, const link_id_t *node)
{
    origins_drop(self, handle);
    origin_t *origin = origins_of_node(self, node);
    if (!origin->bound)
        origin_take(origin);
    origin->bound = true;
    origin->handle = handle;
    origins_index(self);
}

origin_t *origins_get(const origins_t *self, uint32_t handle)
{
    if (!self->slot_count)
        return NULL;
    size_t at = handle & (self->slot_count - 1);
    while (self->slots[at] && self->slots[at]->handle != handle)
        at = (at + 1) & (self->slot_count - 1);
    return self->slots[at];
}

/* The index is the caller's to renew. */
static void origins_unbind(origins_t *self, origin_t *origin)
{
    if (!origin->bound)
        return;
    origin->bound = false;
    origins_release(self, origin);
}

void origins_drop(origins_t *self, uint32_t handle)
{
    origin_t *origin = origins_get(self, handle);
    if (!origin)
        return;
    origins_unbind(self, origin);
    origins_index(self);
}

void origins_drop_all(origins_t *self)
{
    for (size_t i = self->count; i > 0; i--) {
        self->items[i - 1]->handle = 0;
        origins_unbind(self, self->items[i - 1]);
    }
    origins_index(self);
}

void origins_release(origins_t *self, origin_t *origin)
{
    if (--origin->references)
        return;
    size_t at = 0;
    while (self->items[at] != origin)
        at++;
    self->items[at] = self->items[--self->count];
    free(origin);
}
