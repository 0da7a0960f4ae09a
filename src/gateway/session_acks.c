/* SPDX-License-Identifier: MPL-2.0 */
/* session_acks: forwards are made in the order of the queue, which is that of the numbers, and behind the last goes a
 * mark with the number that comes next. Owner: the worker's thread. */
#include "gateway/session_acks.h"

#include <stdlib.h>

#include "gateway/session_copies.h"
#include "gateway/worker.h"
#include "wire/reason.h"

/* A copy that was sent on, by the number of that message. */
typedef struct {
    uint64_t number, index;
    bool is_told; /* its sender knows how it has ended */
} forward_t;

struct session_forwards {
    uint64_t next;   /* index of the copy that is forwarded next */
    size_t offset;   /* of its line among those unacknowledged, less what was let go since */
    forward_t *open; /* that have not ended, in order; `first` to `count` */
    size_t first, count, capacity;
    bool is_marked; /* the mark has been sent */
};

int session_ack(session_t *session, uint64_t number)
{
    if (number) {
        bool is_known = writer_is_numbered(&session->writer) && writer_confirm(&session->writer, number);
        session_look(session);
        worker_dirty(session);
        return is_known ? 1 : -FERRY_ERROR_BAD_LINE;
    }
    writer_line(&session->writer, &(span_t){"ok ack on", 9}, 1);
    writer_number(&session->writer, 1);
    link_yield(session->uplink->link, session->id, false);
    worker_dirty(session);
    return 1;
}

void session_resume_acks(session_t *session)
{
    writer_line(&session->writer, &(span_t){"info resumed", 12}, 1);
    worker_dirty(session);
    writer_number(&session->writer, 1);
    link_yield(session->uplink->link, session->id, false);
}

void session_take_forward(session_t *session, const body_copy_t *copy, origin_t *origin)
{
    uint64_t number;
    span_t place;
    body_copy_t own = *copy;
    own.flags &= ~BODY_FORWARD;
    if (!body_forward_get(copy->text, &number, &place, &own.text))
        number = writer_next_number(&session->writer), place = span_str(BODY_FORWARD_MARK);
    writer_number(&session->writer, number);
    if (span_equal(place, span_str(BODY_FORWARD_MARK))) {
        session->worker->ledger.delivered++;
        writer_skip_to(&session->writer, number);
        return;
    }
    writer_forwarded(&session->writer, &own, origin, number, name_is_group(place) ? place : span_of(NULL, 0));
    worker_dirty(session);
}

/* Sends a forward; returns the number of the message. */
static uint64_t session_send_forward(
    session_t *session, unsigned flags, span_t sender, uint64_t number, span_t place, span_t text)
{
    buffer_t body = {0};
    link_t *link = session->uplink->link;
    span_t name = session_name(session);
    uint64_t message = link_next_number(link);
    body_forward_put(&body, number, place, text);
    link_send(link, session->id, BODY_FORWARD | flags, sender, &name, 1, buffer_span(&body));
    buffer_fini(&body);
    session->party.open_messages++;
    return message;
}

static void forwards_add(session_forwards_t *self, uint64_t number, uint64_t index)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : 16;
        self->open = realloc(self->open, self->capacity * sizeof *self->open);
        if (!self->open)
            abort();
    }
    self->open[self->count++] = (forward_t){.number = number, .index = index};
}

static forward_t *forwards_find(session_forwards_t *self, uint64_t number)
{
    for (size_t i = self->first; i < self->count; i++)
        if (self->open[i].number == number)
            return &self->open[i];
    return NULL;
}

/* Ends an original otherwise than by delivery. */
static void session_end_original(session_t *session, uint64_t index, int error, int reason)
{
    ledger_t *ledger = &session->worker->ledger;
    writer_loss_t loss = {
        .link = session->uplink->link, .session = session->id, .name = session_name(session), .reason = reason};
    writer_report(&session->writer, index, &loss, error);
    ++*(error == FERRY_ERROR_UNCONFIRMED ? &ledger->unconfirmed[reason] : &ledger->returned[reason]);
}

/* The original has ended: lets go of it. */
static void session_pass_on(session_t *session, uint64_t index)
{
    size_t before = writer_unacked_size(&session->writer);
    writer_pass_on(&session->writer, index);
    session->forwards->offset -= before - writer_unacked_size(&session->writer);
    worker_dirty(session);
}

/* Forwards the next copy; one without a number, the answer to a request, ends here. */
static void session_forward_next(session_t *session)
{
    session_forwards_t *self = session->forwards;
    numbered_copy_t copy;
    uint64_t index = self->next++;
    if (!writer_numbered_at(&session->writer, index, self->offset, &copy)) {
        session_end_original(session, index,
            index < writer_queue(&session->writer)->written ? FERRY_ERROR_UNCONFIRMED : FERRY_ERROR_UNDELIVERED,
            FERRY_REASON_GONE);
        session_pass_on(session, index);
        return;
    }
    span_t place = copy.group.size ? copy.group : session_name(session);
    self->offset += writer_line_size(&session->writer, index);
    forwards_add(
        self, session_send_forward(session, BODY_FLAG_RECEIPT, copy.sender, copy.number, place, copy.text), index);
}

void session_forward(session_t *session)
{
    link_t *link = session->uplink->link;
    session_forwards_t *self = session->forwards;
    if (!self) {
        self = session->forwards = calloc(1, sizeof *self);
        if (!self)
            abort();
        self->next = writer_queue(&session->writer)->acknowledged;
    }
    while (self->next < writer_queue(&session->writer)->next || !self->is_marked) {
        if (list_has(&session->waiting))
            return;
        if (!link_has_room(link)) {
            list_append(&session->uplink->waiting, &session->waiting);
            return;
        }
        if (self->next < writer_queue(&session->writer)->next) {
            session_forward_next(session);
            continue;
        }
        session_send_forward(session, 0, session_name(session), writer_next_number(&session->writer),
            span_str(BODY_FORWARD_MARK), span_of(NULL, 0));
        self->is_marked = true;
    }
    link_yielded(link, session_name(session));
}

bool session_forward_failed(session_t *session, const body_notice_t *notice)
{
    session_forwards_t *self = session->forwards;
    forward_t *forward = self ? forwards_find(self, notice->number) : NULL;
    if (!forward)
        return self != NULL;
    bool is_doubtful = notice->error == FERRY_ERROR_UNCONFIRMED;
    if (!forward->is_told)
        session_end_original(session, forward->index, is_doubtful ? FERRY_ERROR_UNCONFIRMED : FERRY_ERROR_UNDELIVERED,
            notice->reason ? notice->reason : FERRY_REASON_GONE);
    forward->is_told = true;
    return true;
}

static void session_forward_settled(session_t *session, uint64_t number)
{
    session_forwards_t *self = session->forwards;
    forward_t *forward = forwards_find(self, number);
    if (!forward)
        return;
    session->worker->ledger.delivered += !forward->is_told;
    session_pass_on(session, forward->index);
    forward->number = 0;
    while (self->first < self->count && self->open[self->first].number == 0)
        self->first++;
}

void session_forwards_settled(session_t *session, uint64_t number, uint32_t count)
{
    for (uint32_t i = 0; session->forwards && i < count; i++)
        session_forward_settled(session, number + i);
}

bool session_forwards(const session_t *session)
{
    const session_forwards_t *self = session->forwards;
    return self && (!self->is_marked || self->first < self->count);
}

void session_acks_end(session_t *session)
{
    if (session->forwards)
        free(session->forwards->open);
    free(session->forwards);
    session->forwards = NULL;
}
