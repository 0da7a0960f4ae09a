/* SPDX-License-Identifier: MPL-2.0 */
/* dealer: a node as a test plays it by hand. Every ZeroMQ message is kept until the dealer is closed, so that records
 * can point into it. Failures end the test. Owner: the test's thread. */
#include "lib/dealer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <czmq.h>
#include <stdlib.h>

#include "base/handover.h"
#include "lib/deadline.h"

static void dealer_connect(dealer_t *self, const char *endpoint)
{
    int zero = 0, one = 1, never = -1;
    self->socket = zmq_socket(zsys_init(), ZMQ_DEALER);
    assert_non_null(self->socket);
    zmq_setsockopt(self->socket, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(self->socket, ZMQ_SNDHWM, &zero, sizeof zero);
    zmq_setsockopt(self->socket, ZMQ_RCVHWM, &zero, sizeof zero);
    zmq_setsockopt(self->socket, ZMQ_IMMEDIATE, &one, sizeof one);
    zmq_setsockopt(self->socket, ZMQ_RECONNECT_IVL, &never, sizeof never);
    assert_int_equal(zmq_connect(self->socket, endpoint), 0);
    zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLOUT};
    assert_int_equal(zmq_poll(&item, 1, deadline_left_ms(deadline_in(DEADLINE_USUAL_MS))), 1);
}

void dealer_open(dealer_t *self, const char *endpoint, uint8_t id)
{
    *self = (dealer_t){.header.epoch = 1};
    memset(self->id.bytes, id, LINK_ID_SIZE);
    dealer_connect(self, endpoint);
}

static void dealer_forget(dealer_t *self)
{
    zmq_close(self->socket);
    self->socket = NULL;
    buffer_fini(&self->controls);
    buffer_fini(&self->body);
    buffer_fini(&self->events);
    for (; buffer_size(&self->frames) > 0; buffer_consume(&self->frames, sizeof(zmq_msg_t *))) {
        zmq_msg_t *frame;
        memcpy(&frame, self->frames.data + self->frames.start, sizeof frame);
        handover_close(frame);
        free(frame);
    }
    buffer_fini(&self->frames);
}

void dealer_close(dealer_t *self)
{
    if (self->socket)
        dealer_forget(self);
}

void dealer_reopen(dealer_t *self, const char *endpoint)
{
    dealer_forget(self);
    self->header = (frame_header_t){.epoch = self->header.epoch + 1};
    self->sequence = self->received = self->taken = self->record_count = 0;
    self->is_resumed = false;
    dealer_connect(self, endpoint);
}

const dealer_event_t *dealer_resume(dealer_t *self, const char *endpoint, uint64_t received)
{
    dealer_reopen(self, endpoint);
    control_t hello = dealer_hello(self);
    hello.hello.instance = self->instance;
    dealer_put(self, &hello);
    self->header.acknowledged = self->received = received;
    dealer_flush(self);
    const dealer_event_t *welcome = dealer_expect(self, RECORD_WELCOME);
    assert_true(welcome->control.welcome.resumed);
    self->sequence = welcome->header.acknowledged;
    self->is_resumed = true;
    return welcome;
}

static zmq_msg_t *dealer_frame(dealer_t *self)
{
    zmq_msg_t *frame = malloc(sizeof *frame);
    assert_non_null(frame);
    zmq_msg_init(frame);
    buffer_append(&self->frames, &frame, sizeof frame);
    assert_true(handover_receive(frame, self->socket, 0) != -1);
    return frame;
}

static span_t frame_span(zmq_msg_t *frame)
{
    return span_of(zmq_msg_data(frame), zmq_msg_size(frame));
}

static void dealer_take_body(dealer_t *self, dealer_event_t *event, span_t frame)
{
    body_t body;
    int rc;
    assert_int_equal(body_open_down(&body, frame), 0);
    while ((rc = body_next_down(&body, &event->record)) == 1) {
        event->type = event->record.type;
        if (event->type == RECORD_RUN)
            event->run = event->record.run;
        else
            buffer_append(&self->events, event, sizeof *event);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(event->header.sequence, self->received + 1);
    self->received++;
}

void dealer_rejoin(dealer_t *self, const char *endpoint, uint64_t received)
{
    dealer_resume(self, endpoint, received);
    dealer_put_empty(self, RECORD_REGISTERED);
    dealer_flush(self);
}

/* Whether a test that waits for something else is not to see it. */
static bool dealer_passes_over(dealer_t *self, const control_t *control)
{
    switch (control->type) {
    case RECORD_ORIGIN:
        return !self->hears_origins;
    case RECORD_SETTLED:
        return !self->hears_settled;
    case RECORD_TAKEN: {
        bool is_again = self->is_resumed;
        self->taken = control->taken.below;
        self->is_resumed = false;
        return is_again;
    }
    default:
        return false;
    }
}

static void dealer_take_controls(dealer_t *self, dealer_event_t *event, span_t controls)
{
    int rc;
    while ((rc = control_next(&event->control, &controls, CONTROL_FROM_BROKER)) == 1) {
        event->type = event->control.type;
        if (event->type == RECORD_WELCOME)
            self->instance = event->control.welcome.instance;
        if (!dealer_passes_over(self, &event->control))
            buffer_append(&self->events, event, sizeof *event);
    }
    assert_int_equal(rc, 0);
}

static void dealer_receive(dealer_t *self)
{
    dealer_event_t event = {0};
    span_t controls;
    zmq_msg_t *header = dealer_frame(self);
    assert_int_equal(frame_header_get(&event.header, frame_span(header), &controls), 0);
    assert_int_equal(event.header.epoch, self->header.epoch);
    assert_int_equal(zmq_msg_more(header), event.header.sequence != 0);
    if (zmq_msg_more(header)) {
        zmq_msg_t *body = dealer_frame(self);
        assert_false(zmq_msg_more(body));
        dealer_take_body(self, &event, frame_span(body));
    }
    dealer_take_controls(self, &event, controls);
}

static const dealer_event_t *dealer_next_by(dealer_t *self, deadline_t deadline, record_type_t wanted)
{
    static dealer_event_t event;
    while (buffer_size(&self->events) == 0) {
        zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLIN};
        if (zmq_poll(&item, 1, deadline_left_ms(deadline)) <= 0)
            fail_msg("no %s came", record_name(wanted));
        dealer_receive(self);
    }
    memcpy(&event, self->events.data + self->events.start, sizeof event);
    buffer_consume(&self->events, sizeof event);
    return &event;
}

const dealer_event_t *dealer_next(dealer_t *self)
{
    return dealer_next_by(self, deadline_in(DEADLINE_USUAL_MS), 0);
}

const dealer_event_t *dealer_expect(dealer_t *self, record_type_t type)
{
    const dealer_event_t *event = dealer_next_by(self, deadline_in(DEADLINE_USUAL_MS), type);
    if (event->type != type)
        fail_msg("%s came instead of %s", record_name(event->type), record_name(type));
    return event;
}

const dealer_event_t *dealer_wait(dealer_t *self, record_type_t type)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    const dealer_event_t *event;
    do
        event = dealer_next_by(self, deadline, type);
    while (event->type != type);
    return event;
}

void dealer_expect_refused(dealer_t *self, int close)
{
    assert_string_equal(close_code(dealer_wait(self, RECORD_REFUSE)->control.refuse.close), close_code(close));
}

control_t dealer_hello(const dealer_t *self)
{
    return (control_t){.type = RECORD_HELLO,
        .hello = {.version = LINK_VERSION, .node = self->id, .first = self->number + 1, .broker = span_of("main", 4)}};
}

const dealer_event_t *dealer_greet(dealer_t *self)
{
    control_t hello = dealer_hello(self);
    dealer_put(self, &hello);
    dealer_flush(self);
    return dealer_expect(self, RECORD_WELCOME);
}

void dealer_join(dealer_t *self)
{
    dealer_greet(self);
    dealer_put_empty(self, RECORD_REGISTERED);
    dealer_flush(self);
}

void dealer_put(dealer_t *self, const control_t *control)
{
    control_put(&self->controls, control);
}

void dealer_put_empty(dealer_t *self, record_type_t type)
{
    control_put_empty(&self->controls, type);
}

void dealer_put_again(dealer_t *self, uint64_t session, const char *name, uint64_t term, uint64_t serial)
{
    dealer_put(
        self, &(control_t){.type = RECORD_REGISTER,
                  .name = {.session = session, .term = term, .serial = serial, .again = true, .name = span_str(name)}});
}

void dealer_put_register(dealer_t *self, uint64_t session, const char *name)
{
    dealer_put(self, &(control_t){.type = RECORD_REGISTER, .name = {.session = session, .name = span_str(name)}});
}

static void dealer_count(dealer_t *self)
{
    self->record_count++;
    self->number++;
}

void dealer_put_message(dealer_t *self, uint64_t session, const char *sender, const char *recipients, const char *text)
{
    span_t names[BODY_RECIPIENTS_MAX];
    unsigned count = 0;
    for (const char *at = recipients; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        names[count++] = span_of(at, strcspn(at, ","));
    if (self->record_count == 0)
        body_begin_up(&self->body);
    body_put_message(&self->body, session, self->message_flags, span_str(sender), names, count, span_str(text));
    dealer_count(self);
}

void dealer_put_more(dealer_t *self, const char *text)
{
    body_put_more(&self->body, span_str(text));
    dealer_count(self);
}

void dealer_put_gap(dealer_t *self)
{
    if (self->record_count == 0)
        body_begin_up(&self->body);
    body_put_gap(&self->body);
    dealer_count(self);
}

void dealer_put_report(dealer_t *self, const body_report_t *report)
{
    if (self->record_count == 0)
        body_begin_up(&self->body);
    body_put_report(&self->body, report);
    dealer_count(self);
}

void dealer_send_raw(dealer_t *self, const void *const *frames, const size_t *sizes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(handover_send_bytes(self->socket, frames[i], sizes[i], i + 1 < count ? ZMQ_SNDMORE : 0), 0);
}

void dealer_flush(dealer_t *self)
{
    buffer_t head = {0};
    self->header.sequence = self->record_count ? ++self->sequence : 0;
    frame_header_put(buffer_reserve(&head, FRAME_HEADER_SIZE), &self->header);
    buffer_commit(&head, FRAME_HEADER_SIZE);
    buffer_append(&head, self->controls.data, buffer_size(&self->controls));
    if (self->record_count)
        body_finish_up(&self->body, self->number - self->record_count + 1, self->record_count);
    const void *frames[] = {head.data, self->body.data};
    size_t sizes[] = {buffer_size(&head), buffer_size(&self->body)};
    dealer_send_raw(self, frames, sizes, self->record_count ? 2 : 1);
    buffer_fini(&head);
    buffer_clear(&self->controls);
    buffer_clear(&self->body);
    self->record_count = 0;
}

void dealer_acknowledge(dealer_t *self)
{
    self->header.acknowledged = self->received;
    dealer_flush(self);
}

void dealer_login(dealer_t *self, uint64_t session, const char *name)
{
    dealer_put_register(self, session, name);
    dealer_flush(self);
    assert_int_equal(dealer_expect(self, RECORD_CONFIRMED)->control.name.session, session);
}

static void assert_span(span_t span, const char *text)
{
    if (!span_equal(span, span_str(text)))
        fail_msg("'%.*s' came instead of '%s'", (int)span.size, span.data, text);
}

const dealer_event_t *dealer_expect_copy(dealer_t *self, uint64_t session, const char *sender, const char *text)
{
    const dealer_event_t *event = dealer_expect(self, RECORD_COPY);
    assert_int_equal(event->record.copy.recipient_count, 1);
    assert_int_equal(body_session_at(&event->record.copy, 0), session);
    assert_span(event->record.copy.sender, sender);
    assert_span(event->record.copy.text, text);
    return event;
}

const dealer_event_t *dealer_expect_notice(dealer_t *self, int error, int reason, uint64_t number, const char *name)
{
    const dealer_event_t *event = dealer_expect(self, RECORD_NOTICE);
    assert_int_equal(event->record.notice.error, error);
    assert_int_equal(event->record.notice.reason, reason);
    assert_int_equal(event->record.notice.number, number);
    assert_span(event->record.notice.name, name);
    return event;
}

void dealer_expect_taken(dealer_t *self, uint64_t below)
{
    const dealer_event_t *event;
    do
        event = dealer_expect(self, RECORD_TAKEN);
    while (event->control.taken.below < below);
    assert_int_equal(event->control.taken.below, below);
    assert_int_equal(control_exception_count(&event->control), 0);
}

void dealer_barrier(dealer_t *self, uint32_t slot)
{
    char name[64];
    uint64_t session = LINK_SESSION_GROUP | slot;
    snprintf(name, sizeof name, "#barrier-%u-%u", self->id.bytes[0], slot);
    dealer_login(self, session, name);
    dealer_put(self, &(control_t){.type = RECORD_LEAVING, .name.session = session});
    dealer_acknowledge(self);
    assert_int_equal(dealer_expect(self, RECORD_LEFT)->control.name.session, session);
}

void dealer_expect_numbers(const dealer_event_t *event, const uint64_t *numbers, size_t count)
{
    assert_int_equal(control_numbers_count(&event->control.held.numbers), count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(control_numbers_at(&event->control.held.numbers, i), numbers[i]);
}
