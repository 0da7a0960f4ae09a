/* SPDX-License-Identifier: MPL-2.0 */
#include "unit/ferry/bench/protocol_rig.h"

static void a_session_is_clean_and_has_no_keep_alive(void **state)
{
    (void)state;
    RIG_SAYS(protocol_mqtt.login(rig_text, "babc0001"), "\x10\x14\0\x04MQTT\x04\x02\0\0\0\x08"
                                                        "babc0001");
    RIG_SAYS(protocol_mqtt.subscribe(rig_text, rig_name), "\x82\x0D\0\x01\0\x08"
                                                          "babc0001\0");
    RIG_SAYS(protocol_mqtt.leave(rig_text), "\xE0\0");
}

static void a_message_is_read_as_it_was_written(void **state)
{
    (void)state;
    static const char expected[] = "\x30\x12\0\x08"
                                   "babc0001xxxxxxxx";
    char frame[256];
    RIG_FRAME(frame, protocol_mqtt.message(frame, rig_name, 8), expected, "0001");
    RIG_FRAME(frame, protocol_mqtt.arrival(frame, "babc0002", rig_name, 8), expected, NULL);
}

static void a_size_takes_as_many_bytes_as_it_needs(void **state)
{
    (void)state;
    static const size_t sizes[] = {117, 118, 16373, 16374, 60000};
    static const size_t heads[] = {2, 3, 3, 4, 4};
    char *frame = malloc(60000 + PROTOCOL_OVERHEAD_MAX);
    assert_non_null(frame);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        frame_layout_t layout = protocol_mqtt.message(frame, rig_name, sizes[i]);
        memset(frame + layout.text_at, 'x', sizes[i]);
        assert_int_equal(layout.size, heads[i] + 10 + sizes[i]);
        event_t event = protocol_mqtt.decode(span_of(frame, layout.size));
        assert_int_equal(event.size, layout.size);
        assert_int_equal(event.kind, EVENT_MESSAGE);
        assert_int_equal(event.text.size, sizes[i]);
        assert_int_equal(protocol_mqtt.decode(span_of(frame, layout.size - 1)).size, 0);
    }
    free(frame);
}

static void what_is_read_is_taken_apart(void **state)
{
    (void)state;
    RIG_EVENT(&protocol_mqtt, "\x20\x02\0\0", EVENT_CONFIRMED, NULL);
    RIG_EVENT(&protocol_mqtt, "\x20\x02\0\x05", EVENT_ERROR, "the CONNECT was refused");
    RIG_EVENT(&protocol_mqtt, "\x90\x03\0\x01\0", EVENT_CONFIRMED, NULL);
    RIG_EVENT(&protocol_mqtt, "\x90\x03\0\x01\x80", EVENT_ERROR, "the SUBSCRIBE was refused");
    RIG_EVENT(&protocol_mqtt, "\x30\x07\0\x02tohey", EVENT_MESSAGE, "hey");
    RIG_EVENT(&protocol_mqtt, "\x30\x03\0\x09t", EVENT_ERROR, NULL);
    RIG_EVENT(&protocol_mqtt, "\xD0\0", EVENT_NOTHING, NULL);
    RIG_EVENT(&protocol_mqtt, "\xF0\0", EVENT_ERROR, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_clean_and_has_no_keep_alive),
        cmocka_unit_test(a_message_is_read_as_it_was_written),
        cmocka_unit_test(a_size_takes_as_many_bytes_as_it_needs),
        cmocka_unit_test(what_is_read_is_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
