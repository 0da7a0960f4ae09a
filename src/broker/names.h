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
