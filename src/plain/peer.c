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
    peers_dirty(self);
}

static bool peer_link_is_up(const peer_t *self)
{
    return link_state(self->uplink->link) == LINK_UP;
}

peer_t *peer_come(peers_t *peers, uint64_t id, span_t route, const verb_t *login)
{
    peer_t *self = calloc(1, sizeof *self + route.size + login->name.size);
    if (!self)
        abort();
    self->peers = peers;
    self->id = id;
    self->since_ms = reactor_now_ms(peers->reactor);
    memcpy(self->bytes, route.data, route.size);
    memcpy(self->bytes + route.size, login->name.data, login->name.size);
    self->item.key = span_of(self->bytes, route.size);
    self->door = (door_t){.socket = peers->socket, .route = self->item.key};
    self->name = span_of(self->bytes + route.size, login->name.size);
    self->writer.has_credit = login->has_credit;
    self->writer.credit = login->credit;
    self->uplink = uplinks_of_name(&peers->uplinks, self->name);
    list_append(&peers->logins, &self->timed);
    if (peer_link_is_up(self)) {
        link_register(self->uplink->link, id, self->name, self->claim, false);
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
        log_uint("messages", self->inbox.sends), log_uint("session", self->id));
    self->close_reason = reason;
    self->peers->counters.closes[reason & 63]++;
    self->peers->counters.logouts += peer_was_confirmed(self);
    list_remove(&self->waiting);
    peer_inbox_drop(&self->inbox);
    peers_unroute(self);
    peer_move(self, PEER_GONE);
    peer_bury_unless_bound(self);
}

/* Tells the program something, unless it has gone. */
static void peer_say(peer_t *self, const span_t *frames, size_t count)
{
    if (self->state == PEER_GONE || self->is_lost)
        return;
    if (peer_writer_say(&self->writer, &self->door, frames, count, reactor_now_ms(self->peers->reactor)) != 0)
        self->is_lost = true;
    peers_dirty(self);
}

void peer_error(peer_t *self, int error, span_t first, span_t second)
{
    span_t frames[] = {span_str("ERROR"), span_str(error_code(error)), first, second};
    peer_say(self, frames, second.size ? 4 : first.size ? 3 : 2);
}

/* Tells it of the SENDs that were refused since it was told last. */
static void peer_tell_refused(peer_t *self)
{
    char first[24], last[24];
    peer_inbox_t *inbox = &self->inbox;
    if (!inbox->refused_last || peer_writer_is_choked(&self->writer, &self->peers->limits.peer))
        return;
    size_t first_size = (size_t)snprintf(first, sizeof first, "%" PRIu64, inbox->refused_first);
    size_t last_size = (size_t)snprintf(last, sizeof last, "%" PRIu64, inbox->refused_last);
    inbox->refused_first = inbox->refused_last = 0;
    peer_error(self, FERRY_ERROR_WINDOW, span_of(first, first_size), span_of(last, last_size));
}

static void peer_refuse_send(peer_t *self, uint64_t number)
{
    self->peers->counters.refused++;
    if (!peer_inbox_refuse(&self->inbox, number)) {
        peer_tell_refused(self);
        peer_inbox_refuse(&self->inbox, number);
    }
    peers_dirty(self);
}

void peer_refuse(peer_t *self, verb_kind_t kind, int error, span_t culprit)
{
    self->peers->counters.errors++;
    uint64_t number = kind == VERB_SEND ? ++self->inbox.sends : 0;
    if (!peer_writer_is_choked(&self->writer, &self->peers->limits.peer))
        peer_error(self, error, culprit, span_of(NULL, 0));
    else if (number)
        peer_refuse_send(self, number);
}

void peer_fail(peer_t *self, int error, span_t argument)
{
    if (self->registered && peer_link_is_up(self))
        link_leaving(self->uplink->link, self->id);
    if (peers_may_answer(self->peers, self->door.route))
        peer_error(self, error, argument, span_of(NULL, 0));
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

/* Why copies for this program end otherwise than by delivery. */
static int peer_reason(const peer_t *self)
{
    if (self->close_reason == CLOSE_CLIENT_STALLED)
        return FERRY_REASON_STALLED;
    return self->close_reason == CLOSE_GATEWAY_DRAINS ? FERRY_REASON_DRAINED : FERRY_REASON_GONE;
}

static peer_loss_t peer_loss(const peer_t *self)
{
    return (peer_loss_t){
        .link = self->uplink->link, .session = self->id, .name = self->name, .reason = peer_reason(self)};
}

/* Ends the copies that wait. */
static void peer_return(peer_t *self)
{
    peer_loss_t loss = peer_loss(self);
    self->peers->ledger.returned[loss.reason] += peer_writer_return(&self->writer, &loss);
}

/* Ends all copies, of which those that were handed over and not acknowledged may have been read or not. */
static void peer_lose(peer_t *self)
{
    peer_loss_t loss = peer_loss(self);
    self->peers->ledger.unconfirmed[loss.reason] += peer_writer_doubt(&self->writer, &loss);
    peer_return(self);
}

void peer_deny(peer_t *self, int error)
{
    self->registered = false;
    if (self->state == PEER_REGISTERING) {
        peer_fail(self, error, self->name);
    } else if (self->state >= PEER_OPEN && self->state <= PEER_LEAVING) {
        self->close_reason = CLOSE_LOGIN;
        peer_return(self);
        peer_error(self, error, self->name, span_of(NULL, 0));
        peer_move(self, PEER_FLUSHING);
    }
    peer_bury_unless_bound(self);
}

static void peer_leave(peer_t *self)
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

/* Ends a copy that is not even queued. */
static void peer_return_copy(peer_t *self, const body_copy_t *copy, const origin_t *origin, int reason)
{
    self->peers->ledger.returned[reason]++;
    link_report(self->uplink->link, self->id,
        &(body_report_t){.error = FERRY_ERROR_UNDELIVERED,
            .reason = (uint16_t)reason,
            .origin = origin->node,
            .session = copy->session,
            .number = copy->number,
            .name = self->name});
}

void peer_deliver(peer_t *self, const body_copy_t *copy, origin_t *origin)
{
    if (self->state == PEER_GONE || self->close_reason == CLOSE_LOGIN) {
        peer_return_copy(self, copy, origin, peer_reason(self));
        return;
    }
    if (copy->flags & BODY_FLAG_REPLY) { /* it has asked nobody */
        peer_return_copy(self, copy, origin, FERRY_REASON_EXPIRED);
        return;
    }
    peer_writer_put(&self->writer, copy, origin, reactor_now_ms(self->peers->reactor));
    peers_dirty(self);
}

void peer_return_late(peer_t *self, const body_copy_t *copy, const origin_t *origin)
{
    peer_return_copy(self, copy, origin, FERRY_REASON_LATE);
}

/* Notes which messages a SEND has made, one for each broker of its recipients. */
static void peer_open_messages(peer_t *self, const line_t *line)
{
    const uplinks_t *uplinks = &self->peers->uplinks;
    size_t size = line->text.size + INBOX_LETTER_SIZE;
    for (unsigned i = 0; i < line->recipient_count; i++) {
        unsigned j = 0;
        while (j < i && uplinks->owners[j] != uplinks->owners[i])
            j++;
        const link_t *link = uplinks->items[uplinks->owners[i]].link;
        if (j == i)
            peer_inbox_open(&self->inbox, link, link_next_number(link) - 1, size);
    }
}

/* Takes a message; false if it must wait. */
static bool peer_take(peer_t *self, const line_t *line, bool is_opaque)
{
    unsigned flags = is_opaque ? BODY_FLAG_OPAQUE : 0;
    int messages = uplinks_send(&self->peers->uplinks, self->id, flags, self->name, line, &self->waiting);
    if (messages == 0)
        return false;
    if (messages < 0) {
        self->peers->counters.errors++;
        peer_error(self, -messages, span_of(NULL, 0), span_of(NULL, 0));
        return true;
    }
    self->peers->counters.messages++;
    peer_open_messages(self, line);
    return true;
}

/* Takes a SEND that waited; false if it must wait on. */
static bool peer_take_letter(peer_t *self, const letter_t *letter)
{
    line_t line = {.kind = LINE_MESSAGE, .text = letter->text, .recipients = self->peers->recipients};
    int error = line_parse_destinations(&line, letter->head, &self->peers->limits.verb.line);
    assert(error == 0);
    (void)error;
    return peer_take(self, &line, letter->is_opaque);
}

/* Takes the first letter; false if it must wait. */
static bool peer_take_first(peer_t *self)
{
    const letter_t *letter = self->inbox.first;
    if (letter->kind == VERB_SEND)
        return peer_take_letter(self, letter);
    if (letter->kind == VERB_PING) {
        const peer_limits_t *limits = &self->peers->limits.peer;
        if (self->inbox.open_size > limits->window_size / 2 || peer_writer_is_choked(&self->writer, limits))
            return false;
        peer_say(self, (const span_t[]){span_str("PONG"), letter->head}, 2);
    } else {
        self->close_reason = CLOSE_QUIT;
        peer_move(self, PEER_SETTLING);
    }
    return true;
}

void peer_go_on(peer_t *self)
{
    while (self->state == PEER_OPEN && self->inbox.first && !list_has(&self->waiting) && peer_take_first(self))
        peer_inbox_pop(&self->inbox);
    if (self->state != PEER_SETTLING)
        return;
    peer_inbox_drop(&self->inbox);
    if (self->inbox.open_count == 0)
        peer_leave(self);
}

static bool peer_takes_sends(const peer_t *self)
{
    const peer_limits_t *limits = &self->peers->limits.peer;
    return peer_inbox_has_room(&self->inbox, limits->window_size) && !peer_writer_is_choked(&self->writer, limits) &&
           !self->peers->is_full;
}

static void peer_hear_send(peer_t *self, const verb_t *verb, span_t destinations)
{
    if (self->peers->phase != PEERS_RUNNING) {
        if (!peer_writer_is_choked(&self->writer, &self->peers->limits.peer))
            peer_error(self, FERRY_ERROR_DRAINING, span_of(NULL, 0), span_of(NULL, 0));
        return;
    }
    uint64_t number = ++self->inbox.sends;
    if (!peer_takes_sends(self)) {
        peer_refuse_send(self, number);
        return;
    }
    peer_tell_refused(self);
    if (self->state == PEER_OPEN && !self->inbox.first && peer_take(self, &verb->message, verb->is_opaque))
        return;
    peer_inbox_put(&self->inbox, VERB_SEND, number, destinations, verb->message.text)->is_opaque = verb->is_opaque;
}

void peer_hear(peer_t *self, const verb_t *verb)
{
    const peer_limits_t *limits = &self->peers->limits.peer;
    if (verb->kind == VERB_PONG) {
        self->peers->ledger.delivered += peer_writer_pong(&self->writer, self->uplink->link, verb->token);
    } else if (verb->kind == VERB_CREDIT) {
        peer_writer_credit(&self->writer, verb->credit);
    } else if (self->state > PEER_OPEN) {
        bool drains = self->peers->phase != PEERS_RUNNING;
        peer_refuse(self, VERB_COUNT, drains ? FERRY_ERROR_DRAINING : FERRY_ERROR_BAD_LINE, span_of(NULL, 0));
    } else if (verb->kind == VERB_SEND) {
        peer_hear_send(self, verb, self->peers->frames[1]);
    } else if (peer_inbox_has_ping_room(&self->inbox, limits->window_size) || verb->kind == VERB_LEAVE) {
        peer_inbox_put(&self->inbox, verb->kind, 0, verb->token, span_of(NULL, 0));
    }
    peer_go_on(self);
    peers_dirty(self);
}

void peer_settle(peer_t *self, const link_t *link, uint64_t number)
{
    peer_inbox_settle(&self->inbox, link, number);
    if (self->state == PEER_OPEN || self->state == PEER_SETTLING)
        peer_go_on(self);
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
        self->inbox.sends = peer_inbox_taken(&self->inbox);
        peer_inbox_drop(&self->inbox);
        peer_say(self, (const span_t[]){span_str("INFO"), span_str("draining")}, 2);
    }
}

static void peer_tell_accepted(peer_t *self)
{
    char count[24];
    span_t frames[] = {span_str("INFO"), span_str("accepted"), span_of(count, 0)};
    frames[2].size = (size_t)snprintf(count, sizeof count, "%" PRIu64, self->inbox.sends);
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
    bool paused = peer_writer_became_paused(&self->writer, &self->peers->limits.peer);
    bool resumed = peer_writer_became_resumed(&self->writer, &self->peers->limits.peer);
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
        peer_error(self, FERRY_ERROR_STALLED, span_of(NULL, 0), span_of(NULL, 0));
        peer_cut(self, CLOSE_CLIENT_STALLED);
    } else if (self->is_lost || peer_writer_tick(&self->writer, &self->door, limits, now) != 0) {
        peer_cut(self, CLOSE_CLIENT_GONE);
    }
}
