/* SPDX-License-Identifier: MPL-2.0 */
/* gone: the nodes that left or were given up lately. Their handles may stand in batches that a resumed link sends
 * again, and GONE may have been lost with the link before. Embedded in broker_t; the router's thread. */
#ifndef FERRY_BROKER_GONE_H
#define FERRY_BROKER_GONE_H

#include "broker/nodes.h"

/* An all-zero object is a valid empty one. */
typedef struct {
    buffer_t entries; /* in the order in which they went */
} gone_t;

void gone_fini(gone_t *self);

/* A node goes: remembers it, and tells the others, but for those who will be told by gone_tell. `orderly`: with BYE. */
void gone_add(node_t *node, bool orderly);

/* Whom that handle meant. False if it never meant anybody, or not lately. */
bool gone_find(const gone_t *self, uint32_t handle, link_id_t *id);

/* Tells a node whose link is resumed ORIGIN and GONE of those that went since it has certainly taken what it was told
 * on the link before. */
void gone_tell(node_t *node);

#endif
