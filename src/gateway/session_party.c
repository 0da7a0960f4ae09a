/* SPDX-License-Identifier: MPL-2.0 */
/* session_party: a share is queued as a copy is; a job's line is written like an answer, since what its client has done
 * with it is for that to say. Owner: the worker's thread. */
#include "gateway/session_party.h"

#include <inttypes.h>
#include <stdio.h>

#include "gateway/session_acks.h"
#include "gateway/session_copies.h"
#include "gateway/worker.h"
#include "wire/reason.h"

static session_t *session_of(party_t *party)
{
    return list_member(party, session_t, party);
}

static party_t *find(void *owner, uint64_t id)
{
    session_t *session = worker_session(owner, id);
    return session ? &session->party : NULL;
}

static void wake(void *owner, list_t *woken)
{
    (void)owner;
    worker_wake(woken);
}

static void session_say(session_t *session, const char *words, span_t name, const char *state)
{
    writer_line(&session->writer, (span_t[]){span_str(words), name, span_str(state)}, 3);
    worker_dirty(session);
}

static void on_answer(party_t *party, party_answer_t answer, span_t name)
{
    static const char *const words[] = {
        [PARTY_JOIN] = "ok join ",
        [PARTY_LEAVE] = "ok leave ",
        [PARTY_SERVE] = "ok serve ",
        [PARTY_UNSERVE] = "ok unserve ",
        [PARTY_UNWATCH] = "ok unwatch ",
    };
    session_say(session_of(party), words[answer], name, "");
}

/* Readies the writer for one more copy. Returns 0, or FERRY_REASON_NOT_A_LINE. */
static int session_admit(session_t *session, const body_copy_t *copy)
{
    if (copy->flags & BODY_FLAG_OPAQUE)
        return FERRY_REASON_NOT_A_LINE;
    if (writer_must_look(&session->writer))
        session_look(session);
    worker_dirty(session);
    return 0;
}

static int on_share(party_t *party, const body_copy_t *copy, share_t *share)
{
    session_t *session = session_of(party);
    int reason = session_admit(session, copy);
    if (!reason)
        writer_share(&session->writer, copy, share);
    return reason;
}

static int on_job(party_t *party, uint64_t job, span_t service, const body_copy_t *copy, span_t text)
{
    session_t *session = session_of(party);
    char number[24];
    size_t size = (size_t)snprintf(number, sizeof number, " %" PRIu64 ": ", job);
    span_t parts[] = {span_str("from "), copy->sender, span_str(" "), service, span_of(number, size), text};
    int reason = session_admit(session, copy);
    if (!reason)
        writer_line(&session->writer, parts, sizeof parts / sizeof *parts);
    return reason;
}

static int on_reply(party_t *party, span_t label, span_t text, const body_copy_t *copy, origin_t *origin)
{
    session_t *session = session_of(party);
    int reason = session->state == SESSION_AWAY ? FERRY_REASON_GONE : session_admit(session, copy);
    if (!reason)
        writer_answer(&session->writer, copy, origin, label, text);
    return reason;
}

/* N.B. a client that has read `info accepted N` is not told of what a drain gives up later. */
static void on_failure(party_t *party, const body_notice_t *notice, span_t label)
{
    session_t *session = session_of(party);
    if (session_forward_failed(session, notice))
        return;
    span_t reason = notice->reason ? span_str(reason_code(notice->reason)) : span_of(NULL, 0);
    if (session->state >= (notice->number ? SESSION_CLOSING : SESSION_FLUSHING))
        return;
    session_error_of(session, notice->error, (span_t[]){notice->name, reason, label}, 3);
}

static void on_receipt(party_t *party, span_t label, bool failed)
{
    session_t *session = session_of(party);
    worker_dirty(session);
    if (failed || session->state >= SESSION_CLOSING)
        return;
    writer_line(&session->writer, (span_t[]){span_str("ok "), label}, 2);
}

static void on_settled(party_t *party, const link_t *link, uint64_t number, uint32_t count)
{
    (void)link;
    session_forwards_settled(session_of(party), number, count);
    session_settle(session_of(party));
}

static void on_idle(party_t *party)
{
    session_on_idle(session_of(party));
}

/* N.B. nothing may follow the last line, which is so for the next, too. */
static void on_presence(party_t *party, span_t name, bool is_here, bool is_answer)
{
    session_t *session = session_of(party);
    if (session->state >= SESSION_FLUSHING)
        return;
    if (is_answer)
        session_say(session, "ok watch ", name, is_here ? " here" : " away");
    else
        session_say(session, is_here ? "info came " : "info went ", name, "");
}

static void on_who(party_t *party, const span_t *names, size_t count, bool more)
{
    session_t *session = session_of(party);
    char digits[24];
    if (session->state >= SESSION_FLUSHING)
        return;
    for (size_t i = 0; i < count; i++)
        session_say(session, "info who ", names[i], "");
    size_t size = (size_t)snprintf(digits, sizeof digits, "%zu", count);
    session_say(session, "ok who ", span_of(digits, size), more ? " more" : "");
}

const exchange_owner_t session_party_owner = {
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
