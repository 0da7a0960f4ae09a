/* SPDX-License-Identifier: MPL-2.0 */
/* names: which peer owns a name, and which node it is at (proto/link.md, section 3). The router's thread. Functions
 * that handle records return 0 or -CLOSE_…, which ends the link.
 *
 *     (REGISTER) ──▶ OWNER ──LEAVING──▶ LEAVING ──LEFT──▶ LEFT, while copies of it are held ──▶ gone
 *          │          ▲                    │                                                      ▲
 *          └──▶ WAITING ◀── name leaves ───┘ (of another session)                                 │
 *                   └───────────────────── LEAVING, or the name is given to another ──────────────┘
 */
#ifndef FERRY_BROKER_NAMES_H
#define FERRY_BROKER_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/table.h"
#include "broker/node_set.h"
#include "broker/nodes.h"
#include "wire/control.h"

typedef enum {
    PEER_WAITING, /* for a name that leaves */
    PEER_OWNER,   /* confirmed; copies are routed to it */
    PEER_LEAVING, /* still owns the name, and gets nothing new */
    PEER_LEFT,    /* has no name any more; its node holds copies of it */
} peer_state_t;

typedef struct held held_t;

/* A session that has, had or wants a name. */
typedef struct peer {
    table_item_t item; /* by name, in broker->names while it owns the name */
    node_t *node;      /* borrowed */
    uint64_t session;
    peer_state_t state;
    bool is_stale;                      /* of the link before, and not registered again yet */
    bool is_paused;                     /* by its node */
    bool say_left;                      /* LEAVING came for it alone */
    uint64_t leave_mark;                /* the batch whose acknowledgement ends LEAVING */
    struct peer *leaving_next;          /* in node_t.leaving_first */
    struct peer *waiting;               /* an owner's: those who want the name next, in order; a waiter's: the next */
    struct peer *told_prev, *told_next; /* in node_t.told_peers */
    node_set_t told;                    /* nodes that were told of its pause */
    held_t *held;                       /* copies that its node holds; NULL for none */
    char name[];
} peer_t;

/* The owner of a name to whom copies may be routed, or NULL. */
peer_t *names_find(struct broker *broker, span_t name);

/* A node's session, or NULL. */
peer_t *node_peer(const node_t *node, uint64_t session);

/* A session without a name that copies are held of: of a name that has gone. Never NULL. */
peer_t *node_peer_left(node_t *node, uint64_t session);

/* Frees a session that has left and of which nothing is held any more. */
void peer_reap(peer_t *self);

int names_register(node_t *node, const control_t *record);
int names_leaving(node_t *node, uint64_t session);

/* LEAVE: all names of the node are leaving. */
int names_leave(node_t *node);

/* The node has acknowledged batches: says LEFT and LEAVE-OK where that was waited for. */
void names_acknowledged(node_t *node);

/* The node's link was replaced: its names wait to be registered again, those that were leaving have left. */
void names_replaced(node_t *node);

/* New names that waited for the settling are given out, in order. */
void names_settled(struct broker *broker);

/* REGISTERED: names that were not registered again are free. */
void names_registered(node_t *node);

/* Frees all names and sessions of a node that is given up. */
void names_lost(node_t *node);

#endif
