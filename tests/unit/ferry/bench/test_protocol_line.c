/* SPDX-License-Identifier: MPL-2.0 */
#include "unit/ferry/bench/protocol_rig.h"

static void a_client_says_its_name_and_asks_whether_it_is_in(void **state)
{
    (void)state;
    RIG_SAYS(protocol_line.login(rig_text, "babc0001"), "babc0001\n/ping in\n");
    RIG_SAYS(protocol_line.subscribe(rig_text, rig_name), "");
    RIG_SAYS(protocol_line.subscribe(rig_text, rig_group), "/join #babcwxyz\n");
    RIG_SAYS(protocol_line.leave(rig_text), "/quit\n");
}

static void a_message_is_a_line(void **state)
{
    (void)state;
    char frame[256];
    RIG_FRAME(frame, protocol_line.message(frame, rig_name, 8), "babc0001: xxxxxxxx\n", "0001");
    RIG_FRAME(frame, protocol_line.message(frame, rig_group, 8), "#babcwxyz: xxxxxxxx\n", "wxyz");
}

static void its_reader_sees_the_sender(void **state)
{
    (void)state;
    char frame[256];
    RIG_FRAME(frame, protocol_line.arrival(frame, "babc0002", rig_name, 8), "from babc0002: xxxxxxxx\n", "0002");
    RIG_FRAME(
        frame, protocol_line.arrival(frame, "babc0002", rig_group, 8), "from babc0002 #babcwxyz: xxxxxxxx\n", "0002");
}

static void what_is_read_is_taken_apart(void **state)
{
    (void)state;
    RIG_EVENT(&protocol_line, "ok ping in\n", EVENT_CONFIRMED, NULL);
    RIG_EVENT(&protocol_line, "ok join #babcwxyz\n", EVENT_CONFIRMED, NULL);
    RIG_EVENT(&protocol_line, "from babc0002: hello\n", EVENT_MESSAGE, "hello");
    RIG_EVENT(&protocol_line, "from babc0002 #babcwxyz: hello\n", EVENT_MESSAGE, "hello");
    RIG_EVENT(&protocol_line, "error name-taken babc0001\n", EVENT_ERROR, "error name-taken babc0001");
    RIG_EVENT(&protocol_line, "info draining\n", EVENT_ERROR, "info draining");
    RIG_EVENT(&protocol_line, "info came babc0002\n", EVENT_NOTHING, NULL);
    RIG_EVENT(&protocol_line, "from nobody\n", EVENT_ERROR, "from nobody");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_says_its_name_and_asks_whether_it_is_in),
        cmocka_unit_test(a_message_is_a_line),
        cmocka_unit_test(its_reader_sees_the_sender),
        cmocka_unit_test(what_is_read_is_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
