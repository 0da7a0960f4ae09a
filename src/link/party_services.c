/* SPDX-License-Identifier: MPL-2.0 */
/* party_services: a client knows its jobs by numbers of its own, which rise by one, so that it can name no other's.
 * Owner: the node's thread. */
#include <stdlib.h>
#include <string.h>

#include "link/party_internal.h"
#include "wire/error.h"
#include "wire/reason.h"

/* A service that a party serves. */
typedef struct {
    list_node_t in_party;
    party_t *party; /* borrowed */
    offer_t *offer;
    bool is_served;
    uint32_t asked; /* answers that are due */
} service_t;

/* Who waits for what a job yields. */
typedef struct {
    bool is_request;
    span_t asker, label; /* in bytes */
    char bytes[];
} job_asker_t;

static service_t *party_service(const party_t *self, span_t name)
{
    const list_node_t *head = self->ties ? &self->ties->services.head : NULL;
    for (list_node_t *node = head ? head->next : NULL; node != head; node = node->next) {
        service_t *service = list_member(node, service_t, in_party);
        if (span_equal(offer_service(service->offer), name))
            return service;
    }
    return NULL;
}

static void service_answer(service_t *self, span_t name)
{
    party_t *party = self->party;
    for (; self->asked; self->asked--)
        party->exchange->callbacks->on_answer(party, PARTY_SERVE, name);
}

static void on_served(void *owner, void *arg, span_t name)
{
    (void)owner;
    service_t *service = arg;
    service->is_served = true;
    service_answer(service, name);
}

static service_t *party_add_service(party_t *self, span_t name, uint32_t credit)
{
    service_t *service = calloc(1, sizeof *service);
    if (!service)
        abort();
    service->party = self;
    party_ties_t *ties = party_tie(self);
    list_append(&ties->services, &service->in_party);
    ties->service_count++;
    service->offer = offers_add(&self->exchange->offers, name, credit, service);
    offer_pause(service->offer, self->is_spared);
    return service;
}

int party_serve(party_t *self, span_t name, uint32_t credit)
{
    service_t *service = party_service(self, name);
    unsigned count = self->ties ? self->ties->service_count : 0;
    if (!service && count >= self->exchange->options.services)
        return -FERRY_ERROR_TOO_MANY_SERVICES;
    if (service)
        offer_set_credit(service->offer, credit);
    else
        service = party_add_service(self, name, credit);
    service->asked++;
    if (service->is_served)
        service_answer(service, name);
    return 1;
}

static void service_end(service_t *self, int reason)
{
    list_remove(&self->in_party);
    self->party->ties->service_count--;
    offer_withdraw(&self->offer, reason);
    free(self);
}

void party_unserve(party_t *self, span_t name)
{
    service_t *service = party_service(self, name);
    if (service)
        service_answer(service, name);
    self->exchange->callbacks->on_answer(self, PARTY_UNSERVE, name);
    if (service)
        service_end(service, FERRY_REASON_GONE);
    party_untie(self);
}

void party_pause_services(party_t *self)
{
    const list_node_t *head = self->ties ? &self->ties->services.head : NULL;
    for (list_node_t *node = head ? head->next : NULL; node != head; node = node->next)
        offer_pause(list_member(node, service_t, in_party)->offer, self->is_spared);
}

static job_asker_t *job_asker_new(const body_copy_t *copy, span_t label)
{
    job_asker_t *self = calloc(1, sizeof *self + copy->sender.size + label.size);
    if (!self)
        abort();
    self->is_request = copy->flags & BODY_FLAG_REQUEST;
    memcpy(self->bytes, copy->sender.data, copy->sender.size);
    if (label.size)
        memcpy(self->bytes + copy->sender.size, label.data, label.size);
    self->asker = span_of(self->bytes, copy->sender.size);
    self->label = span_of(self->bytes + copy->sender.size, label.size);
    return self;
}

static void on_job(void *owner, job_t *job, const body_copy_t *copy)
{
    const exchange_t *exchange = owner;
    party_t *party = ((service_t *)offer_arg(job->offer))->party;
    span_t label = {0}, text = copy->text;
    int reason = FERRY_REASON_NOT_A_LINE;
    if (!(copy->flags & BODY_FLAG_REQUEST) || body_label_get(copy->text, &label, &text))
        reason = exchange->callbacks->on_job(party, party->ties->job_last + 1, offer_service(job->offer), copy, text);
    if (reason) {
        job_return(&job, reason);
        return;
    }
    job->id = ++party->ties->job_last;
    job->arg = job_asker_new(copy, label);
    list_append(&party->ties->jobs, &job->in_owner);
}

const offers_owner_t party_services_owner = {.on_served = on_served, .on_job = on_job};

static job_t *party_job(const party_t *self, uint64_t id)
{
    const list_node_t *head = self->ties ? &self->ties->jobs.head : NULL;
    for (list_node_t *node = head ? head->next : NULL; node != head; node = node->next) {
        job_t *job = list_member(node, job_t, in_owner);
        if (job->id == id)
            return job;
    }
    return NULL;
}

static void party_end_job(job_t *job)
{
    free(job->arg);
    job_done(&job);
}

int party_done(party_t *self, uint64_t id)
{
    job_t *job = party_job(self, id);
    if (!job)
        return -FERRY_ERROR_NO_SUCH_JOB;
    party_end_job(job);
    return 1;
}

/* Sends the answer to who has asked. */
static int party_send_reply(
    party_t *self, job_asker_t *asker, const line_t *answer, unsigned flags, list_node_t *waiter)
{
    buffer_t reply = {0};
    body_label_put(&reply, asker->label);
    buffer_append(&reply, answer->text.data, answer->text.size);
    line_t line = {
        .text = buffer_span(&reply), .label = answer->label, .recipient_count = 1, .recipients = &asker->asker};
    int messages = party_send(self, &line, flags | BODY_FLAG_REPLY, waiter);
    buffer_fini(&reply);
    return messages;
}

/* N.B. the job ends behind the answer, so that it is not done again elsewhere when only the answer is lost. */
int party_reply(party_t *self, uint64_t id, const line_t *answer, unsigned flags, list_node_t *waiter)
{
    job_t *job = party_job(self, id);
    if (!job)
        return -FERRY_ERROR_NO_SUCH_JOB;
    job_asker_t *asker = job->arg;
    int rc = asker->is_request ? party_send_reply(self, asker, answer, flags, waiter) : 1;
    if (rc > 0)
        party_end_job(job);
    return rc;
}

void party_stop_serving(party_t *self, int reason)
{
    for (list_node_t *node; self->ties && (node = list_first(&self->ties->jobs));) {
        job_t *job = list_member(node, job_t, in_owner);
        free(job->arg);
        job_return(&job, reason);
    }
    for (list_node_t *node; self->ties && (node = list_first(&self->ties->services));)
        service_end(list_member(node, service_t, in_party), reason);
}
