/* SPDX-License-Identifier: MPL-2.0 */
/* origins: the other nodes, by the handles that one broker instance gave them, and what was taken of each. An origin
 * outlives its handle, and the link, until its node is GONE; and after that as long as copies of it are queued here, or
 * it may come back and send again what was taken (proto/link.md, section 9). Owned by the link's thread. */
#ifndef FERRY_LINK_ORIGINS_H
#define FERRY_LINK_ORIGINS_H

#include "link/reported.h"
#include "link/taken_log.h"
#include "wire/control.h"

#define ORIGINS_GONE_MAX 64 /* whose logs are kept, since they were given up and may come back */

typedef struct {
    link_id_t node;
    uint32_t handle;     /* the last that this broker gave it, even if it is GONE; or 0 */
    uint32_t bindings;   /* handles of it that are in use: a node that was given up comes under another */
    bool is_gone;        /* it has left or was given up, and has not come since */
    uint64_t gone_order; /* which of those that are gone came first */
    uint32_t stated_handle, stated_epoch; /* what this node called it on the link of that epoch */
    uint32_t references;                  /* queued copies of this origin, and 1 unless it is gone */
    uint64_t floor;                       /* it sends nothing below it again */
    taken_log_t log;
    reported_t reported;
} origin_t;

typedef struct {
    uint32_t handle; /* 0: the place is free */
    origin_t *origin;
} origin_binding_t;

typedef struct {
    origin_t **items; /* in no order */
    size_t count, capacity;
    origin_binding_t *bindings; /* at handle modulo binding_capacity or the next free place */
    size_t binding_count;
    size_t binding_capacity; /* a power of two, at least twice the count */
    uint64_t gone_last;
} origins_t;

void origins_fini(origins_t *self);

/* Notes that `handle`, not 0, is `node`, which may be known already by others. */
void origins_put(origins_t *self, uint32_t handle, const link_id_t *node);

/* The origin with that handle, NULL if there is none. Borrowed; take a reference to keep it. */
origin_t *origins_get(const origins_t *self, uint32_t handle);

/* GONE: the handle is not used any more; copies of that origin that are still queued are told of by it all the same.
 * With `orderly` it never comes back. */
void origins_drop(origins_t *self, uint32_t handle, bool orderly);

/* No handle of this link is used any more: another instance gives others to those who come back. */
void origins_unbind_all(origins_t *self);

/* Those who have not come back to the new instance are gone. */
void origins_settle(origins_t *self);

/* The broker has told that this node is there, or may come back. */
void origins_expect(origins_t *self, const link_id_t *node);

/* A copy for that session was reported to its origin; kept with that origin's log, if it may come again. */
void origins_reported(origins_t *self, uint64_t recipient, const body_report_t *report);

/* Bytes that the logs need. Walks all origins. */
size_t origins_memory(const origins_t *self);

/* The origin sends nothing below that number again; with `again` false, nothing that it had sent before. */
void origin_cut(origin_t *self, uint64_t floor, bool again);

/* Appends the ids of the nodes that are not gone, at most CONTROL_NODES_MAX. */
void origins_ids(const origins_t *self, buffer_t *to);

static inline origin_t *origin_take(origin_t *self)
{
    self->references++;
    return self;
}

/* Gives a reference back; the last one frees the origin. */
void origins_release(origins_t *self, origin_t *origin);

#endif
