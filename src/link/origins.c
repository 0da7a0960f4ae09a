/* SPDX-License-Identifier: MPL-2.0 */
/* origins: nodes come and go seldom and their handles are looked up for every run of copies, so the index by handle is
 * made anew at each change. Nothing can fail. Owner: the link's thread. */
#include "link/origins.h"

#include <stdlib.h>

static void origin_destroy(origin_t *self)
{
    taken_log_fini(&self->log);
    free(self);
}

void origins_fini(origins_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        origin_destroy(self->items[i]);
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
    origin->is_gone = true;
    return self->items[self->count++] = origin;
}

void origins_put(origins_t *self, uint32_t handle, const link_id_t *node)
{
    origins_drop(self, handle, false);
    origin_t *origin = origins_of_node(self, node);
    if (origin->is_gone)
        origin_take(origin);
    origin->is_gone = false;
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

static void origins_forget(origins_t *self, origin_t *origin)
{
    size_t at = 0;
    while (self->items[at] != origin)
        at++;
    self->items[at] = self->items[--self->count];
    origin_destroy(origin);
}

/* Forgets the one that has been gone for longest, if there are too many of which only the log is left. */
static void origins_trim(origins_t *self)
{
    origin_t *oldest = NULL;
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++) {
        origin_t *origin = self->items[i];
        if (origin->references > 0)
            continue;
        count++;
        if (!oldest || origin->gone_order < oldest->gone_order)
            oldest = origin;
    }
    if (count > ORIGINS_GONE_MAX)
        origins_forget(self, oldest);
}

void origins_release(origins_t *self, origin_t *origin)
{
    if (--origin->references)
        return;
    if (taken_log_count(&origin->log) == 0)
        origins_forget(self, origin);
    else
        origins_trim(self);
}

static void origins_lose(origins_t *self, origin_t *origin)
{
    origin->bound = false;
    origin->is_gone = true;
    origin->gone_order = ++self->gone_last;
    origins_release(self, origin);
}

void origins_drop(origins_t *self, uint32_t handle, bool orderly)
{
    origin_t *origin = origins_get(self, handle);
    if (!origin)
        return;
    if (orderly)
        taken_log_fini(&origin->log);
    origins_lose(self, origin);
    origins_index(self);
}

void origins_unbind_all(origins_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        self->items[i]->handle = 0;
        self->items[i]->bound = false;
    }
    origins_index(self);
}

void origins_settle(origins_t *self)
{
    for (size_t i = self->count; i > 0; i--) {
        origin_t *origin = self->items[i - 1];
        if (!origin->bound && !origin->is_gone)
            origins_lose(self, origin);
    }
}

void origins_ids(const origins_t *self, buffer_t *to)
{
    size_t count = 0;
    for (size_t i = 0; i < self->count && count < CONTROL_NODES_MAX; i++) {
        if (self->items[i]->is_gone)
            continue;
        buffer_append(to, self->items[i]->node.bytes, LINK_ID_SIZE);
        count++;
    }
}
