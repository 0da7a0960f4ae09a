/* SPDX-License-Identifier: MPL-2.0 */
/* [7] carrier_links: what the links tell the carrier, and what that means to its program: copies, failures, messages
 * that are settled, and its name. Copies that it will not receive any more are returned at once. Owner: the actor's
 * thread. */
#include "base/log.h"
#include "client/carrier.h"
#include "ferry.h"
#include "wire/reason.h"

static void on_up(void *owner, link_t *link, bool given_up)
{
    carrier_t *self = owner;
    exchange_up(&self->exchange, link, given_up);
    if (link != self->uplink->link)
        return;
    login_t login = self->progress.login;
    if ((login == LOGIN_PENDING || login == LOGIN_DONE) && self->phase < CARRIER_PARTING) {
        link_register(link, self->session, self->args->name, self->claim, self->paused);
        self->registered = true;
    } else if (self->registered) {
        link_leaving(link, self->session);
    }
    if (given_up)
        holdings_disown(&self->holdings);
    holdings_restate(&self->holdings, link, self->session, self->taken);
}

static void on_state(void *owner, link_t *link)
{
    carrier_t *self = owner;
    link_state_t state = link_state(link);
    uplink_t *uplink = uplinks_of_link(&self->uplinks, link);
    reactor_wake(self->reactor);
    if (state == LINK_LEFT || state == LINK_CLOSED)
        exchange_unlink(&self->exchange, link);
    if (state == LINK_DOWN) {
        paused_names_doubt(&uplink->pauses);
    } else if (state == LINK_CLOSED) {
        list_t woken;
        self->registered = self->registered && uplink != self->uplink;
        paused_names_forget(&uplink->pauses, &woken);
        carrier_wake(self, &woken);
    }
}

static bool carrier_is_asked(const carrier_t *self, const link_t *link, uint64_t session)
{
    return link == self->uplink->link && session == self->session;
}

static void on_confirmed(void *owner, link_t *link, uint64_t session, link_claim_t claim)
{
    carrier_t *self = owner;
    if (exchange_confirmed(&self->exchange, session, claim) || !carrier_is_asked(self, link, session))
        return;
    self->claim = claim;
    if (self->paused)
        link_pause(link, self->args->name, true);
    if (self->progress.login != LOGIN_PENDING)
        return;
    self->progress.login = LOGIN_DONE;
    log_info("login", log_span("name", self->args->name));
}

static void on_denied(void *owner, link_t *link, uint64_t session, int error)
{
    carrier_t *self = owner;
    if (!carrier_is_asked(self, link, session))
        return;
    log_warning("denied", log_span("name", self->args->name), log_str("error", error_code(error)));
    self->registered = false;
    self->progress.login_error = error ? error : FERRY_ERROR_NAME_TAKEN;
    if (self->progress.login == LOGIN_PENDING) {
        self->progress.login = LOGIN_DENIED;
    } else if (self->progress.login == LOGIN_DONE) {
        self->progress.login = LOGIN_LOST;
        carrier_fail_outbox(self, error);
        party_stop(&self->party, FERRY_REASON_GONE);
        carrier_tell_event(self, &(event_t){.kind = FERRY_CLOSED, .error = (uint16_t)error});
    }
}

static void on_left(void *owner, link_t *link, uint64_t session)
{
    carrier_t *self = owner;
    if (!exchange_left(&self->exchange, session) && carrier_is_asked(self, link, session))
        self->registered = false;
}

/* Ends a copy that the program will not receive. */
static void carrier_return(
    const carrier_t *self, link_t *link, uint64_t session, const body_copy_t *copy, const origin_t *origin, int reason)
{
    link_report(link, session,
        &(body_report_t){.error = FERRY_ERROR_UNDELIVERED,
            .reason = (uint16_t)reason,
            .origin = origin->node,
            .session = copy->session,
            .number = copy->number,
            .name = self->args->name});
}

/* A copy for the program itself. Returns the reason why it will not receive it, or 0. */
static int carrier_deliver(carrier_t *self, const body_copy_t *copy, origin_t *origin)
{
    if (self->phase != CARRIER_RUNNING || self->progress.login != LOGIN_DONE)
        return FERRY_REASON_GONE;
    body_copy_t own = *copy;
    if (body_is_forward(copy->flags))
        return body_forward_open(&own) ? carrier_deliver(self, &own, origin) : 0;
    if (copy->flags & BODY_FLAG_REPLY)
        return party_answer(&self->party, copy, origin);
    holdings_add(&self->holdings, copy, origin);
    carrier_event(self, &(event_t){.kind = FERRY_MESSAGE}, copy->sender, span_of(NULL, 0), copy->text);
    return 0;
}

static void on_copy(void *owner, link_t *link, const body_copy_t *copy, origin_t *origin)
{
    carrier_t *self = owner;
    for (unsigned i = 0; i < copy->recipient_count; i++) {
        uint64_t session = body_session_at(copy, i);
        if (exchange_copy(&self->exchange, link, session, copy, origin))
            continue;
        int reason = carrier_is_asked(self, link, session) ? carrier_deliver(self, copy, origin) : FERRY_REASON_GONE;
        if (reason)
            carrier_return(self, link, session, copy, origin, reason);
    }
}

static void on_late(void *owner, link_t *link, const body_copy_t *copy, origin_t *origin)
{
    carrier_t *self = owner;
    for (unsigned i = 0; i < copy->recipient_count; i++) {
        uint64_t session = body_session_at(copy, i);
        if (!exchange_late(&self->exchange, link, session, copy, origin))
            carrier_return(self, link, session, copy, origin, FERRY_REASON_LATE);
    }
}

static void on_notice(void *owner, link_t *link, const body_notice_t *notice)
{
    carrier_t *self = owner;
    exchange_notice(&self->exchange, link, notice);
}

static void on_settled(void *owner, link_t *link, uint64_t session, uint64_t number, uint32_t count)
{
    carrier_t *self = owner;
    exchange_settled(&self->exchange, link, session, number, count);
}

static void on_pause(void *owner, link_t *link, span_t name, bool paused)
{
    carrier_t *self = owner;
    list_t woken;
    paused_names_set(&uplinks_of_link(&self->uplinks, link)->pauses, name, paused, &woken);
    carrier_wake(self, &woken);
}

static void on_room(void *owner, link_t *link)
{
    carrier_t *self = owner;
    if (list_is_empty(&uplinks_of_link(&self->uplinks, link)->waiting))
        return;
    list_remove(&self->waiting);
    carrier_send_on(self);
}

const link_owner_t carrier_link_owner = {
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
    .on_room = on_room,
};
