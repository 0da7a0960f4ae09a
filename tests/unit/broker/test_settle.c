/* SPDX-License-Identifier: MPL-2.0 */
#include "fixture.h"

/* A broker that settles for the margin and a tenth of a second. */
static int setup_settling(void **state)
{
    (void)state;
    assert_int_equal(broker_start((const char *const[]){"link/backoff_max=100ms", NULL}), 0);
    broker_expect_ready();
    return 0;
}

/* A node that was linked to another instance says HELLO, and reads WELCOME. */
static void come_back(dealer_t *dealer, uint8_t id)
{
    dealer_open(dealer, ENDPOINT, id);
    control_t hello = dealer_hello(dealer);
    hello.hello.instance.bytes[0] = 1;
    dealer_put(dealer, &hello);
    dealer_flush(dealer);
    dealer_expect(dealer, RECORD_WELCOME);
}

static void put_register_again(dealer_t *dealer, uint64_t session, const char *name)
{
    dealer_put(dealer,
        &(control_t){.type = RECORD_REGISTER, .name = {.session = session, .again = true, .name = span_str(name)}});
}

static void a_message_waits_for_the_node_of_its_recipient(void **state)
{
    (void)state;
    come_back(&a, 0xa);
    put_register_again(&a, SESSION(1, 1), "alice");
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    dealer_expect(&a, RECORD_CONFIRMED);
    alice_sends("bob", "one");
    alice_sends("bob,nobody", "two");
    come_back(&b, 0xb);
    put_register_again(&b, SESSION(1, 2), "bob");
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect(&b, RECORD_CONFIRMED);
    assert_int_equal(broker_number("counters.messages"), 0);
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "two");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 2, "nobody");
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 3);
    broker_assert_balance();
}

static void names_that_were_confirmed_before_go_first(void **state)
{
    (void)state;
    come_back(&a, 0xa);
    dealer_put_register(&a, SESSION(1, 1), "bob");
    dealer_put_register(&a, SESSION(1, 3), "carol");
    dealer_put_register(&a, SESSION(1, 4), "dave");
    dealer_put(&a, &(control_t){.type = RECORD_LEAVING, .name.session = SESSION(1, 4)});
    dealer_flush(&a);
    assert_int_equal(dealer_expect(&a, RECORD_LEFT)->control.name.session, SESSION(1, 4));
    come_back(&b, 0xb);
    put_register_again(&b, SESSION(1, 2), "bob");
    dealer_flush(&b);
    dealer_expect(&b, RECORD_CONFIRMED);
    assert_int_equal(dealer_expect(&a, RECORD_DENIED)->control.name.session, SESSION(1, 1));
    assert_int_equal(dealer_expect(&a, RECORD_CONFIRMED)->control.name.session, SESSION(1, 3));
    assert_int_equal(broker_number("names"), 2);
}

static void a_broker_that_follows_nobody_does_not_settle(void **state)
{
    (void)state;
    pair_open();
    alice_sends("carol", "one");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 1, "carol");
}

static void a_drain_ends_the_settling(void **state)
{
    (void)state;
    come_back(&a, 0xa);
    alice_sends("bob", "one");
    broker_wait_number("counters.frames", 2);
    assert_int_equal(broker_number("counters.messages"), 0);
    zstr_sendx(actor, "DRAIN", "60000", NULL);
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 1, "bob");
    dealer_expect(&a, RECORD_DRAIN);
    dealer_expect_taken(&a, 2);
}

static void what_is_kept_of_a_node_goes_with_it(void **state)
{
    (void)state;
    come_back(&a, 0xa);
    alice_sends("bob", "one");
    dealer_put_register(&a, SESSION(1, 1), "alice");
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    dealer_expect_refused(&a, CLOSE_BAD_RECORD);
    come_back(&b, 0xb);
    dealer_put_register(&b, SESSION(1, 2), "bob");
    dealer_flush(&b);
    dealer_expect(&b, RECORD_CONFIRMED);
    assert_int_equal(broker_number("counters.messages"), 0);
    assert_int_equal(broker_number("names"), 1);
}

static void a_bad_body_that_was_kept_ends_the_link_when_it_is_read(void **state)
{
    (void)state;
    come_back(&a, 0xa);
    a.number = 7; /* not the next one */
    alice_sends("bob", "one");
    dealer_expect_refused(&a, CLOSE_BAD_SEQUENCE);
}

#define SETTLE_TEST(function) cmocka_unit_test_setup_teardown(function, setup_settling, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SETTLE_TEST(a_message_waits_for_the_node_of_its_recipient),
        SETTLE_TEST(names_that_were_confirmed_before_go_first),
        SETTLE_TEST(a_broker_that_follows_nobody_does_not_settle),
        SETTLE_TEST(a_drain_ends_the_settling),
        SETTLE_TEST(what_is_kept_of_a_node_goes_with_it),
        SETTLE_TEST(a_bad_body_that_was_kept_ends_the_link_when_it_is_read),
    };
    return BROKER_RUN(tests);
}
