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

static void put_yield(dealer_t *dealer, uint64_t session, bool is_away)
{
    dealer_put(dealer, &(control_t){.type = RECORD_YIELD, .name = {.session = session, .is_on = is_away}});
    dealer_flush(dealer);
}

static void put_yielded(dealer_t *dealer, const char *name)
{
    dealer_put(dealer, &(control_t){.type = RECORD_YIELDED, .name.name = span_str(name)});
    dealer_flush(dealer);
}

static void expect_resumes(dealer_t *dealer, uint64_t session)
{
    const dealer_event_t *event = dealer_wait(dealer, RECORD_CONFIRMED);
    assert_int_equal(event->control.name.session, session);
    assert_true(event->control.name.resumes);
}

static void forward(dealer_t *dealer, const char *text)
{
    dealer->message_flags = BODY_FORWARD;
    dealer_put_message(dealer, SESSION(1, 2), "eve", "bob", text);
    dealer->message_flags = 0;
    dealer_flush(dealer);
}

static void who_is_away_gives_its_name_and_what_it_had_comes_first(void **state)
{
    (void)state;
    pair_open();
    put_yield(&b, SESSION(1, 2), false);
    dealer_barrier(&b, 8);
    int64_t began_ms = deadline_now_ms();
    ask(&a, SESSION(1, 5), "bob");
    expect_denied(&a, SESSION(1, 5)); /* it is there, as is known after a while */
    assert_true(deadline_now_ms() - began_ms >= TAKE_OVER_HOPE_MS);
    put_yield(&b, SESSION(1, 2), true);
    dealer_barrier(&b, 9);
    ask(&a, SESSION(1, 6), "bob");
    expect_resumes(&a, SESSION(1, 6));
    expect_denied(&b, SESSION(1, 2));
    alice_sends("bob", "new");
    dealer_barrier(&a, 9);
    forward(&b, "old");
    dealer_expect_copy(&a, SESSION(1, 6), "eve", "old");
    put_yielded(&b, "bob");
    dealer_expect_copy(&a, SESSION(1, 6), "alice", "new");
    put_yielded(&b, "bob"); /* which is known */
    alice_sends("bob", "newer");
    dealer_expect_copy(&a, SESSION(1, 6), "alice", "newer");
}

static void who_comes_before_it_is_known_to_be_away_waits_for_that(void **state)
{
    (void)state;
    pair_open();
    put_yield(&b, SESSION(1, 2), false);
    dealer_barrier(&b, 8);
    ask(&a, SESSION(1, 5), "bob");
    ask(&a, SESSION(1, 6), "bob");
    dealer_barrier(&a, 9);
    put_yield(&b, SESSION(1, 2), true);
    expect_resumes(&a, SESSION(1, 5));
    put_yielded(&b, "bob");
    expect_denied(&a, SESSION(1, 6));
    alice_sends("bob", "hello");
    dealer_expect_copy(&a, SESSION(1, 5), "alice", "hello");
}

static void nobody_hears_that_a_name_was_handed_on(void **state)
{
    (void)state;
    pair_open();
    dealer_put(&a,
        &(control_t){.type = RECORD_WATCH, .name = {.session = SESSION(1, 1), .is_on = true, .name = span_str("bob")}});
    dealer_flush(&a);
    assert_true(dealer_wait(&a, RECORD_PRESENCE)->control.name.is_on);
    put_yield(&b, SESSION(1, 2), true);
    dealer_barrier(&b, 9);
    ask(&a, SESSION(1, 6), "bob");
    assert_true(dealer_wait(&a, RECORD_PRESENCE)->control.name.is_on);
    dealer_put(&a, &(control_t){.type = RECORD_LEAVING, .name.session = SESSION(1, 6)});
    dealer_flush(&a);
    assert_false(dealer_wait(&a, RECORD_PRESENCE)->control.name.is_on);
}

static void what_is_kept_meanwhile_is_given_when_the_one_before_is_lost(void **state)
{
    (void)state;
    pair_open();
    put_yield(&b, SESSION(1, 2), true);
    dealer_barrier(&b, 9);
    ask(&a, SESSION(1, 6), "bob");
    expect_resumes(&a, SESSION(1, 6));
    alice_sends("bob", "new");
    dealer_barrier(&a, 9);
    dealer_put(&b, &(control_t){.type = RECORD_BYE, .number = 0});
    dealer_flush(&b);
    dealer_expect_copy(&a, SESSION(1, 6), "alice", "new");
}

static void what_is_kept_for_who_goes_again_is_refused(void **state)
{
    (void)state;
    pair_open();
    put_yield(&b, SESSION(1, 2), true);
    dealer_barrier(&b, 9);
    ask(&a, SESSION(1, 6), "bob");
    expect_resumes(&a, SESSION(1, 6));
    alice_sends("bob", "new");
    dealer_put(&a, &(control_t){.type = RECORD_LEAVING, .name.session = SESSION(1, 6)});
    dealer_flush(&a);
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 1, "bob");
    put_yielded(&b, "bob");
    broker_assert_balance();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAKING_TEST(a_login_has_the_name_and_its_owner_is_denied),
        TAKING_TEST(one_that_comes_back_at_once_waits_for_its_turn),
        TAKING_TEST(one_that_waits_has_the_name_when_its_owner_leaves),
        TAKING_TEST(a_node_that_is_heard_denies_nobody_who_waits_for_a_turn),
        BROKER_TEST(who_is_away_gives_its_name_and_what_it_had_comes_first),
        BROKER_TEST(who_comes_before_it_is_known_to_be_away_waits_for_that),
        BROKER_TEST(nobody_hears_that_a_name_was_handed_on),
        BROKER_TEST(what_is_kept_meanwhile_is_given_when_the_one_before_is_lost),
        BROKER_TEST(what_is_kept_for_who_goes_again_is_refused),
    };
    return BROKER_RUN(tests);
}
