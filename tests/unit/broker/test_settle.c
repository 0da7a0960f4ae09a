/* SPDX-License-Identifier: MPL-2.0 */
#include "settling.h"

/* A broker that settles for as short a time as may be. */
static int setup_settling(void **state)
{
    (void)state;
    static const char *const options[] = {"link/heartbeat=50ms", "link/timeout=200ms", "link/connect_timeout=50ms",
        "link/backoff_max=10ms", "link/backoff_min=1ms", "link/settling_time=600ms", NULL};
    assert_int_equal(broker_start(options), 0);
    broker_expect_ready();
    return 0;
}

/* Node a stays alive until a copy that waited is refused. */
static void wait_until_settled(void)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (broker_number("counters.copies_refused") == 0) {
        assert_false(deadline_passed(deadline));
        dealer_flush(&a);
    }
}

static void the_settling_ends_when_all_that_were_named_have_registered(void **state)
{
    (void)state;
    come_back(&a, 0xa, 0xb);
    dealer_put_register(&a, SESSION(1, 5), "carol");
    register_again(&a, SESSION(1, 1), "alice");
    alice_sends("nobody", "one");
    alice_sends_again("nobody", "two");
    broker_wait_number("counters.messages", 2);
    come_back(&b, 0xb, 0);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 1, "nobody");
    const dealer_event_t *notice =
        dealer_expect_notice(&a, FERRY_ERROR_UNCONFIRMED, FERRY_REASON_BROKER_LOST, 2, "nobody");
    assert_false(notice->record.notice.taken);
    assert_int_equal(dealer_wait(&a, RECORD_CONFIRMED)->control.name.session, SESSION(1, 5));
    assert_int_equal(broker_number("counters.copies_refused"), 2);
}

/* One that was named never comes. */
static void the_settling_ends_with_its_time(void **state)
{
    (void)state;
    alice_comes_back();
    alice_sends("bob", "one");
    wait_until_settled();
    assert_int_equal(dealer_wait(&a, RECORD_NOTICE)->record.notice.error, FERRY_ERROR_NO_SUCH_PEER);
    alice_sends("bob", "two");
    dealer_wait(&a, RECORD_NOTICE);
}

/* Node b is of the instance that node a names. */
static void the_own_node_of_the_earlier_instance_is_not_waited_for(void **state)
{
    (void)state;
    uint8_t own[LINK_ID_SIZE] = {EARLIER};
    own[LINK_ID_SIZE - 1] = 0xb;
    dealer_open(&a, ENDPOINT, 0xa);
    control_t hello = dealer_hello(&a);
    hello.hello.instance = (link_id_t){.bytes = {EARLIER}};
    hello.hello.nodes = span_of((const char *)own, sizeof own);
    dealer_put(&a, &hello);
    dealer_flush(&a);
    dealer_expect(&a, RECORD_WELCOME);
    dealer_put_register(&a, SESSION(1, 5), "carol");
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    assert_int_equal(dealer_wait(&a, RECORD_CONFIRMED)->control.name.session, SESSION(1, 5));
}

static void names_that_were_confirmed_before_go_first(void **state)
{
    (void)state;
    come_back(&a, 0xa, 0xb);
    dealer_put_register(&a, SESSION(1, 1), "bob");
    dealer_put_register(&a, SESSION(1, 3), "carol");
    dealer_put_register(&a, SESSION(1, 4), "dave");
    dealer_put(&a, &(control_t){.type = RECORD_LEAVING, .name.session = SESSION(1, 4)});
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    assert_int_equal(dealer_expect(&a, RECORD_LEFT)->control.name.session, SESSION(1, 4));
    come_back(&b, 0xb, 0);
    register_again(&b, SESSION(1, 2), "bob");
    assert_int_equal(dealer_expect(&a, RECORD_CONFIRMED)->control.name.session, SESSION(1, 3));
    assert_int_equal(dealer_expect(&a, RECORD_DENIED)->control.name.session, SESSION(1, 1));
    assert_int_equal(broker_number("names"), 2);
}

static void put_doubtful(dealer_t *dealer, uint64_t session, uint64_t serial)
{
    dealer_put(dealer, &(control_t){.type = RECORD_REGISTER,
                           .name = {.session = session,
                               .term = 1,
                               .serial = serial,
                               .again = true,
                               .doubtful = true,
                               .name = span_str("bob")}});
}

/* Whoever has logged in last gets the name and what waits for it, and a new login comes behind both. */
static void doubtful_names_wait_for_the_end_and_the_latest_wins(void **state)
{
    (void)state;
    come_back(&a, 0xa, 0xb);
    dealer_put_register(&a, SESSION(1, 5), "bob");
    put_doubtful(&a, SESSION(1, 6), 3);
    register_again(&a, SESSION(1, 1), "alice");
    alice_sends("bob", "one");
    broker_wait_number("counters.messages", 1);
    come_back(&b, 0xb, 0);
    put_doubtful(&b, SESSION(1, 2), 7);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    assert_int_equal(dealer_expect(&b, RECORD_CONFIRMED)->control.name.session, SESSION(1, 2));
    assert_int_equal(dealer_expect(&a, RECORD_DENIED)->control.name.session, SESSION(1, 6));
    assert_int_equal(dealer_expect(&a, RECORD_DENIED)->control.name.session, SESSION(1, 5));
}

static void a_doubtful_name_loses_against_one_without_doubt(void **state)
{
    (void)state;
    come_back(&a, 0xa, 0xb);
    put_doubtful(&a, SESSION(1, 6), 30);
    register_again(&a, SESSION(1, 1), "alice");
    come_back(&b, 0xb, 0);
    register_again(&b, SESSION(1, 2), "bob");
    assert_int_equal(dealer_expect(&a, RECORD_DENIED)->control.name.session, SESSION(1, 6));
}

/* The recipient logs in anew, since its node was lost: it gets what waited for its name. */
static void new_names_are_given_out_before_copies_are_refused(void **state)
{
    (void)state;
    come_back(&a, 0xa, 0xb);
    dealer_put_register(&a, SESSION(1, 5), "bob");
    register_again(&a, SESSION(1, 1), "alice");
    alice_sends("bob", "one");
    broker_wait_number("counters.messages", 1);
    come_back(&b, 0xb, 0);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect_copy(&a, SESSION(1, 5), "alice", "one");
    assert_int_equal(dealer_expect(&a, RECORD_CONFIRMED)->control.name.session, SESSION(1, 5));
}

static void a_node_is_told_of_those_who_have_not_come(void **state)
{
    (void)state;
    come_back(&a, 0xa, 0xb);
    const control_t welcome = come_back(&c, 0xc, 0xb)->control;
    assert_int_equal(welcome.welcome.nodes.size, 2 * LINK_ID_SIZE);
    bool is_named = false;
    for (size_t at = 0; at < welcome.welcome.nodes.size; at += LINK_ID_SIZE)
        is_named |= welcome.welcome.nodes.data[at] == 0xb;
    assert_true(is_named);
}

static void what_is_held_is_stated_when_all_have_come(void **state)
{
    (void)state;
    alice_comes_back();
    a.hears_settled = true;
    alice_sends("alice", "still waiting");
    dealer_expect_copy(&a, SESSION(1, 1), "alice", "still waiting");
    come_back(&b, 0xb, 0);
    dealer_put_again(&b, SESSION(1, 2), "bob", 1, 2);
    dealer_put(&b, &(control_t){.type = RECORD_ORIGIN, .origin = {.handle = 1, .node = a.id}});
    dealer_put(&b, &(control_t){.type = RECORD_HOLD,
                       .held = {.session = SESSION(1, 2), .handle = 1, .again = true, .numbers.first = 5}});
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    const dealer_event_t *held = dealer_expect(&a, RECORD_HELD);
    assert_true(held->control.held.again);
    dealer_expect_numbers(held, (const uint64_t[]){5}, 1);
    dealer_expect(&a, RECORD_SETTLED);
}

static void a_broker_that_follows_nobody_does_not_settle(void **state)
{
    (void)state;
    pair_open();
    alice_sends("carol", "one");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 1, "carol");
}

static void a_broker_that_has_run_for_the_settling_time_settles_no_more(void **state)
{
    (void)state;
    alice_comes_back();
    alice_sends("bob", "one");
    wait_until_settled();
    come_back(&c, 0xc, 0xd);
    dealer_login(&c, SESSION(1, 3), "carol");
}

/* Its node sends it to the broker's successor. */
static void a_drain_neither_waits_for_what_is_kept_nor_refuses_it(void **state)
{
    (void)state;
    alice_comes_back();
    alice_sends("bob", "one");
    alice_sends("bob,alice", "two");
    dealer_expect_copy(&a, SESSION(1, 1), "alice", "two");
    dealer_acknowledge(&a);
    zstr_sendx(actor, "DRAIN", "60000", NULL);
    dealer_wait(&a, RECORD_DRAIN);
    dealer_put(&a, &(control_t){.type = RECORD_DRAINED, .number = 2});
    dealer_flush(&a);
    const dealer_event_t *event = dealer_next(&a);
    for (; event->type == RECORD_TAKEN; event = dealer_next(&a))
        assert_int_equal(event->control.taken.below, 1);
    assert_int_equal(event->type, RECORD_BYE);
}

static void a_bad_body_ends_the_link_though_its_copies_would_be_kept(void **state)
{
    (void)state;
    alice_comes_back();
    a.number = 7; /* not the next one */
    alice_sends("bob", "one");
    dealer_expect_refused(&a, CLOSE_BAD_SEQUENCE);
}

#define SETTLE_TEST(function) cmocka_unit_test_setup_teardown(function, setup_settling, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(the_settling_ends_when_all_that_were_named_have_registered),
        BROKER_TEST(the_own_node_of_the_earlier_instance_is_not_waited_for),
        SETTLE_TEST(the_settling_ends_with_its_time),
        BROKER_TEST(names_that_were_confirmed_before_go_first),
        BROKER_TEST(doubtful_names_wait_for_the_end_and_the_latest_wins),
        BROKER_TEST(a_doubtful_name_loses_against_one_without_doubt),
        BROKER_TEST(new_names_are_given_out_before_copies_are_refused),
        BROKER_TEST(a_node_is_told_of_those_who_have_not_come),
        BROKER_TEST(what_is_held_is_stated_when_all_have_come),
        BROKER_TEST(a_broker_that_follows_nobody_does_not_settle),
        SETTLE_TEST(a_broker_that_has_run_for_the_settling_time_settles_no_more),
        BROKER_TEST(a_drain_neither_waits_for_what_is_kept_nor_refuses_it),
        BROKER_TEST(a_bad_body_ends_the_link_though_its_copies_would_be_kept),
    };
    return BROKER_RUN(tests);
}
