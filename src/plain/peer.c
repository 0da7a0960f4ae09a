/* SPDX-License-Identifier: MPL-2.0 */
/* [2] peer: the happy path is REGISTERING, OPEN, SETTLING, LEAVING, FLUSHING, GONE. Whose connection is lost goes to
 * GONE at once, where its name is let go; so a copy that is on its way to it is returned under its name. A send that
 * fails is only noted, and dealt with when the peer is flushed. Owner: the peers actor's thread. */
#include "plain/peer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "plain/peer_copies.h"
#include "plain/peer_hear.h"
#include "plain/peers.h"
#include "wire/reason.h"

#define TO(state) (1u << PEER_##state)
static const unsigned peer_moves[] = {
    [PEER_REGISTERING] = TO(OPEN) | TO(GONE),
    [PEER_OPEN] = TO(SETTLING) | TO(FLUSHING) | TO(GONE),
    [PEER_SETTLING] = TO(LEAVING) | TO(FLUSHING) | TO(GONE),
    [PEER_LEAVING] = TO(FLUSHING) | TO(GONE),
    [PEER_FLUSHING] = TO(GONE),
    [PEER_GONE] = 0,
};

static void peer_move(peer_t *self, peer_state_t state)
{
    assert(peer_moves[self->state] & (1u << state));
    self->state = state;
    self->since_ms = reactor_now_ms(self->peers->reactor);
    list_remove(&self->timed);
    if (state == PEER_GONE)
        party_end(&self->party, peer_reason(self));
    else if (state >= PEER_LEAVING)
        party_stop(&self->party, peer_reason(self));
    peers_dirty(self);
}

static bool peer_link_is_up(const peer_t *self)
{
    return link_state(self->uplink->link) == LINK_UP;
}

peer_t *peer_come(peers_t *peers, span_t route, const verb_t *login)
{
    peer_t *self = calloc(1, sizeof *self + route.size + login->name.size);
    if (!self)
        abort();
    self->peers = peers;
    self->id = slots_add(&peers->slots, self, 0);
    self->since_ms = reactor_now_ms(peers->reactor);
    memcpy(self->bytes, route.data, route.size);
    memcpy(self->bytes + route.size, login->name.data, login->name.size);
    self->item.key = span_of(self->bytes, route.size);
    self->door = (door_t){.socket = peers->socket, .route = self->item.key};
    self->name = span_of(self->bytes + route.size, login->name.size);
    self->writer.has_credit = login->has_credit;
    self->writer.credit = login->credit;
    self->uplink = uplinks_of_name(&peers->uplinks, self->name);
    party_init(&self->party, &peers->exchange);
    party_enter(&self->party, self->id, self->name);
    list_append(&peers->logins, &self->timed);
    if (peer_link_is_up(self)) {
        link_register(self->uplink->link, self->id, self->name, self->claim, false);
        self->registered = true;
    }
    return self;
}

void peer_free(peer_t *self)
{
    peer_inbox_fini(&self->inbox);
    peer_writer_fini(&self->writer);
    free(self);
}

/* Whether its broker still knows its name, or must be told of copies and still can be. */
static bool peer_is_bound(const peer_t *self)
{
    return link_state(self->uplink->link) != LINK_CLOSED && (self->registered || peer_writer_owes(&self->writer));
}

/* The end of the peer, when neither its program nor its broker need it any more. */
static void peer_bury_unless_bound(peer_t *self)
{
    if (self->state != PEER_GONE || self->is_buried || peer_is_bound(self))
        return;
    self->is_buried = true;
    peer_writer_forget(&self->writer, self->uplink->link);
    peers_forget(self);
}

/* The program is not this peer's any more. */
static void peer_part(peer_t *self, close_t reason)
{
    log_info("close", log_str("role", "peers"), log_span("name", self->name), log_str("reason", close_code(reason)),
        log_uint("messages", self->inbox.said), log_uint("session", self->id));
    self->close_reason = reason;
    self->peers->counters.closes[reason & 63]++;
    self->peers->counters.logouts += peer_was_confirmed(self);
    list_remove(&self->waiting);
    peer_inbox_drop(&self->inbox);
    peers_unroute(self);
    peer_move(self, PEER_GONE);
    peer_bury_unless_bound(self);
}

void peer_say(peer_t *self, const span_t *frames, size_t count)
{
    if (self->state == PEER_GONE || self->is_lost)
        return;
    if (peer_writer_say(&self->writer, &self->door, frames, count, reactor_now_ms(self->peers->reactor)) != 0)
        self->is_lost = true;
    peers_dirty(self);
}

void peer_error(peer_t *self, int error, const span_t *arguments, size_t count)
{
    span_t frames[5] = {span_str("ERROR"), span_str(error_code(error))};
    size_t frame_count = 2;
    assert(count <= 3);
    for (size_t i = 0; i < count; i++)
        if (arguments[i].size)
            frames[frame_count++] = arguments[i];
    peer_say(self, frames, frame_count);
}

void peer_fail(peer_t *self, int error, span_t argument)
{
    if (self->registered && peer_link_is_up(self))
        link_leaving(self->uplink->link, self->id);
    if (peers_may_answer(self->peers, self->door.route))
        peer_error(self, error, &argument, 1);
    peer_part(self, CLOSE_LOGIN);
}

void peer_confirm(peer_t *self, link_claim_t claim)
{
    self->claim = claim;
    if (self->registered && self->writer.paused)
        link_pause(self->uplink->link, self->name, true);
    if (self->state != PEER_REGISTERING)
        return;
    self->peers->counters.logins++;
    log_info("login", log_str("role", "peers"), log_span("name", self->name), log_uint("session", self->id));
    peer_move(self, PEER_OPEN);
    peer_say(self, (const span_t[]){span_str("OK"), span_str("LOGIN"), self->name}, 3);
    if (claim.took_over)
        peer_say(self, (const span_t[]){span_str("INFO"), span_str("took-over"), self->name}, 3);
    peer_go_on(self);
}

void peer_deny(peer_t *self, int error)
{
    self->registered = false;
    if (self->state == PEER_REGISTERING) {
        peer_fail(self, error, self->name);
    } else if (self->state >= PEER_OPEN && self->state <= PEER_LEAVING) {
        self->close_reason = CLOSE_LOGIN;
        peer_return(self);
        peer_error(self, error, &self->name, 1);
        peer_move(self, PEER_FLUSHING);
    }
    peer_bury_unless_bound(self);
}

void peer_settle_down(peer_t *self)
{
    peer_move(self, PEER_SETTLING);
}

void peer_leave(peer_t *self)
{
    peer_move(self, PEER_LEAVING);
    if (self->registered && peer_link_is_up(self))
        link_leaving(self->uplink->link, self->id);
    else if (!self->registered)
        peer_left(self);
}

void peer_left(peer_t *self)
{
    self->registered = false;
    if (self->state == PEER_LEAVING)
        peer_move(self, PEER_FLUSHING);
    peer_bury_unless_bound(self);
}

void peer_restate(peer_t *self, bool given_up)
{
    link_t *link = self->uplink->link;
    if (self->state <= PEER_SETTLING) {
        link_register(link, self->id, self->name, self->claim, self->writer.paused);
        self->registered = true;
    } else if (self->registered) {
        link_leaving(link, self->id);
    }
    if (given_up)
        peer_writer_disown(&self->writer);
    peer_writer_restate(&self->writer, link, self->id);
    peers_dirty(self);
}

void peer_unlink(peer_t *self)
{
    self->registered = false;
    peer_left(self);
}

void peer_cut(peer_t *self, close_t reason)
{
    if (self->state == PEER_GONE)
        return;
    bool leaves = self->state == PEER_LEAVING || self->state == PEER_FLUSHING;
    self->close_reason = reason;
    peer_lose(self);
    if (self->writer.paused && self->registered)
        link_pause(self->uplink->link, self->name, false);
    self->writer.paused = false;
    if (self->registered && !leaves && peer_link_is_up(self))
        link_leaving(self->uplink->link, self->id);
    peer_part(self, reason);
}

void peer_probe(peer_t *self)
{
    if (self->state == PEER_GONE)
        return;
    if (self->is_lost || peer_writer_probe(&self->writer, &self->door, reactor_now_ms(self->peers->reactor)) != 0)
        peer_cut(self, CLOSE_CLIENT_GONE);
}

void peer_stop(peer_t *self)
{
    if (self->state == PEER_REGISTERING) {
        peer_fail(self, FERRY_ERROR_DRAINING, span_of(NULL, 0));
    } else if (self->state == PEER_OPEN) {
        peer_tell_refused(self);
        list_remove(&self->waiting);
        self->inbox.said = peer_inbox_taken(&self->inbox);
        peer_inbox_drop(&self->inbox);
        peer_say(self, (const span_t[]){span_str("INFO"), span_str("draining")}, 2);
    }
    party_stop_serving(&self->party, FERRY_REASON_DRAINED);
}

static void peer_tell_accepted(peer_t *self)
{
    char count[24];
    span_t frames[] = {span_str("INFO"), span_str("accepted"), span_of(count, 0)};
    frames[2].size = (size_t)snprintf(count, sizeof count, "%" PRIu64, self->inbox.said);
    peer_say(self, frames, 3);
    self->close_reason = CLOSE_GATEWAY_DRAINS;
}

void peer_finish(peer_t *self)
{
    if (self->state < PEER_OPEN || self->state > PEER_LEAVING)
        return;
    peer_tell_accepted(self);
    peer_move(self, PEER_FLUSHING);
}

void peer_trim(peer_t *self)
{
    if (self->state == PEER_GONE || !peer_writer_pending(&self->writer))
        return;
    self->close_reason = CLOSE_GATEWAY_DRAINS;
    peer_lose(self);
    peers_dirty(self);
}

void peer_dismiss(peer_t *self)
{
    if (self->state != PEER_FLUSHING)
        return;
    peer_say(self, &(span_t){"BYE", 3}, 1);
    peer_part(self, self->close_reason);
}

static void peer_check_marks(peer_t *self)
{
    const peer_limits_t *limits = &self->peers->limits.peer;
    bool paused = peer_writer_became_paused(&self->writer, limits);
    bool resumed = peer_writer_became_resumed(&self->writer, limits);
    bool spared = self->writer.paused || peer_writer_is_full(&self->writer, limits);
    if (paused || resumed || spared != self->party.is_spared)
        party_pause(&self->party, self->writer.paused, spared);
    if (!(paused || resumed) || !self->registered)
        return;
    self->peers->counters.pauses += paused;
    link_pause(self->uplink->link, self->name, paused);
}

/* Hands over what may go; false when the connection is gone. */
static bool peer_hand(peer_t *self)
{
    const peer_limits_t *limits = &self->peers->limits.peer;
    uint64_t now = reactor_now_ms(self->peers->reactor);
    peer_tell_refused(self);
    return !self->is_lost && peer_writer_hand(&self->writer, &self->door, self->name, limits, now) == 0;
}

void peer_flush(peer_t *self)
{
    if (self->state != PEER_GONE && !peer_hand(self))
        peer_cut(self, CLOSE_CLIENT_GONE);
    if (self->state != PEER_GONE) {
        peer_check_marks(self);
        if (self->state == PEER_FLUSHING && peer_writer_is_done(&self->writer))
            peer_dismiss(self);
    }
    if (!self->is_buried && peer_writer_owes(&self->writer))
        peer_writer_tell(&self->writer, self->uplink->link, self->id);
    peer_bury_unless_bound(self);
}

void peer_tick(peer_t *self)
{
    const peer_limits_t *limits = &self->peers->limits.peer;
    uint64_t now = reactor_now_ms(self->peers->reactor);
    if (self->state == PEER_GONE || self->state == PEER_REGISTERING)
        return;
    if (peer_writer_is_stalled(&self->writer, limits, now)) {
        peer_error(self, FERRY_ERROR_STALLED, NULL, 0);
        peer_cut(self, CLOSE_CLIENT_STALLED);
    } else if (self->is_lost || peer_writer_tick(&self->writer, &self->door, limits, now) != 0) {
        peer_cut(self, CLOSE_CLIENT_GONE);
    }
}
