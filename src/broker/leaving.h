/* SPDX-License-Identifier: MPL-2.0 */
/* leaving: names that go, which their nodes keep until everything that was routed to them is acknowledged
 * (proto/link.md, section 3). The router's thread. Functions that handle records return 0 or -CLOSE_…, which ends the
 * link. */
#ifndef FERRY_BROKER_LEAVING_H
#define FERRY_BROKER_LEAVING_H

#include "broker/nodes.h"
#include "broker/peers.h"

/* The owner of a name is leaving, whether its node has said so or is about to. */
void leaving_start(peer_t *self);

/* LEAVING of that session. */
int leaving_begin(node_t *node, uint64_t session);

/* LEAVE: all names of the node are leaving. */
int leaving_begin_all(node_t *node);

/* The node has acknowledged batches: says LEFT and LEAVE-OK where that was waited for. */
void leaving_acknowledged(node_t *node);

/* The node's link is resumed: names that were leaving still are, and their LEFT is to be asked for again. */
void leaving_replaced(node_t *node);

/* A session that is leaving is registered again: it has its name again if its node had said LEAVE on the link before,
 * and has not said so on this one. Returns whether that is so. */
bool leaving_return(peer_t *peer);

#endif
