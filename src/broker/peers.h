/* SPDX-License-Identifier: MPL-2.0 */
/* peers: the sessions of nodes, by slot, and what becomes of each. The router's thread; nothing fails but by abort.
 *
 *     (REGISTER) ──▶ OWNER ──LEAVING──▶ LEAVING ──LEFT──▶ LEFT, while copies of it are held ──▶ gone
 *          │          ▲                    │                                                      ▲
 *          └──▶ WAITING ◀── name leaves ───┘ (of another session)                                 │
 *                   └───────────────────── LEAVING, or the name is given to another ──────────────┘
 *
 * A group has one OWNER for each node with members, a service one for each program that serves it, and nobody waits for
 * their names.
 *
 * An OWNER goes to LEFT at once when another session has the better claim, or when its node does not register it again
 * on a new link. A LEAVING one goes back to OWNER when its node had said LEAVE, and registers it again on a new link.
 */
#ifndef FERRY_BROKER_PEERS_H
#define FERRY_BROKER_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/table.h"
#include "broker/node_set.h"
#include "broker/nodes.h"

typedef enum {
    PEER_WAITING, /* for a name that leaves, whose owner's node is in doubt, or for the settling */
    PEER_OWNER,   /* confirmed; copies are routed to it */
    PEER_LEAVING, /* still owns the name, and gets nothing new */
    PEER_LEFT,    /* has no name any more; its node holds copies of it */
} peer_state_t;

typedef struct held held_t;

/* Which of two sessions has logged in later. */
typedef struct {
    uint64_t term, serial;
} claim_t;

/* What few peers need, and no client's that has just its name: a waiter's hopes, how its name leaves, who was told of
 * its pause, and what a group or a service has. */
typedef struct peer_more {
    struct peer *peer;           /* whose it is */
    list_node_t in_hopes;        /* a waiter's, in take_over_t.hopes */
    uint64_t hopes_until_ms;     /* with that */
    uint64_t leave_mark;         /* the batch whose acknowledgement ends LEAVING */
    struct peer *leaving_next;   /* in node_t.leaving_first */
    struct peer_more *told_prev; /* in node_t.told_peers */
    struct peer_more *told_next;
    node_set_t told;            /* nodes that were told of its pause */
    struct shared_name *shared; /* of a group or a service while it is one of its owners; else NULL */
    struct peer *shared_next;   /* in shared_name_t.first */
    uint64_t only;              /* of a group: the session of its only member there, or 0 */
    struct service *service;    /* of a service, from when it owns the name; else NULL */
} peer_more_t;

/* A session that has, had or wants a name. There may be a million, so it is small. */
typedef struct peer {
    table_item_t item; /* by name, in broker->names while it owns the name */
    node_t *node;      /* borrowed */
    uint64_t session;
    claim_t claim;        /* what it was registered with, or given first */
    claim_t given;        /* what it was given last */
    node_t *resumed_from; /* what others send is kept until that node has done so; NULL for none */
    struct peer *waiting; /* an owner's: those who want the name next, in order; a waiter's: the next */
    held_t *held;         /* copies that its node holds; NULL for none */
    peer_more_t *more;    /* NULL until it is needed; a group and a service have it from the first */
    peer_state_t state : 8;
    bool again : 1;     /* confirmed before, by this instance or another */
    bool doubtful : 1;  /* somebody else may have had the name since */
    bool is_stale : 1;  /* of the link before, and not registered again yet */
    bool took_over : 1; /* the name of another, and has not been told yet */
    bool yields : 1;    /* its node gives what its client has not acknowledged to who has the name next */
    bool is_away : 1;   /* whoever asks for the name has it: its client, most likely */
    bool is_paused : 1; /* by its node */
    bool say_left : 1;  /* LEAVING came for it alone */
    char name[];
} peer_t;

/* What few have, allocated when it is first asked for. */
peer_more_t *peer_more(peer_t *self);

/* Of a group or a service while it is one of its owners; else NULL. */
static inline struct shared_name *peer_shared(const peer_t *self)
{
    return self->more ? self->more->shared : NULL;
}

static inline struct service *peer_service(const peer_t *self)
{
    return self->more ? self->more->service : NULL;
}

/* A node's session, or NULL. */
peer_t *node_peer(const node_t *node, uint64_t session);

/* Whoever is in that session's slot, of this or of another generation, or NULL. */
peer_t *node_peer_in_slot(const node_t *node, uint64_t session);

/* A new session, WAITING, in its slot, which must be free. */
peer_t *peer_new(node_t *node, uint64_t session, span_t name);

/* Frees a session that is in no table or list any more; what is held for it is forgotten. */
void peer_destroy(peer_t *self);

/* A node's session for copies that are held; one without a name is made if there is none, since its name may be gone.
 * NULL if another generation has the slot. */
peer_t *node_peer_held(node_t *node, uint64_t session);

/* Frees a session that has left and of which nothing is held any more. */
void peer_reap(peer_t *self);

/* Makes a move of the diagram; any other asserts. */
void peer_move(peer_t *self, peer_state_t state);

#endif
