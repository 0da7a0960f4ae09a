/* SPDX-License-Identifier: MPL-2.0 */
#include "logins.h"

static void a_name_leaves_when_what_was_sent_before_is_acknowledged(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "before");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "before");
    say_leaving(&b, SESSION(1, 2));
    dealer_login(&b, SESSION(1, 9), "other"); /* so LEFT was not said */
    alice_sends("bob", "after");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 2, "bob");
    dealer_acknowledge(&b);
    expect_left(&b, SESSION(1, 2));
}

static void a_login_waits_for_the_name_that_leaves_and_the_next_are_denied(void **state)
{
    (void)state;
    pair_open();
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
    alice_sends("bob", "before");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "before");
    say_leaving(&b, SESSION(1, 2));
    dealer_barrier(&a, 9);
    ask(&c, SESSION(1, 3), "bob");
    dealer_login(&c, SESSION(1, 4), "carol"); /* so that was neither confirmed nor denied */
    ask(&a, SESSION(1, 5), "bob");
    ask(&b, SESSION(1, 6), "bob");
    dealer_login(&a, SESSION(1, 7), "amy");
    dealer_login(&b, SESSION(1, 7), "ben");
    dealer_acknowledge(&b);
    expect_left(&b, SESSION(1, 2));
    expect_denied(&b, SESSION(1, 6));
    assert_confirmed(&c, SESSION(1, 3));
    expect_denied(&a, SESSION(1, 5));
    dealer_wait(&a, RECORD_TAKEN);
    alice_sends("bob", "after");
    dealer_expect_copy(&c, SESSION(1, 3), "alice", "after");
}

static void a_login_that_waits_can_be_taken_back(void **state)
{
    (void)state;
    pair_open();
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
    alice_sends("bob", "before");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "before");
    say_leaving(&b, SESSION(1, 2));
    dealer_barrier(&a, 9);
    ask(&c, SESSION(1, 3), "bob");
    say_leaving(&c, SESSION(1, 3));
    expect_left(&c, SESSION(1, 3));
    ask(&a, SESSION(1, 5), "bob");
    dealer_acknowledge(&b);
    expect_left(&b, SESSION(1, 2));
    dealer_wait(&a, RECORD_CONFIRMED);
    dealer_barrier(&c, 9);
}

static void every_leaving_is_answered_once(void **state)
{
    (void)state;
    pair_open();
    ask(&b, SESSION(1, 3), "alice");
    say_leaving(&b, SESSION(1, 3));
    expect_denied(&b, SESSION(1, 3));
    expect_left(&b, SESSION(1, 3));
    dealer_barrier(&b, 9);
}

static void leave_takes_all_names_away_and_waits_for_what_was_sent(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&b, SESSION(1, 3), "bert");
    alice_sends("bob", "before");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "before");
    dealer_put_empty(&b, RECORD_LEAVE);
    dealer_flush(&b);
    ask(&a, SESSION(1, 5), "bert");
    alice_sends("bert", "after");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 2, "bert");
    dealer_acknowledge(&b);
    dealer_expect(&b, RECORD_LEAVE_OK);
    dealer_wait(&a, RECORD_CONFIRMED);
    dealer_put(&b, &(control_t){.type = RECORD_BYE, .number = 0});
    dealer_flush(&b);
    dealer_expect(&b, RECORD_BYE_OK);
    assert_int_equal(broker_number("counters.links_closed.reason.orderly"), 1);
}

static void leave_of_an_idle_node_is_answered_at_once(void **state)
{
    (void)state;
    pair_open();
    dealer_put_empty(&b, RECORD_LEAVE);
    dealer_flush(&b);
    dealer_expect(&b, RECORD_LEAVE_OK);
    assert_int_equal(broker_number("names"), 1);
}

/* LEFT is asked for again, and the name is kept until then. */
static void a_name_goes_on_leaving_on_a_resumed_link(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "before");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "before");
    say_leaving(&b, SESSION(1, 2));
    dealer_resume(&b, ENDPOINT, 0);
    ask(&a, SESSION(1, 5), "bob");
    alice_sends("bob", "after");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 2, "bob");
    say_leaving(&b, SESSION(1, 2));
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "before");
    dealer_login(&b, SESSION(1, 9), "other"); /* so LEFT was not said */
    dealer_acknowledge(&b);
    expect_left(&b, SESSION(1, 2));
    assert_confirmed(&a, SESSION(1, 5));
}

/* The LEFT of the link before was lost. */
static void leaving_of_a_name_that_left_is_answered_on_a_resumed_link(void **state)
{
    (void)state;
    pair_open();
    say_leaving(&b, SESSION(1, 2));
    expect_left(&b, SESSION(1, 2));
    dealer_resume(&b, ENDPOINT, 0);
    say_leaving(&b, SESSION(1, 2));
    expect_left(&b, SESSION(1, 2));
}

/* A node that said LEAVE states the names that it has, and then says LEAVE again. */
static void leave_is_said_again_on_a_resumed_link(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "before");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "before");
    dealer_put_empty(&b, RECORD_LEAVE);
    dealer_flush(&b);
    dealer_resume(&b, ENDPOINT, 0);
    dealer_put_again(&b, SESSION(1, 2), "bob", 1, 2);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_put_empty(&b, RECORD_LEAVE);
    dealer_flush(&b);
    assert_confirmed(&b, SESSION(1, 2));
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "before");
    dealer_login(&b, SESSION(1, 9), "other"); /* so LEAVE-OK was not said */
    dealer_acknowledge(&b);
    dealer_expect(&b, RECORD_LEAVE_OK);
    dealer_expect_taken(&a, 2);
    dealer_login(&a, SESSION(1, 5), "bob");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(a_name_leaves_when_what_was_sent_before_is_acknowledged),
        BROKER_TEST(a_login_waits_for_the_name_that_leaves_and_the_next_are_denied),
        BROKER_TEST(a_login_that_waits_can_be_taken_back),
        BROKER_TEST(every_leaving_is_answered_once),
        BROKER_TEST(leave_takes_all_names_away_and_waits_for_what_was_sent),
        BROKER_TEST(leave_of_an_idle_node_is_answered_at_once),
        BROKER_TEST(a_name_goes_on_leaving_on_a_resumed_link),
        BROKER_TEST(leaving_of_a_name_that_left_is_answered_on_a_resumed_link),
        BROKER_TEST(leave_is_said_again_on_a_resumed_link),
    };
    return BROKER_RUN(tests);
}
