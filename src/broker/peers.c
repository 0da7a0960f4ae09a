/* SPDX-License-Identifier: MPL-2.0 */
/* peers: a node's sessions stand in an array by slot, which grows to the highest that was used; the generation in a
 * session's number tells whether the slot is still its own. Nothing fails but by abort. Owner: the router's thread. */
#include "broker/peers.h"

#include <assert.h>
#include <stdlib.h>

#include "broker/broker.h"
#include "broker/held.h"
#include "broker/services.h"

#define SLOTS_FIRST 16

/* A new peer is WAITING until it owns its name, or has none. */
static const unsigned peer_moves[] = {
    [PEER_WAITING] = 1u << PEER_OWNER | 1u << PEER_LEFT,
    [PEER_OWNER] = 1u << PEER_LEAVING | 1u << PEER_LEFT,
    [PEER_LEAVING] = 1u << PEER_LEFT | 1u << PEER_OWNER,
    [PEER_LEFT] = 0,
};

void peer_move(peer_t *self, peer_state_t state)
{
    assert(peer_moves[self->state] & 1u << state);
    bool was_owner = self->state == PEER_OWNER;
    bool is_handed_on = state == PEER_LEFT && self->waiting; /* which is nothing that others need hear of */
    self->state = state;
    if ((was_owner || state == PEER_OWNER) && !is_handed_on && !(self->session & LINK_SESSION_KINDS))
        watches_tell(self->node->broker, self->item.key, state == PEER_OWNER);
}

static uint32_t session_slot(uint64_t session)
{
    return (uint32_t)session;
}

peer_t *node_peer_in_slot(const node_t *node, uint64_t session)
{
    uint32_t slot = session_slot(session);
    return slot < node->slot_count ? node->slots[slot] : NULL;
}

peer_t *node_peer(const node_t *node, uint64_t session)
{
    peer_t *peer = node_peer_in_slot(node, session);
    return peer && peer->session == session ? peer : NULL;
}

static void node_grow_slots(node_t *node, uint32_t slot)
{
    uint32_t count = node->slot_count ? node->slot_count : SLOTS_FIRST;
    while (count <= slot)
        count *= 2;
    node->slots = realloc(node->slots, count * sizeof(peer_t *));
    if (!node->slots)
        abort();
    memset(node->slots + node->slot_count, 0, (count - node->slot_count) * sizeof(peer_t *));
    node->slot_count = count;
}

peer_more_t *peer_more(peer_t *self)
{
    if (self->more)
        return self->more;
    self->more = calloc(1, sizeof *self->more);
    if (!self->more)
        abort();
    self->more->peer = self;
    return self->more;
}

static void peer_drop_more(peer_t *self)
{
    if (!self->more)
        return;
    list_remove(&self->more->in_hopes);
    services_end(self);
    node_set_fini(&self->more->told);
    free(self->more);
}

peer_t *peer_new(node_t *node, uint64_t session, span_t name)
{
    uint32_t slot = session_slot(session);
    peer_t *self = calloc(1, sizeof *self + name.size);
    if (!self)
        abort();
    if (slot >= node->slot_count)
        node_grow_slots(node, slot);
    assert(!node->slots[slot]);
    node->slots[slot] = self;
    self->node = node;
    self->session = session;
    memcpy(self->name, name.data, name.size);
    self->item.key = span_of(self->name, name.size);
    if (session & LINK_SESSION_KINDS)
        peer_more(self);
    return self;
}

void peer_destroy(peer_t *self)
{
    self->node->slots[session_slot(self->session)] = NULL;
    held_drop(self);
    peer_drop_more(self);
    free(self);
}

peer_t *node_peer_held(node_t *node, uint64_t session)
{
    peer_t *peer = node_peer_in_slot(node, session);
    if (peer)
        return peer->session == session ? peer : NULL;
    peer = peer_new(node, session, span_of("", 0));
    peer_move(peer, PEER_LEFT);
    return peer;
}

void peer_reap(peer_t *self)
{
    if (self->state == PEER_LEFT && !self->held)
        peer_destroy(self);
}
