/* SPDX-License-Identifier: MPL-2.0 */
/* names: a REGISTER of a free name is confirmed, one of a taken name denied, and one of a name that is leaving waits in
 * the owner's queue until that has left; the first of the queue gets it and the others are denied. A session stands in
 * its node's slots from REGISTER on, and in the table while it owns the name; a small cache in front of the table
 * spares the names that are written to most its seeded hash. A REGISTER that uses a slot twice ends the link. Owner:
 * the router's thread. */
#include "broker/names.h"

#include "base/log.h"
#include "broker/broker.h"
#include "broker/held.h"
#include "broker/pauses.h"
#include "wire/bytes.h"
#include "wire/error.h"

/* Where the owner of a name is in the cache. Who chooses names that collide loses the cache's help, not the table's. */
static peer_t **names_cached(struct broker *broker, span_t name)
{
    const uint8_t *data = (const uint8_t *)name.data, *end = data + name.size;
    uint64_t mixed = name.size;
    if (name.size >= 8)
        mixed ^= bytes_get64(data) ^ bytes_get64(end - 8) << 7;
    else if (name.size >= 4)
        mixed ^= bytes_get32(data) ^ (uint64_t)bytes_get32(end - 4) << 31;
    else
        mixed ^= (uint64_t)data[0] << 8 | (uint64_t)data[name.size / 2] << 16 | (uint64_t)end[-1] << 24;
    return &broker->name_cache[mixed * UINT64_C(0x9e3779b97f4a7c15) >> (64 - NAME_CACHE_BITS)];
}

peer_t *names_find(struct broker *broker, span_t name)
{
    peer_t **cached = names_cached(broker, name), *peer = *cached;
    if (!peer || !span_equal(peer->item.key, name)) {
        peer = (peer_t *)table_get(broker->names, name);
        if (peer)
            *cached = peer;
    }
    return peer && peer->state == PEER_OWNER ? peer : NULL;
}

static void peer_deny(peer_t *self)
{
    self->node->broker->counters.denied++;
    node_tell(self->node,
        &(control_t){.type = RECORD_DENIED, .name = {.session = self->session, .error = FERRY_ERROR_NAME_TAKEN}});
    log_debug("name-denied", log_span("name", self->item.key), log_uint("handle", self->node->handle));
}

static void peer_tell_left(const peer_t *self)
{
    node_tell(self->node, &(control_t){.type = RECORD_LEFT, .name.session = self->session});
}

static void peer_confirm(peer_t *self)
{
    struct broker *broker = self->node->broker;
    broker->counters.confirmed++;
    node_tell(self->node, &(control_t){.type = RECORD_CONFIRMED,
                              .name = {.session = self->session, .term = broker->term, .serial = ++broker->serial}});
    log_debug("name-confirmed", log_span("name", self->item.key), log_uint("handle", self->node->handle));
}

static void peer_own(peer_t *self)
{
    peer_move(self, PEER_OWNER);
    self->node->name_count++;
    table_put(self->node->broker->names, &self->item);
    peer_confirm(self);
}

/* Gives the name to the first who waits for it, and denies it to the others. */
static void waiters_promote(peer_t *first)
{
    if (!first)
        return;
    peer_t *others = first->waiting;
    first->waiting = NULL;
    peer_own(first);
    for (peer_t *next; others; others = next) {
        next = others->waiting;
        peer_deny(others);
        peer_destroy(others);
    }
}

/* The owner's name is free; the owner stays as long as copies of it are held. */
static void peer_leave_name(peer_t *self)
{
    peer_t *waiting = self->waiting;
    self->waiting = NULL;
    self->is_stale = false;
    pauses_end(self);
    peer_t **cached = names_cached(self->node->broker, self->item.key);
    if (*cached == self)
        *cached = NULL;
    table_take(self->node->broker->names, &self->item);
    self->node->name_count--;
    log_debug("name-left", log_span("name", self->item.key), log_uint("handle", self->node->handle));
    peer_move(self, PEER_LEFT);
    peer_reap(self);
    waiters_promote(waiting);
}

static void waiters_add(peer_t **at, peer_t *peer)
{
    while (*at)
        at = &(*at)->waiting;
    *at = peer;
}

static void waiters_remove(peer_t **at, const peer_t *peer)
{
    while (*at && *at != peer)
        at = &(*at)->waiting;
    if (*at)
        *at = peer->waiting;
}

/* It waits for the owner of its name, or for the settling. */
static void peer_stop_waiting(peer_t *self)
{
    struct broker *broker = self->node->broker;
    peer_t *owner = (peer_t *)table_get(broker->names, self->item.key);
    if (owner)
        waiters_remove(&owner->waiting, self);
    waiters_remove(&broker->settle.waiting, self);
    peer_destroy(self);
}

/* Confirms a new peer, lets it wait, or denies and frees it. */
static void peer_claim(peer_t *self)
{
    peer_t *owner = (peer_t *)table_get(self->node->broker->names, self->item.key);
    if (!owner) {
        peer_own(self);
    } else if (owner->state == PEER_LEAVING) {
        waiters_add(&owner->waiting, self);
    } else {
        peer_deny(self);
        peer_destroy(self);
    }
}

/* Ends what a slot holds when its node has begun to use it for another session. Returns -CLOSE_BAD_RECORD if the node
 * had promised not to. */
static int slot_clear(node_t *node, uint64_t session)
{
    peer_t *peer = node_peer_in_slot(node, session);
    if (!peer)
        return 0;
    if (peer->state == PEER_LEFT) {
        held_end_all(peer);
        peer_destroy(peer);
    } else if (peer->is_stale) {
        held_end_all(peer);
        peer_leave_name(peer);
    } else {
        return -CLOSE_BAD_RECORD;
    }
    return 0;
}

static bool names_register_again(node_t *node, const control_t *record)
{
    peer_t *peer = node_peer(node, record->name.session);
    if (!peer || !peer->is_stale || !span_equal(peer->item.key, record->name.name))
        return false;
    peer->is_stale = false;
    peer_confirm(peer);
    return true;
}

int names_register(node_t *node, const control_t *record)
{
    if (names_register_again(node, record))
        return 0;
    int rc = slot_clear(node, record->name.session);
    if (rc != 0)
        return rc;
    peer_t *owner = (peer_t *)table_get(node->broker->names, record->name.name);
    if (owner && owner->node == node && owner->is_stale)
        peer_leave_name(owner);
    peer_t *peer = peer_new(node, record->name.session, record->name.name);
    settle_t *settle = &node->broker->settle;
    if (settle->is_active && !record->name.again)
        waiters_add(&settle->waiting, peer);
    else
        peer_claim(peer);
    return 0;
}

static void peer_begin_leaving(peer_t *self)
{
    node_t *node = self->node;
    peer_move(self, PEER_LEAVING);
    self->is_stale = false;
    pauses_end(self);
    self->leave_mark = dealer_writer_mark(&node->writer);
    self->leaving_next = NULL;
    if (node->leaving_last)
        node->leaving_last->leaving_next = self;
    else
        node->leaving_first = self;
    node->leaving_last = self;
}

int names_leaving(node_t *node, uint64_t session)
{
    peer_t *peer = node_peer(node, session);
    if (!peer || peer->state == PEER_LEFT) {
        node_tell(node, &(control_t){.type = RECORD_LEFT, .name.session = session});
        return 0;
    }
    if (peer->state == PEER_WAITING) {
        peer_tell_left(peer);
        peer_stop_waiting(peer);
        return 0;
    }
    if (peer->say_left)
        return -CLOSE_BAD_RECORD;
    peer->say_left = true;
    if (peer->state == PEER_OWNER)
        peer_begin_leaving(peer);
    names_acknowledged(node);
    return 0;
}

int names_leave(node_t *node)
{
    if (node->leaving)
        return -CLOSE_BAD_RECORD;
    for (uint32_t slot = 0; slot < node->slot_count; slot++) {
        peer_t *peer = node->slots[slot];
        if (peer && peer->state == PEER_OWNER)
            peer_begin_leaving(peer);
        else if (peer && peer->state == PEER_WAITING)
            peer_stop_waiting(peer);
    }
    node->leaving = true;
    node->leave_mark = dealer_writer_mark(&node->writer);
    names_acknowledged(node);
    return 0;
}

static void names_left(node_t *node, uint64_t acknowledged)
{
    while (node->leaving_first && node->leaving_first->leave_mark <= acknowledged) {
        peer_t *peer = node->leaving_first;
        node->leaving_first = peer->leaving_next;
        if (!node->leaving_first)
            node->leaving_last = NULL;
        if (peer->say_left)
            peer_tell_left(peer);
        peer_leave_name(peer);
    }
}

void names_acknowledged(node_t *node)
{
    uint64_t acknowledged = node->writer.sequence_acknowledged;
    names_left(node, acknowledged);
    if (node->leaving && node->leave_mark <= acknowledged) {
        node->leaving = false;
        node_tell_empty(node, RECORD_LEAVE_OK);
    }
}

void names_replaced(node_t *node)
{
    for (uint32_t slot = 0; slot < node->slot_count; slot++) {
        peer_t *peer = node->slots[slot];
        if (!peer)
            continue;
        peer->say_left = false;
        peer->is_stale = peer->state == PEER_OWNER;
        if (peer->state == PEER_WAITING)
            peer_stop_waiting(peer);
    }
    names_left(node, UINT64_MAX);
}

void names_settled(struct broker *broker)
{
    while (broker->settle.waiting) {
        peer_t *peer = broker->settle.waiting;
        broker->settle.waiting = peer->waiting;
        peer->waiting = NULL;
        peer_claim(peer);
    }
}

void names_registered(node_t *node)
{
    for (uint32_t slot = 0; slot < node->slot_count; slot++)
        if (node->slots[slot] && node->slots[slot]->is_stale)
            peer_leave_name(node->slots[slot]);
}

void names_lost(node_t *node)
{
    node->leaving_first = node->leaving_last = NULL;
    for (uint32_t slot = 0; slot < node->slot_count; slot++) {
        peer_t *peer = node->slots[slot];
        if (!peer)
            continue;
        held_drop(peer);
        if (peer->state == PEER_WAITING)
            peer_stop_waiting(peer);
        else if (peer->state == PEER_LEFT)
            peer_destroy(peer);
        else
            peer_leave_name(peer);
    }
}
