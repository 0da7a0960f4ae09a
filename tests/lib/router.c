/* SPDX-License-Identifier: MPL-2.0 */
/* router: a broker as a test plays it by hand. Every frame is kept until the router is closed, so that records can
 * point into it. Failures end the test. Owner: the test's thread. */
#include "lib/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <czmq.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/handover.h"
#include "lib/deadline.h"

enum { PORT_FIRST = 20000, PORT_COUNT = 12000 }; /* below those that the kernel gives out by itself */

static void router_bind(router_t *self, const char *endpoint)
{
    int zero = 0, one = 1;
    size_t size = sizeof self->endpoint;
    self->socket = zmq_socket(zsys_init(), ZMQ_ROUTER);
    assert_non_null(self->socket);
    zmq_setsockopt(self->socket, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(self->socket, ZMQ_SNDHWM, &zero, sizeof zero);
    zmq_setsockopt(self->socket, ZMQ_RCVHWM, &zero, sizeof zero);
    zmq_setsockopt(self->socket, ZMQ_ROUTER_MANDATORY, &one, sizeof one);
    int rc = -1;
    bool any = strcmp(endpoint, "tcp://127.0.0.1:*") == 0;
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    /* A ROUTER that was closed just now lets go of its address in its own time. */
    while (!any && (rc = zmq_bind(self->socket, endpoint)) != 0 && !deadline_passed(deadline))
        sched_yield();
    for (int try = 0; any && rc != 0 && try < PORT_COUNT; try++) {
        char text[ROUTER_ENDPOINT_SIZE];
        snprintf(text, sizeof text, "tcp://127.0.0.1:%d", PORT_FIRST + (getpid() * 7 + try) % PORT_COUNT);
        rc = zmq_bind(self->socket, text);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(zmq_getsockopt(self->socket, ZMQ_LAST_ENDPOINT, self->endpoint, &size), 0);
}

void router_open(router_t *self, const char *endpoint)
{
    *self = (router_t){.welcome = {.type = RECORD_WELCOME,
                           .welcome = {.window_size = 256 * 1024,
                               .batch_size = 128 * 1024,
                               .heartbeat_ms = 1000,
                               .timeout_ms = 60000,
                               .handle = 1,
                               .term = 1}}};
    memset(self->welcome.welcome.instance.bytes, 1, LINK_ID_SIZE);
    router_bind(self, endpoint);
}

static void router_forget_frames(router_t *self)
{
    for (; buffer_size(&self->frames) > 0; buffer_consume(&self->frames, sizeof(zmq_msg_t *))) {
        zmq_msg_t *frame;
        memcpy(&frame, self->frames.data + self->frames.start, sizeof frame);
        handover_close(frame);
        free(frame);
    }
    buffer_fini(&self->frames);
}

void router_close(router_t *self)
{
    router_stop(self);
    buffer_fini(&self->controls);
    buffer_fini(&self->body);
    buffer_fini(&self->events);
    buffer_fini(&self->headers);
    buffer_fini(&self->ends);
    router_forget_frames(self);
}

void router_stop(router_t *self)
{
    if (self->socket)
        zmq_close(self->socket);
    self->socket = NULL;
}

void router_start(router_t *self)
{
    self->welcome.welcome.instance.bytes[0]++;
    self->welcome.welcome.term++;
    self->serial = 0;
    router_return(self);
}

void router_return(router_t *self)
{
    char endpoint[ROUTER_ENDPOINT_SIZE];
    memcpy(endpoint, self->endpoint, sizeof endpoint);
    router_bind(self, endpoint);
}

static zmq_msg_t *router_frame(router_t *self)
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

static void router_take_body(router_t *self, router_event_t *event, span_t frame)
{
    body_t body;
    int rc;
    assert_int_equal(event->header.sequence, self->received + 1);
    self->received++;
    assert_int_equal(body_open_up(&body, frame), 0);
    while ((rc = body_next_up(&body, &event->record)) == 1) {
        event->type = event->record.type;
        event->number = body.number;
        assert_int_equal(body.number, ++self->number);
        buffer_append(&self->events, event, sizeof *event);
    }
    assert_int_equal(rc, 0);
    buffer_append(&self->ends, &self->number, sizeof self->number);
}

static void router_begin_link(router_t *self, zmq_msg_t *routing_id, const router_event_t *event)
{
    self->routing_id_size = zmq_msg_size(routing_id);
    memcpy(self->routing_id, zmq_msg_data(routing_id), self->routing_id_size);
    self->header = (frame_header_t){.epoch = event->header.epoch, .stamp = event->header.stamp};
    self->first = event->control.hello.first;
    buffer_clear(&self->headers);
}

static bool router_knows(const router_t *self, zmq_msg_t *routing_id)
{
    return span_equal(frame_span(routing_id), span_of((const char *)self->routing_id, self->routing_id_size));
}

static void router_take_controls(router_t *self, router_event_t *event, zmq_msg_t *routing_id, span_t controls)
{
    int rc;
    while ((rc = control_next(&event->control, &controls, CONTROL_FROM_NODE)) == 1) {
        event->type = event->control.type;
        if (event->type == RECORD_HELLO)
            router_begin_link(self, routing_id, event);
        if (router_knows(self, routing_id))
            buffer_append(&self->events, event, sizeof *event);
    }
    assert_int_equal(rc, 0);
}

static void router_receive(router_t *self)
{
    router_event_t event = {0};
    span_t controls;
    zmq_msg_t *routing_id = router_frame(self), *header = router_frame(self), *body = NULL;
    assert_int_equal(frame_header_get(&event.header, frame_span(header), &controls), 0);
    assert_int_equal(zmq_msg_more(header), event.header.sequence != 0);
    event.arrival = router_arrivals(self);
    if (zmq_msg_more(header)) {
        body = router_frame(self);
        assert_false(zmq_msg_more(body));
        if (router_knows(self, routing_id))
            router_take_body(self, &event, frame_span(body));
    }
    router_take_controls(self, &event, routing_id, controls);
    if (!router_knows(self, routing_id))
        return;
    assert_int_equal(event.header.epoch, self->header.epoch);
    self->header.stamp = event.header.stamp;
    buffer_append(&self->headers, &event.header, sizeof event.header);
}

/* Waits a moment, and takes what has come. */
static void router_turn(router_t *self, deadline_t deadline)
{
    zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLIN};
    if (self->turn)
        self->turn(self->arg);
    while (zmq_poll(&item, 1, self->turn ? 0 : deadline_left_ms(deadline)) > 0) {
        router_receive(self);
        if (!self->turn)
            break;
    }
}

static const router_event_t *router_next_until(router_t *self, deadline_t deadline, const char *wanted)
{
    static router_event_t event;
    while (buffer_size(&self->events) == 0) {
        if (deadline_passed(deadline))
            fail_msg("no %s came", wanted);
        router_turn(self, deadline);
    }
    memcpy(&event, self->events.data + self->events.start, sizeof event);
    buffer_consume(&self->events, sizeof event);
    return &event;
}

const router_event_t *router_next(router_t *self)
{
    return router_next_until(self, deadline_in(DEADLINE_USUAL_MS), "record");
}

const router_event_t *router_expect(router_t *self, record_type_t type)
{
    const router_event_t *event = router_next_until(self, deadline_in(DEADLINE_USUAL_MS), record_name(type));
    if (event->type != type)
        fail_msg("%s came instead of %s", record_name(event->type), record_name(type));
    return event;
}

const router_event_t *router_wait(router_t *self, record_type_t type)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    const router_event_t *event;
    do
        event = router_next_until(self, deadline, record_name(type));
    while (event->type != type);
    return event;
}

const router_event_t *router_hello(router_t *self)
{
    return router_wait(self, RECORD_HELLO);
}

/* What the node sends next follows that batch, behind which everything that came is forgotten. */
static void router_rewind(router_t *self, uint64_t sequence, uint64_t number)
{
    self->received = sequence;
    self->number = number;
    self->ends.end = self->ends.start + sequence * sizeof number;
}

void router_put_welcome(router_t *self)
{
    self->sequence = 0;
    router_rewind(self, 0, self->first - 1);
    self->welcome.welcome.resumed = false;
    router_put(self, &self->welcome);
}

void router_put_resumed(router_t *self, uint64_t acknowledged)
{
    uint64_t number = self->first - 1;
    assert_in_range(acknowledged, 0, self->received);
    if (acknowledged > 0)
        memcpy(&number, self->ends.data + self->ends.start + (acknowledged - 1) * sizeof number, sizeof number);
    router_rewind(self, acknowledged, number);
    self->header.acknowledged = acknowledged;
    self->welcome.welcome.resumed = true;
    router_put(self, &self->welcome);
}

void router_welcome(router_t *self)
{
    router_hello(self);
    router_put_welcome(self);
    router_put_empty(self, RECORD_SETTLED);
    router_flush(self);
}

void router_resume(router_t *self)
{
    router_hello(self);
    router_put_resumed(self, self->received);
    router_put_empty(self, RECORD_SETTLED);
    router_flush(self);
}

void router_join(router_t *self)
{
    router_welcome(self);
    router_wait(self, RECORD_REGISTERED);
}

void router_put(router_t *self, const control_t *control)
{
    control_put(&self->controls, control);
}

void router_put_empty(router_t *self, record_type_t type)
{
    control_put_empty(&self->controls, type);
}

void router_put_session(router_t *self, record_type_t type, uint64_t session)
{
    control_t record = {.type = type, .name.session = session};
    if (type == RECORD_CONFIRMED) {
        record.name.term = self->welcome.welcome.term;
        record.name.serial = ++self->serial;
    }
    router_put(self, &record);
}

void router_put_taken(router_t *self, uint64_t below)
{
    router_put(self, &(control_t){.type = RECORD_TAKEN, .taken.below = below});
}

void router_put_numbers(router_t *self, record_type_t type, uint64_t number)
{
    router_put(self, &(control_t){.type = type, .held = {.handle = 2, .numbers.first = number}});
}

void router_put_held_again(router_t *self, uint64_t number)
{
    router_put(self, &(control_t){.type = RECORD_HELD, .held = {.handle = 2, .again = true, .numbers.first = number}});
}

void router_put_origin(router_t *self, uint32_t handle, uint8_t node)
{
    control_t record = {.type = RECORD_ORIGIN, .origin.handle = handle};
    memset(record.origin.node.bytes, node, LINK_ID_SIZE);
    router_put(self, &record);
}

void router_put_gone(router_t *self, uint32_t handle, bool orderly)
{
    router_put(self, &(control_t){.type = RECORD_GONE, .origin = {.handle = handle, .orderly = orderly}});
}

static void router_put_record(router_t *self)
{
    if (self->record_count++ == 0)
        body_begin_down(&self->body);
}

void router_put_run_of(router_t *self, const body_run_t *run)
{
    router_put_record(self);
    body_put_run(&self->body, run);
}

void router_put_run(router_t *self, uint32_t handle)
{
    router_put_run_of(self, &(body_run_t){.handle = handle, .floor = 1});
}

void router_put_copy(router_t *self, uint64_t number, const uint64_t *sessions, unsigned session_count,
    const char *sender, const char *text)
{
    router_put_record(self);
    body_message_t message = {
        .session = 1, .flags = self->copy_flags, .sender = span_str(sender), .text = span_str(text)};
    body_put_copy(&self->body, &message, number, sessions, session_count);
}

void router_put_copy_of(router_t *self, const body_message_t *message, uint64_t number, uint64_t session)
{
    router_put_record(self);
    body_put_copy(&self->body, message, number, &session, 1);
}

void router_put_notice(router_t *self, const body_notice_t *notice)
{
    router_put_record(self);
    body_put_notice(&self->body, notice);
}

void router_send_raw(router_t *self, const void *const *frames, const size_t *sizes, size_t count)
{
    assert_int_equal(handover_send_bytes(self->socket, self->routing_id, self->routing_id_size, ZMQ_SNDMORE), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(handover_send_bytes(self->socket, frames[i], sizes[i], i + 1 < count ? ZMQ_SNDMORE : 0), 0);
}

void router_flush(router_t *self)
{
    buffer_t head = {0};
    self->header.sequence = self->record_count ? ++self->sequence : 0;
    frame_header_put(buffer_reserve(&head, FRAME_HEADER_SIZE), &self->header);
    buffer_commit(&head, FRAME_HEADER_SIZE);
    buffer_append(&head, self->controls.data, buffer_size(&self->controls));
    if (self->record_count)
        body_finish_down(&self->body, self->record_count);
    const void *frames[] = {head.data, self->body.data};
    size_t sizes[] = {buffer_size(&head), buffer_size(&self->body)};
    router_send_raw(self, frames, sizes, self->record_count ? 2 : 1);
    buffer_fini(&head);
    buffer_clear(&self->controls);
    buffer_clear(&self->body);
    self->record_count = 0;
}

const router_event_t *router_expect_number(router_t *self, record_type_t type, uint64_t number)
{
    const router_event_t *event = router_expect(self, type);
    assert_int_equal(event->number, number);
    return event;
}

const router_event_t *router_expect_message(router_t *self, uint64_t number, const char *text)
{
    const router_event_t *event = router_expect_number(self, RECORD_MESSAGE, number);
    if (!span_equal(event->record.message.text, span_str(text)))
        fail_msg(
            "'%.*s' came instead of '%s'", (int)event->record.message.text.size, event->record.message.text.data, text);
    return event;
}

size_t router_arrivals(const router_t *self)
{
    return buffer_size(&self->headers) / sizeof(frame_header_t);
}

const frame_header_t *router_header_at(const router_t *self, size_t arrival)
{
    assert_true(arrival < router_arrivals(self));
    return (const frame_header_t *)(const void *)(self->headers.data + self->headers.start) + arrival;
}

static bool router_is_acknowledged(const router_t *self, uint64_t sequence)
{
    size_t arrivals = router_arrivals(self);
    return arrivals > 0 && router_header_at(self, arrivals - 1)->acknowledged >= sequence;
}

void router_expect_acknowledged(router_t *self, uint64_t sequence)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (!router_is_acknowledged(self, sequence)) {
        if (deadline_passed(deadline))
            fail_msg("batch %u was not acknowledged", (unsigned)sequence);
        router_turn(self, deadline);
    }
}

void router_expect_arrivals(router_t *self, size_t count)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (router_arrivals(self) < count) {
        if (deadline_passed(deadline))
            fail_msg("no %u messages came", (unsigned)count);
        router_turn(self, deadline);
    }
}
