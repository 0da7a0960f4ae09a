/* SPDX-License-Identifier: MPL-2.0 */
/* nodes: whom the broker has a link with, by id, by routing id and by handle. A node lives from its HELLO until it says
 * BYE or is given up; its link may be lost and resumed in between. The router's thread. */
#ifndef FERRY_BROKER_NODES_H
#define FERRY_BROKER_NODES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/table.h"
#include "broker/dealer_writer.h"
#include "broker/intake.h"
#include "wire/control.h"

struct broker;
struct peer;
struct held_origin;
typedef struct node node_t;

/* A routing id that has said HELLO. */
typedef struct {
    table_item_t item; /* by the bytes of the routing id */
    node_t *node;      /* borrowed */
    bool is_current;   /* false for the one before the node's last HELLO */
    uint8_t id[];
} route_t;

struct node {
    table_item_t item; /* by id */
    link_id_t id;
    uint32_t index;  /* in nodes_t.list: small, used again */
    uint32_t handle; /* what the other nodes call it: never used again */
    uint32_t epoch;
    struct broker *broker; /* borrowed */
    route_t *route;        /* of the link */
    route_t *route_before; /* of the link that it replaced; NULL for none */
    uint64_t heard_ms;     /* when something came last, by the broker's clock */
    bool was_here;         /* named this instance when it said HELLO last */
    bool resumed;          /* the link goes on where the last one ended */
    uint64_t taken_before; /* the last batch that it took on that one; counts with REGISTERED */
    uint64_t heard_before; /* when something came on that one last, ms */
    bool registered;       /* has said REGISTERED on this link */
    bool doubted;          /* some logins wait until it is heard or given up */
    bool stopping;         /* has said STOPPING */
    bool leaving;          /* has said LEAVE, and not all that came before is acknowledged */
    bool drained;          /* has answered DRAIN */
    uint64_t drained_last; /* the last number before that */
    bool bye_said;         /* was told BYE */
    bool bye_heard;        /* has said BYE */
    bool bye_answered;     /* has said BYE-OK */
    bool ended;            /* only its last messages are to be sent */

    intake_t intake;        /* what it sent */
    dealer_writer_t writer; /* what is sent to it */
    uint64_t leave_mark;    /* the batch whose acknowledgement ends LEAVE */

    struct peer **slots; /* its sessions, by slot; NULL where there is none */
    uint32_t slot_count;
    uint32_t name_count;                       /* names that it owns */
    struct peer *leaving_first, *leaving_last; /* names that wait for their LEFT, in order */
    list_t busy_services;                      /* service_t: with copies that are not acknowledged */
    uint64_t asked_tick;                       /* in which it was told who is there last */
    list_t watchers;                           /* its sessions that watch a name */
    struct peer_more *told_peers;              /* whose pause some node was told of */
    bool congested;                            /* all its names are paused */
    struct held_origin *held_origin;           /* of what others hold of it; NULL for nothing */
    bool is_unsure;                            /* what of that has ended is for the successor to tell */
    size_t counted;                            /* bytes of the DEALER writer, as the budget knows them */
    buffer_t stated;                           /* held_origin_t *, by the handles of its own ORIGINs, from 1 */

    bool touched;         /* is in nodes_t.touched */
    node_t *touched_next; /* there, or in nodes_t.ended */
};

typedef struct {
    table_t *by_id;
    table_t *by_route;
    node_t **list;      /* by index; NULL where there is none */
    uint32_t *handles;  /* of the same */
    uint32_t list_size; /* entries of both arrays */
    uint32_t count;
    uint32_t handle_last;
    route_t *route_last; /* the route that was found last */
    node_t *touched;     /* have something to be sent or asked at the end of the turn */
    node_t *ended;       /* to be freed at the end of the turn */
} nodes_t;

void nodes_init(nodes_t *self);

/* Every node must have been ended and reaped. */
void nodes_fini(nodes_t *self);

/* Adds a node of that id and epoch, with a link of that routing id; no node may have either. */
node_t *nodes_add(struct broker *broker, const link_id_t *id, span_t routing_id, uint32_t epoch);

/* Gives a node another link, which resumes the last. */
void node_reconnect(node_t *self, span_t routing_id, uint32_t epoch);

/* Whether the node has not yet said on a resumed link all that is so. */
static inline bool node_is_restating(const node_t *self)
{
    return self->resumed && !self->registered;
}

/* Takes a node out; it is freed by nodes_reap. */
void nodes_remove(nodes_t *self, node_t *node);
void nodes_reap(nodes_t *self);

/* The node, or NULL. */
node_t *nodes_find(const nodes_t *self, const link_id_t *id);
node_t *nodes_by_handle(const nodes_t *self, uint32_t handle);
route_t *nodes_route(nodes_t *self, span_t routing_id);

/* The node at the first index from *at on, or NULL at the end; *at is its index + 1 afterwards. */
node_t *nodes_next(const nodes_t *self, uint32_t *at);

/* Has the node looked at when the turn ends: TAKEN is asked, and its DEALER writer flushed. */
void node_touch_slow(node_t *self);
static inline void node_touch(node_t *self)
{
    if (!self->touched)
        node_touch_slow(self);
}

/* Adds a control record to what the node is sent at the end of the turn. */
void node_tell(node_t *self, const control_t *control);
void node_tell_empty(node_t *self, record_type_t type);

#endif
