/* SPDX-License-Identifier: MPL-2.0 */
/* origins: nodes come and go seldom and their handles are looked up for every run of copies, so the index by handle is
 * made anew at each change. Nothing can fail. Owner: the link's thread. */
#include "link/origins.h"

#include <stdlib.h>

#define BINDINGS_FIRST 8

static void origin_destroy(origin_t *self)
{
    taken_log_fini(&self->log);
    reported_fini(&self->reported);
    free(self);
}

void origins_fini(origins_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        origin_destroy(self->items[i]);
    free(self->items);
    free(self->bindings);
    *self = (origins_t){0};
}

static origin_binding_t *binding_of(const origins_t *self, uint32_t handle)
{
    size_t at = handle & (self->binding_capacity - 1);
    while (self->bindings[at].handle && self->bindings[at].handle != handle)
        at = (at + 1) & (self->binding_capacity - 1);
    return &self->bindings[at];
}

/* Makes the index anew, without `dropped`, and with room for one more. */
static void origins_index(origins_t *self, uint32_t dropped)
{
    origins_t before = *self;
    self->binding_capacity = BINDINGS_FIRST;
    while (self->binding_capacity < 2 * (before.binding_count + 1))
        self->binding_capacity *= 2;
    self->binding_count = 0;
    self->bindings = calloc(self->binding_capacity, sizeof *self->bindings);
    if (!self->bindings)
        abort();
    for (size_t at = 0; at < before.binding_capacity; at++) {
        const origin_binding_t *binding = &before.bindings[at];
        if (!binding->handle || binding->handle == dropped)
            continue;
        *binding_of(self, binding->handle) = *binding;
        self->binding_count++;
    }
    free(before.bindings);
}

static origin_t *origins_find(const origins_t *self, const link_id_t *node)
{
    for (size_t i = 0; i < self->count; i++)
        if (link_id_equal(&self->items[i]->node, node))
            return self->items[i];
    return NULL;
}

static origin_t *origins_add(origins_t *self, const link_id_t *node)
{
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

/* The origin of a node that is not gone. */
static origin_t *origins_of_node(origins_t *self, const link_id_t *node)
{
    origin_t *origin = origins_find(self, node);
    if (!origin)
        origin = origins_add(self, node);
    if (origin->is_gone)
        origin_take(origin);
    origin->is_gone = false;
    return origin;
}

void origins_expect(origins_t *self, const link_id_t *node)
{
    origins_of_node(self, node);
}

void origins_reported(origins_t *self, uint64_t recipient, const body_report_t *report)
{
    origin_t *origin = origins_find(self, &report->origin);
    if (origin && report->number >= origin->floor)
        reported_add(&origin->reported, recipient, report);
}

void origins_put(origins_t *self, uint32_t handle, const link_id_t *node)
{
    if (origins_get(self, handle))
        return;
    origin_t *origin = origins_of_node(self, node);
    origin->bindings++;
    if (handle > origin->handle)
        origin->handle = handle;
    origins_index(self, 0);
    *binding_of(self, handle) = (origin_binding_t){handle, origin};
    self->binding_count++;
}

origin_t *origins_get(const origins_t *self, uint32_t handle)
{
    return self->binding_count ? binding_of(self, handle)->origin : NULL;
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
    origin->is_gone = true;
    origin->gone_order = ++self->gone_last;
    origins_release(self, origin);
}

void origins_drop(origins_t *self, uint32_t handle, bool orderly)
{
    origin_t *origin = origins_get(self, handle);
    if (!origin)
        return;
    origins_index(self, handle);
    if (orderly) {
        taken_log_fini(&origin->log);
        reported_fini(&origin->reported);
    }
    if (--origin->bindings == 0)
        origins_lose(self, origin);
}

void origins_unbind_all(origins_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        self->items[i]->handle = self->items[i]->bindings = 0;
    free(self->bindings);
    self->bindings = NULL;
    self->binding_count = self->binding_capacity = 0;
}

void origins_settle(origins_t *self)
{
    for (size_t i = self->count; i > 0; i--) {
        origin_t *origin = self->items[i - 1];
        if (origin->bindings == 0 && !origin->is_gone)
            origins_lose(self, origin);
    }
}

void origin_cut(origin_t *self, uint64_t floor, bool again)
{
    self->floor = floor;
    taken_log_cut(&self->log, floor, again);
    reported_cut(&self->reported, floor);
}

size_t origins_memory(const origins_t *self)
{
    size_t size = 0;
    for (size_t i = 0; i < self->count; i++)
        size += self->items[i]->log.capacity * sizeof *self->items[i]->log.items +
                self->items[i]->reported.capacity * sizeof *self->items[i]->reported.items;
    return size;
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
