/* SPDX-License-Identifier: MPL-2.0 */
/* A ROUTER and a DEALER of this thread; what the writer sends is read by the DEALER as it stands. */
#include "lib/test.h"

#include <czmq.h>

#include "broker/dealer_writer.h"
#include "lib/deadline.h"
#include "wire/frame.h"

#define BATCH_SIZE 4096

static void *router, *dealer;
static uint8_t routing_id[16];
static dealer_writer_t writer;
static intake_t intake;
static uint8_t frame[FRAME_HEADER_SIZE + FRAME_CONTROLS_SIZE], body[BATCH_SIZE * 2];

static void on_change(void *arg, bool is_prompt)
{
    (void)arg, (void)is_prompt;
}

static int setup(void **state)
{
    (void)state;
    int zero = 0, one = 1;
    router = zmq_socket(zsys_init(), ZMQ_ROUTER);
    dealer = zmq_socket(zsys_init(), ZMQ_DEALER);
    zmq_setsockopt(router, ZMQ_ROUTER_MANDATORY, &one, sizeof one);
    zmq_setsockopt(router, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(router, ZMQ_SNDHWM, &zero, sizeof zero);
    zmq_setsockopt(dealer, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(dealer, ZMQ_RCVHWM, &zero, sizeof zero);
    assert_int_equal(zmq_bind(router, "inproc://dealer-writer"), 0);
    assert_int_equal(zmq_connect(dealer, "inproc://dealer-writer"), 0);
    assert_int_equal(zmq_send(dealer, "x", 1, 0), 1);
    int size = zmq_recv(router, routing_id, sizeof routing_id, 0);
    assert_int_equal(zmq_recv(router, frame, sizeof frame, 0), 1);
    dealer_writer_init(&writer, router, BATCH_SIZE);
    dealer_writer_connect(&writer, span_of((const char *)routing_id, (size_t)size), 3);
    intake_init(&intake, 1, on_change, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dealer_writer_fini(&writer);
    intake_fini(&intake);
    zmq_unbind(router, "inproc://dealer-writer");
    zmq_close(dealer);
    zmq_close(router);
    return 0;
}

typedef struct {
    frame_header_t header;
    span_t controls;
    span_t body;
} arrival_t;

/* The next ZeroMQ message; what it points to is valid until the next call. */
static arrival_t receive(void)
{
    arrival_t arrival = {0};
    zmq_pollitem_t item = {.socket = dealer, .events = ZMQ_POLLIN};
    assert_int_equal(zmq_poll(&item, 1, deadline_left_ms(deadline_in(DEADLINE_USUAL_MS))), 1);
    int size = zmq_recv(dealer, frame, sizeof frame, 0), more;
    size_t more_size = sizeof more;
    assert_true(size <= (int)sizeof frame);
    assert_int_equal(frame_header_get(&arrival.header, span_of((char *)frame, (size_t)size), &arrival.controls), 0);
    zmq_getsockopt(dealer, ZMQ_RCVMORE, &more, &more_size);
    if (more) {
        size = zmq_recv(dealer, body, sizeof body, 0);
        assert_true(size <= (int)sizeof body);
        arrival.body = span_of((char *)body, (size_t)size);
    }
    return arrival;
}

static void assert_nothing_more(void)
{
    zmq_pollitem_t item = {.socket = dealer, .events = ZMQ_POLLIN};
    assert_int_equal(zmq_poll(&item, 1, 0), 0);
}

static inbatch_t *batch_of(uint32_t count)
{
    inbatch_t *batch = intake_open(&intake, count, 0);
    for (uint32_t i = 0; i < count; i++)
        inbatch_expect(batch, i, 1);
    return batch;
}

static void put_copy(inbatch_t *batch, uint32_t index, uint32_t handle, span_t text)
{
    uint64_t session = 7;
    body_message_t message = {.session = 1, .sender = span_str("alice"), .text = text};
    dealer_writer_copy(&writer, &(body_run_t){.handle = handle}, &message, batch, index, &session, 1);
}

static unsigned count_records(span_t span, record_type_t type)
{
    body_t cursor;
    body_record_t record;
    unsigned count = 0;
    assert_int_equal(body_open_down(&cursor, span), 0);
    while (body_next_down(&cursor, &record) == 1)
        count += record.type == type;
    return count;
}

static void a_turn_becomes_one_message(void **state)
{
    (void)state;
    inbatch_t *batch = batch_of(3);
    writer.acknowledged = 9;
    put_copy(batch, 0, 1, span_str("one"));
    put_copy(batch, 1, 1, span_str("two"));
    put_copy(batch, 2, 2, span_str("three"));
    dealer_writer_control_empty(&writer, RECORD_DRAIN);
    dealer_writer_flush(&writer, 5);
    arrival_t arrival = receive();
    assert_int_equal(arrival.header.epoch, 3);
    assert_int_equal(arrival.header.sequence, 1);
    assert_int_equal(arrival.header.acknowledged, 9);
    assert_int_equal(count_records(arrival.body, RECORD_COPY), 3);
    assert_int_equal(count_records(arrival.body, RECORD_RUN), 2);
    assert_true(arrival.controls.size > 0);
    assert_nothing_more();
    assert_int_equal(writer.sent_ms, 5);
    assert_int_equal(dealer_writer_acknowledge(&writer, 1), 3);
    assert_int_equal(batch->untaken, 0);
    assert_int_equal(dealer_writer_open_size(&writer), 0);
}

static void an_idle_turn_sends_nothing_unless_it_is_due(void **state)
{
    (void)state;
    dealer_writer_flush(&writer, 5);
    assert_nothing_more();
    writer.due = true;
    dealer_writer_flush(&writer, 6);
    assert_int_equal(receive().header.sequence, 0);
    dealer_writer_flush(&writer, 7);
    assert_nothing_more();
}

static void origins_go_before_the_first_body_and_controls_with_the_last(void **state)
{
    (void)state;
    inbatch_t *batch = batch_of(3);
    static char text[3000];
    for (uint32_t i = 0; i < 3; i++)
        put_copy(batch, i, 1, span_of(text, sizeof text));
    dealer_writer_control_empty(&writer, RECORD_DRAIN);
    dealer_writer_origin(&writer, 1, &(link_id_t){.bytes = {1}});
    dealer_writer_flush(&writer, 5);
    control_t record;
    for (uint64_t sequence = 1; sequence <= 3; sequence++) {
        arrival_t arrival = receive();
        assert_int_equal(arrival.header.sequence, sequence);
        int rc = control_next(&record, &arrival.controls, CONTROL_FROM_BROKER);
        assert_int_equal(rc, sequence != 2);
        if (rc)
            assert_int_equal(record.type, sequence == 1 ? RECORD_ORIGIN : RECORD_DRAIN);
    }
    assert_int_equal(dealer_writer_open_batches(&writer), 3);
    assert_int_equal(dealer_writer_acknowledge(&writer, 2), 2);
    assert_int_equal(dealer_writer_open_batches(&writer), 1);
    assert_int_equal(dealer_writer_open_copies(&writer), 1);
    assert_int_equal(dealer_writer_acknowledge(&writer, 3), 1);
}

static unsigned count_controls(span_t controls)
{
    control_t record;
    unsigned count = 0;
    while (control_next(&record, &controls, CONTROL_FROM_BROKER) == 1)
        count++;
    return count;
}

static void more_records_than_a_frame_may_have_travel_in_several(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    put_copy(batch_of(1), 0, 1, span_str("one"));
    for (unsigned i = 0; i < COUNT; i++) {
        dealer_writer_origin(&writer, i + 1, &(link_id_t){.bytes = {1}});
        dealer_writer_control(&writer, &(control_t){.type = RECORD_LEFT, .name.session = i});
    }
    dealer_writer_flush(&writer, 5);
    unsigned count = 0, bodies = 0;
    while (count < 2 * COUNT) {
        arrival_t arrival = receive();
        bool is_early = count < COUNT;
        count += count_controls(arrival.controls);
        if (arrival.body.size) {
            assert_true(is_early && count >= COUNT);
            bodies++;
        }
    }
    assert_int_equal(count, 2 * COUNT);
    assert_int_equal(bodies, 1);
    assert_nothing_more();
    assert_int_equal(dealer_writer_acknowledge(&writer, 1), 1);
}

static void what_was_not_sent_cannot_be_acknowledged(void **state)
{
    (void)state;
    assert_int_equal(dealer_writer_acknowledge(&writer, 1), -CLOSE_BAD_SEQUENCE);
    put_copy(batch_of(1), 0, 1, span_str("one"));
    assert_int_equal(dealer_writer_acknowledge(&writer, 1), -CLOSE_BAD_SEQUENCE);
    assert_int_equal(dealer_writer_mark(&writer), 1);
    dealer_writer_flush(&writer, 5);
    assert_int_equal(dealer_writer_acknowledge(&writer, 0), 0);
    assert_int_equal(dealer_writer_acknowledge(&writer, 1), 1);
    assert_int_equal(dealer_writer_acknowledge(&writer, 1), 0);
}

static void on_body(void *arg, span_t span)
{
    unsigned *count = arg;
    *count += count_records(span, RECORD_COPY);
}

static void batches_wait_when_the_dealer_is_gone(void **state)
{
    (void)state;
    inbatch_t *batch = batch_of(2);
    zmq_disconnect(dealer, "inproc://dealer-writer");
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (writer.connected && !deadline_passed(deadline)) {
        writer.due = true;
        dealer_writer_flush(&writer, 5);
    }
    assert_false(writer.connected);
    put_copy(batch, 0, 1, span_str("one"));
    dealer_writer_flush(&writer, 5);
    put_copy(batch, 1, 1, span_str("two"));
    assert_int_equal(dealer_writer_open_copies(&writer), 2);
    assert_int_equal(dealer_writer_waiting_since(&writer), 0);
    unsigned count = 0;
    dealer_writer_each_body(&writer, on_body, &count);
    assert_int_equal(count, 2);
    dealer_writer_clear(&writer);
    assert_int_equal(batch->untaken, 0);
    assert_int_equal(dealer_writer_open_copies(&writer), 0);
}

static void a_large_body_is_handed_over_and_a_new_one_begun(void **state)
{
    (void)state;
    static char text[2000];
    memset(text, 'x', sizeof text);
    for (uint64_t sequence = 1; sequence <= 3; sequence++) {
        put_copy(batch_of(1), 0, 1, span_of(text, sizeof text));
        dealer_writer_flush(&writer, 5);
        arrival_t arrival = receive();
        assert_int_equal(arrival.header.sequence, sequence);
        assert_true(arrival.body.size > sizeof text);
        assert_memory_equal(arrival.body.data + arrival.body.size - sizeof text, text, sizeof text);
    }
    assert_int_equal(dealer_writer_acknowledge(&writer, 3), 3);
}

/* Three batches of a copy each, sent one by one. */
static void send_three(void)
{
    inbatch_t *batch = batch_of(3);
    for (uint32_t i = 0; i < 3; i++) {
        put_copy(batch, i, 1, span_str("text"));
        dealer_writer_flush(&writer, 5);
        assert_int_equal(receive().header.sequence, i + 1);
    }
}

static void a_link_that_is_resumed_sends_again_what_was_not_taken(void **state)
{
    (void)state;
    send_three();
    dealer_writer_connect(&writer, writer.routing_id, 4);
    assert_true(dealer_writer_has_sent(&writer, 3));
    assert_false(dealer_writer_has_sent(&writer, 4));
    dealer_writer_rewind(&writer, 1);
    dealer_writer_welcome(&writer, &(control_t){.type = RECORD_WELCOME, .welcome.resumed = true}, 6);
    dealer_writer_flush(&writer, 6);
    arrival_t arrival = receive();
    assert_int_equal(arrival.header.epoch, 4);
    assert_int_equal(arrival.header.sequence, 0);
    assert_true(arrival.controls.size > 0);
    assert_nothing_more();
    dealer_writer_control_empty(&writer, RECORD_LEAVE_OK);
    dealer_writer_let_go(&writer, 7);
    arrival = receive();
    assert_int_equal(arrival.header.sequence, 0);
    assert_true(arrival.controls.size > 0);
    dealer_writer_flush(&writer, 7);
    for (uint64_t sequence = 2; sequence <= 3; sequence++) {
        arrival = receive();
        assert_int_equal(arrival.header.sequence, sequence);
        assert_int_equal(count_records(arrival.body, RECORD_COPY), 1);
        assert_int_equal(count_records(arrival.body, RECORD_RUN), 1);
    }
    assert_nothing_more();
    assert_int_equal(dealer_writer_acknowledge(&writer, 3), 3);
    assert_false(dealer_writer_has_sent(&writer, 2));
}

static void a_run_ends_when_copies_are_sent_again_or_not(void **state)
{
    (void)state;
    inbatch_t *batch = batch_of(2);
    uint64_t session = 7;
    body_message_t message = {.session = 1, .sender = span_str("alice"), .text = span_str("text")};
    dealer_writer_copy(&writer, &(body_run_t){.handle = 1, .again = true}, &message, batch, 0, &session, 1);
    dealer_writer_copy(&writer, &(body_run_t){.handle = 1}, &message, batch, 1, &session, 1);
    dealer_writer_flush(&writer, 5);
    assert_int_equal(count_records(receive().body, RECORD_RUN), 2);
}

static void a_probe_says_whether_the_dealer_is_there(void **state)
{
    (void)state;
    assert_true(dealer_writer_probe(&writer));
    assert_int_equal(receive().controls.size, 0);
    zmq_close(dealer);
    dealer = NULL;
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (dealer_writer_probe(&writer))
        assert_false(deadline_passed(deadline));
    assert_false(writer.connected);
}

static void a_refusal_is_one_record(void **state)
{
    (void)state;
    assert_true(dealer_writer_refuse(router, writer.routing_id, 4, CLOSE_OLD_EPOCH, span_str("Too old.")));
    arrival_t arrival = receive();
    control_t record;
    assert_int_equal(arrival.header.epoch, 4);
    assert_int_equal(control_next(&record, &arrival.controls, CONTROL_FROM_BROKER), 1);
    assert_int_equal(record.refuse.close, CLOSE_OLD_EPOCH);
    assert_true(span_equal(record.refuse.text, span_str("Too old.")));
    assert_false(dealer_writer_refuse(router, span_str("nobody"), 4, CLOSE_OLD_EPOCH, span_str("")));
}

#define WRITER_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static int group_teardown(void **state)
{
    (void)state;
    zsys_shutdown();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WRITER_TEST(a_turn_becomes_one_message),
        WRITER_TEST(an_idle_turn_sends_nothing_unless_it_is_due),
        WRITER_TEST(origins_go_before_the_first_body_and_controls_with_the_last),
        WRITER_TEST(more_records_than_a_frame_may_have_travel_in_several),
        WRITER_TEST(what_was_not_sent_cannot_be_acknowledged),
        WRITER_TEST(batches_wait_when_the_dealer_is_gone),
        WRITER_TEST(a_large_body_is_handed_over_and_a_new_one_begun),
        WRITER_TEST(a_link_that_is_resumed_sends_again_what_was_not_taken),
        WRITER_TEST(a_run_ends_when_copies_are_sent_again_or_not),
        WRITER_TEST(a_probe_says_whether_the_dealer_is_there),
        WRITER_TEST(a_refusal_is_one_record),
    };
    return cmocka_run_group_tests(tests, NULL, group_teardown);
}
