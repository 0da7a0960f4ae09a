/* SPDX-License-Identifier: MPL-2.0 */
/* client: conversations with a gateway that the test plays, and the account of what it took. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "ferry/client.h"

#define LOGIN "alice\n/ping ferry-0\n"

enum { DEADLINE_MS = 20000 };

typedef struct {
    char address[64];
    int listener;
    int gateway; /* the gateway's end of the connection */
    client_t *client;
} fixture_t;

/* Plays the gateway up to the confirmed login. */
static int setup(void **state)
{
    fixture_t *self = calloc(1, sizeof *self);
    snprintf(self->address, sizeof self->address, "ipc://@ferry-test-client-%d", (int)getpid());
    endpoint_t endpoint;
    const char *why = NULL;
    assert_int_equal(endpoint_parse(&endpoint, self->address, &why), 0);
    self->listener = endpoint_listen(&endpoint, 4);
    self->client = client_new(self->address, "alice", false);
    assert_non_null(self->client);
    self->gateway = accept(self->listener, NULL, NULL);
    assert_true(self->gateway >= 0);
    *state = self;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *self = *state;
    client_destroy(&self->client);
    if (self->gateway >= 0)
        close(self->gateway);
    close(self->listener);
    free(self);
    return 0;
}

static void gateway_says(fixture_t *self, const char *text)
{
    assert_int_equal(send(self->gateway, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void gateway_ends(fixture_t *self)
{
    close(self->gateway);
    self->gateway = -1;
}

/* Lets the client send what it has queued and the connection takes. */
static void client_sends(fixture_t *self)
{
    int waker[2];
    assert_int_equal(pipe(waker), 0);
    assert_int_equal(write(waker[1], "", 1), 1);
    assert_int_equal(client_wait(self->client, -1, waker[0]), CLIENT_SIGNAL);
    close(waker[0]);
    close(waker[1]);
}

/* The same, once; it may come to tell of progress instead. */
static void client_sends_some(fixture_t *self)
{
    int waker[2];
    assert_int_equal(pipe(waker), 0);
    assert_int_equal(write(waker[1], "", 1), 1);
    client_event_t event = client_wait(self->client, -1, waker[0]);
    assert_true(event == CLIENT_SIGNAL || event == CLIENT_PROGRESS);
    close(waker[0]);
    close(waker[1]);
}

static void gateway_reads(fixture_t *self, const char *text)
{
    static char read_so_far[200000];
    memset(read_so_far, 0, sizeof read_so_far);
    size_t size = 0;
    while (size < strlen(text)) {
        client_sends(self);
        struct pollfd wait = {.fd = self->gateway, .events = POLLIN};
        assert_int_equal(poll(&wait, 1, DEADLINE_MS), 1);
        ssize_t more = recv(self->gateway, read_so_far + size, sizeof read_so_far - 1 - size, 0);
        assert_true(more > 0);
        size += (size_t)more;
    }
    assert_string_equal(read_so_far, text);
}

static void expect_event(fixture_t *self, client_event_t event, const char *line)
{
    assert_int_equal(client_wait(self->client, -1, -1), event);
    if (!line)
        return;
    span_t came = client_line(self->client);
    assert_int_equal(came.size, strlen(line));
    assert_memory_equal(came.data, line, came.size);
}

static void log_in(fixture_t *self)
{
    gateway_reads(self, LOGIN);
    gateway_says(self, "ok ping ferry-0\n");
    expect_event(self, CLIENT_CONFIRMED, NULL);
}

static void say(fixture_t *self, const char *text)
{
    client_say(self->client, span_str("bob: "), span_str(text));
}

static void lines_come_with_their_kind(void **state)
{
    fixture_t *self = *state;
    log_in(self);
    gateway_says(self, "from bob: hi\nerror no-such-peer carol\ninfo news\nok help\nanything\n");
    expect_event(self, CLIENT_MESSAGE, "from bob: hi");
    expect_event(self, CLIENT_ERROR, "error no-such-peer carol");
    expect_event(self, CLIENT_ANSWER, "info news");
    expect_event(self, CLIENT_ANSWER, "ok help");
    expect_event(self, CLIENT_ANSWER, "anything");
    assert_int_equal(client_error_count(self->client), 1);
}

static void a_conversation_that_ends_in_order_is_settled(void **state)
{
    fixture_t *self = *state;
    log_in(self);
    say(self, "one");
    say(self, "two");
    client_leave(self->client);
    gateway_reads(self, "bob: one\nbob: two\n/quit\n");
    gateway_says(self, "ok quit\n");
    gateway_ends(self);
    expect_event(self, CLIENT_END, NULL);
    assert_true(client_settled(self->client));
    assert_int_equal(client_taken(self->client), 2);
}

static void an_end_of_file_before_the_last_answer_is_not_settled(void **state)
{
    fixture_t *self = *state;
    log_in(self);
    say(self, "one");
    client_leave(self->client);
    gateway_reads(self, "bob: one\n/quit\n");
    gateway_ends(self);
    expect_event(self, CLIENT_END, NULL);
    assert_false(client_settled(self->client));
    assert_int_equal(client_taken(self->client), 0);
}

/* A Unix socket that is closed with unread input resets its connection, as TCP does. */
static void a_reset_is_not_settled(void **state)
{
    fixture_t *self = *state;
    log_in(self);
    say(self, "one");
    client_leave(self->client);
    client_sends(self);
    gateway_says(self, "ok ping ferry-1\n");
    gateway_ends(self);
    expect_event(self, CLIENT_ANSWER, "ok ping ferry-1"); /* a ping that was not sent */
    expect_event(self, CLIENT_END, NULL);
    assert_false(client_settled(self->client));
    assert_int_equal(client_ending(self->client), CLIENT_LOST);
}

static void pings_tell_how_far_the_gateway_has_come(void **state)
{
    fixture_t *self = *state;
    log_in(self);
    say(self, "one");
    say(self, "two");
    gateway_reads(self, "bob: one\nbob: two\n/ping ferry-1\n");
    say(self, "three");
    gateway_reads(self, "bob: three\n");
    assert_int_equal(client_taken(self->client), 0);
    gateway_says(self, "ok ping ferry-1\nfrom bob: hi\n");
    expect_event(self, CLIENT_PROGRESS, NULL);
    assert_int_equal(client_taken(self->client), 2);
    expect_event(self, CLIENT_MESSAGE, "from bob: hi");
    assert_int_equal(client_taken(self->client), 2);
    gateway_reads(self, "/ping ferry-2\n");
    gateway_says(self, "ok ping ferry-7\nok ping mine\nok ping ferry-2\nfrom bob: hi\n");
    expect_event(self, CLIENT_ANSWER, "ok ping ferry-7");
    expect_event(self, CLIENT_ANSWER, "ok ping mine");
    expect_event(self, CLIENT_PROGRESS, NULL);
    expect_event(self, CLIENT_MESSAGE, "from bob: hi");
    assert_int_equal(client_taken(self->client), 3);
    gateway_says(self, "info accepted 6\n");
    gateway_ends(self);
    expect_event(self, CLIENT_END, NULL);
    assert_int_equal(client_taken(self->client), 3); /* and three pings */
}

static void many_lines_and_long_ones_have_a_ping_between_them(void **state)
{
    fixture_t *self = *state;
    log_in(self);
    static char text[70000];
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 1000; i++)
        say(self, "");
    say(self, text);
    say(self, "behind");
    client_leave(self->client);
    static char expected[100000];
    size_t size = 0;
    for (int i = 0; i < 1000; i++)
        size += (size_t)sprintf(expected + size, "bob: \n");
    sprintf(expected + size, "/ping ferry-1\nbob: %s\n/ping ferry-2\nbob: behind\n/quit\n", text);
    gateway_reads(self, expected);
    gateway_says(self, "info accepted 1004\n");
    gateway_ends(self);
    expect_event(self, CLIENT_END, NULL);
    assert_int_equal(client_ending(self->client), CLIENT_COUNTED);
    assert_int_equal(client_taken(self->client), 1001); /* and three pings */
}

static void a_line_is_sent_when_all_of_it_is_written(void **state)
{
    fixture_t *self = *state;
    log_in(self);
    static char block[4096];
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 1024; i++)
        client_say(self->client, span_str(""), span_of(block, sizeof block));
    assert_int_equal(client_sent(self->client), 0);
    client_sends(self);
    gateway_says(self, "info draining\n");
    expect_event(self, CLIENT_ANSWER, "info draining");
    uint64_t ends = 0;
    for (ssize_t size; (size = recv(self->gateway, block, sizeof block, MSG_DONTWAIT)) > 0;)
        for (ssize_t i = 0; i < size; i++)
            ends += block[i] == '\n';
    gateway_ends(self);
    expect_event(self, CLIENT_END, NULL);
    assert_true(client_sent(self->client) > 0 && client_sent(self->client) <= ends);
}

static void a_login_that_is_not_confirmed_in_time_is_lost(void **state)
{
    fixture_t *self = *state;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    client_set_deadline(self->client, now.tv_sec * 1000 + now.tv_nsec / 1000000 + 50);
    expect_event(self, CLIENT_END, NULL);
    assert_int_equal(client_ending(self->client), CLIENT_LOST);
    assert_false(client_settled(self->client));
}

static const struct {
    const char *line;
    client_ending_t ending;
} refusals[] = {
    {"error draining", CLIENT_PUT_OFF},
    {"error name-taken alice", CLIENT_PUT_OFF},
    {"error login-timeout", CLIENT_PUT_OFF},
    {"error too-many-sessions", CLIENT_PUT_OFF},
    {"error bad-name alice", CLIENT_REFUSED},
    {"error of-tomorrow", CLIENT_REFUSED},
};

static void some_refusals_of_a_login_pass(void **state)
{
    fixture_t *self = *state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        gateway_says(self, refusals[i].line);
        gateway_says(self, "\n");
        expect_event(self, CLIENT_ERROR, refusals[i].line);
        assert_int_equal(client_ending(self->client), refusals[i].ending);
    }
}

static void a_stopped_gateway_counts_the_lines_that_it_took(void **state)
{
    fixture_t *self = *state;
    log_in(self);
    say(self, "one");
    say(self, "two");
    say(self, "three");
    gateway_reads(self, "bob: one\nbob: two\nbob: three\n");
    gateway_says(self, "info draining\ninfo accepted 3\n");
    expect_event(self, CLIENT_ANSWER, "info draining");
    gateway_ends(self);
    expect_event(self, CLIENT_END, NULL);
    assert_false(client_settled(self->client));
    assert_int_equal(client_taken(self->client), 2);
    assert_int_equal(client_said(self->client), 3);
}

static void a_stopped_gateway_that_took_everything_has_settled(void **state)
{
    fixture_t *self = *state;
    log_in(self);
    say(self, "one");
    client_leave(self->client);
    gateway_reads(self, "bob: one\n/quit\n");
    gateway_says(self, "info draining\ninfo accepted 3\n");
    expect_event(self, CLIENT_ANSWER, "info draining");
    gateway_ends(self);
    expect_event(self, CLIENT_END, NULL);
    assert_true(client_settled(self->client));
    assert_int_equal(client_taken(self->client), 1);
}

static void nothing_is_said_to_a_gateway_that_drains(void **state)
{
    fixture_t *self = *state;
    log_in(self);
    gateway_says(self, "info draining\n");
    expect_event(self, CLIENT_ANSWER, "info draining");
    say(self, "late");
    client_leave(self->client);
    assert_true(client_draining(self->client));
    assert_int_equal(client_said(self->client), 0);
    gateway_says(self, "info accepted 1\n");
    shutdown(self->gateway, SHUT_WR);
    expect_event(self, CLIENT_END, NULL);
    char byte;
    assert_int_equal(recv(self->gateway, &byte, 1, MSG_DONTWAIT), -1);
    assert_true(client_settled(self->client));
}

static void what_is_queued_when_a_gateway_drains_is_not_sent(void **state)
{
    fixture_t *self = *state;
    log_in(self);
    char block[4096];
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 1024; i++)
        client_say(self->client, span_str("bob: "), span_of(block, sizeof block));
    client_leave(self->client);
    client_sends(self);
    gateway_says(self, "info draining\ninfo accepted 1\n");
    expect_event(self, CLIENT_ANSWER, "info draining");
    ssize_t size;
    do
        size = recv(self->gateway, block, sizeof block, MSG_DONTWAIT);
    while (size > 0);
    client_sends(self);
    assert_int_equal(recv(self->gateway, block, sizeof block, MSG_DONTWAIT), -1);
    gateway_ends(self);
    expect_event(self, CLIENT_END, NULL);
    assert_int_equal(client_taken(self->client), 0);
}

static void a_refused_login_is_not_settled(void **state)
{
    fixture_t *self = *state;
    gateway_reads(self, LOGIN);
    gateway_says(self, "error name-taken alice\n");
    gateway_ends(self);
    expect_event(self, CLIENT_ERROR, "error name-taken alice");
    expect_event(self, CLIENT_END, NULL);
    assert_false(client_settled(self->client));
}

static void there_is_room_after_the_login_and_while_little_is_queued(void **state)
{
    fixture_t *self = *state;
    assert_false(client_has_room(self->client));
    log_in(self);
    assert_true(client_has_room(self->client));
    char block[4096];
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 1024; i++)
        client_say(self->client, span_str("bob: "), span_of(block, sizeof block));
    client_sends(self);
    assert_false(client_has_room(self->client));
    while (!client_has_room(self->client)) {
        while (recv(self->gateway, block, sizeof block, MSG_DONTWAIT) > 0)
            continue;
        client_sends_some(self);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_come_with_their_kind, setup, teardown),
        cmocka_unit_test_setup_teardown(a_conversation_that_ends_in_order_is_settled, setup, teardown),
        cmocka_unit_test_setup_teardown(an_end_of_file_before_the_last_answer_is_not_settled, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reset_is_not_settled, setup, teardown),
        cmocka_unit_test_setup_teardown(pings_tell_how_far_the_gateway_has_come, setup, teardown),
        cmocka_unit_test_setup_teardown(many_lines_and_long_ones_have_a_ping_between_them, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_is_sent_when_all_of_it_is_written, setup, teardown),
        cmocka_unit_test_setup_teardown(a_login_that_is_not_confirmed_in_time_is_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(some_refusals_of_a_login_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stopped_gateway_counts_the_lines_that_it_took, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stopped_gateway_that_took_everything_has_settled, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_said_to_a_gateway_that_drains, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_queued_when_a_gateway_drains_is_not_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_login_is_not_settled, setup, teardown),
        cmocka_unit_test_setup_teardown(there_is_room_after_the_login_and_while_little_is_queued, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
