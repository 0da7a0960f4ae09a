/* SPDX-License-Identifier: MPL-2.0 */
/* party: what is sent is remembered as far as something depends on how it ends: a receipt, or another try at a service.
 * Owner: the node's thread. */
#include <stdlib.h>

#include "link/party_internal.h"

void party_init(party_t *self, exchange_t *exchange)
{
    self->exchange = exchange;
}

party_ties_t *party_tie(party_t *self)
{
    if (self->ties)
        return self->ties;
    self->ties = calloc(1, sizeof *self->ties);
    if (!self->ties)
        abort();
    list_init(&self->ties->groups);
    list_init(&self->ties->services);
    list_init(&self->ties->jobs);
    list_init(&self->ties->requests);
    return self->ties;
}

void party_untie(party_t *self)
{
    const party_ties_t *ties = self->ties;
    if (!ties || ties->group_count || ties->service_count || ties->watch_count || ties->job_last || self->request_count)
        return;
    free(self->ties);
    self->ties = NULL;
}

void party_enter(party_t *self, uint64_t session, span_t name)
{
    self->session = session;
    self->name = name;
}

/* Waits for the receipt of the line that was sent last. */
static void party_await_receipt(party_t *self, const line_t *line)
{
    exchange_t *exchange = self->exchange;
    receipt_t *receipt = receipts_add(&exchange->receipts, line->label);
    for (unsigned i = 0; i < exchange->uplinks->count; i++)
        if (uplinks_has_part(exchange->uplinks, i, line))
            receipts_await(&exchange->receipts, receipt, i, link_next_number(exchange->uplinks->items[i].link) - 1);
    self->open_receipts++;
}

/* Remembers what was sent to services, in case it is to be sent again. */
static void party_add_errands(const party_t *self, const line_t *line, unsigned flags)
{
    exchange_t *exchange = self->exchange;
    for (unsigned i = 0; i < line->recipient_count; i++) {
        span_t service = line->recipients[i];
        if (!name_is_service(service))
            continue;
        const uplink_t *uplink = uplinks_of_name(exchange->uplinks, service);
        errands_add(&exchange->errands, (unsigned)(uplink - exchange->uplinks->items),
            link_next_number(uplink->link) - 1,
            &(errand_message_t){.session = self->session,
                .flags = flags,
                .sender = self->name,
                .service = service,
                .text = line->text});
    }
}

int party_send(party_t *self, const line_t *line, unsigned flags, list_node_t *waiter)
{
    exchange_t *exchange = self->exchange;
    int messages = uplinks_send(exchange->uplinks, self->session, flags, self->name, line, waiter);
    if (messages <= 0)
        return messages;
    self->open_messages += (unsigned)messages;
    party_add_errands(self, line, flags);
    if (flags & BODY_FLAG_RECEIPT || exchange->options.tracks)
        party_await_receipt(self, line);
    return messages;
}

void party_pause(party_t *self, bool paused, bool spared)
{
    self->is_paused = paused;
    self->is_spared = spared;
    party_pause_groups(self);
    party_pause_services(self);
}

void party_restate(party_t *self, const uplink_t *uplink)
{
    party_restate_watches(self, uplink);
    party_restate_who(self, uplink);
}

void party_stop(party_t *self, int reason)
{
    party_leave_all(self);
    party_stop_serving(self, reason);
    party_drop_requests(self);
    party_drop_who(self);
}

void party_end(party_t *self, int reason)
{
    party_stop(self, reason);
    party_unwatch_all(self);
    free(self->ties);
    self->ties = NULL;
}
