/* SPDX-License-Identifier: MPL-2.0 */
/* hello: a node opens a link, and is welcomed or refused (proto/link.md, section 2). The router's thread. */
#ifndef FERRY_BROKER_HELLO_H
#define FERRY_BROKER_HELLO_H

#include "broker/broker.h"
#include "wire/frame.h"

/* A HELLO has come alone, with that header, from a routing id that has no link. Returns 0 when the node is welcomed, or
 * the reason to refuse it as -CLOSE_…; nothing has changed then. */
int hello_receive(broker_t *broker, span_t routing_id, const frame_header_t *header, const control_t *hello);

/* The node has said REGISTERED, and all that it stated was answered: a resumed link goes on. */
void hello_registered(node_t *node);

#endif
