/* SPDX-License-Identifier: MPL-2.0 */
/* names: a REGISTER of a free name is confirmed, one of a taken name denied, and one of a name that is leaving, or
 * whose owner's node is in doubt, waits in the owner's queue; the first of the queue gets the name and the others are
 * denied. A session stands in its node's slots from REGISTER on, and in the table while it owns the name; a small cache
 * in front of the table spares the names that are written to most its seeded hash. A REGISTER that uses a slot twice
 * ends the link. Owner: the router's thread. */
#include "broker/names.h"

#include <stdlib.h>

#include "base/log.h"
#include "broker/broker.h"
#include "broker/held.h"
#include "broker/leaving.h"
#include "broker/pauses.h"
#include "broker/services.h"
#include "broker/shared_names.h"
#include "wire/bytes.h"
#include "wire/error.h"

#define NAMES_DOUBT_HALVES 3 /* half heartbeats of silence after which an owner is in doubt */

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

/* A login that was not confirmed before has the claim that it is given here. It hears of it no later than its first
 * copy comes, since it may have that only while it owns the name. */
static void peer_confirm(peer_t *self)
{
    struct broker *broker = self->node->broker;
    broker->counters.confirmed++;
    self->given = (claim_t){.term = broker->term, .serial = ++broker->serial};
    if (!self->again)
        self->claim = self->given;
    dealer_writer_early(&self->node->writer, &(control_t){.type = RECORD_CONFIRMED,
                                                 .name = {.session = self->session,
                                                     .term = self->given.term,
                                                     .serial = self->given.serial,
                                                     .took_over = self->took_over,
                                                     .resumes = self->resumed_from != NULL}});
    self->took_over = false;
    node_touch(self->node);
    log_debug("name-confirmed", log_span("name", self->item.key), log_uint("handle", self->node->handle));
}

static void peer_own(peer_t *self)
{
    peer_move(self, PEER_OWNER);
    self->node->name_count++;
    if (self->session & LINK_SESSION_KINDS) {
        if (link_session_is_service(self->session))
            services_begin(self);
        shared_names_add(self);
        peer_confirm(self);
        return;
    }
    table_put(self->node->broker->names, &self->item);
    peer_confirm(self);
    if (!self->resumed_from)
        kept_release(&self->node->broker->kept, self);
}

/* What others have sent meanwhile comes behind what the session before has given. */
static void peer_resume(peer_t *self)
{
    self->resumed_from = NULL;
    self->node->broker->resuming--;
    kept_release(&self->node->broker->kept, self);
}

/* The owner goes before it was given all: the next gets the rest, or nobody does. */
static void peer_pass_on(peer_t *self, peer_t *next)
{
    struct broker *broker = self->node->broker;
    if (!self->resumed_from)
        return;
    broker->resuming--;
    if (!next) {
        kept_refuse_name(broker, self->item.key);
    } else if (!next->resumed_from) {
        next->resumed_from = self->resumed_from;
        broker->resuming++;
    }
    self->resumed_from = NULL;
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

static void waiters_deny(peer_t *first)
{
    for (peer_t *next; first; first = next) {
        next = first->waiting;
        peer_deny(first);
        peer_destroy(first);
    }
}

/* Waits until the broker has settled; behind BYE, until the link ends, for its node to ask the successor. */
static void peer_await_settling(peer_t *self)
{
    settle_t *settle = &self->node->broker->settle;
    self->waiting = NULL;
    waiters_add(settle->last ? &settle->last->waiting : &settle->waiting, self);
    settle->last = self;
}

/* Gives the name to the first who waits for it, and denies it to the others. N.B. a name that goes with a link behind
 * BYE goes on at the broker's successor. */
static void waiters_promote(peer_t *first)
{
    if (!first)
        return;
    if (broker_parts(first->node->broker)) {
        for (peer_t *next; first; first = next) {
            next = first->waiting;
            peer_await_settling(first);
        }
        return;
    }
    peer_t *others = first->waiting;
    first->waiting = NULL;
    peer_own(first);
    waiters_deny(others);
}

/* Takes the peer out of the table. */
static void peer_disown_name(peer_t *self)
{
    if (peer_shared(self)) {
        shared_names_remove(self);
        return;
    }
    peer_t **cached = names_cached(self->node->broker, self->item.key);
    if (*cached == self)
        *cached = NULL;
    table_take(self->node->broker->names, &self->item);
}

void peer_leave_name(peer_t *self)
{
    peer_t *waiting = self->waiting;
    self->is_stale = false;
    pauses_end(self);
    peer_disown_name(self);
    self->node->name_count--;
    log_debug("name-left", log_span("name", self->item.key), log_uint("handle", self->node->handle));
    peer_move(self, PEER_LEFT);
    self->waiting = NULL;
    peer_pass_on(self, waiting);
    peer_reap(self);
    waiters_promote(waiting);
}

void peer_stop_waiting(peer_t *self)
{
    struct broker *broker = self->node->broker;
    peer_t *owner = (peer_t *)table_get(broker->names, self->item.key);
    if (owner)
        waiters_remove(&owner->waiting, self);
    waiters_remove(&broker->settle.waiting, self);
    broker->settle.last = NULL;
    peer_destroy(self);
}

/* Whether a session that was confirmed before has the name rather than its owner. One that this instance confirmed is
 * compared with what it gave the owner; one that another did, with what the owner had from such a one. */
static bool peer_beats(const peer_t *self, const peer_t *owner)
{
    if (!self->again || (!self->node->was_here && !owner->again) || (self->doubtful && !owner->doubtful))
        return false;
    const claim_t *against = self->node->was_here ? &owner->given : &owner->claim;
    if (self->claim.term != against->term)
        return self->claim.term > against->term;
    return self->claim.serial > against->serial;
}

/* N.B. the new one goes before those who wait. */
void peer_replace(peer_t *owner, peer_t *by)
{
    by->waiting = owner->waiting;
    owner->waiting = by;
    if (owner->yields) {
        by->resumed_from = owner->node;
        by->node->broker->resuming++;
    }
    peer_deny(owner);
    peer_leave_name(owner);
}

void peer_wait_for(peer_t *owner, peer_t *newcomer)
{
    waiters_add(&owner->waiting, newcomer);
}

peer_t *peer_first_waiting(peer_t *owner)
{
    peer_t *first = owner->waiting;
    if (!first)
        return NULL;
    owner->waiting = first->waiting;
    first->waiting = NULL;
    return first;
}

void peer_wait_no_more(peer_t *waiter)
{
    peer_deny(waiter);
    peer_stop_waiting(waiter);
}

void peer_turn_away(peer_t *newcomer)
{
    peer_deny(newcomer);
    peer_destroy(newcomer);
}

/* Whether it is uncertain that the owner is still there. A name that is stale will be registered again, or not. */
static bool peer_is_doubtful(peer_t *owner)
{
    node_t *node = owner->node;
    if (owner->is_stale)
        return true;
    uint64_t silent_ms = broker_now_ms(node->broker) - node->heard_ms;
    return 2 * silent_ms >= NAMES_DOUBT_HALVES * (uint64_t)node->broker->heartbeat_ms ||
           !dealer_writer_probe(&node->writer);
}

/* Confirms a new peer, lets it wait, or denies and frees it. */
static void peer_claim(peer_t *self)
{
    peer_t *owner = (peer_t *)table_get(self->node->broker->names, self->item.key);
    if (!owner && !self->again && broker_parts(self->node->broker)) {
        peer_await_settling(self);
    } else if (!owner) {
        peer_own(self);
    } else if (owner->state == PEER_LEAVING) {
        peer_wait_for(owner, self);
    } else if (peer_beats(self, owner)) {
        peer_replace(owner, self);
    } else if (!self->again && (owner->is_away || self->node->broker->take_over.is_enabled)) {
        take_over_claim(self->node->broker, owner, self);
    } else if (!self->again && owner->yields) {
        take_over_hope(self->node->broker, owner, self);
    } else if (!self->again && peer_is_doubtful(owner)) {
        owner->node->doubted = true;
        peer_wait_for(owner, self);
    } else {
        peer_turn_away(self);
    }
}

void names_heard(node_t *node)
{
    node->doubted = false;
    for (uint32_t slot = 0; slot < node->slot_count; slot++) {
        peer_t *peer = node->slots[slot];
        if (!peer || peer->state != PEER_OWNER)
            continue;
        waiters_deny(peer->waiting);
        peer->waiting = NULL;
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

/* A session of the link before that still has its name. */
static bool names_register_again(node_t *node, const control_t *record)
{
    peer_t *peer = node_peer(node, record->name.session);
    if (!peer || !span_equal(peer->item.key, record->name.name))
        return false;
    if (peer->is_stale)
        peer->is_stale = false;
    else if (!record->name.again || !leaving_return(peer))
        return false;
    pauses_state(peer, record->name.paused);
    if (peer->more)
        peer->more->only = 0;
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
    bool is_shared = record->name.session & LINK_SESSION_KINDS;
    peer_t *owner = is_shared ? shared_names_of_node(node, record->name.name)
                              : (peer_t *)table_get(node->broker->names, record->name.name);
    if (owner && owner->node == node && owner->is_stale)
        leaving_start(owner); /* its node will say so; what was sent to it may come again */
    else if (owner && link_session_is_group(record->name.session))
        return -CLOSE_BAD_RECORD;
    settle_t *settle = &node->broker->settle;
    peer_t *peer = peer_new(node, record->name.session, record->name.name);
    peer->again = record->name.again;
    peer->is_paused = record->name.paused;
    peer->doubtful = record->name.doubtful && settle->is_active;
    peer->claim = (claim_t){.term = record->name.term, .serial = record->name.serial};
    if (is_shared)
        peer_own(peer);
    else if (settle->is_active && (!peer->again || peer->doubtful))
        peer_await_settling(peer);
    else
        peer_claim(peer);
    return 0;
}

int names_only(node_t *node, const control_t *record)
{
    peer_t *peer = node_peer(node, record->name.session);
    if (!peer)
        return -CLOSE_BAD_RECORD;
    peer_more(peer)->only = record->name.member;
    return 0;
}

int names_yield(node_t *node, const control_t *record)
{
    peer_t *peer = node_peer(node, record->name.session);
    if (!peer)
        return 0; /* it has lost its name meanwhile */
    peer->yields = true;
    peer->is_away = record->name.is_on;
    if (peer->is_away)
        take_over_away(node->broker, peer);
    return 0;
}

int names_yielded(node_t *node, const control_t *record)
{
    peer_t *owner = (peer_t *)table_get(node->broker->names, record->name.name);
    if (owner && owner->resumed_from == node)
        peer_resume(owner);
    return 0;
}

static void node_yields_no_more(node_t *at, const node_t *node)
{
    for (uint32_t slot = 0; slot < at->slot_count; slot++)
        if (at->slots[slot] && at->slots[slot]->resumed_from == node)
            peer_resume(at->slots[slot]);
}

void names_yield_no_more(node_t *node)
{
    struct broker *broker = node->broker;
    uint32_t index = 0;
    for (node_t *at; broker->resuming > 0 && (at = nodes_next(&broker->nodes, &index));)
        node_yields_no_more(at, node);
}

void names_replaced(node_t *node)
{
    for (uint32_t slot = 0; slot < node->slot_count; slot++) {
        peer_t *peer = node->slots[slot];
        if (!peer)
            continue;
        peer->is_stale = peer->state == PEER_OWNER;
        if (peer->state == PEER_WAITING)
            peer_stop_waiting(peer);
    }
    leaving_replaced(node);
}

/* For qsort: peer_t *, the one that has logged in last first. */
static int claims_compare(const void *one, const void *other)
{
    const claim_t *a = &(*(peer_t *const *)one)->claim, *b = &(*(peer_t *const *)other)->claim;
    if (a->term != b->term)
        return a->term < b->term ? 1 : -1;
    return (a->serial < b->serial) - (a->serial > b->serial);
}

/* Lets the peers of an array claim their names, in that order, and frees the array. */
static void peers_claim(buffer_t *array, int (*compare)(const void *one, const void *other))
{
    size_t count = buffer_size(array) / sizeof(peer_t *);
    if (count == 0)
        return;
    peer_t **peers = (peer_t **)(void *)(array->data + array->start);
    if (compare)
        qsort(peers, count, sizeof *peers, compare);
    for (size_t i = 0; i < count; i++)
        peer_claim(peers[i]);
    buffer_fini(array);
}

void names_settled(struct broker *broker)
{
    buffer_t doubtful = {0}, fresh = {0};
    for (peer_t *peer = broker->settle.waiting, *next; peer; peer = next) {
        next = peer->waiting;
        peer->waiting = NULL;
        buffer_append(peer->doubtful ? &doubtful : &fresh, &peer, sizeof peer);
    }
    broker->settle.waiting = broker->settle.last = NULL;
    peers_claim(&doubtful, claims_compare);
    peers_claim(&fresh, NULL);
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
