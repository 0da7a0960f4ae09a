/* SPDX-License-Identifier: MPL-2.0 */
/* owed: notices for nodes that were given up. Such a node may have been cut off only, and its senders still be there:
 * what was reported of their messages meanwhile is told when it comes back. Embedded in broker_t; the router's thread.
 *
 * Bounded by OWED_NODES_MAX and OWED_SIZE_MAX; the node that was given up first goes first. */
#ifndef FERRY_BROKER_OWED_H
#define FERRY_BROKER_OWED_H

#include "base/buffer.h"
#include "wire/body.h"

#define OWED_NODES_MAX 256
#define OWED_SIZE_MAX  (16 * 1024 * 1024) /* bytes of all notices */

struct node;

/* An all-zero object is a valid empty one. */
typedef struct {
    struct owed_node *first, *last; /* in the order in which they were given up */
    uint32_t count;
    size_t size;
} owed_t;

void owed_fini(owed_t *self);

/* A node is given up: notices for it are kept from now on. */
void owed_begin(owed_t *self, const link_id_t *node);

/* Keeps a notice for a node that is not here. False if that node was not given up, or too long ago. */
bool owed_add(owed_t *self, const link_id_t *node, const body_notice_t *notice);

/* That node is back, on a fresh link: gives it what was kept. */
void owed_tell(owed_t *self, struct node *node);

#endif
