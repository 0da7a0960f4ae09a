/* SPDX-License-Identifier: MPL-2.0 */
/* who: nodes ask which names begin with a prefix (proto/link.md, section 3). An answer is a walk through all names, so
 * each node is given one in a tick; the others wait, one for each session. Embedded in broker_t; the router's thread.
 * Nothing fails but by abort. */
#ifndef FERRY_BROKER_WHO_H
#define FERRY_BROKER_WHO_H

#include "base/list.h"
#include "broker/nodes.h"
#include "wire/control.h"

#define WHO_NAMES_MAX 200 /* in an answer; with names of 255 bytes they fit into a header frame */

typedef struct {
    list_t questions; /* of all nodes, oldest first */
    uint64_t ticks;   /* ever */
} who_t;

void who_init(who_t *self);

/* No node may be left. */
void who_fini(const who_t *self);

/* WHO of a node; a session's earlier question is forgotten. Returns 0. */
int who_ask(node_t *node, const control_t *record);

/* Answers one question of each node, unless the broker settles. */
void who_tick(struct broker *broker);

/* The node is gone, or asks anew what it wants to know. */
void who_forget(node_t *node);

#endif
