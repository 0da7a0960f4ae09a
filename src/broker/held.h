/* SPDX-License-Identifier: MPL-2.0 */
/* held: copies that nodes have taken and still hold for slow clients (proto/link.md, section 6). The broker keeps of
 * each just its origin and number, in the order of each session, to tell the origin when it has ended, or that nobody
 * knows when its node is lost. The router's thread. Functions that handle records return 0 or -CLOSE_…. */
#ifndef FERRY_BROKER_HELD_H
#define FERRY_BROKER_HELD_H

#include "broker/peers.h"

#define HELD_SESSION_MAX (1u << 20) /* copies held for one session */
#define HELD_STATED_MAX  (1u << 16) /* origins that a node states on one link */

/* ORIGIN, HOLD and END of a node. */
int held_state_origin(node_t *node, const control_t *record);
int held_hold(node_t *node, const control_t *record);
int held_end(node_t *node, const control_t *record);

/* Tells a node all that is held of it: HELD with `again`, and SETTLED, unless it is unsure. */
void held_state(node_t *node);

/* The node's link is resumed: it states what it holds anew. With REGISTERED it has: what it did not state has ended,
 * and what nobody knew yet is passed on. */
void held_replaced(node_t *node);
void held_registered(node_t *node);

/* The node is given up: tells the origins of what it held. Names are still there. */
void held_lost(node_t *node);

/* The node parts since the broker stops: it will state what it holds to the successor, and nobody is told; but the
 * origins are unsure from now on. */
void held_forget(node_t *node);

/* Everything held for that session has ended: tells the origins, unless nodes part, and forgets it. */
void held_end_all(peer_t *peer);

/* Forgets what is held for a session. */
void held_drop(peer_t *peer);

/* The copy at that place of a session's queue has ended; the session may be freed by that. */
void held_end_one(peer_t *peer, size_t place);

/* Copies held for a session. */
size_t held_count_of(const peer_t *peer);

/* Copies held by that node. Walks all its sessions. */
uint64_t held_count(const node_t *node);

#endif
