/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include <stdio.h>

#include "link/bodies.h"

enum { MANY = 1000, EACH = 5 };

/* A body whose records are `count` messages with their numbers as texts. */
static void body_make(zmq_msg_t *message, uint64_t first, uint32_t count)
{
    buffer_t body = {0};
    body_begin_up(&body);
    for (uint64_t number = first; number < first + count; number++) {
        char text[24];
        span_t recipient = span_str("bob");
        snprintf(text, sizeof text, "%u", (unsigned)number);
        body_put_message(&body, 1, 0, span_str("eve"), &recipient, 1, span_str(text));
    }
    body_finish_up(&body, first, count);
    assert_int_equal(zmq_msg_init_size(message, buffer_size(&body)), 0);
    memcpy(zmq_msg_data(message), body.data, buffer_size(&body));
    buffer_fini(&body);
}

static void keep(bodies_t *bodies, uint64_t first, uint32_t count)
{
    zmq_msg_t message;
    body_make(&message, first, count);
    bodies_keep(bodies, first, count, &message);
}

static void send(bodies_t *bodies)
{
    zmq_msg_t message;
    bodies_send_next(bodies, &message);
    zmq_msg_close(&message);
}

static void check_record(bodies_t *bodies, uint64_t number)
{
    char text[24];
    body_record_t record;
    snprintf(text, sizeof text, "%u", (unsigned)number);
    bodies_read(bodies, number, &record);
    assert_int_equal(record.type, RECORD_MESSAGE);
    assert_true(span_equal(record.message.text, span_str(text)));
}

static void what_is_sent_is_the_kept_buffer_itself(void **state)
{
    (void)state;
    bodies_t bodies = {0};
    zmq_msg_t message;
    body_make(&message, 1, 100);
    const void *data = zmq_msg_data(&message);
    bodies_keep(&bodies, 1, 100, &message);
    assert_true(bodies_has_unsent(&bodies));
    bodies_send_next(&bodies, &message);
    assert_ptr_equal(zmq_msg_data(&message), data);
    assert_false(bodies_has_unsent(&bodies));
    zmq_msg_close(&message);
    check_record(&bodies, 100);
    bodies_fini(&bodies);
}

static void a_body_is_kept_until_all_its_numbers_are_taken(void **state)
{
    (void)state;
    bodies_t bodies = {0};
    keep(&bodies, 1, 2);
    keep(&bodies, 3, 1);
    send(&bodies);
    send(&bodies);
    bodies_take(&bodies, 3, 1);
    bodies_take(&bodies, 1, 1);
    bodies_drop_taken(&bodies);
    assert_int_equal(bodies.first, 0);
    check_record(&bodies, 2);
    bodies_take(&bodies, 2, 1);
    bodies_drop_taken(&bodies);
    assert_int_equal(bodies.first, 2);
    bodies_fini(&bodies);
}

static void the_sent_end_is_where_the_first_unsent_body_starts(void **state)
{
    (void)state;
    bodies_t bodies = {0};
    assert_int_equal(bodies_sent_end(&bodies, 1), 1);
    keep(&bodies, 1, 4);
    keep(&bodies, 5, 2);
    assert_int_equal(bodies_sent_end(&bodies, 7), 1);
    send(&bodies);
    assert_int_equal(bodies_sent_end(&bodies, 7), 5);
    send(&bodies);
    assert_int_equal(bodies_sent_end(&bodies, 7), 7);
    bodies_fini(&bodies);
}

static void records_are_read_in_any_order(void **state)
{
    (void)state;
    bodies_t bodies = {0};
    for (uint64_t i = 0; i < MANY / EACH; i++)
        keep(&bodies, 1 + i * EACH, EACH);
    for (uint64_t i = 0; i < MANY; i++)
        check_record(&bodies, 1 + i * 7 % MANY);
    for (uint64_t number = 1; number <= MANY; number++) {
        check_record(&bodies, number);
        check_record(&bodies, number);
    }
    for (uint64_t number = MANY; number > 0; number--)
        check_record(&bodies, number);
    bodies_fini(&bodies);
}

static void the_ring_grows_and_wraps_around(void **state)
{
    (void)state;
    bodies_t bodies = {0};
    uint64_t next = 1, taken = 1;
    for (unsigned round = 0; round < MANY; round++) {
        for (unsigned i = 0; i < 1 + round % 7; i++, next += EACH) {
            keep(&bodies, next, EACH);
            send(&bodies);
        }
        for (unsigned i = 0; i < 3 && taken < next; i++, taken += EACH)
            for (uint64_t number = taken; number < taken + EACH; number++)
                bodies_take(&bodies, number, 1);
        bodies_drop_taken(&bodies);
        assert_int_equal(bodies.first, (taken - 1) / EACH);
        if (taken == next)
            continue;
        check_record(&bodies, taken);
        check_record(&bodies, next - 1);
    }
    bodies_fini(&bodies);
}

static void bodies_are_sent_again_from_where_they_are_rewound_to(void **state)
{
    (void)state;
    for (uint64_t count = 0; count <= 3; count++) {
        bodies_t bodies = {0};
        for (uint64_t i = 0; i < 4; i++)
            keep(&bodies, 1 + i * EACH, EACH);
        for (unsigned i = 0; i < 3; i++)
            send(&bodies);
        bodies_rewind(&bodies, count);
        assert_int_equal(bodies_sent_end(&bodies, 4 * EACH + 1), 1 + (3 - count) * EACH);
        for (uint64_t i = 0; i <= count; i++)
            send(&bodies);
        assert_false(bodies_has_unsent(&bodies));
        bodies_fini(&bodies);
    }
}

static void another_body_takes_the_place_of_one_that_was_read(void **state)
{
    (void)state;
    bodies_t bodies = {0};
    zmq_msg_t message;
    body_record_t record;
    buffer_t gaps = {0};
    keep(&bodies, 1, 2);
    keep(&bodies, 3, 3);
    keep(&bodies, 6, 1);
    check_record(&bodies, 3);
    body_begin_up(&gaps);
    for (unsigned i = 0; i < 3; i++)
        body_put_gap(&gaps);
    body_finish_up(&gaps, 3, 3);
    assert_int_equal(zmq_msg_init_size(&message, buffer_size(&gaps)), 0);
    memcpy(zmq_msg_data(&message), gaps.data, buffer_size(&gaps));
    bodies_replace(&bodies, 1, &message);
    span_t frame = bodies_frame(&bodies, 1);
    assert_true(span_equal(frame, buffer_span(&gaps)));
    for (uint64_t number = 3; number <= 5; number++) {
        bodies_read(&bodies, number, &record);
        assert_int_equal(record.type, RECORD_GAP);
    }
    check_record(&bodies, 2);
    check_record(&bodies, 6);
    buffer_fini(&gaps);
    bodies_fini(&bodies);
}

static void the_memory_of_a_taken_body_is_given_back_though_its_place_stays(void **state)
{
    (void)state;
    bodies_t bodies = {0};
    uint32_t count;
    for (uint64_t first = 1; first <= 5; first += 2)
        keep(&bodies, first, 2);
    size_t size = bodies.size;
    send(&bodies);
    send(&bodies);
    bodies_take(&bodies, 3, 1);
    assert_int_equal(bodies.size, size);
    bodies_take(&bodies, 4, 1);
    assert_true(bodies.size < size);
    assert_int_equal(bodies_frame(&bodies, 1).size, 0);
    assert_int_equal(bodies_numbers(&bodies, 1, &count), 3);
    assert_int_equal(count, 2);
    size = bodies.size;
    bodies_take(&bodies, 5, 1);
    bodies_take(&bodies, 6, 1); /* it is still to be sent, and says so */
    assert_int_equal(bodies.size, size);
    check_record(&bodies, 1);
    bodies_fini(&bodies);
}

static void the_first_number_is_the_oldest_kept_bodys(void **state)
{
    (void)state;
    bodies_t bodies = {0};
    assert_int_equal(bodies_first_number(&bodies, 77), 77);
    keep(&bodies, 1, 1);
    keep(&bodies, 2, 1);
    assert_int_equal(bodies_first_number(&bodies, 77), 1);
    send(&bodies);
    bodies_take(&bodies, 1, 1);
    bodies_drop_taken(&bodies);
    assert_int_equal(bodies_first_number(&bodies, 77), 2);
    bodies_fini(&bodies);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(what_is_sent_is_the_kept_buffer_itself),
        TEST(a_body_is_kept_until_all_its_numbers_are_taken),
        TEST(the_sent_end_is_where_the_first_unsent_body_starts),
        TEST(records_are_read_in_any_order),
        TEST(the_ring_grows_and_wraps_around),
        TEST(bodies_are_sent_again_from_where_they_are_rewound_to),
        TEST(another_body_takes_the_place_of_one_that_was_read),
        TEST(the_memory_of_a_taken_body_is_given_back_though_its_place_stays),
        TEST(the_first_number_is_the_oldest_kept_bodys),
    };
    return TEST_RUN(tests);
}
