/* SPDX-License-Identifier: MPL-2.0 */
/* front [4]: reads the ROUTER, tells who speaks and whether that may be, and hands records to the room that they are
 * for. The router's thread. */
#ifndef FERRY_BROKER_FRONT_H
#define FERRY_BROKER_FRONT_H

#include "broker/broker.h"

/* Reads what has come, up to a budget, so that the turn ends and what it routed is sent. */
void front_receive(broker_t *broker);

/* A node has broken the protocol: it is refused and given up. */
void front_break(node_t *node, int close);

#endif
