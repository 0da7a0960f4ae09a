/* SPDX-License-Identifier: MPL-2.0 */
/* names: which peer owns a name, and which node it is at (proto/link.md, section 3). The router's thread. Functions
 * that handle records return 0 or -CLOSE_…, which ends the link. */
#ifndef FERRY_BROKER_NAMES_H
#define FERRY_BROKER_NAMES_H

#include <stdint.h>

#include "broker/nodes.h"
#include "broker/peers.h"
#include "wire/control.h"

/* The owner of a name to whom copies may be routed, or NULL. */
peer_t *names_find(struct broker *broker, span_t name);

int names_register(node_t *node, const control_t *record);
/* ONLY: which session is the only member of a group at that node. */
int names_only(node_t *node, const control_t *record);
/* YIELD: the client of a session acknowledges what it gets, and may be away; YIELDED: what the one before had not
 * acknowledged has been sent to the owner of that name. */
int names_yield(node_t *node, const control_t *record);
int names_yielded(node_t *node, const control_t *record);

/* The node is gone: nothing more comes from it. */
void names_yield_no_more(node_t *node);

/* The node is heard again: those who waited to know whether it is still there are denied its names. */
void names_heard(node_t *node);

/* A name is free, and given to the first who waits for it; its owner stays as long as copies of it are held. */
void peer_leave_name(peer_t *self);

/* What becomes of a peer that wants the name of an owner: it has it at once, and the owner is denied; it waits behind
 * others who do; or it is denied, and freed. */
void peer_replace(peer_t *owner, peer_t *by);
void peer_wait_for(peer_t *owner, peer_t *newcomer);
void peer_turn_away(peer_t *newcomer);

/* Takes the first who waits out of the queue of an owner; NULL if nobody does. One that waits is denied, and freed. */
peer_t *peer_first_waiting(peer_t *owner);
void peer_wait_no_more(peer_t *waiter);

/* Frees a peer that waits for the owner of its name, or for the settling. */
void peer_stop_waiting(peer_t *self);

/* The node's link is resumed: its names wait to be registered again. */
void names_replaced(node_t *node);

/* New names that waited for the settling are given out, in order. */
void names_settled(struct broker *broker);

/* REGISTERED: names that were not registered again are free. */
void names_registered(node_t *node);

/* Frees all names and sessions of a node that is given up. */
void names_lost(node_t *node);

#endif
