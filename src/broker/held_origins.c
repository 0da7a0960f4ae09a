/* SPDX-License-Identifier: MPL-2.0 */
/* held_origins: an origin lives as long as something is held of it, or owed to it. Once its node is gone nobody finds
 * it any more, and a node that comes with the same id is another origin. Nothing fails but by abort. Owner: the
 * router's thread. */
#include "broker/held_origins.h"

#include <stdlib.h>

#include "broker/broker.h"

typedef struct {
    uint64_t number;
    uint32_t handle; /* of the holder */
    uint32_t zero;
} owed_t;

void held_origin_release(struct broker *broker, held_origin_t *self)
{
    if (--self->references > 0 || buffer_size(&self->owed) > 0)
        return;
    if (self->node)
        self->node->held_origin = NULL;
    if (!self->is_gone)
        table_take(broker->held_origins, &self->item);
    buffer_fini(&self->owed);
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

void held_origin_end(held_origin_t *self, held_list_t *ended, uint64_t number)
{
    if (self->node) {
        held_list_add(ended, self->node, number);
    } else if (!self->is_gone) {
        owed_t owed = {.number = number, .handle = ended->handle};
        buffer_append(&self->owed, &owed, sizeof owed);
    }
}

static void owed_tell(held_origin_t *self)
{
    held_list_t ended = {.type = RECORD_ENDED};
    for (; buffer_size(&self->owed) > 0; buffer_consume(&self->owed, sizeof(owed_t))) {
        owed_t owed;
        memcpy(&owed, self->owed.data + self->owed.start, sizeof owed);
        held_list_add_of(&ended, owed.handle, self->node, owed.number);
    }
    held_list_fini(&ended);
}

held_origin_t *held_origin_come(node_t *node, bool was_here)
{
    span_t key = span_of((const char *)node->id.bytes, LINK_ID_SIZE);
    held_origin_t *self = (held_origin_t *)table_get(node->broker->held_origins, key);
    if (!self)
        return NULL;
    self->node = node;
    node->held_origin = self;
    self->references++;
    if (!was_here)
        owed_tell(self);
    buffer_fini(&self->owed);
    bool is_held = self->references > 1;
    held_origin_release(node->broker, self);
    return is_held ? self : NULL;
}

void held_origin_gone(node_t *node)
{
    held_origin_t *origin = node->held_origin;
    if (!origin)
        return;
    table_take(node->broker->held_origins, &origin->item);
    origin->is_gone = true;
    origin->node = NULL;
    node->held_origin = NULL;
}

static void origin_destroy(table_item_t *item)
{
    held_origin_t *self = (held_origin_t *)item;
    buffer_fini(&self->owed);
    free(self);
}

void held_origins_fini(struct broker *broker)
{
    table_destroy(&broker->held_origins, origin_destroy);
}
