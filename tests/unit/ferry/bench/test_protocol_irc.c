/* SPDX-License-Identifier: MPL-2.0 */
#include "unit/ferry/bench/protocol_rig.h"

static void a_client_gives_its_nick_and_joins_channels_alone(void **state)
{
    (void)state;
    RIG_SAYS(protocol_irc.login(rig_text, "babc0001"), "NICK babc0001\r\nUSER babc0001 0 * :babc0001\r\n");
    RIG_SAYS(protocol_irc.subscribe(rig_text, rig_name), "");
    RIG_SAYS(protocol_irc.subscribe(rig_text, rig_group), "JOIN #babcwxyz\r\n");
    RIG_SAYS(protocol_irc.leave(rig_text), "QUIT\r\n");
}

static void a_message_is_a_line(void **state)
{
    (void)state;
    char frame[256];
    RIG_FRAME(frame, protocol_irc.message(frame, rig_name, 8), "PRIVMSG babc0001 :xxxxxxxx\r\n", "0001");
    RIG_FRAME(frame, protocol_irc.message(frame, rig_group, 8), "PRIVMSG #babcwxyz :xxxxxxxx\r\n", "wxyz");
    assert_true(protocol_irc.arrival == NULL);
}

static void the_longest_line_has_room_for_a_prefix(void **state)
{
    (void)state;
    char frame[512];
    frame_layout_t layout = protocol_irc.message(frame, rig_group, protocol_irc.text_max);
    assert_true(layout.size + sizeof ":babc0001!~babc0001@ " + 63 <= 512);
}

static void what_is_read_is_taken_apart(void **state)
{
    (void)state;
    RIG_EVENT(&protocol_irc, ":irc.example 001 babc0001 :Welcome\r\n", EVENT_CONFIRMED, NULL);
    RIG_EVENT(&protocol_irc, ":irc.example 366 babc0001 #babcwxyz :End\r\n", EVENT_CONFIRMED, NULL);
    RIG_EVENT(&protocol_irc, ":irc.example 422 babc0001 :no message of the day\r\n", EVENT_NOTHING, NULL);
    RIG_EVENT(&protocol_irc, ":irc.example 433 * babc0001 :in use\r\n", EVENT_ERROR, NULL);
    RIG_EVENT(&protocol_irc, ":babc0002!~b@host JOIN :#babcwxyz\r\n", EVENT_NOTHING, NULL);
    RIG_EVENT(&protocol_irc, ":babc0002!~b@host PRIVMSG babc0001 :hello, :you\r\n", EVENT_MESSAGE, "hello, :you");
    RIG_EVENT(&protocol_irc, ":babc0002!~b@host PRIVMSG babc0001 hello\r\n", EVENT_MESSAGE, "hello");
    RIG_EVENT(&protocol_irc, "PING :irc.example\r\n", EVENT_PING, " :irc.example\r\n");
    RIG_EVENT(&protocol_irc, "ERROR :Closing\r\n", EVENT_ERROR, "ERROR :Closing");
    RIG_EVENT(&protocol_irc, ":only-a-prefix\r\n", EVENT_NOTHING, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_gives_its_nick_and_joins_channels_alone),
        cmocka_unit_test(a_message_is_a_line),
        cmocka_unit_test(the_longest_line_has_room_for_a_prefix),
        cmocka_unit_test(what_is_read_is_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
