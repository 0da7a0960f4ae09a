/* SPDX-License-Identifier: MPL-2.0 */
/* [8] session_copies: a copy is queued for the client, or ends here at once; those that are queued end in one of three
 * ways when the client is lost, which depends on how far they came. Owner: the worker's thread. */
#include "gateway/session_copies.h"

#include "gateway/session_acks.h"
#include "gateway/worker.h"
#include "wire/reason.h"

/* Whether more waits for the client: its socket takes no more, or it was paused for want of memory before that; or the
 * drain waits for it. */
static bool session_may_stall(const session_t *self)
{
    return self->writer.blocked || (self->writer.paused && writer_unacknowledged(&self->writer)) ||
           writer_is_awaited(&self->writer);
}

void session_watch_stall(session_t *self)
{
    list_node_t *node = &self->writer.stalling;
    if (!session_may_stall(self)) {
        list_remove(node);
        self->writer.stall_since_ms = 0;
    } else if (!list_has(node)) {
        list_append(&self->worker->blocked, node);
    }
}

void session_look(session_t *self)
{
    if (self->fd < 0 || !self->uplink)
        return;
    uint64_t count = writer_acknowledge(&self->writer, self->uplink->link, self->fd);
    self->worker->ledger.delivered += count;
    if (count && self->state == SESSION_CLOSING)
        self->since_ms = reactor_now_ms(self->worker->reactor);
    if (writer_is_at_rest(&self->writer))
        list_remove(&self->writer.unacknowledged);
    session_watch_stall(self);
}

int session_reason(const session_t *self)
{
    if (self->close_reason == CLOSE_CLIENT_STALLED)
        return FERRY_REASON_STALLED;
    return self->close_reason == CLOSE_GATEWAY_DRAINS ? FERRY_REASON_DRAINED : FERRY_REASON_GONE;
}

static writer_loss_t session_loss(const session_t *self)
{
    return (writer_loss_t){
        .link = self->uplink->link, .session = self->id, .name = session_name(self), .reason = session_reason(self)};
}

void session_return(session_t *self)
{
    if (!self->uplink)
        return;
    writer_loss_t loss = session_loss(self);
    self->worker->ledger.returned[loss.reason] += writer_return(&self->writer, &loss);
}

void session_doubt(session_t *self)
{
    if (!self->uplink)
        return;
    session_look(self);
    writer_loss_t loss = session_loss(self);
    self->worker->ledger.unconfirmed[loss.reason] += writer_doubt(&self->writer, &loss);
    list_remove(&self->writer.unacknowledged);
}

void session_lose(session_t *self)
{
    if (!self->uplink)
        return;
    session_doubt(self);
    writer_loss_t loss = session_loss(self);
    self->worker->ledger.returned[loss.reason] += writer_lose(&self->writer, &loss);
}

/* Ends a copy that is not even queued. */
static void session_return_copy(const session_t *self, const body_copy_t *copy, const origin_t *origin, int reason)
{
    self->worker->ledger.returned[reason]++;
    link_report(self->uplink->link, self->id,
        &(body_report_t){.error = FERRY_ERROR_UNDELIVERED,
            .reason = (uint16_t)reason,
            .origin = origin->node,
            .session = copy->session,
            .number = copy->number,
            .name = session_name(self)});
}

void session_deliver(session_t *self, const body_copy_t *copy, origin_t *origin)
{
    /* N.B. what its output still holds then are its last lines. */
    if ((self->state >= SESSION_CLOSING && self->state != SESSION_AWAY) || self->close_reason == CLOSE_LOGIN) {
        session_return_copy(self, copy, origin, session_reason(self));
        return;
    }
    if (body_is_forward(copy->flags)) {
        session_take_forward(self, copy, origin);
        return;
    }
    if (copy->flags & BODY_FLAG_REPLY) {
        int reason = party_answer(&self->party, copy, origin);
        if (reason)
            session_return_copy(self, copy, origin, reason);
        return;
    }
    if (copy->flags & BODY_FLAG_OPAQUE) {
        session_return_copy(self, copy, origin, FERRY_REASON_NOT_A_LINE);
        return;
    }
    if (writer_must_look(&self->writer))
        session_look(self);
    writer_copy(&self->writer, copy, origin);
    worker_dirty(self);
}

void session_return_late(const session_t *self, const body_copy_t *copy, const origin_t *origin)
{
    session_return_copy(self, copy, origin, FERRY_REASON_LATE);
}
