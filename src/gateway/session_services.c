/* SPDX-License-Identifier: MPL-2.0 */
/* session_services: a client knows its jobs by numbers of its own, which rise by one, so that it can name no other's.
 * Their lines are written like answers: what it has read is for it to say. Owner: the worker's thread. */
#include "gateway/session_services.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/worker.h"
#include "wire/reason.h"

/* A service that a session serves. */
typedef struct {
    list_node_t in_session;
    session_t *session; /* borrowed */
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

static service_t *session_service(session_t *session, span_t name)
{
    list_t *services = &session->services;
    for (list_node_t *node = services->head.next; node != &services->head; node = node->next) {
        service_t *service = list_member(node, service_t, in_session);
        if (span_equal(offer_service(service->offer), name))
            return service;
    }
    return NULL;
}

static void service_answer(service_t *self, span_t name)
{
    session_t *session = self->session;
    for (; self->asked; self->asked--)
        writer_line(&session->writer, (span_t[]){span_str("ok serve "), name}, 2);
    worker_dirty(session);
}

static void on_served(void *owner, void *arg, span_t name)
{
    (void)owner;
    service_t *service = arg;
    service->is_served = true;
    service_answer(service, name);
}

int session_serve(session_t *session, span_t name, uint32_t credit)
{
    service_t *service = session_service(session, name);
    if (service) {
        offer_set_credit(service->offer, credit);
    } else {
        if (session->service_count >= session->worker->limits.services)
            return -FERRY_ERROR_TOO_MANY_SERVICES;
        service = calloc(1, sizeof *service);
        if (!service)
            abort();
        service->session = session;
        list_append(&session->services, &service->in_session);
        session->service_count++;
        service->offer = offers_add(&session->worker->offers, name, credit, service);
    }
    service->asked++;
    if (service->is_served)
        service_answer(service, name);
    return 1;
}

static void service_end(service_t *self, int reason)
{
    list_remove(&self->in_session);
    self->session->service_count--;
    offer_withdraw(&self->offer, reason);
    free(self);
}

void session_unserve(session_t *session, span_t name)
{
    service_t *service = session_service(session, name);
    if (service)
        service_answer(service, name);
    writer_line(&session->writer, (span_t[]){span_str("ok unserve "), name}, 2);
    worker_dirty(session);
    if (service)
        service_end(service, FERRY_REASON_GONE);
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
    (void)owner;
    session_t *session = ((service_t *)offer_arg(job->offer))->session;
    span_t label = {0}, text = copy->text;
    char number[24];
    bool is_bad = copy->flags & BODY_FLAG_REQUEST && !body_label_get(copy->text, &label, &text);
    if (is_bad || copy->flags & BODY_FLAG_OPAQUE) {
        job_return(&job, FERRY_REASON_NOT_A_LINE);
        return;
    }
    job->id = ++session->job_last;
    job->arg = job_asker_new(copy, label);
    list_append(&session->jobs, &job->in_owner);
    size_t size = (size_t)snprintf(number, sizeof number, " %" PRIu64 ": ", job->id);
    span_t parts[] = {
        span_str("from "), copy->sender, span_str(" "), offer_service(job->offer), span_of(number, size), text};
    writer_line(&session->writer, parts, sizeof parts / sizeof *parts);
    worker_dirty(session);
}

const offers_owner_t session_services_owner = {.on_served = on_served, .on_job = on_job};

static job_t *session_job(const session_t *session, uint64_t id)
{
    const list_node_t *head = &session->jobs.head;
    for (list_node_t *node = head->next; node != head; node = node->next) {
        job_t *job = list_member(node, job_t, in_owner);
        if (job->id == id)
            return job;
    }
    return NULL;
}

static void session_end_job(job_t *job)
{
    free(job->arg);
    job_done(&job);
}

int session_done(session_t *session, uint64_t id)
{
    job_t *job = session_job(session, id);
    if (!job)
        return -FERRY_ERROR_NO_SUCH_JOB;
    session_end_job(job);
    return 1;
}

/* Sends the answer to who has asked. */
static int session_send_reply(session_t *session, job_asker_t *asker, span_t text)
{
    worker_t *worker = session->worker;
    buffer_t reply = {0};
    body_label_put(&reply, asker->label);
    buffer_append(&reply, text.data, text.size);
    line_t line = {.text = buffer_span(&reply), .recipient_count = 1, .recipients = &asker->asker};
    int messages =
        uplinks_send(&worker->uplinks, session->id, BODY_FLAG_REPLY, session_name(session), &line, &session->waiting);
    buffer_fini(&reply);
    if (messages > 0)
        session->open_messages += (unsigned)messages;
    worker->counters.messages += messages > 0;
    return messages;
}

/* N.B. the job ends behind the answer, so that it is not done again elsewhere when only the answer is lost. */
int session_reply(session_t *session, uint64_t id, span_t text)
{
    job_t *job = session_job(session, id);
    if (!job)
        return -FERRY_ERROR_NO_SUCH_JOB;
    job_asker_t *asker = job->arg;
    int rc = asker->is_request ? session_send_reply(session, asker, text) : 1;
    if (rc > 0)
        session_end_job(job);
    return rc;
}

void session_services_end(session_t *session, int reason)
{
    for (list_node_t *node; (node = list_first(&session->jobs));) {
        job_t *job = list_member(node, job_t, in_owner);
        free(job->arg);
        job_return(&job, reason);
    }
    for (list_node_t *node; (node = list_first(&session->services));)
        service_end(list_member(node, service_t, in_session), reason);
}
