/* SPDX-License-Identifier: MPL-2.0 */
#include "unit/ferry/bench/protocol_rig.h"

static void what_must_be_known_to_be_done_is_followed_by_a_ping(void **state)
{
    (void)state;
    char text[PROTOCOL_SAY_MAX];
    size_t size = protocol_nats.login(text, "babc0001");
    assert_true(size < sizeof text);
    assert_true(strncmp(text, "CONNECT {\"verbose\":false,", 25) == 0);
    assert_string_equal(text + size - 9, "}\r\nPING\r\n");
    RIG_SAYS(protocol_nats.subscribe(rig_text, rig_name), "SUB babc0001 1\r\nPING\r\n");
    RIG_SAYS(protocol_nats.subscribe(rig_text, rig_group), "SUB babcwxyz 1\r\nPING\r\n");
    RIG_SAYS(protocol_nats.leave(rig_text), "PING\r\n");
}

static void a_message_tells_its_size(void **state)
{
    (void)state;
    char frame[256];
    RIG_FRAME(frame, protocol_nats.message(frame, rig_name, 8), "PUB babc0001 8\r\nxxxxxxxx\r\n", "0001");
    RIG_FRAME(frame, protocol_nats.arrival(frame, "babc0002", rig_name, 8), "MSG babc0001 1 8\r\nxxxxxxxx\r\n", NULL);
    RIG_FRAME(frame, protocol_nats.arrival(frame, "babc0002", rig_group, 8), "MSG babcwxyz 1 8\r\nxxxxxxxx\r\n", NULL);
}

static void what_is_read_is_taken_apart(void **state)
{
    (void)state;
    RIG_EVENT(&protocol_nats, "INFO {\"server_id\":\"x\"}\r\n", EVENT_NOTHING, NULL);
    RIG_EVENT(&protocol_nats, "PONG\r\n", EVENT_CONFIRMED, NULL);
    RIG_EVENT(&protocol_nats, "PING\r\n", EVENT_PING, "\r\n");
    RIG_EVENT(&protocol_nats, "+OK\r\n", EVENT_NOTHING, NULL);
    RIG_EVENT(&protocol_nats, "MSG babc0001 1 7\r\nhe\r\nllo\r\n", EVENT_MESSAGE, "he\r\nllo");
    RIG_EVENT(&protocol_nats, "MSG babc0001 1 reply 5\r\nhello\r\n", EVENT_MESSAGE, "hello");
    RIG_EVENT(&protocol_nats, "-ERR 'Slow Consumer'\r\n", EVENT_ERROR, "-ERR 'Slow Consumer'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_must_be_known_to_be_done_is_followed_by_a_ping),
        cmocka_unit_test(a_message_tells_its_size),
        cmocka_unit_test(what_is_read_is_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
