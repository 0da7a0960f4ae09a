/* SPDX-License-Identifier: MPL-2.0 */
/* services: a copy to a service goes to one of the programs that serve it, to the one with the fewest open copies of
 * those that have credit left; while none has, copies wait, and their senders are paused (proto/link.md, section 3).
 * The router's thread. Functions that handle records return 0 or -CLOSE_…. Nothing else fails but by abort. */
#ifndef FERRY_BROKER_SERVICES_H
#define FERRY_BROKER_SERVICES_H

#include "broker/dispatch.h"
#include "broker/shared_names.h"

/* A program has come that serves its name, and gets nothing before its node has said its CREDIT; or is freed. */
void services_begin(peer_t *peer);
void services_end(peer_t *peer);

/* CREDIT and DONE of a node. */
int services_credit(node_t *node, const control_t *record);
int services_done(node_t *node, const control_t *record);

/* A copy was added to what that session's node is sent, which has acknowledged more than before. */
void services_sent(node_t *node, uint64_t session);
void services_acknowledged(node_t *node);

typedef enum {
    SERVICES_REFUSED, /* nobody serves it: its sender was told */
    SERVICES_ROUTED,
    SERVICES_KEPT, /* it waits */
} services_answer_t;

/* What becomes of a copy to a service; one that is to wait is left to the caller. */
services_answer_t services_route(const transit_t *transit, span_t name);

/* Nobody serves the name any more: what waits for it is refused. */
void services_ended(struct broker *broker, shared_name_t *shared);

/* Some program may have room though nothing has come of it: its node was congested. */
void services_tick(struct broker *broker);

/* A node is gone, or has a link that begins anew: it was told of no pause. */
void services_forget(node_t *node);

#endif
