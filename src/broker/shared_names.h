/* SPDX-License-Identifier: MPL-2.0 */
/* shared_names: the names that several peers have: groups, each with one peer for each node with members, and services,
 * each with one for each program that serves it. The router's thread. Nothing fails but by abort. */
#ifndef FERRY_BROKER_SHARED_NAMES_H
#define FERRY_BROKER_SHARED_NAMES_H

#include "base/list.h"
#include "base/table.h"
#include "broker/peers.h"

typedef struct shared_name {
    table_item_t item;  /* in broker->shared_names while it has peers */
    peer_t *first;      /* by peer_t.shared_next, in the order in which they came */
    node_set_t told;    /* of a service: nodes that were told that it is paused, since copies wait */
    list_node_t paused; /* in broker_t.paused_services while there are some */
    char name[];
} shared_name_t;

/* A name with peers, or NULL. */
shared_name_t *shared_names_find(const struct broker *broker, span_t name);

/* A node's peer of that name to which copies may be routed, or NULL. */
peer_t *shared_names_of_node(const node_t *node, span_t name);

/* A peer has the name with the others, or no longer. */
void shared_names_add(peer_t *peer);
void shared_names_remove(peer_t *peer);

#endif
