/* SPDX-License-Identifier: MPL-2.0 */
/* drain: the orderly stop of a broker (proto/link.md, section 11). Embedded in broker_t; the router's thread.
 *
 *     NONE ──begin──▶ NODES ──each has answered──▶ TAKEN ──nothing is open──▶ BYE ──no node is left──▶ CLOSED
 */
#ifndef FERRY_BROKER_DRAIN_H
#define FERRY_BROKER_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

struct broker;
struct node;

typedef enum { DRAIN_NONE, DRAIN_NODES, DRAIN_TAKEN, DRAIN_BYE, DRAIN_CLOSED } drain_state_t;

/* Tells all nodes to stop; a second call changes nothing. */
void drain_begin(struct broker *broker);

/* Goes on as far as the nodes have; to be called when a turn ends. Returns true if the state has changed. */
bool drain_step(struct broker *broker);

/* The deadline: says BYE to whom it was not said, and is closed. */
void drain_expire(struct broker *broker);

/* DRAINED of a node whose last number is `last`. Returns 0 or -CLOSE_…. */
int drain_answered(struct node *node, uint64_t last);

/* What a state waits for, as a word for logs ("taken"). Static. */
const char *drain_word(drain_state_t state);

#endif
