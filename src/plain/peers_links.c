/* SPDX-License-Identifier: MPL-2.0 */
/* peers_links [3, 7]: what the links tell is given to the peers that it is about. Nothing fails. Owner: the peers
 * actor's thread. */
#include "base/log.h"
#include "plain/peer_copies.h"
#include "plain/peer_hear.h"
#include "plain/peers.h"
#include "wire/reason.h"

/* A link that is up again, for its peers. */
typedef struct {
    const uplink_t *uplink;
    bool given_up;
} restating_t;

static void on_restated_peer(peer_t *peer, void *arg)
{
    const restating_t *restating = arg;
    party_restate(&peer->party, restating->uplink);
    if (peer->uplink == restating->uplink)
        peer_restate(peer, restating->given_up);
}

static void on_unlinked_peer(peer_t *peer, void *arg)
{
    if (peer->uplink == arg)
        peer_unlink(peer);
}

static void on_up(void *owner, link_t *link, bool given_up)
{
    peers_t *self = owner;
    restating_t restating = {.uplink = uplinks_of_link(&self->uplinks, link), .given_up = given_up};
    peers_each(self, on_restated_peer, &restating);
    exchange_up(&self->exchange, link, given_up);
}

static void on_state(void *owner, link_t *link)
{
    peers_t *self = owner;
    link_state_t state = link_state(link);
    reactor_wake(self->reactor);
    if (state != LINK_DOWN && state != LINK_CLOSED && state != LINK_LEFT)
        return;
    uplink_t *uplink = uplinks_of_link(&self->uplinks, link);
    if (state == LINK_DOWN) {
        paused_names_doubt(&uplink->pauses);
        return;
    }
    peers_each(self, on_unlinked_peer, uplink);
    exchange_unlink(&self->exchange, link);
    list_t woken;
    paused_names_forget(&uplink->pauses, &woken);
    peers_wake(&woken);
}

/* The peer with that session, if that link is its name's; NULL otherwise. */
static peer_t *peers_on(peers_t *self, const link_t *link, uint64_t id)
{
    peer_t *peer = peers_get(self, id);
    return peer && peer->uplink->link == link ? peer : NULL;
}

static void on_confirmed(void *owner, link_t *link, uint64_t id, link_claim_t claim)
{
    peers_t *self = owner;
    peer_t *peer = peers_on(self, link, id);
    if (!exchange_confirmed(&self->exchange, id, claim) && peer)
        peer_confirm(peer, claim);
}

static void on_denied(void *owner, link_t *link, uint64_t id, int error)
{
    peer_t *peer = peers_on(owner, link, id);
    if (peer)
        peer_deny(peer, error);
}

static void on_left(void *owner, link_t *link, uint64_t id)
{
    peers_t *self = owner;
    peer_t *peer = peers_on(self, link, id);
    if (!exchange_left(&self->exchange, id) && peer)
        peer_left(peer);
}

/* A copy for a peer that is not here: no broker sends that, since a peer is kept until its LEFT. */
static void peers_orphan(peers_t *self, const body_copy_t *copy)
{
    log_warning("copy-for-nobody", log_str("actor", "peers"), log_uint("number", copy->number));
    self->ledger.returned[FERRY_REASON_GONE]++;
}

static void on_copy(void *owner, link_t *link, const body_copy_t *copy, origin_t *origin)
{
    peers_t *self = owner;
    for (unsigned i = 0; i < copy->recipient_count; i++) {
        uint64_t id = body_session_at(copy, i);
        peer_t *peer = peers_on(self, link, id);
        if (exchange_copy(&self->exchange, link, id, copy, origin))
            continue;
        if (peer)
            peer_deliver(peer, copy, origin);
        else
            peers_orphan(self, copy);
    }
}

static void on_late(void *owner, link_t *link, const body_copy_t *copy, origin_t *origin)
{
    peers_t *self = owner;
    for (unsigned i = 0; i < copy->recipient_count; i++) {
        uint64_t id = body_session_at(copy, i);
        peer_t *peer = peers_on(self, link, id);
        if (exchange_late(&self->exchange, link, id, copy, origin))
            continue;
        if (peer)
            peer_return_late(peer, copy, origin);
        else
            peers_orphan(self, copy);
    }
}

static void on_notice(void *owner, link_t *link, const body_notice_t *notice)
{
    peers_t *self = owner;
    exchange_notice(&self->exchange, link, notice);
}

static void on_settled(void *owner, link_t *link, uint64_t id, uint64_t number, uint32_t count)
{
    peers_t *self = owner;
    exchange_settled(&self->exchange, link, id, number, count);
}

static void on_presence(void *owner, link_t *link, uint64_t id, span_t name, bool is_here)
{
    peers_t *self = owner;
    (void)link;
    exchange_presence(&self->exchange, id, name, is_here);
}

static void on_who(void *owner, link_t *link, uint64_t id, span_t names, bool more)
{
    peers_t *self = owner;
    exchange_who(&self->exchange, link, id, names, more);
}

static void on_pause(void *owner, link_t *link, span_t name, bool paused)
{
    peers_t *self = owner;
    list_t woken;
    paused_names_set(&uplinks_of_link(&self->uplinks, link)->pauses, name, paused, &woken);
    peers_wake(&woken);
}

static void on_room(void *owner, link_t *link)
{
    peers_t *self = owner;
    uplink_t *uplink = uplinks_of_link(&self->uplinks, link);
    for (list_node_t *node; (node = list_first(&uplink->waiting)) && link_has_room(link);) {
        list_remove(node);
        peer_go_on(list_member(node, peer_t, waiting));
    }
}

static const link_owner_t peers_link_owner = {
    .on_up = on_up,
    .on_state = on_state,
    .on_confirmed = on_confirmed,
    .on_denied = on_denied,
    .on_left = on_left,
    .on_copy = on_copy,
    .on_late = on_late,
    .on_notice = on_notice,
    .on_settled = on_settled,
    .on_pause = on_pause,
    .on_presence = on_presence,
    .on_who = on_who,
    .on_room = on_room,
};

void peers_open_links(peers_t *self)
{
    if (self->uplinks.count > 0)
        return;
    link_options_t common = {.node = self->node,
        .ledger = &self->ledger,
        .batch_records = &self->batch_records,
        .batch_bytes = &self->batch_bytes};
    uplinks_init(&self->uplinks, self->reactor, self->config, self->brokers, &common, &peers_link_owner, self);
    self->next = zmalloc(self->uplinks.count * sizeof *self->next);
}

void peers_check_pauses(peers_t *self)
{
    for (size_t i = 0; i < self->uplinks.count; i++) {
        list_t woken;
        paused_names_check(&self->uplinks.items[i].pauses, self->uplinks.items[i].link, &woken);
        peers_wake(&woken);
    }
}
