/* SPDX-License-Identifier: MPL-2.0 */
/* [1] peer_hear: a verb is done at once, or, if it must wait, or others do before it, kept in the inbox; it is done as
 * a whole or not at all, and its first mistake is its answer. Owner: the peers actor's thread. */
#include "plain/peer_hear.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "plain/peers.h"

void peer_tell_refused(peer_t *self)
{
    char first[24], last[24];
    peer_inbox_t *inbox = &self->inbox;
    if (!inbox->refused_last || peer_is_choked(self))
        return;
    span_t range[] = {span_of(first, 0), span_of(last, 0)};
    range[0].size = (size_t)snprintf(first, sizeof first, "%" PRIu64, inbox->refused_first);
    range[1].size = (size_t)snprintf(last, sizeof last, "%" PRIu64, inbox->refused_last);
    inbox->refused_first = inbox->refused_last = 0;
    peer_error(self, FERRY_ERROR_WINDOW, range, 2);
}

static void peer_refuse_number(peer_t *self, uint64_t number)
{
    self->peers->counters.refused++;
    if (!peer_inbox_refuse(&self->inbox, number)) {
        peer_tell_refused(self);
        peer_inbox_refuse(&self->inbox, number);
    }
    peers_dirty(self);
}

void peer_refuse(peer_t *self, const verb_t *verb, int error)
{
    self->peers->counters.errors++;
    uint64_t number = verb_is_numbered(verb) ? ++self->inbox.said : 0;
    if (!peer_is_choked(self))
        peer_error(self, error, (span_t[]){verb->culprit, verb->message.label}, 2);
    else if (number)
        peer_refuse_number(self, number);
}

/* Notes which messages were sent since the numbers in peers->next. */
static void peer_open_messages(peer_t *self, size_t size)
{
    peers_t *peers = self->peers;
    for (size_t i = 0; i < peers->uplinks.count; i++) {
        const link_t *link = peers->uplinks.items[i].link;
        if (link_next_number(link) > peers->next[i])
            peer_inbox_open(&self->inbox, link, peers->next[i], size + INBOX_LETTER_SIZE);
    }
}

/* Sends what a verb says. Returns 1, 0 if it must wait, or -FERRY_ERROR_…. */
static int peer_send(peer_t *self, const verb_t *verb)
{
    peers_t *peers = self->peers;
    const line_t *message = &verb->message;
    unsigned flags = verb->is_opaque ? BODY_FLAG_OPAQUE : 0;
    uint64_t sent = self->party.open_messages;
    int rc;
    for (size_t i = 0; i < peers->uplinks.count; i++)
        peers->next[i] = link_next_number(peers->uplinks.items[i].link);
    if (verb->kind == VERB_REQUEST)
        rc = party_request(
            &self->party, message, flags, reactor_now_ms(peers->reactor) + message->number, &self->waiting);
    else if (verb->kind == VERB_REPLY)
        rc = party_reply(&self->party, message->number, message, flags, &self->waiting);
    else
        rc = party_send(&self->party, message, flags | (message->label.size ? BODY_FLAG_RECEIPT : 0), &self->waiting);
    if (rc <= 0 || self->party.open_messages == sent)
        return rc;
    peers->counters.messages++;
    peer_open_messages(self, message->text.size);
    return 1;
}

/* PING is answered when half of the window is free. */
static int peer_answer_ping(peer_t *self, span_t token)
{
    if (self->inbox.open_size > self->peers->limits.peer.window_size / 2)
        return 0;
    peer_say(self, (const span_t[]){span_str("PONG"), token}, 2);
    return 1;
}

/* LEAVE: a group, or for good. */
static int peer_obey_leave(peer_t *self, span_t group)
{
    if (group.size) {
        party_leave(&self->party, group);
        return 1;
    }
    self->close_reason = CLOSE_QUIT;
    peer_settle_down(self);
    return 1;
}

/* Does what a verb says that sends nothing. Returns as peer_send does. */
static int peer_obey_word(peer_t *self, const verb_t *verb)
{
    party_t *party = &self->party;
    const line_t *message = &verb->message;
    switch (verb->kind) {
    case VERB_JOIN:
        return party_join(party, message->text);
    case VERB_LEAVE:
        return peer_obey_leave(self, message->text);
    case VERB_SERVE:
        return party_serve(party, message->text, (uint32_t)message->number);
    case VERB_UNSERVE:
        party_unserve(party, message->text);
        return 1;
    case VERB_DONE:
        return party_done(party, message->number);
    case VERB_WATCH:
        return party_watch(party, message->text);
    case VERB_UNWATCH:
        party_unwatch(party, message->text);
        return 1;
    case VERB_WHO:
        return party_who(party, message->text, &self->waiting);
    default:
        return peer_answer_ping(self, verb->token);
    }
}

static bool verb_sends(const verb_t *verb)
{
    return verb->kind == VERB_SEND || verb->kind == VERB_REQUEST || verb->kind == VERB_REPLY;
}

/* Does what a verb says; false if it must wait. What is answered waits while too many answers are unread. */
static bool peer_obey(peer_t *self, const verb_t *verb)
{
    if (!verb_sends(verb) && verb->kind != VERB_DONE && peer_is_choked(self))
        return false;
    int rc = verb_sends(verb) ? peer_send(self, verb) : peer_obey_word(self, verb);
    if (rc >= 0)
        return rc > 0;
    const line_t *message = &verb->message;
    span_t culprit = message->job.size ? message->job : verb_sends(verb) ? span_of(NULL, 0) : message->text;
    self->peers->counters.errors++;
    peer_error(self, -rc, (span_t[]){culprit, message->label}, 2);
    return true;
}

/* Does what the first letter says; false if it must wait. */
static bool peer_obey_letter(peer_t *self)
{
    const letter_t *letter = self->inbox.first;
    verb_t verb = {.message.recipients = self->peers->recipients};
    int error = verb_parse(&verb, letter->frames, letter->frame_count, &self->peers->limits.verb);
    assert(error == 0);
    (void)error;
    return peer_obey(self, &verb);
}

void peer_go_on(peer_t *self)
{
    while (self->state == PEER_OPEN && self->inbox.first && !list_has(&self->waiting) && peer_obey_letter(self))
        peer_inbox_pop(&self->inbox);
    if (self->state != PEER_SETTLING)
        return;
    peer_inbox_drop(&self->inbox);
    if (party_is_idle(&self->party))
        peer_leave(self);
}

static bool peer_has_room(const peer_t *self)
{
    return peer_inbox_has_room(&self->inbox, self->peers->limits.peer.window_size) && !peer_is_choked(self) &&
           !self->peers->is_full;
}

static void peer_hear_numbered(peer_t *self, const verb_t *verb, const span_t *frames, size_t count)
{
    if (self->peers->phase != PEERS_RUNNING) {
        if (!peer_is_choked(self))
            peer_error(self, FERRY_ERROR_DRAINING, &verb->message.label, 1);
        return;
    }
    uint64_t number = ++self->inbox.said;
    if (!peer_has_room(self)) {
        peer_refuse_number(self, number);
        return;
    }
    peer_tell_refused(self);
    if (self->state != PEER_OPEN || self->inbox.first || !peer_obey(self, verb))
        peer_inbox_put(&self->inbox, number, frames, count);
}

void peer_hear(peer_t *self, const verb_t *verb, const span_t *frames, size_t count)
{
    bool is_leave = verb->kind == VERB_LEAVE;
    if (verb->kind == VERB_PONG) {
        self->peers->ledger.delivered += peer_writer_pong(&self->writer, self->uplink->link, verb->token);
    } else if (verb->kind == VERB_CREDIT) {
        peer_writer_credit(&self->writer, verb->credit);
    } else if (self->state > PEER_OPEN) {
        bool drains = self->peers->phase != PEERS_RUNNING;
        peer_refuse(self, &(verb_t){.kind = VERB_COUNT, .message.label = verb->message.label},
            drains ? FERRY_ERROR_DRAINING : FERRY_ERROR_BAD_LINE);
    } else if (verb_is_numbered(verb)) {
        peer_hear_numbered(self, verb, frames, count);
    } else if (is_leave || peer_inbox_has_ping_room(&self->inbox, self->peers->limits.peer.window_size)) {
        peer_inbox_put(&self->inbox, 0, frames, count);
    }
    peer_go_on(self);
    peers_dirty(self);
}
