/* SPDX-License-Identifier: MPL-2.0 */
/* peer_party: shares and answers are queued as copies are, since they count as delivered when the program has read
 * them; a job is given at once, since its end is for the program to say. Owner: the peers actor's thread. */
#include "plain/peer_party.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "plain/peer_copies.h"
#include "plain/peer_hear.h"
#include "plain/peers.h"
#include "wire/reason.h"

static peer_t *peer_of(party_t *party)
{
    return list_member(party, peer_t, party);
}

static uint64_t peer_now_ms(const peer_t *self)
{
    return reactor_now_ms(self->peers->reactor);
}

static party_t *find(void *owner, uint64_t id)
{
    peer_t *peer = peers_get(owner, id);
    return peer ? &peer->party : NULL;
}

static void wake(void *owner, list_t *woken)
{
    (void)owner;
    peers_wake(woken);
}

static void on_answer(party_t *party, party_answer_t answer, span_t name)
{
    static const char *const words[] = {
        [PARTY_JOIN] = "JOIN",
        [PARTY_LEAVE] = "LEAVE",
        [PARTY_SERVE] = "SERVE",
        [PARTY_UNSERVE] = "UNSERVE",
        [PARTY_UNWATCH] = "UNWATCH",
    };
    peer_say(peer_of(party), (span_t[]){span_str("OK"), span_str(words[answer]), name}, 3);
}

static int on_share(party_t *party, const body_copy_t *copy, share_t *share)
{
    peer_t *peer = peer_of(party);
    peer_writer_put_share(&peer->writer, copy, share, peer_now_ms(peer));
    peers_dirty(peer);
    return 0;
}

static int on_job(party_t *party, uint64_t job, span_t service, const body_copy_t *copy, span_t text)
{
    peer_t *peer = peer_of(party);
    char digits[24];
    size_t size = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, job);
    span_t frames[] = {span_str("JOB"), span_of(digits, size), copy->sender, service, text};
    if (peer->is_lost)
        return FERRY_REASON_GONE;
    if (peer_writer_give(&peer->writer, &peer->door, frames, 5, &peer->peers->limits.peer, peer_now_ms(peer)) != 0)
        peer->is_lost = true;
    peers_dirty(peer);
    return 0;
}

static int on_reply(party_t *party, span_t label, span_t text, const body_copy_t *copy, origin_t *origin)
{
    peer_t *peer = peer_of(party);
    peer_writer_put_answer(&peer->writer, copy, origin, label, text, peer_now_ms(peer));
    peers_dirty(peer);
    return 0;
}

static void on_failure(party_t *party, const body_notice_t *notice, span_t label)
{
    span_t reason = notice->reason ? span_str(reason_code(notice->reason)) : span_of(NULL, 0);
    peer_error(peer_of(party), notice->error, (span_t[]){notice->name, reason, label}, 3);
}

static void on_receipt(party_t *party, span_t label, bool failed)
{
    if (!failed)
        peer_say(peer_of(party), (span_t[]){span_str("OK"), span_str("SEND"), label}, 3);
}

static void on_settled(party_t *party, const link_t *link, uint64_t number, uint32_t count)
{
    peer_t *peer = peer_of(party);
    for (uint32_t i = 0; i < count; i++)
        peer_inbox_settle(&peer->inbox, link, number + i);
    peer_go_on(peer);
}

static void on_idle(party_t *party)
{
    peer_go_on(peer_of(party));
}

static void on_presence(party_t *party, span_t name, bool is_here, bool is_answer)
{
    peer_t *peer = peer_of(party);
    if (is_answer)
        peer_say(peer, (span_t[]){span_str("OK"), span_str("WATCH"), name, span_str(is_here ? "here" : "away")}, 4);
    else
        peer_say(peer, (span_t[]){span_str("INFO"), span_str(is_here ? "came" : "went"), name}, 3);
}

static void on_who(party_t *party, const span_t *names, size_t count, bool more)
{
    span_t frames[3 + PARTY_WHO_MAX] = {span_str("OK"), span_str("WHO"), span_str(more ? "more" : "all")};
    for (size_t i = 0; i < count; i++)
        frames[3 + i] = names[i];
    peer_say(peer_of(party), frames, 3 + count);
}

const exchange_owner_t peer_party_owner = {
    .find = find,
    .wake = wake,
    .on_answer = on_answer,
    .on_share = on_share,
    .on_job = on_job,
    .on_reply = on_reply,
    .on_failure = on_failure,
    .on_receipt = on_receipt,
    .on_settled = on_settled,
    .on_idle = on_idle,
    .on_presence = on_presence,
    .on_who = on_who,
};
