/* SPDX-License-Identifier: MPL-2.0 */
/* channel: both ends in one thread, and what wakes the program. */
#include "lib/test.h"

#include <poll.h>
#include <string.h>

#include "base/handover.h"
#include "client/channel.h"
#include "ferry.h"

static channel_end_t program, carrier;

static int setup(void **state)
{
    (void)state;
    return channel_open(&program, &carrier);
}

static int teardown(void **state)
{
    (void)state;
    channel_end_close(&carrier, false);
    channel_end_close(&program, true);
    return 0;
}

static bool is_awake(void)
{
    struct pollfd item = {.fd = program.wake, .events = POLLIN};
    return poll(&item, 1, 0) > 0;
}

static void the_last_progress_is_what_counts(void **state)
{
    (void)state;
    progress_t progress = {.settled_count = 99};
    channel_read_progress(&program, &progress);
    assert_int_equal(progress.settled_count, 99); /* nothing was told */
    for (uint64_t i = 1; i <= 3; i++)
        channel_tell(&carrier, &(progress_t){.settled_count = i, .login = LOGIN_DONE});
    channel_read_progress(&program, &progress);
    assert_true(progress_equal(&progress, &(progress_t){.settled_count = 3, .login = LOGIN_DONE}));
    assert_false(progress_equal(&progress, &(progress_t){.settled_count = 3}));
}

static void commands_arrive_as_they_were_said(void **state)
{
    (void)state;
    command_t said = {.kind = COMMAND_TAKEN, .count = 1, .number = 2, .size = 3}, heard;
    channel_command(&program, &said);
    assert_int_equal(handover_receive_bytes(carrier.commands, &heard, sizeof heard, ZMQ_DONTWAIT), 0);
    assert_memory_equal(&said, &heard, sizeof heard);
}

static void a_command_may_have_a_name(void **state)
{
    (void)state;
    command_t said = {.kind = COMMAND_SERVE, .count = 7}, heard;
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    channel_command_of(&program, &said, span_str("@mill"));
    assert_int_equal(handover_receive(&frame, carrier.commands, ZMQ_DONTWAIT), sizeof heard + 5);
    memcpy(&heard, zmq_msg_data(&frame), sizeof heard);
    assert_memory_equal(&said, &heard, sizeof heard);
    assert_memory_equal((char *)zmq_msg_data(&frame) + sizeof heard, "@mill", 5);
    zmq_msg_close(&frame);
}

static void an_event_holds_its_names_and_its_data_each_with_a_nul(void **state)
{
    (void)state;
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    size_t size = channel_send_event(&carrier, &(event_t){.kind = FERRY_MESSAGE, .number = 5}, span_str("alice"),
        span_str("#room"), span_str("hello"));
    assert_int_equal(channel_read_event(&program, &frame), size);
    event_t event;
    memcpy(&event, zmq_msg_data(&frame), sizeof event);
    assert_int_equal(event.kind, FERRY_MESSAGE);
    assert_int_equal(event.number, 5);
    assert_int_equal(event.name_size, 5);
    assert_int_equal(event.place_size, 5);
    assert_int_equal(size, sizeof event + 18);
    assert_memory_equal((char *)zmq_msg_data(&frame) + sizeof event, "alice\0#room\0hello", 18);
    zmq_msg_close(&frame);
}

static void the_descriptor_is_readable_until_nothing_is_left(void **state)
{
    (void)state;
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    assert_false(is_awake());
    for (int i = 0; i < 2; i++)
        channel_send_event(
            &carrier, &(event_t){.kind = FERRY_MESSAGE}, span_str("a"), span_of(NULL, 0), span_of(NULL, 0));
    channel_wake(&carrier);
    for (int i = 0; i < 2; i++) {
        assert_true(is_awake());
        assert_true(channel_read_event(&program, &frame) > 0);
    }
    assert_true(is_awake());
    assert_int_equal(channel_read_event(&program, &frame), -1);
    assert_false(is_awake());
    channel_send_event(&carrier, &(event_t){.kind = FERRY_MESSAGE}, span_str("a"), span_of(NULL, 0), span_of(NULL, 0));
    channel_wake(&carrier);
    assert_true(is_awake());
    zmq_msg_close(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_last_progress_is_what_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(commands_arrive_as_they_were_said, setup, teardown),
        cmocka_unit_test_setup_teardown(a_command_may_have_a_name, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_holds_its_names_and_its_data_each_with_a_nul, setup, teardown),
        cmocka_unit_test_setup_teardown(the_descriptor_is_readable_until_nothing_is_left, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
