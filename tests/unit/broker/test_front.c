/* SPDX-License-Identifier: MPL-2.0 */
#include "fixture.h"

#include <sodium.h>

/* Alice and bob go on as if nothing had happened. */
static void assert_unharmed(void)
{
    alice_sends("bob", "unharmed");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "unharmed");
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, a.number + 1);
}

/* A stranger sends these frames, is refused for that reason, and harms nobody. */
static void assert_stranger_refused(const void *const *frames, const size_t *sizes, size_t count, int close)
{
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_send_raw(&c, frames, sizes, count);
    dealer_expect_refused(&c, close);
    dealer_close(&c);
    assert_unharmed();
}

static void assert_frame_refused(const void *frame, size_t size, int close)
{
    assert_stranger_refused(&frame, &size, 1, close);
}

/* A header frame with room for records. */
static size_t frame_make(uint8_t *frame, const frame_header_t *header, const void *controls, size_t size)
{
    frame_header_put(frame, header);
    memcpy(frame + FRAME_HEADER_SIZE, controls, size);
    return FRAME_HEADER_SIZE + size;
}

static void random_bytes_are_refused(void **state)
{
    (void)state;
    pair_open();
    uint8_t frame[300];
    for (size_t size = 0; size <= sizeof frame; size += 60) {
        randombytes_buf(frame, sizeof frame);
        frame[0] = 'X';
        assert_frame_refused(frame, size, CLOSE_BAD_FRAME);
    }
    assert_int_equal(broker_number("counters.links_refused.reason.bad-frame"), 6);
}

static void a_wrong_version_of_the_frame_is_refused(void **state)
{
    (void)state;
    pair_open();
    uint8_t frame[FRAME_HEADER_SIZE];
    frame_make(frame, &(frame_header_t){.epoch = 1}, "", 0);
    frame[3] = 2;
    assert_frame_refused(frame, sizeof frame, CLOSE_BAD_VERSION);
}

static void a_frame_larger_than_all_controls_is_refused(void **state)
{
    (void)state;
    pair_open();
    size_t size = FRAME_HEADER_SIZE + FRAME_CONTROLS_SIZE + 1;
    uint8_t *frame = calloc(1, size);
    frame_header_put(frame, &(frame_header_t){.epoch = 1});
    assert_frame_refused(frame, size, CLOSE_BAD_FRAME);
    free(frame);
}

static void five_frames_are_refused(void **state)
{
    (void)state;
    pair_open();
    uint8_t frame[FRAME_HEADER_SIZE];
    frame_make(frame, &(frame_header_t){.epoch = 1, .sequence = 1}, "", 0);
    const void *frames[] = {frame, "a", "b", "c", "d"};
    const size_t sizes[] = {sizeof frame, 1, 1, 1, 1};
    assert_stranger_refused(frames, sizes, 5, CLOSE_BAD_FRAME);
}

static void an_empty_header_frame_says_no_hello(void **state)
{
    (void)state;
    pair_open();
    uint8_t frame[FRAME_HEADER_SIZE];
    frame_make(frame, &(frame_header_t){.epoch = 1}, "", 0);
    assert_frame_refused(frame, sizeof frame, CLOSE_UNKNOWN_LINK);
}

static void records_that_lie_about_their_size_are_refused(void **state)
{
    (void)state;
    pair_open();
    uint8_t frame[FRAME_HEADER_SIZE + 8];
    const frame_header_t header = {.epoch = 1};
    size_t size = frame_make(frame, &header, "\x01\xff\xff\xff", 4);
    assert_frame_refused(frame, size, CLOSE_BAD_RECORD);
    size = frame_make(frame, &header, "\x01\x02\x00\x00\x02\x00", 6);
    assert_frame_refused(frame, size, CLOSE_BAD_RECORD);
    size = frame_make(frame, &header, "\xfe\x00\x00\x00", 4);
    assert_frame_refused(frame, size, CLOSE_BAD_RECORD);
    size = frame_make(frame, &header, "\x01\x00", 2);
    assert_frame_refused(frame, size, CLOSE_BAD_RECORD);
}

static void a_batch_before_hello_is_refused(void **state)
{
    (void)state;
    pair_open();
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_put_message(&c, SESSION(1, 3), "carol", "bob", "hello");
    dealer_flush(&c);
    dealer_expect_refused(&c, CLOSE_UNKNOWN_LINK);
    assert_unharmed();
    assert_int_equal(broker_number("counters.messages"), 1);
}

static void a_stranger_that_does_not_stop_is_answered_once(void **state)
{
    (void)state;
    pair_open();
    dealer_open(&c, ENDPOINT, 0xc);
    for (unsigned i = 0; i < 1000; i++)
        dealer_send_raw(&c, (const void *const[]){"noise"}, (const size_t[]){5}, 1);
    dealer_expect_refused(&c, CLOSE_BAD_FRAME);
    broker_wait_number("counters.links_refused.reason.bad-frame", 1000);
    zmq_pollitem_t item = {.socket = c.socket, .events = ZMQ_POLLIN};
    assert_int_equal(zmq_poll(&item, 1, 0), 0);
    assert_unharmed();
}

/* Node c, which has a link and the name carol, sends these frames; it is refused for that reason and its name free. */
static void assert_node_refused(const void *const *frames, const size_t *sizes, size_t count, int close)
{
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
    dealer_login(&c, SESSION(1, 3), "carol");
    dealer_send_raw(&c, frames, sizes, count);
    dealer_expect_refused(&c, close);
    dealer_close(&c);
    dealer_expect(&a, RECORD_GONE);
    dealer_expect(&b, RECORD_GONE);
    alice_sends("carol", "gone?");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, a.number, "carol");
    dealer_expect(&a, RECORD_TAKEN);
    dealer_acknowledge(&a);
    assert_unharmed();
}

static void assert_body_refused(const frame_header_t *header, const void *body, size_t size, int close)
{
    uint8_t frame[FRAME_HEADER_SIZE];
    frame_header_put(frame, header);
    assert_node_refused((const void *const[]){frame, body}, (const size_t[]){sizeof frame, size}, 2, close);
}

static void a_node_that_sends_garbage_is_given_up(void **state)
{
    (void)state;
    pair_open();
    uint8_t frame[FRAME_HEADER_SIZE + 8];
    const void *frames[] = {frame, "", ""};
    size_t sizes[] = {3, 0, 0};
    assert_node_refused(frames, sizes, 1, CLOSE_BAD_FRAME);
    sizes[0] = frame_make(frame, &(frame_header_t){.epoch = 1}, "", 0);
    assert_node_refused(frames, sizes, 3, CLOSE_BAD_FRAME);
    sizes[0] = frame_make(frame, &(frame_header_t){.epoch = 2}, "", 0);
    assert_node_refused(frames, sizes, 1, CLOSE_OLD_EPOCH);
    sizes[0] = frame_make(frame, &(frame_header_t){.epoch = 1}, "\x0e\x08\x00\x00", 4);
    assert_node_refused(frames, sizes, 1, CLOSE_BAD_RECORD);
    sizes[0] = frame_make(frame, &(frame_header_t){.epoch = 1, .acknowledged = 1}, "", 0);
    assert_node_refused(frames, sizes, 1, CLOSE_BAD_SEQUENCE);
    assert_int_equal(broker_number("counters.links_closed.reason.bad-frame"), 2);
}

static void a_batch_out_of_sequence_ends_the_link(void **state)
{
    (void)state;
    pair_open();
    buffer_t body = {0};
    span_t bob = span_str("bob");
    body_begin_up(&body);
    body_put_message(&body, 1, 0, span_str("carol"), &bob, 1, span_str("hello"));
    body_finish_up(&body, 1, 1);
    assert_body_refused(&(frame_header_t){.epoch = 1, .sequence = 2}, body.data, body.end, CLOSE_BAD_SEQUENCE);
    assert_body_refused(&(frame_header_t){.epoch = 1}, body.data, body.end, CLOSE_BAD_FRAME);
    body_finish_up(&body, 2, 1);
    assert_body_refused(&(frame_header_t){.epoch = 1, .sequence = 1}, body.data, body.end, CLOSE_BAD_SEQUENCE);
    buffer_fini(&body);
}

static void a_body_that_is_cut_or_lies_ends_the_link(void **state)
{
    (void)state;
    pair_open();
    const frame_header_t header = {.epoch = 1, .sequence = 1};
    buffer_t body = {0};
    span_t dave = span_str("dave");
    body_begin_up(&body);
    body_put_message(&body, 1, 0, span_str("carol"), &dave, 1, span_str("hello"));
    body_finish_up(&body, 1, 2);
    assert_body_refused(&header, body.data, body.end, CLOSE_BAD_RECORD);
    body_finish_up(&body, 1, 1);
    assert_body_refused(&header, body.data, body.end - 1, CLOSE_BAD_RECORD);
    assert_body_refused(&header, body.data, 7, CLOSE_BAD_RECORD);
    body_finish_up(&body, 1, UINT32_MAX);
    assert_body_refused(&header, body.data, body.end, CLOSE_BAD_RECORD);
    buffer_fini(&body);
}

static void a_body_over_the_largest_batch_ends_the_link(void **state)
{
    (void)state;
    pair_open();
    size_t size = (size_t)config_number(config, "broker/peer_max_message") + 64 * 1024;
    uint8_t *body = calloc(1, size);
    assert_body_refused(&(frame_header_t){.epoch = 1, .sequence = 1}, body, size, CLOSE_BAD_FRAME);
    free(body);
}

static void a_body_before_the_bad_record_of_its_frame_is_routed(void **state)
{
    (void)state;
    pair_open();
    dealer_put_empty(&a, RECORD_REGISTERED);
    alice_sends("bob", "last words");
    dealer_expect_refused(&a, CLOSE_BAD_RECORD);
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "last words");
    dealer_acknowledge(&b);
    broker_assert_balance();
}

/* Everything that a node may say, in one header frame and one body. Returns the size of the frame. */
static size_t frame_of_everything(uint8_t *frame, buffer_t *body, uint64_t sequence)
{
    buffer_t controls = {0};
    span_t bob = span_str("bob");
    const uint64_t session = SESSION(1, 3);
    control_put(&controls, &(control_t){.type = RECORD_REGISTER, .name = {.session = session, .name = bob}});
    control_put(&controls, &(control_t){.type = RECORD_PAUSE, .name.name = bob});
    control_put(&controls, &(control_t){.type = RECORD_ORIGIN, .origin = {.handle = 1, .node = a.id}});
    control_put(&controls, &(control_t){.type = RECORD_HOLD, .held = {.session = session, .handle = 1, .again = true}});
    control_put(&controls, &(control_t){.type = RECORD_END, .held = {.session = session, .count = 1}});
    control_put_empty(&controls, RECORD_REGISTERED);
    control_put(&controls, &(control_t){.type = RECORD_LEAVING, .name.session = session});
    control_put_empty(&controls, RECORD_LEAVE);
    body_begin_up(body);
    body_put_message(body, session, 0, span_str("carol"), &bob, 1, span_str("hello"));
    body_put_report(body, &(body_report_t){.error = 16, .reason = 2, .origin = a.id, .number = 1, .name = bob});
    body_finish_up(body, 1, 2);
    size_t size = frame_make(
        frame, &(frame_header_t){.epoch = c.header.epoch, .sequence = sequence}, controls.data, controls.end);
    buffer_fini(&controls);
    return size;
}

/* A few bytes of it are changed; the seed makes each run the same. Whatever comes of it, nobody else is harmed. */
static void changed_bytes_of_a_node_harm_nobody_else(void **state)
{
    (void)state;
    enum { ROUNDS = 1500 };
    pair_open();
    dealer_open(&c, ENDPOINT, 0xc);
    srand(1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint8_t frame[1024];
        buffer_t body = {0};
        dealer_join(&c);
        size_t size = frame_of_everything(frame, &body, 1);
        for (int changes = rand() % 3; changes >= 0; changes--)
            *(rand() % 2 ? &frame[rand() % (int)size] : &body.data[rand() % (int)body.end]) = (uint8_t)rand();
        dealer_send_raw(&c, (const void *const[]){frame, body.data}, (const size_t[]){size, body.end}, 2);
        buffer_fini(&body);
        c.number = 0;
        dealer_reopen(&c, ENDPOINT);
    }
    dealer_close(&c);
    broker_wait_number("counters.frames", 3 * ROUNDS);
    alice_sends("bob", "unharmed");
    const dealer_event_t *copy;
    do
        copy = dealer_wait(&b, RECORD_COPY);
    while (!span_equal(copy->record.copy.sender, span_str("alice")));
    assert_true(span_equal(copy->record.copy.text, span_str("unharmed")));
    broker_assert_balance();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(random_bytes_are_refused),
        BROKER_TEST(a_wrong_version_of_the_frame_is_refused),
        BROKER_TEST(a_frame_larger_than_all_controls_is_refused),
        BROKER_TEST(five_frames_are_refused),
        BROKER_TEST(an_empty_header_frame_says_no_hello),
        BROKER_TEST(records_that_lie_about_their_size_are_refused),
        BROKER_TEST(a_batch_before_hello_is_refused),
        BROKER_TEST(a_stranger_that_does_not_stop_is_answered_once),
        BROKER_TEST(a_node_that_sends_garbage_is_given_up),
        BROKER_TEST(a_batch_out_of_sequence_ends_the_link),
        BROKER_TEST(a_body_that_is_cut_or_lies_ends_the_link),
        BROKER_TEST(a_body_over_the_largest_batch_ends_the_link),
        BROKER_TEST(changed_bytes_of_a_node_harm_nobody_else),
        BROKER_TEST(a_body_before_the_bad_record_of_its_frame_is_routed),
    };
    return BROKER_RUN(tests);
}
