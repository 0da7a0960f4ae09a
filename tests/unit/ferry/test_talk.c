/* SPDX-License-Identifier: MPL-2.0 */
/* talk: conversations with gateways that the test plays one after the other, and what each of them is told. */
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
#include <unistd.h>

#include "base/endpoint.h"
#include "ferry/talk.h"

#define LOGIN "alice\n/ping ferry-0\n"

enum { TEXT_SIZE = 4 << 20, BLOCK_SIZE = 64 << 10 };

typedef struct {
    char addresses[160]; /* one where nobody is, and the gateway's */
    int listener;
    int gateway; /* its end of the connection */
    int waker;   /* can always be read */
    talk_t *talk;
    char *text; /* what the gateway has read and nobody has looked at */
    size_t size;
} fixture_t;

static int setup(void **state)
{
    fixture_t *self = calloc(1, sizeof *self);
    char address[64];
    int waker[2];
    endpoint_t endpoint;
    const char *why = NULL;
    snprintf(address, sizeof address, "ipc://@ferry-test-talk-%d", (int)getpid());
    snprintf(self->addresses, sizeof self->addresses, "%s-nobody,%s", address, address);
    assert_int_equal(endpoint_parse(&endpoint, address, &why), 0);
    assert_int_equal(pipe(waker), 0);
    close(waker[1]);
    self->waker = waker[0];
    self->listener = endpoint_listen(&endpoint, 4);
    self->gateway = -1;
    self->text = malloc(TEXT_SIZE);
    *state = self;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *self = *state;
    talk_destroy(&self->talk);
    if (self->gateway >= 0)
        close(self->gateway);
    close(self->listener);
    close(self->waker);
    free(self->text);
    free(self);
    return 0;
}

static void begin(fixture_t *self, talk_doubt_t doubt, uint64_t reconnect_s)
{
    self->talk = talk_new(&(talk_options_t){
        .gateways = self->addresses, .name = "alice", .unit = "line", .reconnect_s = reconnect_s, .doubt = doubt});
    assert_non_null(self->talk);
}

static void gateway_says(fixture_t *self, const char *text)
{
    assert_int_equal(send(self->gateway, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void gateway_ends(fixture_t *self)
{
    close(self->gateway);
    self->gateway = -1;
    self->size = 0;
}

static void expect_event(fixture_t *self, talk_event_t event)
{
    assert_int_equal(talk_wait(self->talk, -1, -1), event);
}

/* Lets the talk do what it has to do at once. */
static void turn(fixture_t *self)
{
    assert_int_equal(talk_wait(self->talk, -1, self->waker), TALK_SIGNAL);
    if (self->gateway < 0)
        return;
    ssize_t size = recv(self->gateway, self->text + self->size, TEXT_SIZE - 1 - self->size, MSG_DONTWAIT);
    self->size += size > 0 ? (size_t)size : 0;
    self->text[self->size] = '\0';
}

/* The next that the gateway reads is this. */
static void gateway_reads(fixture_t *self, const char *text)
{
    size_t size = strlen(text);
    while (self->size < size)
        turn(self);
    assert_memory_equal(self->text, text, size);
    self->size -= size;
    memmove(self->text, self->text + size, self->size);
}

static void log_in(fixture_t *self, talk_event_t event)
{
    struct pollfd wait = {.fd = self->listener, .events = POLLIN};
    while (poll(&wait, 1, 0) == 0)
        turn(self);
    self->gateway = accept(self->listener, NULL, NULL);
    gateway_reads(self, LOGIN);
    gateway_says(self, "ok ping ferry-0\n");
    expect_event(self, event);
}

static void say(fixture_t *self, const char *text)
{
    talk_say(self->talk, span_str("bob: "), span_str(text));
}

static void expect_doubt(fixture_t *self, uint64_t first, uint64_t end)
{
    uint64_t doubt_first, doubt_end;
    assert_int_equal(talk_doubt(self->talk, &doubt_first, &doubt_end), end > first);
    assert_int_equal(doubt_first, first);
    assert_int_equal(doubt_end, end);
}

static void end_in_order(fixture_t *self)
{
    talk_leave(self->talk);
    gateway_reads(self, "/quit\n");
    gateway_says(self, "ok quit\n");
    gateway_ends(self);
    expect_event(self, TALK_END);
}

static void the_next_conversation_begins_with_the_first_line_that_was_not_taken(void **state)
{
    fixture_t *self = *state;
    begin(self, TALK_DOUBT_ENDS, 60);
    say(self, "one");
    say(self, "two");
    log_in(self, TALK_CONFIRMED);
    gateway_reads(self, "bob: one\nbob: two\n");
    gateway_says(self, "info accepted 2\n");
    gateway_ends(self);
    expect_event(self, TALK_STOPPED);
    say(self, "three");
    log_in(self, TALK_BACK);
    gateway_reads(self, "bob: two\nbob: three\n/ping ferry-1\n");
    gateway_says(self, "info accepted 4\n");
    gateway_ends(self);
    expect_event(self, TALK_STOPPED);
    log_in(self, TALK_BACK);
    end_in_order(self);
    assert_int_equal(talk_result(self->talk), TALK_SETTLED);
    assert_int_equal(talk_said(self->talk), 3);
}

/* One, two and three were said, and the first two are answered; then the connection is lost. */
static void lose_the_third(fixture_t *self, talk_doubt_t doubt)
{
    begin(self, doubt, 60);
    log_in(self, TALK_CONFIRMED);
    say(self, "one");
    say(self, "two");
    gateway_reads(self, "bob: one\nbob: two\n/ping ferry-1\n");
    gateway_says(self, "ok ping ferry-1\n");
    turn(self);
    say(self, "three");
    gateway_reads(self, "bob: three\n/ping ferry-2\n");
    gateway_ends(self);
}

static void doubt_ends_the_talk_if_nothing_may_be_said_twice(void **state)
{
    fixture_t *self = *state;
    lose_the_third(self, TALK_DOUBT_ENDS);
    expect_event(self, TALK_END);
    assert_int_equal(talk_result(self->talk), TALK_DOUBTED);
    expect_doubt(self, 0, 3); /* the gateway may have taken two, and taken them with it */
    assert_int_equal(talk_rest(self->talk), 3);
}

static void lines_in_doubt_are_said_again_if_they_may_be(void **state)
{
    fixture_t *self = *state;
    lose_the_third(self, TALK_DOUBT_REPEATS);
    expect_event(self, TALK_LOST);
    expect_doubt(self, 0, 0);
    log_in(self, TALK_BACK);
    gateway_reads(self, "bob: one\nbob: two\nbob: three\n/ping ferry-1\n");
    end_in_order(self);
    assert_int_equal(talk_result(self->talk), TALK_SETTLED);
}

static void a_talk_that_passes_over_doubt_tells_it_and_goes_on_behind(void **state)
{
    fixture_t *self = *state;
    lose_the_third(self, TALK_DOUBT_PASSES);
    expect_event(self, TALK_LOST);
    expect_doubt(self, 2, 3);
    span_t line;
    assert_true(talk_said_line(self->talk, 2, &line));
    assert_memory_equal(line.data, "bob: three", line.size);
    say(self, "four");
    log_in(self, TALK_BACK);
    gateway_reads(self, "bob: four\n/ping ferry-1\n");
    end_in_order(self);
    assert_int_equal(talk_result(self->talk), TALK_FAILED);
}

/* Says a line of 64 KiB, and has the gateway read it with ping `number` behind it. */
static void say_block(fixture_t *self, int number)
{
    static char block[BLOCK_SIZE];
    char ping[32];
    memset(block, 'x', sizeof block - 1);
    say(self, block);
    gateway_reads(self, "bob: ");
    gateway_reads(self, block);
    snprintf(ping, sizeof ping, "\n/ping ferry-%d\n", number);
    gateway_reads(self, ping);
}

static void a_line_is_out_of_doubt_when_enough_was_taken_behind_it(void **state)
{
    fixture_t *self = *state;
    begin(self, TALK_DOUBT_ENDS, 60);
    log_in(self, TALK_CONFIRMED);
    for (int i = 1; i <= 10; i++) {
        char ping[32];
        say_block(self, i);
        snprintf(ping, sizeof ping, "ok ping ferry-%d\n", i);
        gateway_says(self, ping);
        turn(self);
    }
    gateway_ends(self);
    expect_event(self, TALK_END);
    expect_doubt(self, 2, 10); /* half a mebibyte */
}

static void input_waits_for_the_login_and_for_answers(void **state)
{
    fixture_t *self = *state;
    begin(self, TALK_DOUBT_ENDS, 60);
    assert_int_equal(talk_wait(self->talk, self->waker, self->waker), TALK_SIGNAL);
    log_in(self, TALK_CONFIRMED);
    for (int i = 1; i <= 16; i++) {
        assert_int_equal(talk_wait(self->talk, self->waker, -1), TALK_INPUT);
        say_block(self, i);
    }
    gateway_says(self, "from bob: no input is asked for\n");
    assert_int_equal(talk_wait(self->talk, self->waker, -1), TALK_MESSAGE);
    gateway_says(self, "ok ping ferry-1\n");
    assert_int_equal(talk_wait(self->talk, self->waker, -1), TALK_INPUT);
}

static void input_is_taken_between_conversations_while_there_is_room(void **state)
{
    fixture_t *self = *state;
    static char block[BLOCK_SIZE];
    memset(block, 'x', sizeof block - 1);
    begin(self, TALK_DOUBT_ENDS, 60);
    log_in(self, TALK_CONFIRMED);
    close(self->listener);
    self->listener = -1;
    gateway_says(self, "info accepted 1\n");
    gateway_ends(self);
    expect_event(self, TALK_STOPPED);
    assert_int_equal(talk_wait(self->talk, self->waker, -1), TALK_INPUT);
    say(self, block);
    assert_int_equal(talk_wait(self->talk, self->waker, self->waker), TALK_SIGNAL);
}

static void without_another_gateway_in_time_the_talk_fails(void **state)
{
    fixture_t *self = *state;
    begin(self, TALK_DOUBT_ENDS, 1);
    say(self, "one");
    log_in(self, TALK_CONFIRMED);
    gateway_reads(self, "bob: one\n");
    close(self->listener);
    self->listener = -1;
    gateway_says(self, "info accepted 1\n");
    gateway_ends(self);
    expect_event(self, TALK_STOPPED);
    expect_event(self, TALK_END);
    assert_int_equal(talk_result(self->talk), TALK_FAILED);
    assert_int_equal(talk_rest(self->talk), 0);
}

static void who_leaves_between_conversations_with_nothing_left_to_say_has_settled(void **state)
{
    fixture_t *self = *state;
    begin(self, TALK_DOUBT_ENDS, 60);
    say(self, "one");
    log_in(self, TALK_CONFIRMED);
    gateway_reads(self, "bob: one\n");
    gateway_says(self, "info accepted 2\n");
    gateway_ends(self);
    expect_event(self, TALK_STOPPED);
    talk_leave(self->talk);
    expect_event(self, TALK_END);
    assert_int_equal(talk_result(self->talk), TALK_SETTLED);
    expect_event(self, TALK_END);
}

static void without_time_to_reconnect_there_is_one_conversation(void **state)
{
    fixture_t *self = *state;
    begin(self, TALK_DOUBT_REPEATS, 0);
    say(self, "one");
    log_in(self, TALK_CONFIRMED);
    gateway_reads(self, "bob: one\n");
    gateway_says(self, "info accepted 1\n");
    gateway_ends(self);
    expect_event(self, TALK_END);
    assert_int_equal(talk_result(self->talk), TALK_FAILED);
    assert_true(talk_stopped(self->talk));
}

#define TALK_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TALK_TEST(the_next_conversation_begins_with_the_first_line_that_was_not_taken),
        TALK_TEST(doubt_ends_the_talk_if_nothing_may_be_said_twice),
        TALK_TEST(lines_in_doubt_are_said_again_if_they_may_be),
        TALK_TEST(a_talk_that_passes_over_doubt_tells_it_and_goes_on_behind),
        TALK_TEST(a_line_is_out_of_doubt_when_enough_was_taken_behind_it),
        TALK_TEST(input_waits_for_the_login_and_for_answers),
        TALK_TEST(input_is_taken_between_conversations_while_there_is_room),
        TALK_TEST(without_another_gateway_in_time_the_talk_fails),
        TALK_TEST(who_leaves_between_conversations_with_nothing_left_to_say_has_settled),
        TALK_TEST(without_time_to_reconnect_there_is_one_conversation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
