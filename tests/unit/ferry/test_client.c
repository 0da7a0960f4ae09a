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
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "ferry/client.h"

#define LOGIN "alice\n/ping ferry-login\n"

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
    self->client = client_new(self->address, "alice");
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

static void gateway_reads(fixture_t *self, const char *text)
{
    char read_so_far[512] = "";
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
    gateway_says(self, "ok ping ferry-login\n");
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
    gateway_reads(self, "bob: one\nbob: two\n/ping ferry-end\n");
    gateway_says(self, "ok ping ferry-end\n");
    char byte;
    assert_int_equal(recv(self->gateway, &byte, 1, 0), 0);
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
    gateway_reads(self, "bob: one\n/ping ferry-end\n");
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
    gateway_says(self, "ok ping ferry-end\n");
    gateway_ends(self);
    expect_event(self, CLIENT_END, NULL);
    assert_false(client_settled(self->client));
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
    gateway_reads(self, "bob: one\n/ping ferry-end\n");
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

/* The client has no use for the input before a moment has passed. */
static void expect_no_input(fixture_t *self, int input)
{
    struct itimerspec moment = {.it_value.tv_nsec = 50 * 1000 * 1000};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    assert_int_equal(timerfd_settime(timer, 0, &moment, NULL), 0);
    assert_int_equal(client_wait(self->client, input, timer), CLIENT_SIGNAL);
    close(timer);
}

static void input_waits_for_the_login_and_for_room(void **state)
{
    fixture_t *self = *state;
    int input[2];
    assert_int_equal(pipe(input), 0);
    assert_int_equal(write(input[1], "x", 1), 1);
    expect_no_input(self, input[0]);
    log_in(self);
    assert_int_equal(client_wait(self->client, input[0], -1), CLIENT_INPUT);
    char block[4096];
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 1024; i++)
        client_say(self->client, span_str("bob: "), span_of(block, sizeof block));
    client_sends(self);
    expect_no_input(self, input[0]);
    close(input[0]);
    close(input[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_come_with_their_kind, setup, teardown),
        cmocka_unit_test_setup_teardown(a_conversation_that_ends_in_order_is_settled, setup, teardown),
        cmocka_unit_test_setup_teardown(an_end_of_file_before_the_last_answer_is_not_settled, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reset_is_not_settled, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stopped_gateway_counts_the_lines_that_it_took, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stopped_gateway_that_took_everything_has_settled, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_said_to_a_gateway_that_drains, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_queued_when_a_gateway_drains_is_not_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_login_is_not_settled, setup, teardown),
        cmocka_unit_test_setup_teardown(input_waits_for_the_login_and_for_room, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
