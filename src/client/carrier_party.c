/* SPDX-License-Identifier: MPL-2.0 */
/* carrier_party: what the program is to receive is held until it has; what has ended is an event. Nothing fails but by
 * abort. Owner: the actor's thread. */
#include "client/carrier_party.h"

#include <stdlib.h>

#include "ferry.h"
#include "wire/reason.h"

static carrier_t *carrier_of(party_t *party)
{
    return list_member(party, carrier_t, party);
}

static party_t *find(void *owner, uint64_t session)
{
    carrier_t *self = owner;
    return session == self->session ? &self->party : NULL;
}

static void wake(void *owner, list_t *woken)
{
    carrier_wake(owner, woken);
}

static void on_answer(party_t *party, party_answer_t answer, span_t name)
{
    (void)name;
    carrier_of(party)->progress.answer_count += answer == PARTY_JOIN || answer == PARTY_SERVE;
}

static bool carrier_receives(const carrier_t *self)
{
    return self->phase == CARRIER_RUNNING && self->progress.login == LOGIN_DONE;
}

static int on_share(party_t *party, const body_copy_t *copy, share_t *share)
{
    carrier_t *self = carrier_of(party);
    if (!carrier_receives(self))
        return FERRY_REASON_GONE;
    holdings_add_share(&self->holdings, copy, share);
    carrier_event(self, &(event_t){.kind = FERRY_MESSAGE}, copy->sender, share_group(share), copy->text);
    return 0;
}

static int on_job(party_t *party, uint64_t job, span_t service, const body_copy_t *copy, span_t text)
{
    carrier_t *self = carrier_of(party);
    if (!carrier_receives(self))
        return FERRY_REASON_GONE;
    carrier_event(self, &(event_t){.kind = FERRY_JOB, .number = job}, copy->sender, service, text);
    return 0;
}

/* The number that a label is of; 0 of none. */
static uint64_t label_number(span_t label)
{
    uint64_t number = 0;
    for (size_t i = 0; i < label.size && label.data[i] >= '0' && label.data[i] <= '9'; i++)
        number = number * 10 + (uint64_t)(label.data[i] - '0');
    return number;
}

static int on_reply(party_t *party, span_t label, span_t text, const body_copy_t *copy, origin_t *origin)
{
    carrier_t *self = carrier_of(party);
    if (!carrier_receives(self))
        return FERRY_REASON_GONE;
    holdings_add(&self->holdings, copy, origin);
    carrier_event(
        self, &(event_t){.kind = FERRY_REPLY, .number = label_number(label)}, span_of(NULL, 0), span_of(NULL, 0), text);
    return 0;
}

static void on_failure(party_t *party, const body_notice_t *notice, span_t label)
{
    carrier_event(carrier_of(party),
        &(event_t){
            .kind = FERRY_FAILURE, .error = notice->error, .reason = notice->reason, .number = label_number(label)},
        notice->name, span_of(NULL, 0), span_of(NULL, 0));
}

static void on_receipt(party_t *party, span_t label, bool failed)
{
    carrier_t *self = carrier_of(party);
    uint64_t number = label_number(label);
    if (!failed && label.data[label.size - 1] == CARRIER_RECEIPT[0])
        carrier_tell_event(self, &(event_t){.kind = FERRY_RECEIPT, .number = number});
    carrier_settle(self, number);
}

static void on_settled(party_t *party, const link_t *link, uint64_t number, uint32_t count)
{
    (void)party, (void)link, (void)number, (void)count;
}

static void on_idle(party_t *party)
{
    (void)party;
}

const exchange_owner_t carrier_party_owner = {
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
};
