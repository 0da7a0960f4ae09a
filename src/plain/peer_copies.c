/* SPDX-License-Identifier: MPL-2.0 */
/* [8] peer_copies: a copy is queued for the program, or ends here at once; those that are queued end in one of three
 * ways when the program is gone, which depends on how far they came. Owner: the peers actor's thread. */
#include "plain/peer_copies.h"

#include "plain/peers.h"
#include "wire/reason.h"

int peer_reason(const peer_t *self)
{
    if (self->close_reason == CLOSE_CLIENT_STALLED)
        return FERRY_REASON_STALLED;
    return self->close_reason == CLOSE_GATEWAY_DRAINS ? FERRY_REASON_DRAINED : FERRY_REASON_GONE;
}

static holdings_loss_t peer_loss(const peer_t *self)
{
    return (holdings_loss_t){
        .link = self->uplink->link, .session = self->id, .name = self->name, .reason = peer_reason(self)};
}

void peer_return(peer_t *self)
{
    holdings_loss_t loss = peer_loss(self);
    self->peers->ledger.returned[loss.reason] += peer_writer_return(&self->writer, &loss);
}

void peer_lose(peer_t *self)
{
    holdings_loss_t loss = peer_loss(self);
    self->peers->ledger.unconfirmed[loss.reason] += peer_writer_doubt(&self->writer, &loss);
    peer_return(self);
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
    body_copy_t own = *copy;
    if (self->state == PEER_GONE || self->close_reason == CLOSE_LOGIN) {
        peer_return_copy(self, copy, origin, peer_reason(self));
    } else if (body_is_forward(copy->flags)) {
        if (body_forward_open(&own))
            peer_deliver(self, &own, origin);
        else
            self->peers->ledger.delivered++;
    } else if (copy->flags & BODY_FLAG_REPLY) {
        int reason = party_answer(&self->party, copy, origin);
        if (reason)
            peer_return_copy(self, copy, origin, reason);
    } else {
        peer_writer_put(&self->writer, copy, origin, reactor_now_ms(self->peers->reactor));
        peers_dirty(self);
    }
}

void peer_return_late(peer_t *self, const body_copy_t *copy, const origin_t *origin)
{
    peer_return_copy(self, copy, origin, FERRY_REASON_LATE);
}
