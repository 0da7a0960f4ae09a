/* SPDX-License-Identifier: MPL-2.0 */
/* exchange: what a link says goes to the group, the service, the errand or the receipt that it is about, and from there
 * to the parties. A message to a service that was not done is sent again before its sender hears of it. Owner: the
 * node's thread. */
#include "link/exchange.h"

#include "link/party_internal.h"
#include "wire/error.h"

void exchange_init(exchange_t *self, slots_t *slots, uplinks_t *uplinks, ledger_t *ledger, const link_id_t *node,
    const exchange_options_t *options, const exchange_owner_t *callbacks, void *owner)
{
    *self = (exchange_t){.uplinks = uplinks, .options = *options, .callbacks = callbacks, .owner = owner};
    groups_init(&self->groups, slots, uplinks, ledger, node, &party_groups_owner, self);
    offers_init(&self->offers, slots, uplinks, ledger, &party_services_owner, self);
    receipts_init(&self->receipts);
    errands_init(&self->errands);
    list_init(&self->requests);
}

void exchange_fini(exchange_t *self)
{
    receipts_fini(&self->receipts);
    errands_fini(&self->errands);
    groups_fini(&self->groups);
    offers_fini(&self->offers);
}

void exchange_up(exchange_t *self, link_t *link, bool given_up)
{
    groups_up(&self->groups, link, given_up);
    offers_up(&self->offers, link, given_up);
}

void exchange_unlink(exchange_t *self, const link_t *link)
{
    groups_unlink(&self->groups, link);
    offers_unlink(&self->offers, link);
}

/* Whether the number is a group's or a service's. */
static bool exchange_has(uint64_t id)
{
    return link_session_is_group(id) || link_session_is_service(id);
}

bool exchange_confirmed(exchange_t *self, uint64_t id, link_claim_t claim)
{
    if (link_session_is_group(id))
        groups_confirmed(&self->groups, id, claim);
    else if (link_session_is_service(id))
        offers_confirmed(&self->offers, id, claim);
    return exchange_has(id);
}

bool exchange_left(exchange_t *self, uint64_t id)
{
    if (link_session_is_group(id))
        groups_left(&self->groups, id);
    else if (link_session_is_service(id))
        offers_left(&self->offers, id);
    return exchange_has(id);
}

bool exchange_copy(exchange_t *self, link_t *link, uint64_t id, const body_copy_t *copy, origin_t *origin)
{
    if (link_session_is_group(id))
        groups_copy(&self->groups, link, id, copy, origin);
    else if (link_session_is_service(id))
        offers_copy(&self->offers, link, id, copy, origin);
    return exchange_has(id);
}

bool exchange_late(exchange_t *self, link_t *link, uint64_t id, const body_copy_t *copy, origin_t *origin)
{
    if (link_session_is_group(id))
        groups_late(&self->groups, link, id, copy, origin);
    else if (link_session_is_service(id))
        offers_late(&self->offers, link, id, copy, origin);
    return exchange_has(id);
}

static unsigned exchange_uplink(exchange_t *self, const link_t *link)
{
    return (unsigned)(uplinks_of_link(self->uplinks, link) - self->uplinks->items);
}

/* The label of a request, of which the message is; empty if it is none. */
static span_t errand_label(const errand_message_t *message)
{
    span_t label = {0}, text;
    if (message->flags & BODY_FLAG_REQUEST)
        body_label_get(message->text, &label, &text);
    return label;
}

/* How a copy to a service has ended: it is sent again, or that is the end of a request, of which *label tells. False if
 * its sender need not be told. */
static bool exchange_hear_errand(
    exchange_t *self, party_t *party, unsigned uplink, const body_notice_t *notice, span_t *label)
{
    errand_t *errand = errands_find(&self->errands, uplink, notice->number, notice->name);
    if (!errand)
        return true;
    *label = errand_label(errand_message(errand));
    if (label->size && (!party || !party_awaits(party, *label)))
        return false;
    if (!errands_retry(&self->errands, &self->receipts, errand, notice, self->now_ms))
        return true;
    if (party)
        party->open_messages++;
    return false;
}

void exchange_notice(exchange_t *self, const link_t *link, const body_notice_t *notice)
{
    unsigned uplink = exchange_uplink(self, link);
    party_t *party = self->callbacks->find(self->owner, notice->session);
    span_t label = {0};
    if (name_is_service(notice->name) && !exchange_hear_errand(self, party, uplink, notice, &label))
        return;
    span_t receipt = receipts_fail(&self->receipts, uplink, notice->number);
    if (!party)
        return;
    self->callbacks->on_failure(party, notice, label.size ? label : receipt);
    party_drop_request(party, label);
}

/* A message with a receipt, or to a service, may be settled. */
static void exchange_settle(exchange_t *self, party_t *party, unsigned uplink, uint64_t number)
{
    receipt_t *receipt = receipts_settle(&self->receipts, uplink, number);
    if (party && receipt) {
        party->open_receipts--;
        self->callbacks->on_receipt(party, receipt_label(receipt), receipt_has_failed(receipt));
    }
    receipt_destroy(&receipt);
    errands_settle(&self->errands, uplink, number);
}

void exchange_settled(exchange_t *self, const link_t *link, uint64_t session, uint64_t number, uint32_t count)
{
    party_t *party = self->callbacks->find(self->owner, session);
    bool is_plain = table_count(self->receipts.parts) == 0 && table_count(self->errands.open) == 0;
    for (uint32_t i = 0; !is_plain && i < count; i++)
        exchange_settle(self, party, exchange_uplink(self, link), number + i);
    if (!party)
        return;
    party->open_messages -= count;
    self->callbacks->on_settled(party, link, number, count);
}

void exchange_presence(exchange_t *self, uint64_t session, span_t name, bool is_here)
{
    party_t *party = self->callbacks->find(self->owner, session);
    if (party)
        party_presence(party, name, is_here);
}

void exchange_who(exchange_t *self, const link_t *link, uint64_t session, span_t names, bool more)
{
    party_t *party = self->callbacks->find(self->owner, session);
    if (party)
        party_who_is(party, uplinks_of_link(self->uplinks, link), names, more);
}

void exchange_tick(exchange_t *self, uint64_t now_ms)
{
    party_tick_requests(self, now_ms);
}

void exchange_turn(exchange_t *self, uint64_t now_ms)
{
    self->now_ms = now_ms;
    groups_tell(&self->groups);
    offers_tell(&self->offers);
    errands_go_on(&self->errands, self->uplinks, &self->receipts, self->now_ms);
}

bool exchange_is_settled(const exchange_t *self)
{
    return list_is_empty(&self->errands.waiting);
}

/* Nobody has done what the message asks; whether somebody does cannot be told any more. */
static void on_given_up(void *arg, const errand_message_t *message, int reason)
{
    exchange_t *self = arg;
    party_t *party = self->callbacks->find(self->owner, message->session);
    span_t label = errand_label(message);
    if (!party)
        return;
    self->callbacks->on_failure(party,
        &(body_notice_t){.error = FERRY_ERROR_UNCONFIRMED, .reason = (uint16_t)reason, .name = message->service},
        label);
    party_drop_request(party, label);
}

void exchange_give_up(exchange_t *self, int reason)
{
    errands_give_up(&self->errands, self->uplinks, reason, on_given_up, self);
}

size_t exchange_memory(const exchange_t *self)
{
    return self->receipts.size + self->errands.size;
}

uint64_t exchange_jobs(const exchange_t *self)
{
    return self->offers.jobs;
}
