/* SPDX-License-Identifier: MPL-2.0 */
/* held_origins: the nodes whose copies others hold. Such a node may be here, may be away (it has not come yet to this
 * instance, or was given up and may come back), or may have left for good. The router's thread; nothing fails but by
 * abort. */
#ifndef FERRY_BROKER_HELD_ORIGINS_H
#define FERRY_BROKER_HELD_ORIGINS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/table.h"
#include "broker/held_list.h"
#include "broker/nodes.h"

struct broker;

typedef struct held_origin {
    table_item_t item; /* by id, in broker->held_origins until the origin is gone */
    link_id_t id;
    node_t *node;        /* NULL while it is not here */
    bool is_gone;        /* for good */
    uint32_t references; /* copies that are held, and statements of nodes */
} held_origin_t;

/* The origin with that id, made if there is none. Whoever keeps it adds a reference. */
held_origin_t *held_origin_of(struct broker *broker, const link_id_t *id);

/* An origin that is gone, for a copy whose origin nobody knows any more; without a reference. */
held_origin_t *held_origin_of_nobody(void);

/* Gives a reference back. The last one frees the origin. */
void held_origin_release(struct broker *broker, held_origin_t *self);

/* A copy of message `number` is held, or has ended, at the list's holder: tells the origin. One that is away misses
 * nothing: it is told what is held when it comes. */
void held_origin_tell(held_origin_t *self, held_list_t *list, uint64_t number);

/* The node of an origin has come. */
void held_origin_come(node_t *node);

/* The node was given up, or has left for good: then what is held of it is of no interest to anybody. */
void held_origin_gone(node_t *node, bool for_good);

/* Frees all that are left. */
void held_origins_fini(struct broker *broker);

#endif
