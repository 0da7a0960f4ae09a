/* SPDX-License-Identifier: MPL-2.0 */
/* ferry: what a program may ask for, and what it may not. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <czmq.h>

#include "carrier_rig.h"

/* N.B. this is the first test, since czmq's context does not outlive a fork. */
static void a_program_that_ends_without_more_ado_does_end(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        static ferry_t *alice; /* who never logs in */
        alice = ferry_new("alice", "tcp://127.0.0.1:1");
        bob = ferry_new("bob", "tcp://127.0.0.1:1");
        exit(alice && bob && ferry_login(bob, 10) == -FERRY_E_TIMEOUT ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void bad_arguments_make_no_ferry(void **state)
{
    (void)state;
    static const char *const bad_names[] = {"", "a b", "/a", "#a", "@a", "a:b", "a,b", "a\n", NULL};
    for (size_t i = 0; i < sizeof bad_names / sizeof bad_names[0]; i++) {
        errno = 0;
        assert_null(ferry_new(bad_names[i], "tcp://127.0.0.1:7410"));
        assert_int_equal(errno, EINVAL);
    }
    assert_null(ferry_new("alice", "127.0.0.1"));
    assert_null(ferry_new("alice", NULL));
    assert_int_equal(ferry_destroy(&(ferry_t *){NULL}, -1), 0);
}

static void without_a_login_nothing_is_sent_or_received(void **state)
{
    (void)state;
    assert_int_equal(say("alice", "x"), -FERRY_E_NOT_LOGGED_IN);
    assert_null(ferry_recv(bob, -1));
    assert_int_equal(errno, ENOTCONN);
    assert_int_equal(ferry_settle(bob, -1), 0);
    assert_int_equal(ferry_unsettled(bob), 0);
    assert_int_equal(ferry_login(bob, 10), -FERRY_E_TIMEOUT);
    assert_int_equal(say("alice", "x"), -FERRY_E_NOT_LOGGED_IN);
}

static void marks_have_bounds(void **state)
{
    (void)state;
    assert_int_equal(ferry_set_marks(bob, 1023, 0), -FERRY_E_INVALID);
    assert_int_equal(ferry_set_marks(bob, 2000, 2000), -FERRY_E_INVALID);
    assert_int_equal(ferry_set_marks(bob, 2000, 1999), 0);
}

static void what_cannot_be_sent_is_refused_at_once(void **state)
{
    (void)state;
    char *large = calloc(1, 256 * 1024);
    assert_int_equal(say("a b", "x"), -FERRY_E_BAD_NAME);
    assert_int_equal(say("", "x"), -FERRY_E_NO_RECIPIENT);
    assert_int_equal(ferry_send(bob, NULL, "x", 1, 0), -FERRY_E_INVALID);
    assert_int_equal(ferry_send(bob, "alice", NULL, 1, 0), -FERRY_E_INVALID);
    assert_int_equal(ferry_send(bob, "alice", large, 256 * 1024, 0), -FERRY_E_TOO_LARGE);
    assert_int_equal(ferry_send(bob, "alice", NULL, 0, 0), 1);
    free(large);
}

static bool is_readable(int timeout_ms)
{
    struct pollfd item = {.fd = ferry_fd(bob), .events = POLLIN};
    return poll(&item, 1, timeout_ms) > 0;
}

static void the_descriptor_and_the_socket_tell_when_there_is_something(void **state)
{
    (void)state;
    zpoller_t *poller = zpoller_new(ferry_sock(bob), NULL);
    expect_nothing();
    assert_false(is_readable(0));
    assert_null(zpoller_wait(poller, 0));
    deliver(1, "one");
    deliver(2, "two");
    assert_true(is_readable(wait_ms()));
    assert_ptr_equal(zpoller_wait(poller, wait_ms()), ferry_sock(bob));
    receive("one");
    assert_true(is_readable(0));
    assert_ptr_equal(zpoller_wait(poller, wait_ms()), ferry_sock(bob));
    receive("two");
    expect_nothing();
    assert_false(is_readable(0));
    assert_null(zpoller_wait(poller, 0));
    zpoller_destroy(&poller);
}

static void what_is_received_counts_as_delivered_at_once(void **state)
{
    (void)state;
    deliver(1, "one");
    router_wait(&router, RECORD_HOLD);
    receive("one");
    expect_end(1);
}

static void receiving_ends_in_time(void **state)
{
    (void)state;
    int64_t began_ms = deadline_now_ms();
    assert_null(ferry_recv(bob, 30));
    assert_int_equal(errno, EAGAIN);
    assert_in_range(deadline_now_ms() - began_ms, 29, wait_ms());
}

static void on_alarm(int number)
{
    (void)number;
}

static void a_signal_ends_what_blocks(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 20000);
    assert_null(ferry_recv(bob, -1));
    assert_int_equal(errno, EINTR);
    assert_int_equal(say("alice", "never taken"), 1);
    assert_int_equal(ferry_settle(bob, -1), -FERRY_E_INTERRUPTED);
    ualarm(0, 0);
}

static void a_message_outlives_its_ferry(void **state)
{
    (void)state;
    deliver(1, "hello");
    ferry_msg_t *msg = ferry_recv(bob, wait_ms());
    assert_non_null(msg);
    ferry_destroy(&bob, 0);
    assert_string_equal(ferry_msg_data(msg), "hello");
    ferry_msg_destroy(&msg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_that_ends_without_more_ado_does_end),
        cmocka_unit_test(bad_arguments_make_no_ferry),
        NEW_TEST(without_a_login_nothing_is_sent_or_received),
        NEW_TEST(marks_have_bounds),
        CARRIER_TEST(what_cannot_be_sent_is_refused_at_once),
        CARRIER_TEST(the_descriptor_and_the_socket_tell_when_there_is_something),
        CARRIER_TEST(what_is_received_counts_as_delivered_at_once),
        CARRIER_TEST(receiving_ends_in_time),
        CARRIER_TEST(a_signal_ends_what_blocks),
        CARRIER_TEST(a_message_outlives_its_ferry),
    };
    return TEST_RUN(tests);
}
