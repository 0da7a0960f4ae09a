/* SPDX-License-Identifier: MPL-2.0 */
/* session_requests: a request ends with the first reply that bears its label, with an error about its message, or when
 * its time is over, whichever comes first; a later reply goes back to who sent it. A session that has ended its input
 * waits for its requests. Owner: the worker's thread. */
#include "gateway/session_requests.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/worker.h"

typedef struct {
    list_node_t in_session, in_worker;
    session_t *session; /* borrowed */
    uint64_t deadline_ms;
    span_t label, service; /* in bytes */
    char bytes[];
} request_t;

void session_request(session_t *session, const line_t *line)
{
    span_t label = line->label, service = line->recipients[0];
    request_t *self = calloc(1, sizeof *self + label.size + service.size);
    if (!self)
        abort();
    self->session = session;
    self->deadline_ms = reactor_now_ms(session->worker->reactor) + line->number;
    memcpy(self->bytes, label.data, label.size);
    memcpy(self->bytes + label.size, service.data, service.size);
    self->label = span_of(self->bytes, label.size);
    self->service = span_of(self->bytes + label.size, service.size);
    list_append(&session->requests, &self->in_session);
    list_append(&session->worker->requests, &self->in_worker);
    session->request_count++;
}

static request_t *session_find_request(const session_t *session, span_t label)
{
    const list_node_t *head = &session->requests.head;
    for (list_node_t *node = head->next; node != head; node = node->next) {
        request_t *request = list_member(node, request_t, in_session);
        if (span_equal(request->label, label))
            return request;
    }
    return NULL;
}

static void request_end(request_t *self)
{
    session_t *session = self->session;
    list_remove(&self->in_session);
    list_remove(&self->in_worker);
    free(self);
    session->request_count--;
    session_on_idle(session);
}

bool session_awaits(const session_t *session, span_t label)
{
    return session_find_request(session, label) != NULL;
}

void session_drop_request(session_t *session, span_t label)
{
    request_t *request = session_find_request(session, label);
    if (request)
        request_end(request);
}

bool session_answer(session_t *session, const body_copy_t *copy, origin_t *origin)
{
    span_t label, text;
    request_t *request = body_label_get(copy->text, &label, &text) ? session_find_request(session, label) : NULL;
    if (!request)
        return false;
    writer_answer(&session->writer, copy, origin, label, text);
    worker_dirty(session);
    request_end(request);
    return true;
}

void requests_tick(worker_t *worker, uint64_t now_ms)
{
    list_t *requests = &worker->requests;
    for (list_node_t *node = requests->head.next, *next; node != &requests->head; node = next) {
        request_t *request = list_member(node, request_t, in_worker);
        next = node->next;
        if (now_ms < request->deadline_ms)
            continue;
        session_error_of(request->session, FERRY_ERROR_TIMEOUT, (span_t[]){request->service, request->label}, 2);
        request_end(request);
    }
}

void session_requests_end(session_t *session)
{
    for (list_node_t *node; (node = list_first(&session->requests));)
        request_end(list_member(node, request_t, in_session));
}
