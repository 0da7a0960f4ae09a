/* SPDX-License-Identifier: MPL-2.0 */
/* What nodes are told of names that their sessions watch. */
#include "logins.h"

static void watch_name(dealer_t *dealer, uint64_t session, const char *name, bool is_on)
{
    dealer_put(dealer,
        &(control_t){.type = RECORD_WATCH, .name = {.session = session, .is_on = is_on, .name = span_str(name)}});
    dealer_flush(dealer);
}

static void expect_presence(dealer_t *dealer, uint64_t session, const char *name, bool is_here)
{
    const control_t *record = &dealer_expect(dealer, RECORD_PRESENCE)->control;
    assert_int_equal(record->name.session, session);
    assert_int_equal(record->name.is_on, is_here);
    assert_true(span_equal(record->name.name, span_str(name)));
}

static void a_session_is_told_how_it_is_and_what_changes(void **state)
{
    (void)state;
    pair_open();
    watch_name(&a, SESSION(1, 1), "bob", true);
    expect_presence(&a, SESSION(1, 1), "bob", true);
    watch_name(&a, SESSION(1, 1), "carol", true);
    expect_presence(&a, SESSION(1, 1), "carol", false);
    dealer_login(&b, SESSION(1, 5), "carol");
    expect_presence(&a, SESSION(1, 1), "carol", true);
    say_leaving(&b, SESSION(1, 2));
    expect_left(&b, SESSION(1, 2));
    expect_presence(&a, SESSION(1, 1), "bob", false);
    watch_name(&a, SESSION(1, 1), "carol", false);
    say_leaving(&b, SESSION(1, 5));
    expect_left(&b, SESSION(1, 5));
    dealer_barrier(&a, 9); /* and nothing was told */
}

static void each_session_that_watches_is_told(void **state)
{
    (void)state;
    pair_open();
    watch_name(&a, SESSION(1, 1), "carol", true);
    expect_presence(&a, SESSION(1, 1), "carol", false);
    watch_name(&a, SESSION(1, 4), "carol", true);
    expect_presence(&a, SESSION(1, 4), "carol", false);
    watch_name(&b, SESSION(1, 2), "carol", true);
    expect_presence(&b, SESSION(1, 2), "carol", false);
    dealer_login(&a, SESSION(1, 6), "carol");
    expect_presence(&b, SESSION(1, 2), "carol", true);
}

static void to_watch_twice_is_to_ask_again(void **state)
{
    (void)state;
    pair_open();
    watch_name(&a, SESSION(1, 1), "bob", true);
    expect_presence(&a, SESSION(1, 1), "bob", true);
    watch_name(&a, SESSION(1, 1), "bob", true);
    expect_presence(&a, SESSION(1, 1), "bob", true);
    say_leaving(&b, SESSION(1, 2));
    expect_presence(&a, SESSION(1, 1), "bob", false);
    dealer_barrier(&a, 9);
}

static void a_new_link_begins_without_watches(void **state)
{
    (void)state;
    pair_open();
    watch_name(&a, SESSION(1, 1), "bob", true);
    expect_presence(&a, SESSION(1, 1), "bob", true);
    dealer_resume(&a, ENDPOINT, a.received);
    dealer_put_again(&a, SESSION(1, 1), "alice", 1, 1);
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    dealer_wait(&a, RECORD_CONFIRMED);
    say_leaving(&b, SESSION(1, 2));
    expect_left(&b, SESSION(1, 2));
    dealer_barrier(&a, 9);
}

static void the_watches_of_a_node_that_went_are_forgotten(void **state)
{
    (void)state;
    pair_open();
    watch_name(&b, SESSION(1, 2), "alice", true);
    expect_presence(&b, SESSION(1, 2), "alice", true);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect_refused(&b, CLOSE_BAD_RECORD);
    say_leaving(&a, SESSION(1, 1));
    dealer_wait(&a, RECORD_LEFT);
    assert_int_equal(broker_number("gauges.nodes"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(a_session_is_told_how_it_is_and_what_changes),
        BROKER_TEST(each_session_that_watches_is_told),
        BROKER_TEST(to_watch_twice_is_to_ask_again),
        BROKER_TEST(a_new_link_begins_without_watches),
        BROKER_TEST(the_watches_of_a_node_that_went_are_forgotten),
    };
    return BROKER_RUN(tests);
}
