/* SPDX-License-Identifier: MPL-2.0 */
/* pauses: which names take no more for the moment, and who was told so (proto/link.md, section 7). A name is paused by
 * its node, or with all names of a node that is congested. The router's thread; nothing fails. */
#ifndef FERRY_BROKER_PAUSES_H
#define FERRY_BROKER_PAUSES_H

#include <stdbool.h>

#include "broker/peers.h"

#define PAUSES_WINDOWS   4   /* open bytes, in windows, above which a node is congested; half of it ends that */
#define PAUSES_SILENT_MS 250 /* so is one that has been silent for so long with batches open */

static inline bool peer_is_paused(const peer_t *peer)
{
    return peer->is_paused || peer->node->congested;
}

/* A node says, with a name that is registered again, whether it is paused. */
void pauses_state(peer_t *peer, bool is_paused);

/* PAUSE or RESUME of a node; a name that is not this node's is passed over. */
void pauses_set(node_t *node, span_t name, bool is_paused);

/* A copy from `sender` was routed to a peer that is paused: tells it, once. */
void pauses_tell(peer_t *peer, node_t *sender);

/* The peer's pause has ended, or its name is going: RESUME to all that were told. */
void pauses_end(peer_t *peer);

/* Whether the node is congested, or is not any more. */
void pauses_check(node_t *node);

/* The node's link is resumed: it has to be told again of others' pauses, and states its own with its names. */
void pauses_replaced(node_t *node);

/* The node is gone: nobody is to be told by its index. */
void pauses_forget(node_t *node);

#endif
