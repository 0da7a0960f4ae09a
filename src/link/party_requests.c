/* SPDX-License-Identifier: MPL-2.0 */
/* party_requests: a request ends with the first reply that bears its label, with an error about its message, or when
 * its time is over, whichever comes first; a later reply goes back to who sent it. Owner: the node's thread. */
#include <stdlib.h>
#include <string.h>

#include "link/party_internal.h"
#include "wire/error.h"
#include "wire/reason.h"

typedef struct {
    list_node_t in_party, in_exchange;
    party_t *party; /* borrowed */
    uint64_t deadline_ms;
    span_t label, service; /* in bytes */
    char bytes[];
} request_t;

static void party_add_request(party_t *self, span_t label, span_t service, uint64_t deadline_ms)
{
    request_t *request = calloc(1, sizeof *request + label.size + service.size);
    if (!request)
        abort();
    request->party = self;
    request->deadline_ms = deadline_ms;
    memcpy(request->bytes, label.data, label.size);
    memcpy(request->bytes + label.size, service.data, service.size);
    request->label = span_of(request->bytes, label.size);
    request->service = span_of(request->bytes + label.size, service.size);
    list_append(&party_tie(self)->requests, &request->in_party);
    list_append(&self->exchange->requests, &request->in_exchange);
    self->request_count++;
}

int party_request(party_t *self, const line_t *line, unsigned flags, uint64_t deadline_ms, list_node_t *waiter)
{
    buffer_t text = {0};
    line_t labelled = *line;
    body_label_put(&text, line->label);
    buffer_append(&text, line->text.data, line->text.size);
    labelled.text = buffer_span(&text);
    int messages = party_send(self, &labelled, flags | BODY_FLAG_REQUEST, waiter);
    buffer_fini(&text);
    if (messages > 0)
        party_add_request(self, line->label, line->recipients[0], deadline_ms);
    return messages;
}

static request_t *party_find_request(const party_t *self, span_t label)
{
    const list_node_t *head = self->ties ? &self->ties->requests.head : NULL;
    for (list_node_t *node = head ? head->next : NULL; node != head; node = node->next) {
        request_t *request = list_member(node, request_t, in_party);
        if (span_equal(request->label, label))
            return request;
    }
    return NULL;
}

static void request_end(request_t *self)
{
    party_t *party = self->party;
    list_remove(&self->in_party);
    list_remove(&self->in_exchange);
    free(self);
    party->request_count--;
    party_untie(party);
    party->exchange->callbacks->on_idle(party);
}

bool party_awaits(const party_t *self, span_t label)
{
    return party_find_request(self, label) != NULL;
}

void party_drop_request(party_t *self, span_t label)
{
    request_t *request = label.size ? party_find_request(self, label) : NULL;
    if (request)
        request_end(request);
}

int party_answer(party_t *self, const body_copy_t *copy, origin_t *origin)
{
    span_t label, text;
    request_t *request = body_label_get(copy->text, &label, &text) ? party_find_request(self, label) : NULL;
    if (!request)
        return FERRY_REASON_EXPIRED;
    int reason = self->exchange->callbacks->on_reply(self, label, text, copy, origin);
    if (!reason)
        request_end(request);
    return reason;
}

void party_tick_requests(exchange_t *exchange, uint64_t now_ms)
{
    list_t *requests = &exchange->requests;
    for (list_node_t *node = requests->head.next, *next; node != &requests->head; node = next) {
        request_t *request = list_member(node, request_t, in_exchange);
        next = node->next;
        if (now_ms < request->deadline_ms)
            continue;
        exchange->callbacks->on_failure(
            request->party, &(body_notice_t){.error = FERRY_ERROR_TIMEOUT, .name = request->service}, request->label);
        request_end(request);
    }
}

void party_drop_requests(party_t *self)
{
    for (list_node_t *node; self->ties && (node = list_first(&self->ties->requests));)
        request_end(list_member(node, request_t, in_party));
}
