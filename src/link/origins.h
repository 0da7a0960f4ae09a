/* SPDX-License-Identifier: MPL-2.0 */
/* origins: the nodes whose copies this node has taken, by the handles that one broker instance gave them. An origin
 * outlives its handle, and the link, while copies of it are queued here. Owned by the link's thread. */
#ifndef FERRY_LINK_ORIGINS_H
#define FERRY_LINK_ORIGINS_H

#include "wire/control.h"

typedef struct {
    link_id_t node;
    uint32_t handle;                      /* that the broker gave it on the present link, even if it is GONE; or 0 */
    bool bound;                           /* the handle is in use */
    uint32_t stated_handle, stated_epoch; /* what this node called it on the link of that epoch */
    uint32_t references;                  /* queued copies of this origin, and 1 if it is bound */
} origin_t;

typedef struct {
    origin_t **items; /* in no order */
    size_t count, capacity;
    origin_t **slots;  /* items that are bound, at handle modulo slot_count or the next free place */
    size_t slot_count; /* a power of two, at least twice the count */
} origins_t;

void origins_fini(origins_t *self);

/* Notes that `handle`, not 0, is `node`; an origin that is known already, from an earlier link, gets the new handle. */
void origins_put(origins_t *self, uint32_t handle, const link_id_t *node);

/* The origin with that handle, NULL if there is none. Borrowed; take a reference to keep it. */
origin_t *origins_get(const origins_t *self, uint32_t handle);

/* The handle is not used any more. Copies of that origin that are still queued are told of by it all the same. */
void origins_drop(origins_t *self, uint32_t handle);

/* No handle of this link is used any more. */
void origins_drop_all(origins_t *self);

static inline origin_t *origin_take(origin_t *self)
{
    self->references++;
    return self;
}

/* Gives a reference back; the last one frees the origin. */
void origins_release(origins_t *self, origin_t *origin);

#endif
