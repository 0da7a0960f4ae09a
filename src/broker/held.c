/* SPDX-License-Identifier: MPL-2.0 */
/* held: each session with held copies has a queue of (origin, number). HOLD appends and is passed on as HELD, END takes
 * from the front and is passed on as ENDED. An origin that is held something of is one object, whether its node is
 * here, has not come yet to this instance (then what ended is owed to it), or is gone for good. A record that says more
 * than can be ends the link. Owner: the router's thread. */
#include "broker/held.h"

#include <stdlib.h>

#include "broker/broker.h"
#include "broker/dispatch.h"
#include "wire/bytes.h"
#include "wire/error.h"
#include "wire/reason.h"

typedef struct held_origin {
    table_item_t item; /* by id, in broker->held_origins until the origin is gone */
    link_id_t id;
    node_t *node;        /* NULL while it is not here */
    bool is_gone;        /* for good: nothing is owed to it */
    uint32_t references; /* entries, and nodes' statements */
    buffer_t owed;       /* owed_t: what ended while it was not here */
} held_origin_t;

typedef struct {
    held_origin_t *origin;
    uint64_t number;
} entry_t;

typedef struct {
    uint64_t number;
    uint32_t handle; /* of the holder */
    uint32_t zero;
} owed_t;

struct held {
    buffer_t entries; /* entry_t, oldest first */
    buffer_t before;  /* entry_t of the link before, until REGISTERED */
};

/* HELD or ENDED records being made: numbers that ascend, of one origin and one holder, share a record. */
typedef struct {
    record_type_t type;
    uint32_t handle;
    node_t *to; /* NULL: nothing is being made */
    uint64_t first;
    uint64_t last;
    buffer_t offsets;
} list_t;

#define LIST_OFFSETS_MAX 1024

static entry_t *entries(const buffer_t *buffer)
{
    return (entry_t *)(void *)(buffer->data + buffer->start);
}

static size_t entries_count(const buffer_t *buffer)
{
    return buffer_size(buffer) / sizeof(entry_t);
}

static void list_flush(list_t *self)
{
    if (!self->to)
        return;
    node_tell(self->to, &(control_t){.type = self->type,
                            .held = {.handle = self->handle,
                                .numbers = {.first = self->first, .offsets = buffer_span(&self->offsets)}}});
    self->to = NULL;
    buffer_clear(&self->offsets);
}

static void list_add(list_t *self, node_t *to, uint64_t number)
{
    bool fits = self->to == to && number > self->last && number - self->first <= UINT32_MAX &&
                buffer_size(&self->offsets) < LIST_OFFSETS_MAX * sizeof(uint32_t);
    if (fits) {
        bytes_put32(buffer_reserve(&self->offsets, 4), (uint32_t)(number - self->first));
        buffer_commit(&self->offsets, 4);
    } else {
        list_flush(self);
        self->to = to;
        self->first = number;
    }
    self->last = number;
}

static void list_fini(list_t *self)
{
    list_flush(self);
    buffer_fini(&self->offsets);
}

static void origin_release(struct broker *broker, held_origin_t *self)
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

static held_origin_t *origin_find(struct broker *broker, const link_id_t *id)
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

/* One copy has ended: tells its origin, or owes it. */
static void entry_end(list_t *ended, const entry_t *entry, uint32_t handle)
{
    held_origin_t *origin = entry->origin;
    if (origin->node) {
        list_add(ended, origin->node, entry->number);
    } else if (!origin->is_gone) {
        owed_t owed = {.number = entry->number, .handle = handle};
        buffer_append(&origin->owed, &owed, sizeof owed);
    }
}

static void entries_drop(struct broker *broker, buffer_t *buffer, size_t count)
{
    for (size_t i = 0; i < count; i++)
        origin_release(broker, entries(buffer)[i].origin);
    buffer_consume(buffer, count * sizeof(entry_t));
}

void held_drop(peer_t *peer)
{
    held_t *held = peer->held;
    if (!held)
        return;
    struct broker *broker = peer->node->broker;
    entries_drop(broker, &held->entries, entries_count(&held->entries));
    entries_drop(broker, &held->before, entries_count(&held->before));
    buffer_fini(&held->entries);
    buffer_fini(&held->before);
    free(held);
    peer->held = NULL;
}

static void entries_end(peer_t *peer, buffer_t *buffer, size_t count)
{
    list_t ended = {.type = RECORD_ENDED, .handle = peer->node->handle};
    for (size_t i = 0; i < count; i++)
        entry_end(&ended, &entries(buffer)[i], ended.handle);
    list_fini(&ended);
    entries_drop(peer->node->broker, buffer, count);
}

void held_end_all(peer_t *peer)
{
    if (!peer->held)
        return;
    entries_end(peer, &peer->held->before, entries_count(&peer->held->before));
    entries_end(peer, &peer->held->entries, entries_count(&peer->held->entries));
    held_drop(peer);
}

static void held_reap(peer_t *peer)
{
    if (buffer_size(&peer->held->entries) > 0 || buffer_size(&peer->held->before) > 0)
        return;
    held_drop(peer);
    peer_reap(peer);
}

int held_state_origin(node_t *node, const control_t *record)
{
    size_t count = buffer_size(&node->stated) / sizeof(held_origin_t *);
    if (record->origin.handle != count + 1 || count >= HELD_STATED_MAX)
        return -CLOSE_BAD_RECORD;
    held_origin_t *origin = origin_find(node->broker, &record->origin.node);
    origin->references++;
    buffer_append(&node->stated, &origin, sizeof origin);
    return 0;
}

static held_origin_t *stated_get(const node_t *node, uint32_t handle)
{
    size_t count = buffer_size(&node->stated) / sizeof(held_origin_t *);
    if (handle == 0 || handle > count)
        return NULL;
    held_origin_t *origin;
    memcpy(&origin, node->stated.data + node->stated.start + (handle - 1) * sizeof origin, sizeof origin);
    return origin;
}

static void stated_clear(node_t *node)
{
    for (uint32_t handle = 1; stated_get(node, handle); handle++)
        origin_release(node->broker, stated_get(node, handle));
    buffer_fini(&node->stated);
}

/* What a HOLD is of. *origin stays NULL if that node is gone; then a place in the queue is all that is kept. */
static int hold_origin(node_t *node, const control_t *record, held_origin_t **origin)
{
    struct broker *broker = node->broker;
    if (record->held.again) {
        *origin = stated_get(node, record->held.handle);
        return *origin ? 0 : -CLOSE_BAD_RECORD;
    }
    if (record->held.handle == 0 || record->held.handle > broker->nodes.handle_last)
        return -CLOSE_BAD_RECORD;
    node_t *from = nodes_by_handle(&broker->nodes, record->held.handle);
    *origin = from ? origin_find(broker, &from->id) : NULL;
    return 0;
}

static held_origin_t *origin_of_nobody(void)
{
    held_origin_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->is_gone = true;
    return self;
}

/* The queue of a session, made if there is none; NULL if the session cannot be, or holds too much. */
static held_t *hold_queue(node_t *node, const control_t *record)
{
    peer_t *peer = node_peer_left(node, record->held.session);
    if (!peer)
        return NULL;
    if (!peer->held && !(peer->held = calloc(1, sizeof *peer->held)))
        abort();
    size_t count = entries_count(&peer->held->entries) + control_numbers_count(&record->held.numbers);
    return count <= HELD_SESSION_MAX ? peer->held : NULL;
}

int held_hold(node_t *node, const control_t *record)
{
    held_origin_t *origin;
    const control_numbers_t *numbers = &record->held.numbers;
    held_t *held = hold_queue(node, record);
    if (!held || hold_origin(node, record, &origin) != 0)
        return -CLOSE_BAD_RECORD;
    if (!origin)
        origin = origin_of_nobody();
    for (size_t i = 0; i < control_numbers_count(numbers); i++) {
        entry_t entry = {.origin = origin, .number = control_numbers_at(numbers, i)};
        origin->references++;
        buffer_append(&held->entries, &entry, sizeof entry);
    }
    if (origin->node && !record->held.again)
        node_tell(
            origin->node, &(control_t){.type = RECORD_HELD, .held = {.handle = node->handle, .numbers = *numbers}});
    return 0;
}

int held_end(node_t *node, const control_t *record)
{
    peer_t *peer = node_peer(node, record->held.session);
    if (!peer || !peer->held || record->held.count > entries_count(&peer->held->entries))
        return -CLOSE_BAD_RECORD;
    entries_end(peer, &peer->held->entries, record->held.count);
    held_reap(peer);
    return 0;
}

static void owed_tell(node_t *node, held_origin_t *origin)
{
    list_t ended = {.type = RECORD_ENDED};
    const uint8_t *at = origin->owed.data + origin->owed.start;
    for (size_t left = buffer_size(&origin->owed) / sizeof(owed_t); left > 0; left--, at += sizeof(owed_t)) {
        owed_t owed;
        memcpy(&owed, at, sizeof owed);
        if (owed.handle != ended.handle)
            list_flush(&ended);
        ended.handle = owed.handle;
        list_add(&ended, node, owed.number);
    }
    list_fini(&ended);
    buffer_fini(&origin->owed);
}

/* HELD for all that `holder` holds of `origin`. */
static void held_tell(const node_t *holder, node_t *origin)
{
    list_t list = {.type = RECORD_HELD, .handle = holder->handle};
    for (uint32_t slot = 0; slot < holder->slot_count; slot++) {
        const held_t *held = holder->slots[slot] ? holder->slots[slot]->held : NULL;
        for (size_t i = 0; held && i < entries_count(&held->entries); i++)
            if (entries(&held->entries)[i].origin == origin->held_origin)
                list_add(&list, origin, entries(&held->entries)[i].number);
    }
    list_fini(&list);
}

void held_welcomed(node_t *node, bool was_here)
{
    span_t key = span_of((const char *)node->id.bytes, LINK_ID_SIZE);
    held_origin_t *origin = (held_origin_t *)table_get(node->broker->held_origins, key);
    if (!origin)
        return;
    origin->node = node;
    node->held_origin = origin;
    origin->references++;
    if (was_here)
        buffer_fini(&origin->owed);
    else
        owed_tell(node, origin);
    uint32_t at = 0;
    for (node_t *holder; was_here && (holder = nodes_next(&node->broker->nodes, &at));)
        held_tell(holder, node);
    origin_release(node->broker, origin);
}

void held_replaced(node_t *node)
{
    stated_clear(node);
    for (uint32_t slot = 0; slot < node->slot_count; slot++) {
        held_t *held = node->slots[slot] ? node->slots[slot]->held : NULL;
        if (!held)
            continue;
        entries_drop(node->broker, &held->before, entries_count(&held->before));
        buffer_fini(&held->before);
        held->before = held->entries;
        held->entries = (buffer_t){0};
    }
}

/* What stood in the queue before and does not any more has ended. Both are in the same order. */
static void held_reconcile(peer_t *peer)
{
    held_t *held = peer->held;
    list_t ended = {.type = RECORD_ENDED, .handle = peer->node->handle};
    size_t at = 0;
    for (size_t i = 0; i < entries_count(&held->before); i++) {
        const entry_t *entry = &entries(&held->before)[i];
        const entry_t *now = at < entries_count(&held->entries) ? &entries(&held->entries)[at] : NULL;
        if (now && now->origin == entry->origin && now->number == entry->number)
            at++;
        else
            entry_end(&ended, entry, ended.handle);
    }
    list_fini(&ended);
    entries_drop(peer->node->broker, &held->before, entries_count(&held->before));
    held_reap(peer);
}

void held_registered(node_t *node)
{
    stated_clear(node);
    for (uint32_t slot = 0; slot < node->slot_count; slot++)
        if (node->slots[slot] && node->slots[slot]->held)
            held_reconcile(node->slots[slot]);
}

static void held_lost_entry(list_t *ended, const peer_t *peer, const entry_t *entry)
{
    node_t *origin = entry->origin->node;
    if (origin && peer->item.key.size > 0)
        dispatch_lost(origin, entry->number, DISPATCH_SESSION_UNKNOWN, peer->item.key);
    entry_end(ended, entry, ended->handle);
}

void held_lost(node_t *node)
{
    stated_clear(node);
    for (uint32_t slot = 0; slot < node->slot_count; slot++) {
        const peer_t *peer = node->slots[slot];
        if (!peer || !peer->held)
            continue;
        list_t ended = {.type = RECORD_ENDED, .handle = node->handle};
        for (size_t i = 0; i < entries_count(&peer->held->before); i++)
            held_lost_entry(&ended, peer, &entries(&peer->held->before)[i]);
        for (size_t i = 0; i < entries_count(&peer->held->entries); i++)
            held_lost_entry(&ended, peer, &entries(&peer->held->entries)[i]);
        list_fini(&ended);
    }
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

uint64_t held_count(const node_t *node)
{
    uint64_t count = 0;
    for (uint32_t slot = 0; slot < node->slot_count; slot++)
        if (node->slots[slot] && node->slots[slot]->held)
            count += entries_count(&node->slots[slot]->held->entries);
    return count;
}

static void origin_destroy(table_item_t *item)
{
    held_origin_t *self = (held_origin_t *)item;
    buffer_fini(&self->owed);
    free(self);
}

void held_fini(struct broker *broker)
{
    table_destroy(&broker->held_origins, origin_destroy);
}
