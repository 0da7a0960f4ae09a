/* SPDX-License-Identifier: MPL-2.0 */
/* loss: what becomes of all that a node had, sent and was sent when the node is gone, or has opened another link
 * (proto/link.md, sections 8 and 9). The router's thread; nothing fails. */
#ifndef FERRY_BROKER_LOSS_H
#define FERRY_BROKER_LOSS_H

#include "broker/nodes.h"

/* Ends a node, orderly or given up, for that reason of closes.def: its names are free, and the senders of what it held
 * or had not acknowledged are told. Unless the reason is CLOSE_ORDERLY it is sent nothing more. It is freed when the
 * turn ends. */
void loss_of_node(node_t *node, int reason);

/* Ends what was under way on a link that another one of the same node is about to replace. */
void loss_of_link(node_t *node);

#endif
