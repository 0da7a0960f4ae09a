/* SPDX-License-Identifier: MPL-2.0 */
/* owed: a list of the nodes that are away, each with the NOTICE records as they go into a body. Nothing fails but by
 * abort. Owner: the router's thread. */
#include "broker/owed.h"

#include <stdlib.h>

#include "base/log.h"
#include "broker/broker.h"

typedef struct owed_node {
    struct owed_node *next;
    link_id_t id;
    buffer_t body; /* of a broker; empty until there is a notice */
    uint32_t count;
} owed_node_t;

/* Takes out the node behind `before`, or the first. */
static owed_node_t *owed_take(owed_t *self, owed_node_t *before)
{
    owed_node_t **at = before ? &before->next : &self->first, *taken = *at;
    *at = taken->next;
    if (!taken->next)
        self->last = before;
    self->count--;
    self->size -= buffer_size(&taken->body);
    return taken;
}

static void owed_node_destroy(owed_node_t *self)
{
    buffer_fini(&self->body);
    free(self);
}

void owed_fini(owed_t *self)
{
    while (self->first)
        owed_node_destroy(owed_take(self, NULL));
}

/* For want of room: its senders will not hear what became of these copies. */
static void owed_forget_first(owed_t *self)
{
    owed_node_t *node = owed_take(self, NULL);
    char id[LINK_ID_TEXT_SIZE];
    link_id_text(&node->id, id);
    if (node->count > 0)
        log_warning("notices-forgotten", log_str("node", id), log_uint("count", node->count));
    owed_node_destroy(node);
}

/* The node with that id, and the one before it. */
static owed_node_t *owed_find(const owed_t *self, const link_id_t *id, owed_node_t **before)
{
    owed_node_t *node = self->first;
    *before = NULL;
    while (node && !link_id_equal(&node->id, id)) {
        *before = node;
        node = node->next;
    }
    return node;
}

void owed_begin(owed_t *self, const link_id_t *id)
{
    owed_node_t *node = calloc(1, sizeof *node);
    if (!node)
        abort();
    node->id = *id;
    if (self->last)
        self->last->next = node;
    else
        self->first = node;
    self->last = node;
    if (++self->count > OWED_NODES_MAX)
        owed_forget_first(self);
}

bool owed_add(owed_t *self, const link_id_t *id, const body_notice_t *notice)
{
    owed_node_t *before, *node = owed_find(self, id, &before);
    if (!node)
        return false;
    if (node->count++ == 0)
        body_begin_down(&node->body);
    size_t size = buffer_size(&node->body);
    body_notice_t kept = *notice;
    kept.report = 0; /* whoever reported it may be unknown then */
    body_put_notice(&node->body, &kept);
    self->size += buffer_size(&node->body) - (node->count == 1 ? 0 : size);
    while (self->size > OWED_SIZE_MAX)
        owed_forget_first(self);
    return true;
}

void owed_tell(owed_t *self, node_t *to)
{
    owed_node_t *before, *node = owed_find(self, &to->id, &before);
    body_t body;
    body_record_t record;
    if (!node)
        return;
    owed_take(self, before);
    if (node->count)
        body_finish_down(&node->body, node->count);
    if (node->count && body_open_down(&body, buffer_span(&node->body)) == 0)
        while (body_next_down(&body, &record) == 1)
            dealer_writer_notice(&to->writer, NULL, &record.notice, NULL, 0);
    owed_node_destroy(node);
    node_touch(to);
}
