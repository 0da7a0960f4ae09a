/* SPDX-License-Identifier: MPL-2.0 */
/* [7] worker_links: what the links say goes to the session, group or service that it is about, by the number under
 * which the broker knows it. Nothing can fail. Owner: the worker's thread. */
#include "base/log.h"
#include "gateway/session_copies.h"
#include "gateway/worker.h"
#include "wire/reason.h"

/* A link that is up again, for its sessions. */
typedef struct {
    const uplink_t *uplink;
    bool given_up;
} restating_t;

static void on_restated_session(session_t *session, void *arg)
{
    const restating_t *restating = arg;
    party_restate(&session->party, restating->uplink);
    if (session->uplink == restating->uplink)
        session_restate(session, restating->given_up);
}

static void on_unlinked_session(session_t *session, void *arg)
{
    if (session->uplink == arg)
        session_unlink(session);
}

static void on_up(void *owner, link_t *link, bool given_up)
{
    worker_t *self = owner;
    restating_t restating = {.uplink = uplinks_of_link(&self->uplinks, link), .given_up = given_up};
    worker_each(self, on_restated_session, &restating);
    exchange_up(&self->exchange, link, given_up);
}

static void on_state(void *owner, link_t *link)
{
    worker_t *self = owner;
    link_state_t state = link_state(link);
    reactor_wake(self->reactor);
    if (state != LINK_DOWN && state != LINK_CLOSED && state != LINK_LEFT)
        return;
    uplink_t *uplink = uplinks_of_link(&self->uplinks, link);
    if (state == LINK_DOWN) {
        paused_names_doubt(&uplink->pauses);
        return;
    }
    worker_each(self, on_unlinked_session, uplink);
    exchange_unlink(&self->exchange, link);
    list_t woken;
    paused_names_forget(&uplink->pauses, &woken);
    worker_wake(&woken);
}

/* The session with that id, if that link is its name's; NULL otherwise. */
static session_t *worker_session_on(worker_t *self, const link_t *link, uint64_t id)
{
    session_t *session = worker_session(self, id);
    return session && session->uplink && session->uplink->link == link ? session : NULL;
}

static void on_confirmed(void *owner, link_t *link, uint64_t id, link_claim_t claim)
{
    worker_t *self = owner;
    session_t *session = worker_session_on(owner, link, id);
    if (!exchange_confirmed(&self->exchange, id, claim) && session)
        session_confirm(session, claim);
}

static void on_denied(void *owner, link_t *link, uint64_t id, int error)
{
    session_t *session = worker_session_on(owner, link, id);
    if (session)
        session_deny(session, error);
}

static void on_left(void *owner, link_t *link, uint64_t id)
{
    worker_t *self = owner;
    session_t *session = worker_session_on(owner, link, id);
    if (!exchange_left(&self->exchange, id) && session)
        session_left(session);
}

/* A copy for a session that is not here: no broker sends that, since a session is kept until its LEFT. */
static void worker_orphan(worker_t *self, const body_copy_t *copy)
{
    log_warning("copy-for-nobody", log_uint("worker", self->index), log_uint("number", copy->number));
    self->ledger.returned[FERRY_REASON_GONE]++;
}

static void on_copy(void *owner, link_t *link, const body_copy_t *copy, origin_t *origin)
{
    worker_t *self = owner;
    bool is_own = link_id_equal(&origin->node, &self->node);
    self->copies_this_turn += copy->recipient_count;
    for (unsigned i = 0; i < copy->recipient_count; i++) {
        uint64_t id = body_session_at(copy, i);
        if (id & LINK_SESSION_KINDS && exchange_copy(&self->exchange, link, id, copy, origin))
            continue;
        session_t *session = worker_session_on(self, link, id);
        if (!session) {
            worker_orphan(self, copy);
            continue;
        }
        if (is_own)
            shortcuts_learn(&self->shortcuts, session, copy->number);
        session_deliver(session, copy, origin);
    }
}

static void on_late(void *owner, link_t *link, const body_copy_t *copy, origin_t *origin)
{
    worker_t *self = owner;
    for (unsigned i = 0; i < copy->recipient_count; i++) {
        uint64_t id = body_session_at(copy, i);
        const session_t *session = worker_session_on(self, link, id);
        if (exchange_late(&self->exchange, link, id, copy, origin))
            continue;
        if (session)
            session_return_late(session, copy, origin);
        else
            worker_orphan(self, copy);
    }
}

static void on_notice(void *owner, link_t *link, const body_notice_t *notice)
{
    worker_t *self = owner;
    exchange_notice(&self->exchange, link, notice);
}

static void on_settled(void *owner, link_t *link, uint64_t id, uint64_t number, uint32_t count)
{
    worker_t *self = owner;
    exchange_settled(&self->exchange, link, id, number, count);
}

static void on_pause(void *owner, link_t *link, span_t name, bool paused)
{
    worker_t *self = owner;
    list_t woken;
    paused_names_set(&uplinks_of_link(&self->uplinks, link)->pauses, name, paused, &woken);
    worker_wake(&woken);
}

static void on_presence(void *owner, link_t *link, uint64_t id, span_t name, bool is_here)
{
    worker_t *self = owner;
    (void)link;
    exchange_presence(&self->exchange, id, name, is_here);
}

static void on_who(void *owner, link_t *link, uint64_t id, span_t names, bool more)
{
    worker_t *self = owner;
    exchange_who(&self->exchange, link, id, names, more);
}

static void on_room(void *owner, link_t *link)
{
    worker_t *self = owner;
    uplink_t *uplink = uplinks_of_link(&self->uplinks, link);
    for (list_node_t *node; (node = list_first(&uplink->waiting)) && link_has_room(link);) {
        list_remove(node);
        session_resume(list_member(node, session_t, waiting));
    }
}

const link_owner_t worker_link_owner = {
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
