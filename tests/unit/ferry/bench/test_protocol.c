/* SPDX-License-Identifier: MPL-2.0 */
#include "unit/ferry/bench/protocol_rig.h"

static void a_protocol_is_found_by_its_name(void **state)
{
    (void)state;
    assert_ptr_equal(protocol_find("line"), &protocol_line);
    assert_ptr_equal(protocol_find("irc"), &protocol_irc);
    assert_null(protocol_find("lines"));
    assert_null(protocol_find(""));
}

static void a_line_ends_with_or_without_a_return(void **state)
{
    (void)state;
    event_t line = protocol_take_line(span_str("hello\r\nyou"));
    assert_int_equal(line.size, 7);
    assert_int_equal(line.text.size, 5);
    line = protocol_take_line(span_str("hello\n"));
    assert_int_equal(line.size, 6);
    assert_int_equal(line.text.size, 5);
    line = protocol_take_line(span_str("\n"));
    assert_int_equal(line.size, 1);
    assert_int_equal(line.text.size, 0);
    assert_int_equal(protocol_take_line(span_str("hello\r")).size, 0);
}

/* The longest message of each has the room that callers leave for what is around its text. */
static void what_is_around_a_text_is_bounded(void **state)
{
    (void)state;
    static const protocol_t *const protocols[] = {
        &protocol_line, &protocol_nats, &protocol_mqtt, &protocol_redis, &protocol_irc};
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
        const protocol_t *protocol = protocols[i];
        char *frame = malloc(protocol->text_max + PROTOCOL_OVERHEAD_MAX);
        assert_non_null(frame);
        frame_layout_t layout = protocol->message(frame, rig_group, protocol->text_max);
        assert_true(layout.size <= protocol->text_max + PROTOCOL_OVERHEAD_MAX);
        if (protocol->arrival) {
            layout = protocol->arrival(frame, "babc0001", rig_group, protocol->text_max);
            assert_true(layout.size <= protocol->text_max + PROTOCOL_OVERHEAD_MAX);
        }
        free(frame);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_protocol_is_found_by_its_name),
        cmocka_unit_test(a_line_ends_with_or_without_a_return),
        cmocka_unit_test(what_is_around_a_text_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
