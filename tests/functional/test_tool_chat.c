/* SPDX-License-Identifier: MPL-2.0 */
/* `ferry chat` on a terminal, with a gateway that the test plays: what is typed and what comes in do not cut each
 * other, and every way to leave is an orderly one. */
#include <stdlib.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/played_gateway.h"
#include "lib/process.h"
#include "lib/terminal.h"
#include "lib/test.h"

enum { ROWS = 12, COLUMNS = 30 };

typedef struct {
    terminal_t *terminal;
    client_t *gateway;
} chat_t;

/* Alice sits at a terminal and is logged in; she looks for another gateway for so many seconds. */
static chat_t chat_start_for(const char *reconnect_s)
{
    const char *address = played_gateway_open();
    const char *const argv[] = {
        "ferry", "chat", "--quiet", "--reconnect", reconnect_s, "--gateway", address, "alice", NULL};
    chat_t chat = {.terminal = terminal_start(ROWS, COLUMNS, argv)};
    chat.gateway = played_gateway_login("alice");
    terminal_expect(chat.terminal, "alice>");
    terminal_expect_cursor(chat.terminal, 0, 7);
    return chat;
}

static chat_t chat_start(void)
{
    return chat_start_for("60");
}

/* The gateway's part of an orderly end, after the lines that the client still sends. */
static void expect_orderly_end(chat_t *chat)
{
    played_gateway_take(chat->gateway, "/quit");
    client_send(chat->gateway, "ok quit");
    played_gateway_leave(&chat->gateway);
    assert_int_equal(terminal_wait_exit(chat->terminal), 0);
}

static void a_typed_line_is_sent_as_it_is(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_type(chat.terminal, "bob, carol: hello\r");
    played_gateway_take(chat.gateway, "bob, carol: hello");
    terminal_expect(chat.terminal, "alice> bob, carol: hello\nalice>");
    terminal_type(chat.terminal, "\r/help\r");
    played_gateway_take(chat.gateway, "/help");
}

static void what_comes_in_stands_above_what_is_being_typed(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_type(chat.terminal, "bob: half a");
    terminal_expect(chat.terminal, "alice> bob: half a");
    client_send(chat.gateway, "from bob: first");
    client_send(chat.gateway, "error no-such-peer carol");
    terminal_expect(chat.terminal, "from bob: first\n"
                                   "error no-such-peer carol (Nobo\n"
                                   "dy is logged in under that nam\n"
                                   "e.)\n"
                                   "alice> bob: half a");
    terminal_expect_cursor(chat.terminal, 4, 18);
    terminal_type(chat.terminal, " line\r");
    played_gateway_take(chat.gateway, "bob: half a line");
}

static void a_line_of_several_rows_survives_too(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_type(chat.terminal, "bob: a line that goes on over the margin, and over it again");
    terminal_expect(chat.terminal, "alice> bob: a line that goes o\n"
                                   "n over the margin, and over it\n"
                                   " again");
    client_send(chat.gateway, "from bob: first");
    terminal_expect(chat.terminal, "from bob: first\n"
                                   "alice> bob: a line that goes o\n"
                                   "n over the margin, and over it\n"
                                   " again");
    terminal_expect_cursor(chat.terminal, 3, 6);
    terminal_type(chat.terminal, "\001"); /* Ctrl-A: to the beginning */
    terminal_expect_cursor(chat.terminal, 1, 7);
    client_send(chat.gateway, "from bob: second");
    terminal_expect(chat.terminal, "from bob: first\n"
                                   "from bob: second\n"
                                   "alice> bob: a line that goes o\n"
                                   "n over the margin, and over it\n"
                                   " again");
    terminal_expect_cursor(chat.terminal, 2, 7);
    terminal_type(chat.terminal, "X\r");
    played_gateway_take(chat.gateway, "Xbob: a line that goes on over the margin, and over it again");
}

static void a_cursor_at_the_margin_is_found(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_type(chat.terminal, "bob: 123456789012345678");
    terminal_expect_cursor(chat.terminal, 1, 0);
    client_send(chat.gateway, "from bob: first");
    terminal_expect(chat.terminal, "from bob: first\nalice> bob: 123456789012345678");
    terminal_expect_cursor(chat.terminal, 2, 0);
}

static void wide_characters_are_counted_as_wide(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_type(chat.terminal, "bob: 日本語日本語日本語日本語");
    terminal_expect(chat.terminal, "alice> bob: 日本語日本語日本語\n日本語");
    client_send(chat.gateway, "from bob: 🚢");
    terminal_expect(chat.terminal, "from bob: 🚢\nalice> bob: 日本語日本語日本語\n日本語");
    terminal_expect_cursor(chat.terminal, 2, 6);
    terminal_type(chat.terminal, "\r");
    played_gateway_take(chat.gateway, "bob: 日本語日本語日本語日本語");
}

static void an_unfinished_key_does_not_hold_up_what_comes_in(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_type(chat.terminal, "bob: xy");
    terminal_expect(chat.terminal, "alice> bob: xy");
    terminal_type(chat.terminal, "\033["); /* the beginning of an arrow key */
    client_send(chat.gateway, "from bob: first");
    terminal_expect(chat.terminal, "from bob: first\nalice> bob: xy");
    terminal_type(chat.terminal, "D"); /* its end: left */
    terminal_expect_cursor(chat.terminal, 1, 13);
}

static void lines_that_are_pasted_are_shown_once(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_type(chat.terminal, "bob: one\rbob: two\rbob: three\r");
    terminal_type(chat.terminal, "bob: four\rbob: five\r");
    played_gateway_take(chat.gateway, "bob: one");
    played_gateway_take(chat.gateway, "bob: two");
    played_gateway_take(chat.gateway, "bob: three");
    played_gateway_take(chat.gateway, "bob: four");
    played_gateway_take(chat.gateway, "bob: five");
    terminal_expect(chat.terminal, "alice> bob: one\nalice> bob: two\nalice> bob: three\nalice> bob: four\n"
                                   "alice> bob: five\nalice>");
}

static void the_last_lines_come_back(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_type(chat.terminal, "bob: one\r");
    played_gateway_take(chat.gateway, "bob: one");
    terminal_type(chat.terminal, "\020"); /* Ctrl-P */
    terminal_expect(chat.terminal, "alice> bob: one\nalice> bob: one");
}

static void a_line_cannot_steer_the_terminal(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_type(chat.terminal, "bob: xy");
    terminal_expect(chat.terminal, "alice> bob: xy");
    client_send(chat.gateway, "from bob: \xc2\x9b"
                              "2J\033[2J\xe2\x80\xae!");
    terminal_expect(chat.terminal, "from bob: <U+009B>2J<U+001B>[2\nJ<U+202E>!\nalice> bob: xy");
}

static void a_new_size_is_drawn_anew(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_resize(chat.terminal, ROWS, 2 * COLUMNS);
    terminal_type(chat.terminal, "bob: this line has room on the wider screen");
    terminal_expect(chat.terminal, "alice> bob: this line has room on the wider screen");
    client_send(chat.gateway, "from bob: first");
    terminal_expect(chat.terminal, "from bob: first\nalice> bob: this line has room on the wider screen");
}

static void ctrl_d_leaves_in_order(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_type(chat.terminal, "bob: last\r");
    terminal_type(chat.terminal, "\004");
    played_gateway_take(chat.gateway, "bob: last");
    client_send(chat.gateway, "from bob: wait");
    expect_orderly_end(&chat);
    terminal_expect(chat.terminal, "alice> bob: last\nalice> ^D\nfrom bob: wait");
    assert_true(terminal_is_cooked(chat.terminal));
}

static void ctrl_z_gives_the_terminal_back_until_it_goes_on(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_type(chat.terminal, "bob: half");
    terminal_expect(chat.terminal, "alice> bob: half");
    assert_false(terminal_is_cooked(chat.terminal));
    terminal_type(chat.terminal, "\032");
    terminal_wait_stop(chat.terminal);
    assert_true(terminal_is_cooked(chat.terminal));
    client_send(chat.gateway, "from bob: meanwhile");
    terminal_continue(chat.terminal);
    terminal_expect(chat.terminal, "from bob: meanwhile\nalice> bob: half");
    terminal_type(chat.terminal, " a line\r");
    played_gateway_take(chat.gateway, "bob: half a line");
}

static void quit_leaves_in_order(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_type(chat.terminal, "/quit\r");
    expect_orderly_end(&chat);
}

static void ctrl_c_leaves_in_order(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_type(chat.terminal, "bob: not sent");
    terminal_expect(chat.terminal, "alice> bob: not sent");
    terminal_type(chat.terminal, "\003");
    expect_orderly_end(&chat);
    terminal_expect(chat.terminal, "alice> bob: not sent");
}

static void a_second_ctrl_c_leaves_at_once(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_type(chat.terminal, "\003");
    played_gateway_take(chat.gateway, "/quit");
    terminal_type(chat.terminal, "\003");
    assert_int_equal(terminal_wait_exit(chat.terminal), 130);
}

static void lines_that_a_stopped_gateway_did_not_take_are_shown(void **state)
{
    (void)state;
    chat_t chat = chat_start_for("0");
    terminal_resize(chat.terminal, ROWS, 120);
    terminal_type(chat.terminal, "bob: one\r");
    terminal_type(chat.terminal, "bob: two\r");
    played_gateway_take(chat.gateway, "bob: one");
    played_gateway_take(chat.gateway, "bob: two");
    terminal_type(chat.terminal, "bob: half");
    terminal_expect(chat.terminal, "alice> bob: one\nalice> bob: two\nalice> bob: half");
    client_send(chat.gateway, "info draining");
    client_send(chat.gateway, "info accepted 2");
    played_gateway_leave(&chat.gateway);
    assert_int_equal(terminal_wait_exit(chat.terminal), 1);
    terminal_expect_part(chat.terminal, "alice> bob: one\n"
                                        "alice> bob: two\n"
                                        "info draining\n"
                                        "alice> bob: half\n"
                                        "ferry: the gateway at ");
    terminal_expect_part(chat.terminal, "ferry: lines taken: 1, first line not taken: 2\n"
                                        "not taken: bob: two");
}

static void a_chat_goes_on_at_the_next_gateway(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_resize(chat.terminal, ROWS, 60);
    terminal_type(chat.terminal, "bob: one\rbob: two\r");
    played_gateway_take(chat.gateway, "bob: one");
    played_gateway_take(chat.gateway, "bob: two");
    client_send(chat.gateway, "info accepted 2");
    played_gateway_leave(&chat.gateway);
    terminal_type(chat.terminal, "bob: three\r");
    chat.gateway = played_gateway_login("alice");
    played_gateway_take(chat.gateway, "bob: two");
    played_gateway_take(chat.gateway, "bob: three");
    terminal_expect_part(chat.terminal, "* the gateway was stopped, reconnecting…\n");
    terminal_expect_part(chat.terminal, "* connected again\n");
    terminal_type(chat.terminal, "/quit\r");
    expect_orderly_end(&chat);
}

static void lines_that_a_lost_gateway_may_have_taken_are_shown_and_not_repeated(void **state)
{
    (void)state;
    chat_t chat = chat_start();
    terminal_resize(chat.terminal, ROWS, 60);
    terminal_type(chat.terminal, "bob: one\r");
    played_gateway_take(chat.gateway, "bob: one");
    client_close(&chat.gateway);
    terminal_expect(chat.terminal, "alice> bob: one\n* connection lost, reconnecting…\nin doubt: bob: one\nalice>");
    terminal_type(chat.terminal, "bob: two\r");
    chat.gateway = played_gateway_login("alice");
    played_gateway_take(chat.gateway, "bob: two");
    terminal_type(chat.terminal, "/quit\r");
    played_gateway_take(chat.gateway, "/quit");
    client_send(chat.gateway, "ok quit");
    played_gateway_leave(&chat.gateway);
    assert_int_equal(terminal_wait_exit(chat.terminal), 1);
}

static void without_a_terminal_the_lines_of_the_input_are_sent(void **state)
{
    (void)state;
    const char *address = played_gateway_open();
    process_t *chat = process_run("ferry", "chat", "--gateway", address, "alice", NULL);
    process_write(chat, "bob: one\n\nbob: two");
    process_close_input(chat);
    client_t *gateway = played_gateway_login("alice");
    played_gateway_take(gateway, "bob: one");
    played_gateway_take(gateway, "");
    played_gateway_take(gateway, "bob: two");
    played_gateway_take(gateway, "/quit");
    client_send(gateway, "from bob: \033[2J");
    client_send(gateway, "ok quit");
    played_gateway_leave(&gateway);
    assert_int_equal(process_wait_exit(chat, DEADLINE_USUAL_MS), 0);
    char *output = process_output(chat);
    assert_string_equal(output, "from bob: \033[2J\n");
    free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_typed_line_is_sent_as_it_is),
        TEST(what_comes_in_stands_above_what_is_being_typed),
        TEST(a_line_of_several_rows_survives_too),
        TEST(a_cursor_at_the_margin_is_found),
        TEST(wide_characters_are_counted_as_wide),
        TEST(an_unfinished_key_does_not_hold_up_what_comes_in),
        TEST(lines_that_are_pasted_are_shown_once),
        TEST(the_last_lines_come_back),
        TEST(a_line_cannot_steer_the_terminal),
        TEST(a_new_size_is_drawn_anew),
        TEST(ctrl_d_leaves_in_order),
        TEST(ctrl_z_gives_the_terminal_back_until_it_goes_on),
        TEST(quit_leaves_in_order),
        TEST(ctrl_c_leaves_in_order),
        TEST(a_second_ctrl_c_leaves_at_once),
        TEST(lines_that_a_stopped_gateway_did_not_take_are_shown),
        TEST(a_chat_goes_on_at_the_next_gateway),
        TEST(lines_that_a_lost_gateway_may_have_taken_are_shown_and_not_repeated),
        TEST(without_a_terminal_the_lines_of_the_input_are_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
