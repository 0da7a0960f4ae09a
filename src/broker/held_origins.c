/* SPDX-License-Identifier: MPL-2.0 */
/* held_origins: an origin lives as long as something is held of it. Once its node has left for good nobody finds it any
 * more, and a node that comes with the same id is another origin. Nothing fails but by abort. Owner: the router's
 * thread. */
#include "broker/held_origins.h"

#include <stdlib.h>

#include "broker/broker.h"

void held_origin_release(struct broker *broker, held_origin_t *self)
{
    if (--self->references > 0)
        return;
    if (self->node)
        self->node->held_origin = NULL;
    if (!self->is_gone)
        table_take(broker->held_origins, &self->item);
    free(self);
}

held_origin_t *held_origin_of(struct broker *broker, const link_id_t *id)
{
    span_t key = span_of((const char *)id->bytes, LINK_ID_SIZE);
    held_origin_t *self = (held_origin_t *)table_get(broker->held_origins, key);
    if (self)
        return self;
    self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->id = *id;
    self->item.key = span_of((const char *)self->id.bytes, LINK_ID_SIZE);
    self->node = nodes_find(&broker->nodes, id);
    if (self->node)
        self->node->held_origin = self;
    table_put(broker->held_origins, &self->item);
    return self;
}

held_origin_t *held_origin_of_nobody(void)
{
    held_origin_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->is_gone = true;
    return self;
}

void held_origin_tell(held_origin_t *self, held_list_t *list, uint64_t number)
{
    if (self->node)
        held_list_add(list, self->node, number);
}

void held_origin_come(node_t *node)
{
    span_t key = span_of((const char *)node->id.bytes, LINK_ID_SIZE);
    node->held_origin = (held_origin_t *)table_get(node->broker->held_origins, key);
    if (node->held_origin)
        node->held_origin->node = node;
}

void held_origin_gone(node_t *node, bool for_good)
{
    held_origin_t *origin = node->held_origin;
    if (!origin)
        return;
    origin->node = NULL;
    node->held_origin = NULL;
    if (!for_good)
        return;
    origin->is_gone = true;
    table_take(node->broker->held_origins, &origin->item);
}

static void origin_destroy(table_item_t *item)
{
    free(item);
}

void held_origins_fini(struct broker *broker)
{
    table_destroy(&broker->held_origins, origin_destroy);
}
