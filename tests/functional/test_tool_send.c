/* SPDX-License-Identifier: MPL-2.0 */
/* `ferry send` and `ferry listen` with a gateway that the test plays: what they say and exit with when a conversation
 * does not end as it should. */
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/played_gateway.h"
#include "lib/process.h"
#include "lib/test.h"

/* Waits for the exit, and for this on standard error. */
static void expect_end(process_t *process, int exit_code, const char *said)
{
    assert_int_equal(process_wait_exit(process, DEADLINE_USUAL_MS), exit_code);
    char *errors = process_errors(process);
    if (!strstr(errors, said))
        fail_msg("\"%s\" is not in: %s", said, errors);
    free(errors);
}

static void expect_output(process_t *process, const char *output)
{
    char *text = process_output(process);
    assert_string_equal(text, output);
    free(text);
}

static process_t *send_text(const char *text)
{
    return process_run("ferry", "send", "--gateway", played_gateway_open(), "--as", "alice", "bob, carol", text, NULL);
}

/* Sends lines from standard input, whose end is still to come. */
static process_t *send_lines(const char *lines)
{
    process_t *process = send_text("-");
    process_write(process, lines);
    return process;
}

/* The same, looking for another gateway for so many seconds. */
static process_t *send_lines_for(const char *reconnect_s, const char *lines)
{
    process_t *process = process_run("ferry", "send", "--reconnect", reconnect_s, "--gateway", played_gateway_open(),
        "--as", "alice", "bob, carol", NULL);
    process_write(process, lines);
    return process;
}

/* Takes the rest of the lines, and ends in order. */
static void expect_rest(const char *const *lines)
{
    client_t *gateway = played_gateway_login("alice");
    for (; *lines; lines++)
        played_gateway_take(gateway, *lines);
    played_gateway_take(gateway, "/quit");
    client_send(gateway, "ok quit");
    played_gateway_leave(&gateway);
}

/* Takes three lines, and is stopped after two. */
static void take_two_of_three(void)
{
    client_t *gateway = played_gateway_login("alice");
    played_gateway_take(gateway, "bob, carol: one");
    played_gateway_take(gateway, "bob, carol: two");
    played_gateway_take(gateway, "bob, carol: three");
    client_send(gateway, "info draining");
    client_send(gateway, "info accepted 3");
    played_gateway_leave(&gateway);
}

static void a_message_that_is_settled_is_a_success(void **state)
{
    (void)state;
    process_t *process = send_text("hello: there");
    client_t *gateway = played_gateway_login("alice");
    played_gateway_take(gateway, "bob, carol: hello: there");
    played_gateway_take(gateway, "/quit");
    client_send(gateway, "ok quit");
    played_gateway_leave(&gateway);
    expect_end(process, 0, "");
    expect_output(process, "");
}

static void each_line_of_the_input_is_a_message(void **state)
{
    (void)state;
    process_t *process = send_lines("one\n\ntwo\r\nthree");
    process_close_input(process);
    client_t *gateway = played_gateway_login("alice");
    played_gateway_take(gateway, "bob, carol: one");
    played_gateway_take(gateway, "bob, carol: ");
    played_gateway_take(gateway, "bob, carol: two\r");
    played_gateway_take(gateway, "bob, carol: three");
    played_gateway_take(gateway, "/quit");
    client_send(gateway, "ok quit");
    played_gateway_leave(&gateway);
    expect_end(process, 0, "");
}

static void input_that_cannot_be_read_is_a_failure(void **state)
{
    (void)state;
    const char *address = played_gateway_open();
    static const char *const commands[] = {
        "exec \"$FERRY_BIN/ferry\" send -g \"$1\" --as alice bob </",
        "exec \"$FERRY_BIN/ferry\" chat -g \"$1\" alice </",
    };
    for (size_t i = 0; i < 2; i++) {
        process_t *process = process_run("sh", "-c", commands[i], "sh", address, NULL);
        client_t *gateway = played_gateway_login("alice");
        played_gateway_take(gateway, "/quit");
        client_send(gateway, "ok quit");
        played_gateway_leave(&gateway);
        expect_end(process, 1, "cannot read standard input: Is a directory");
    }
}

static void a_closed_standard_input_is_an_empty_one(void **state)
{
    (void)state;
    process_t *process = process_run(
        "sh", "-c", "exec \"$FERRY_BIN/ferry\" send -g \"$1\" --as alice bob <&-", "sh", played_gateway_open(), NULL);
    client_t *gateway = played_gateway_login("alice");
    played_gateway_take(gateway, "/quit");
    client_send(gateway, "ok quit");
    played_gateway_leave(&gateway);
    expect_end(process, 0, "");
}

static void output_that_cannot_be_written_is_a_failure(void **state)
{
    (void)state;
    process_t *process = process_run(
        "sh", "-c", "exec \"$FERRY_BIN/ferry\" listen -g \"$1\" alice >/dev/full", "sh", played_gateway_open(), NULL);
    client_t *gateway = played_gateway_login("alice");
    client_send(gateway, "from bob: hi");
    played_gateway_take(gateway, "/quit");
    client_send(gateway, "ok quit");
    played_gateway_leave(&gateway);
    expect_end(process, 1, "cannot write to standard output");
}

static void nothing_is_sent_before_the_login_is_confirmed(void **state)
{
    (void)state;
    process_t *process = send_text("secret");
    client_t *gateway = played_gateway_accept();
    client_expect(gateway, "alice");
    client_expect_prefix(gateway, "/ping ");
    client_send(gateway, "error name-taken alice");
    client_half_close(gateway);
    client_expect_eof(gateway);
    expect_end(process, 1, "error name-taken alice\n");
}

static void an_error_line_is_shown_and_is_a_failure(void **state)
{
    (void)state;
    process_t *process = send_text("hello");
    client_t *gateway = played_gateway_login("alice");
    client_send(gateway, "error no-such-peer bob");
    client_send(gateway, "from carol: meanwhile");
    client_send(gateway, "ok quit");
    played_gateway_take(gateway, "bob, carol: hello");
    played_gateway_take(gateway, "/quit");
    client_close(&gateway);
    expect_end(process, 1, "error no-such-peer bob\n");
    expect_output(process, "from carol: meanwhile\n");
}

static void a_stopped_gateway_leads_to_the_first_line_that_it_did_not_take(void **state)
{
    (void)state;
    process_t *process = send_lines_for("0", "one\ntwo\nthree\n");
    take_two_of_three();
    expect_end(process, 1, "lines taken: 2, first line not taken: 3");
}

static void input_that_a_stopped_gateway_kept_from_being_read_is_not_taken(void **state)
{
    (void)state;
    process_t *process = send_lines_for("0", "one\ntwo\n");
    client_t *gateway = played_gateway_login("alice");
    played_gateway_take(gateway, "bob, carol: one");
    played_gateway_take(gateway, "bob, carol: two");
    client_send(gateway, "info draining");
    client_send(gateway, "info accepted 3");
    played_gateway_leave(&gateway);
    expect_end(process, 1, "lines taken: 2, first line not taken: 3");
}

static void a_stopped_gateway_that_took_everything_is_a_success(void **state)
{
    (void)state;
    process_t *process = send_text("hello");
    client_t *gateway = played_gateway_login("alice");
    played_gateway_take(gateway, "bob, carol: hello");
    played_gateway_take(gateway, "/quit");
    client_send(gateway, "info draining");
    client_send(gateway, "info accepted 3");
    played_gateway_leave(&gateway);
    expect_end(process, 0, "info draining\n");
}

static void the_next_gateway_gets_what_the_stopped_one_did_not_take(void **state)
{
    (void)state;
    process_t *process = send_lines("one\ntwo\nthree\n");
    take_two_of_three();
    process_write(process, "four\n");
    process_close_input(process);
    expect_rest((const char *const[]){"bob, carol: three", "bob, carol: four", NULL});
    expect_end(process, 0, "the gateway was stopped; reconnecting");
}

static void a_name_that_is_not_free_yet_is_asked_for_again(void **state)
{
    (void)state;
    process_t *process = send_lines("one\ntwo\nthree\n");
    process_close_input(process);
    take_two_of_three();
    for (int i = 0; i < 2; i++) {
        client_t *gateway = played_gateway_accept();
        client_send(gateway, i ? "error name-taken alice" : "error draining");
        played_gateway_leave(&gateway);
    }
    expect_rest((const char *const[]){"bob, carol: three", NULL});
    expect_end(process, 0, "");
    char *errors = process_errors(process);
    assert_null(strstr(errors, "error "));
    free(errors);
}

static void a_login_that_a_stop_put_off_is_tried_again(void **state)
{
    (void)state;
    process_t *process = send_text("hello");
    client_t *gateway = played_gateway_accept();
    client_send(gateway, "error draining");
    played_gateway_leave(&gateway);
    expect_rest((const char *const[]){"bob, carol: hello", NULL});
    expect_end(process, 0, "");
}

static void if_no_gateway_comes_in_time_the_first_line_that_was_not_taken_is_named(void **state)
{
    (void)state;
    process_t *process = send_lines_for("1", "one\ntwo\nthree\n");
    client_t *gateway = played_gateway_login("alice");
    played_gateway_take(gateway, "bob, carol: one");
    played_gateway_take(gateway, "bob, carol: two");
    played_gateway_take(gateway, "bob, carol: three");
    played_gateway_close_all();
    client_send(gateway, "info accepted 3");
    played_gateway_leave(&gateway);
    expect_end(process, 1, "no gateway took over within 1 s\nferry: lines taken: 2, first line not taken: 3\n");
}

static void a_lost_gateway_leaves_lines_in_doubt_that_are_not_sent_twice(void **state)
{
    (void)state;
    process_t *process = send_lines("one\ntwo\n");
    client_t *gateway = played_gateway_login("alice");
    played_gateway_take(gateway, "bob, carol: one");
    played_gateway_take(gateway, "bob, carol: two");
    client_close(&gateway);
    expect_end(process, 5, "ferry: lines taken: 0, in doubt: 1 to 2, first line not taken: 3\n");
}

static void lines_in_doubt_are_sent_again_if_the_user_says_so(void **state)
{
    (void)state;
    process_t *process = process_run(
        "ferry", "send", "--resend", "--gateway", played_gateway_open(), "--as", "alice", "bob, carol", NULL);
    process_write(process, "one\ntwo\n");
    process_close_input(process);
    client_t *gateway = played_gateway_login("alice");
    played_gateway_take(gateway, "bob, carol: one");
    played_gateway_take(gateway, "bob, carol: two");
    client_close(&gateway);
    expect_rest((const char *const[]){"bob, carol: one", "bob, carol: two", NULL});
    expect_end(process, 0, "the connection was lost; reconnecting");
}

static void a_connection_that_is_lost_before_anything_was_sent_is_made_anew(void **state)
{
    (void)state;
    process_t *process = send_lines("");
    client_t *gateway = played_gateway_login("alice");
    client_close(&gateway);
    process_write(process, "one\n");
    process_close_input(process);
    expect_rest((const char *const[]){"bob, carol: one", NULL});
    expect_end(process, 0, "the connection was lost; reconnecting");
}

static void an_end_of_file_too_early_is_a_failure(void **state)
{
    (void)state;
    process_t *process = send_text("hello");
    client_t *gateway = played_gateway_login("alice");
    played_gateway_take(gateway, "bob, carol: hello");
    played_gateway_take(gateway, "/quit");
    client_close(&gateway);
    expect_end(process, 5, "closed the connection too early\nferry: messages taken: 0, in doubt: 1 to 1,");
}

static void a_reset_is_a_failure(void **state)
{
    (void)state;
    process_t *process = send_text("hello");
    client_t *gateway = played_gateway_login("alice");
    played_gateway_take(gateway, "bob, carol: hello");
    played_gateway_take(gateway, "/quit");
    client_reset(&gateway);
    expect_end(process, 5, "broke (Connection reset by peer)");
}

static void nobody_at_the_address_is_a_failure(void **state)
{
    (void)state;
    const char *address = played_gateway_open();
    played_gateway_close_all();
    process_t *process = process_run("ferry", "send", "--gateway", address, "--as", "alice", "bob", "hi", NULL);
    expect_end(process, 1, "Connection refused; is a gateway running there?");
}

static process_t *listen_start(const char *count)
{
    const char *address = played_gateway_open();
    if (count)
        return process_run("ferry", "listen", "--gateway", address, "--count", count, "bob", NULL);
    return process_run("ferry", "listen", "--gateway", address, "bob", NULL);
}

static void a_listener_prints_each_message_at_once(void **state)
{
    (void)state;
    process_t *process = listen_start(NULL);
    client_t *gateway = played_gateway_login("bob");
    process_wait_text(process, "bob listens at tcp://", DEADLINE_USUAL_MS);
    client_send(gateway, "from alice: one");
    process_wait_output(process, "from alice: one\n", DEADLINE_USUAL_MS);
    client_send(gateway, "info news");
    client_send(gateway, "from alice: \033[2J");
    process_wait_output(process, "from alice: \033[2J\n", DEADLINE_USUAL_MS);
    process_signal(process, SIGINT);
    played_gateway_take(gateway, "/quit");
    client_send(gateway, "from alice: last");
    client_send(gateway, "ok quit");
    played_gateway_leave(&gateway);
    expect_end(process, 0, "info news\n");
    expect_output(process, "from alice: one\nfrom alice: \033[2J\nfrom alice: last\n");
}

static void a_listener_leaves_after_its_count(void **state)
{
    (void)state;
    process_t *process = listen_start("2");
    client_t *gateway = played_gateway_login("bob");
    client_send(gateway, "from alice: one");
    client_send(gateway, "from alice: two");
    client_send(gateway, "from alice: three");
    played_gateway_take(gateway, "/quit");
    client_send(gateway, "ok quit");
    played_gateway_leave(&gateway);
    expect_end(process, 0, "messages that came later and were not printed: 1\n");
    expect_output(process, "from alice: one\nfrom alice: two\n");
}

static void a_listener_whose_count_is_not_reached_fails(void **state)
{
    (void)state;
    process_t *process = listen_start("2");
    client_t *gateway = played_gateway_login("bob");
    client_send(gateway, "from alice: one");
    client_send(gateway, "info draining");
    client_send(gateway, "info accepted 1");
    played_gateway_leave(&gateway);
    expect_end(process, 1, "only 1 of 2 messages came");
}

static void a_listener_of_a_stopped_gateway_ends_well(void **state)
{
    (void)state;
    process_t *process = listen_start(NULL);
    client_t *gateway = played_gateway_login("bob");
    client_send(gateway, "info draining");
    client_send(gateway, "info accepted 1");
    played_gateway_leave(&gateway);
    expect_end(process, 0, "the gateway was stopped");
}

static void a_listener_that_loses_its_gateway_fails(void **state)
{
    (void)state;
    process_t *process = listen_start(NULL);
    client_t *gateway = played_gateway_login("bob");
    client_close(&gateway);
    expect_end(process, 1, "closed the connection too early");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_that_is_settled_is_a_success),
        TEST(each_line_of_the_input_is_a_message),
        TEST(input_that_cannot_be_read_is_a_failure),
        TEST(a_closed_standard_input_is_an_empty_one),
        TEST(output_that_cannot_be_written_is_a_failure),
        TEST(nothing_is_sent_before_the_login_is_confirmed),
        TEST(an_error_line_is_shown_and_is_a_failure),
        TEST(a_stopped_gateway_leads_to_the_first_line_that_it_did_not_take),
        TEST(input_that_a_stopped_gateway_kept_from_being_read_is_not_taken),
        TEST(a_stopped_gateway_that_took_everything_is_a_success),
        TEST(the_next_gateway_gets_what_the_stopped_one_did_not_take),
        TEST(a_name_that_is_not_free_yet_is_asked_for_again),
        TEST(a_login_that_a_stop_put_off_is_tried_again),
        TEST(if_no_gateway_comes_in_time_the_first_line_that_was_not_taken_is_named),
        TEST(a_lost_gateway_leaves_lines_in_doubt_that_are_not_sent_twice),
        TEST(lines_in_doubt_are_sent_again_if_the_user_says_so),
        TEST(a_connection_that_is_lost_before_anything_was_sent_is_made_anew),
        TEST(an_end_of_file_too_early_is_a_failure),
        TEST(a_reset_is_a_failure),
        TEST(nobody_at_the_address_is_a_failure),
        TEST(a_listener_prints_each_message_at_once),
        TEST(a_listener_leaves_after_its_count),
        TEST(a_listener_whose_count_is_not_reached_fails),
        TEST(a_listener_of_a_stopped_gateway_ends_well),
        TEST(a_listener_that_loses_its_gateway_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
