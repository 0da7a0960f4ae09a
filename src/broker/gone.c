/* SPDX-License-Identifier: MPL-2.0 */
/* gone: an entry is kept for some link timeouts, which is longer than a node can be away and come back to a resumed
 * link. A node that was heard has taken what it was told a link timeout earlier, since it leaves a link on which it
 * hears nothing for less. Nothing fails but by abort. Owner: the router's thread. */
#include "broker/gone.h"

#include "broker/broker.h"

#define GONE_TIMEOUTS 4 /* link timeouts for which an entry is kept */

typedef struct {
    link_id_t id;
    uint32_t handle;
    bool orderly;
    uint64_t gone_ms;
} gone_entry_t;

void gone_fini(gone_t *self)
{
    buffer_fini(&self->entries);
}

static void gone_forget_old(gone_t *self, uint64_t before_ms)
{
    gone_entry_t entry;
    while (buffer_size(&self->entries) > 0) {
        memcpy(&entry, self->entries.data + self->entries.start, sizeof entry);
        if (entry.gone_ms >= before_ms)
            return;
        buffer_consume(&self->entries, sizeof entry);
    }
}

static void gone_say(node_t *to, const gone_entry_t *entry)
{
    node_tell(to, &(control_t){.type = RECORD_GONE, .origin = {.handle = entry->handle, .orderly = entry->orderly}});
}

void gone_add(node_t *node, bool orderly)
{
    broker_t *broker = node->broker;
    uint64_t now_ms = broker_now_ms(broker), kept_ms = (uint64_t)GONE_TIMEOUTS * broker->timeout_ms;
    gone_entry_t entry = {.id = node->id, .handle = node->handle, .orderly = orderly, .gone_ms = now_ms};
    gone_forget_old(&broker->gone, now_ms > kept_ms ? now_ms - kept_ms : 0);
    buffer_append(&broker->gone.entries, &entry, sizeof entry);
    uint32_t at = 0;
    for (node_t *other; (other = nodes_next(&broker->nodes, &at));)
        if (other != node && !node_is_restating(other))
            gone_say(other, &entry);
}

bool gone_find(const gone_t *self, uint32_t handle, link_id_t *id)
{
    span_t all = buffer_span(&self->entries);
    gone_entry_t entry;
    for (size_t at = 0; at < all.size; at += sizeof entry) {
        memcpy(&entry, all.data + at, sizeof entry);
        if (entry.handle != handle)
            continue;
        *id = entry.id;
        return true;
    }
    return false;
}

void gone_tell(node_t *node)
{
    span_t all = buffer_span(&node->broker->gone.entries);
    gone_entry_t entry;
    for (size_t at = 0; at < all.size; at += sizeof entry) {
        memcpy(&entry, all.data + at, sizeof entry);
        if (entry.gone_ms + node->broker->timeout_ms < node->heard_before)
            continue;
        dealer_writer_origin(&node->writer, entry.handle, &entry.id);
        gone_say(node, &entry);
    }
}
