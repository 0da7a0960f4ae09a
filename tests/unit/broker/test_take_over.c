/* SPDX-License-Identifier: MPL-2.0 */
/* Logins that have the names of others, at once and in turns. */
#include "logins.h"

#include "broker/take_over.h"

static int setup_taking(void **state)
{
    (void)state;
    assert_int_equal(broker_start((const char *const[]){"broker/name_policy=take-over", NULL}), 0);
    broker_expect_ready();
    return 0;
}

static void expect_confirmed(dealer_t *dealer, uint64_t session, bool took_over)
{
    const dealer_event_t *event = dealer_wait(dealer, RECORD_CONFIRMED);
    assert_int_equal(event->control.name.session, session);
    assert_int_equal(event->control.name.took_over, took_over);
}

static void a_login_has_the_name_and_its_owner_is_denied(void **state)
{
    (void)state;
    pair_open();
    ask(&a, SESSION(1, 5), "bob");
    expect_confirmed(&a, SESSION(1, 5), true);
    expect_denied(&b, SESSION(1, 2));
    alice_sends("bob", "hello");
    dealer_expect_copy(&a, SESSION(1, 5), "alice", "hello");
    assert_int_equal(broker_number("counters.names_taken_over"), 1);
    assert_int_equal(broker_number("names"), 2);
    ask(&a, SESSION(1, 6), "free");
    expect_confirmed(&a, SESSION(1, 6), false);
}

static void one_that_comes_back_at_once_waits_for_its_turn(void **state)
{
    (void)state;
    pair_open();
    int64_t began_ms = deadline_now_ms();
    ask(&a, SESSION(1, 5), "bob");
    expect_confirmed(&a, SESSION(1, 5), true);
    expect_denied(&b, SESSION(1, 2));
    ask(&b, SESSION(1, 7), "bob");
    expect_confirmed(&b, SESSION(1, 7), true);
    int64_t second_ms = deadline_now_ms();
    assert_true(second_ms - began_ms >= TAKE_OVER_HOLD_MS);
    expect_denied(&a, SESSION(1, 5));
    ask(&a, SESSION(1, 8), "bob");
    expect_confirmed(&a, SESSION(1, 8), true);
    assert_true(deadline_now_ms() - second_ms >= 2 * TAKE_OVER_HOLD_MS - TAKE_OVER_HOLD_MS / 5); /* the tick's grain */
}

static void one_that_waits_has_the_name_when_its_owner_leaves(void **state)
{
    (void)state;
    pair_open();
    ask(&a, SESSION(1, 5), "bob");
    expect_confirmed(&a, SESSION(1, 5), true);
    ask(&b, SESSION(1, 7), "bob");
    say_leaving(&a, SESSION(1, 5));
    expect_confirmed(&b, SESSION(1, 7), false);
}

static void a_node_that_is_heard_denies_nobody_who_waits_for_a_turn(void **state)
{
    (void)state;
    pair_open();
    ask(&a, SESSION(1, 5), "bob");
    expect_confirmed(&a, SESSION(1, 5), true);
    expect_denied(&b, SESSION(1, 2));
    ask(&b, SESSION(1, 7), "bob");
    dealer_resume(&a, ENDPOINT, a.received);
    dealer_put_again(&a, SESSION(1, 1), "alice", 1, 1);
    dealer_put_again(&a, SESSION(1, 5), "bob", 1, 3);
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    expect_confirmed(&b, SESSION(1, 7), true);
}

#define TAKING_TEST(function) cmocka_unit_test_setup_teardown(function, setup_taking, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAKING_TEST(a_login_has_the_name_and_its_owner_is_denied),
        TAKING_TEST(one_that_comes_back_at_once_waits_for_its_turn),
        TAKING_TEST(one_that_waits_has_the_name_when_its_owner_leaves),
        TAKING_TEST(a_node_that_is_heard_denies_nobody_who_waits_for_a_turn),
    };
    return BROKER_RUN(tests);
}
