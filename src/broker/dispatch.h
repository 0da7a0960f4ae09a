/* SPDX-License-Identifier: MPL-2.0 */
/* dispatch [5]: a node's batch is taken apart, and each message goes to the DEALER writers of the nodes that its
 * recipients are at (proto/link.md, sections 4 and 5). The router's thread. */
#ifndef FERRY_BROKER_DISPATCH_H
#define FERRY_BROKER_DISPATCH_H

#include <stdint.h>

#include "broker/nodes.h"
#include "broker/peers.h"
#include "wire/body.h"
#include "wire/frame.h"

/* One record of a node on its way. */
typedef struct {
    struct broker *broker;
    node_t *node; /* its sender's */
    inbatch_t *batch;
    uint32_t index;                /* in the batch */
    const body_message_t *message; /* NULL for a report */
    body_run_t run;
    peer_t *last; /* the one who the message before went to; NULL if that went another way */
} transit_t;

/* Stands for a sender's session in notices on held copies, of which the broker keeps only the number. */
#define DISPATCH_SESSION_UNKNOWN UINT64_MAX

/* Routes the records of a body that came with that header. Returns 0 or -CLOSE_…; records before the bad one are
 * routed.
 */
int dispatch_body(node_t *node, span_t body, const frame_header_t *header);

/* Routes one copy of the message to a peer that owns its name. It was expected, or is about to be. */
void transit_copy(const transit_t *self, peer_t *to);

/* Routes a copy to a group, which was kept and is not expected any more, to all nodes with members, or refuses it. */
void transit_release(const transit_t *self, span_t group);

/* Copies to sessions of that node. */
void transit_copies(const transit_t *self, node_t *to, const uint64_t *sessions, unsigned session_count);

/* Refuses one copy of the message, whose recipient nobody knows. */
void transit_refuse(const transit_t *self, span_t name);

/* Passes a report on to its origin. */
void transit_notify(const transit_t *self, node_t *origin, const body_report_t *report);

/* Ends every copy and report that the node was sent and has not acknowledged: the senders of copies are told that
 * nobody knows, and the notices among it are kept in case the node comes back. The DEALER writer is empty afterwards.
 */
void dispatch_lose(node_t *node);

/* Tells an origin, now or when it comes back, that a held copy of its message was lost with the recipient's node. */
void dispatch_lost_held(struct broker *broker, const struct held_origin *origin, uint64_t number, span_t name);

/* Puts TAKEN into what the node is sent, if there is news. */
void dispatch_taken(node_t *node);

#endif
