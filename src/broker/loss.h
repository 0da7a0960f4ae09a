/* SPDX-License-Identifier: MPL-2.0 */
/* loss: what becomes of all that a node had, sent and was sent when the node is gone, and of what it said when its link
 * is (proto/link.md, sections 8 and 9). The router's thread; nothing fails. */
#ifndef FERRY_BROKER_LOSS_H
#define FERRY_BROKER_LOSS_H

#include "broker/nodes.h"

/* Ends a node, orderly or given up, for that reason of closes.def: its names are free, and the senders of what it held
 * or had not acknowledged are told. Unless the reason is CLOSE_ORDERLY it is sent nothing more. It is freed when the
 * turn ends. */
void loss_of_node(node_t *node, int reason);

/* Another link of the same node is about to resume this one: what it said of its names, of what it holds and of pauses
 * is to be said again; all that is under way stays. */
void loss_of_link(node_t *node);

#endif
