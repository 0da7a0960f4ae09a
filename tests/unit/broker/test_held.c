/* SPDX-License-Identifier: MPL-2.0 */
#include "fixture.h"

static uint32_t handle_a;

/* Alice sends that many messages to bob, whose node reads them. */
static void send_to_bob(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        dealer_put_message(&a, SESSION(1, 1), "alice", "bob", "x");
    dealer_flush(&a);
    for (unsigned i = 0; i < count; i++)
        handle_a = dealer_expect_copy(&b, SESSION(1, 2), "alice", "x")->run.handle;
}

static void put_hold(bool again, uint32_t handle, uint64_t first, uint32_t more)
{
    buffer_t offsets = {0};
    for (uint32_t i = 1; i <= more; i++)
        buffer_append(&offsets, &(uint32_t){htole32(i)}, sizeof i);
    dealer_put(&b, &(control_t){.type = RECORD_HOLD,
                       .held = {.session = SESSION(1, 2),
                           .handle = handle,
                           .again = again,
                           .numbers = {.first = first, .offsets = buffer_span(&offsets)}}});
    buffer_fini(&offsets);
}

static void put_end(uint32_t count)
{
    dealer_put(&b, &(control_t){.type = RECORD_END, .held = {.session = SESSION(1, 2), .count = count}});
}

/* Alice sends three messages; bob's node acknowledges them and holds all. */
static void pair_open_held(void)
{
    pair_open();
    send_to_bob(3);
    put_hold(false, handle_a, 1, 2);
    dealer_acknowledge(&b);
}

static void held_comes_before_what_is_taken_and_ended_after(void **state)
{
    (void)state;
    pair_open_held();
    dealer_expect_numbers(dealer_expect(&a, RECORD_HELD), (const uint64_t[]){1, 2, 3}, 3);
    dealer_expect_taken(&a, 4);
    assert_int_equal(broker_number("gauges.held_copies"), 3);
    put_end(2);
    dealer_flush(&b);
    dealer_expect_numbers(dealer_expect(&a, RECORD_ENDED), (const uint64_t[]){1, 2}, 2);
    put_end(1);
    dealer_flush(&b);
    dealer_expect_numbers(dealer_expect(&a, RECORD_ENDED), (const uint64_t[]){3}, 1);
    assert_int_equal(broker_number("gauges.held_copies"), 0);
}

static void copies_of_many_origins_end_in_the_order_of_their_session(void **state)
{
    (void)state;
    pair_open();
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
    send_to_bob(1);
    dealer_put_message(&c, SESSION(1, 3), "carol", "bob", "y");
    dealer_flush(&c);
    uint32_t handle_c = dealer_expect_copy(&b, SESSION(1, 2), "carol", "y")->run.handle;
    send_to_bob(1);
    put_hold(false, handle_a, 1, 0);
    put_hold(false, handle_c, 1, 0);
    put_hold(false, handle_a, 2, 0);
    dealer_acknowledge(&b);
    dealer_expect_numbers(dealer_expect(&c, RECORD_HELD), (const uint64_t[]){1}, 1);
    dealer_expect(&c, RECORD_TAKEN);
    put_end(1);
    put_end(2);
    dealer_flush(&b);
    dealer_expect_numbers(dealer_expect(&c, RECORD_ENDED), (const uint64_t[]){1}, 1);
    dealer_expect_numbers(dealer_wait(&a, RECORD_ENDED), (const uint64_t[]){1}, 1);
    dealer_expect_numbers(dealer_expect(&a, RECORD_ENDED), (const uint64_t[]){2}, 1);
}

static void more_cannot_end_than_is_held(void **state)
{
    (void)state;
    pair_open_held();
    put_end(4);
    dealer_flush(&b);
    dealer_expect_refused(&b, CLOSE_BAD_RECORD);
}

static void a_hold_of_a_handle_that_nobody_has_ends_the_link(void **state)
{
    (void)state;
    pair_open();
    put_hold(false, 1000, 1, 0);
    dealer_flush(&b);
    dealer_expect_refused(&b, CLOSE_BAD_RECORD);
}

static void a_hold_again_of_what_was_not_stated_ends_the_link(void **state)
{
    (void)state;
    pair_open_held();
    put_hold(true, handle_a, 1, 0);
    dealer_flush(&b);
    dealer_expect_refused(&b, CLOSE_BAD_RECORD);
}

static void what_a_lost_node_held_is_unconfirmed(void **state)
{
    (void)state;
    pair_open_held();
    dealer_expect(&a, RECORD_HELD);
    dealer_expect_taken(&a, 4);
    dealer_put(&b, &(control_t){.type = RECORD_HELLO, .hello = dealer_hello(&b).hello});
    dealer_flush(&b);
    dealer_expect_refused(&b, CLOSE_BAD_RECORD);
    for (uint64_t number = 1; number <= 3; number++) {
        const dealer_event_t *notice =
            dealer_expect_notice(&a, FERRY_ERROR_UNCONFIRMED, FERRY_REASON_GATEWAY_LOST, number, "bob");
        assert_true(notice->record.notice.taken);
        assert_int_equal(notice->record.notice.session, UINT64_MAX);
    }
    dealer_expect_numbers(dealer_expect(&a, RECORD_ENDED), (const uint64_t[]){1, 2, 3}, 3);
    assert_int_equal(broker_number("ledger.unconfirmed.gateway-lost"), 0);
    broker_assert_balance();
}

/* The name is gone and the session still writes what it was sent. */
static void copies_are_held_longer_than_the_name(void **state)
{
    (void)state;
    pair_open_held();
    dealer_expect(&a, RECORD_HELD);
    dealer_expect_taken(&a, 4);
    dealer_put(&b, &(control_t){.type = RECORD_LEAVING, .name.session = SESSION(1, 2)});
    dealer_flush(&b);
    dealer_expect(&b, RECORD_LEFT);
    dealer_login(&a, SESSION(1, 5), "bob");
    put_end(3);
    dealer_flush(&b);
    dealer_expect(&a, RECORD_ENDED);
    dealer_login(&b, SESSION(2, 2), "bert");
}

/* What is not stated again until REGISTERED has ended while the link was down. */
static void a_new_link_states_what_it_still_holds(void **state)
{
    (void)state;
    pair_open_held();
    dealer_expect(&a, RECORD_HELD);
    dealer_expect_taken(&a, 4);
    dealer_resume(&b, ENDPOINT, b.received);
    dealer_put(&b, &(control_t){.type = RECORD_ORIGIN, .origin = {.handle = 1, .node = a.id}});
    put_hold(true, 1, 2, 1);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect_numbers(dealer_expect(&a, RECORD_ENDED), (const uint64_t[]){1}, 1);
    assert_int_equal(broker_number("gauges.held_copies"), 2);
    put_end(2);
    dealer_flush(&b);
    dealer_expect_numbers(dealer_expect(&a, RECORD_ENDED), (const uint64_t[]){2, 3}, 2);
}

static void a_link_that_is_lost_while_it_states_counts_for_nothing(void **state)
{
    (void)state;
    pair_open_held();
    dealer_expect(&a, RECORD_HELD);
    dealer_expect_taken(&a, 4);
    dealer_resume(&b, ENDPOINT, b.received);
    dealer_put(&b, &(control_t){.type = RECORD_ORIGIN, .origin = {.handle = 1, .node = a.id}});
    put_hold(true, 1, 2, 0);
    dealer_flush(&b);
    dealer_resume(&b, ENDPOINT, b.received);
    dealer_put(&b, &(control_t){.type = RECORD_ORIGIN, .origin = {.handle = 1, .node = a.id}});
    put_hold(true, 1, 3, 0);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect_numbers(dealer_expect(&a, RECORD_ENDED), (const uint64_t[]){1, 2}, 2);
    assert_int_equal(broker_number("gauges.held_copies"), 1);
}

/* The session that held copies was closed while there was no link, and another client of its node has the name. */
static void a_session_without_its_name_states_what_it_holds(void **state)
{
    (void)state;
    pair_open_held();
    dealer_expect(&a, RECORD_HELD);
    dealer_expect_taken(&a, 4);
    dealer_resume(&b, ENDPOINT, b.received);
    dealer_put_register(&b, SESSION(1, 8), "bob");
    dealer_put(&b, &(control_t){.type = RECORD_ORIGIN, .origin = {.handle = 1, .node = a.id}});
    put_hold(true, 1, 1, 2);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect(&b, RECORD_CONFIRMED);
    put_end(3);
    dealer_flush(&b);
    dealer_expect_numbers(dealer_expect(&a, RECORD_ENDED), (const uint64_t[]){1, 2, 3}, 3);
    alice_sends("bob", "new");
    dealer_expect_copy(&b, SESSION(1, 8), "alice", "new");
}

static void put_stated(uint64_t first, uint32_t more)
{
    dealer_put(&b, &(control_t){.type = RECORD_ORIGIN, .origin = {.handle = 1, .node = a.id}});
    put_hold(true, 1, first, more);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
}

/* The next that node a hears: these numbers are held, and no others. */
static void expect_stated(const uint64_t *numbers, size_t count)
{
    const dealer_event_t *event = dealer_expect(&a, count ? RECORD_HELD : RECORD_SETTLED);
    if (count == 0)
        return;
    assert_true(event->control.held.again);
    dealer_expect_numbers(event, numbers, count);
    dealer_expect(&a, RECORD_SETTLED);
}

/* Node a comes back and hears SETTLED; ORIGINs are passed over. */
static void a_comes_back(bool is_resumed)
{
    if (is_resumed) {
        dealer_rejoin(&a, ENDPOINT, a.received);
        return;
    }
    control_t hello = dealer_hello(&a);
    hello.hello.instance = a.instance;
    dealer_reopen(&a, ENDPOINT);
    dealer_put(&a, &hello);
    dealer_flush(&a);
    assert_false(dealer_expect(&a, RECORD_WELCOME)->control.welcome.resumed);
}

static void an_origin_whose_link_is_resumed_hears_what_is_held(void **state)
{
    (void)state;
    pair_open_held();
    dealer_expect(&a, RECORD_HELD);
    put_end(1);
    dealer_flush(&b);
    dealer_barrier(&b, 9);
    a.hears_settled = true;
    a_comes_back(true);
    expect_stated((const uint64_t[]){2, 3}, 2);
}

static void an_origin_that_was_given_up_hears_what_is_held(void **state)
{
    (void)state;
    pair_open_held();
    dealer_wait(&a, RECORD_TAKEN);
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    dealer_expect_refused(&a, CLOSE_BAD_RECORD);
    put_end(1);
    dealer_flush(&b);
    dealer_expect(&b, RECORD_GONE);
    dealer_barrier(&b, 9);
    a.hears_settled = true;
    a_comes_back(false);
    expect_stated((const uint64_t[]){2, 3}, 2);
    put_end(1);
    dealer_flush(&b);
    dealer_expect_numbers(dealer_expect(&a, RECORD_ENDED), (const uint64_t[]){2}, 1);
}

static void a_node_of_which_nothing_is_held_hears_that_it_is_settled(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    a.hears_settled = true;
    dealer_greet(&a);
    expect_stated(NULL, 0);
}

/* The origin comes back while the holder is stating what it holds: what was known before counts. */
static void what_a_node_states_counts_when_it_has_stated_all(void **state)
{
    (void)state;
    pair_open_held();
    dealer_wait(&a, RECORD_TAKEN);
    dealer_resume(&b, ENDPOINT, b.received);
    dealer_put(&b, &(control_t){.type = RECORD_ORIGIN, .origin = {.handle = 1, .node = a.id}});
    put_hold(true, 1, 3, 1);
    dealer_put_register(&b, SESSION(1, 9), "barrier");
    dealer_flush(&b);
    dealer_expect(&b, RECORD_CONFIRMED);
    a.hears_settled = true;
    a_comes_back(true);
    expect_stated((const uint64_t[]){1, 2, 3}, 3);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect_numbers(dealer_wait(&a, RECORD_ENDED), (const uint64_t[]){1, 2}, 2);
    dealer_expect_numbers(dealer_wait(&a, RECORD_HELD), (const uint64_t[]){4}, 1);
}

/* Its HOLD was lost with the link, and so was its acknowledgement. */
static void what_a_resumed_link_states_first_is_news(void **state)
{
    (void)state;
    pair_open();
    send_to_bob(2);
    dealer_resume(&b, ENDPOINT, b.received);
    put_stated(1, 1);
    dealer_expect_numbers(dealer_expect(&a, RECORD_HELD), (const uint64_t[]){1, 2}, 2);
    dealer_expect_taken(&a, 3);
    put_end(2);
    dealer_flush(&b);
    dealer_expect_numbers(dealer_expect(&a, RECORD_ENDED), (const uint64_t[]){1, 2}, 2);
}

static void what_a_fresh_link_states_is_no_news(void **state)
{
    (void)state;
    pair_open();
    dealer_reopen(&b, ENDPOINT);
    dealer_greet(&b);
    dealer_expect(&a, RECORD_GONE);
    put_stated(1, 1);
    dealer_barrier(&b, 9);
    assert_int_equal(broker_number("gauges.held_copies"), 2);
    put_end(2);
    dealer_flush(&b);
    dealer_expect_numbers(dealer_expect(&a, RECORD_ENDED), (const uint64_t[]){1, 2}, 2);
}

static void what_ended_before_its_origin_came_is_not_stated(void **state)
{
    (void)state;
    dealer_open(&b, ENDPOINT, 0xb);
    dealer_greet(&b);
    memset(a.id.bytes, 0xa, LINK_ID_SIZE);
    put_stated(7, 2);
    put_end(2);
    dealer_flush(&b);
    dealer_barrier(&b, 9);
    dealer_open(&a, ENDPOINT, 0xa);
    a.hears_settled = true;
    dealer_greet(&a);
    expect_stated((const uint64_t[]){9}, 1);
}

static void what_is_held_of_a_node_that_is_gone_ends_quietly(void **state)
{
    (void)state;
    pair_open_held();
    dealer_put(&a, &(control_t){.type = RECORD_BYE, .number = 1});
    dealer_flush(&a);
    dealer_wait(&a, RECORD_BYE_OK);
    dealer_expect(&b, RECORD_GONE);
    put_hold(false, handle_a, 4, 0);
    put_end(4);
    dealer_flush(&b);
    dealer_barrier(&b, 9);
    assert_int_equal(broker_number("gauges.held_copies"), 0);
}

/* bob's node is one of the broker's own process. */
static void pair_open_lent(void)
{
    dealer_open(&a, ENDPOINT, 0xa);
    dealer_join(&a);
    dealer_login(&a, SESSION(1, 1), "alice");
    dealer_open(&b, ENDPOINT, 0xb);
    memcpy(b.id.bytes, args.instance.bytes, LINK_ID_OF_SIZE);
    dealer_join(&b);
    dealer_login(&b, SESSION(1, 2), "bob");
}

static void expect_lent(record_type_t type, uint64_t first, bool again)
{
    const control_t *record = &dealer_wait(&a, type)->control;
    assert_int_equal(record->held.numbers.first, first);
    assert_int_equal(record->held.again, again);
    assert_true(record->held.lent);
    assert_true(span_equal(record->held.name, span_str("bob")));
}

static void what_a_node_of_the_brokers_own_holds_is_lent(void **state)
{
    (void)state;
    pair_open_lent();
    send_to_bob(3);
    put_hold(false, handle_a, 1, 2);
    dealer_acknowledge(&b);
    expect_lent(RECORD_HELD, 1, false);
    put_end(1);
    dealer_flush(&b);
    expect_lent(RECORD_ENDED, 1, false);
    a.hears_settled = true;
    a_comes_back(true);
    expect_lent(RECORD_HELD, 2, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(held_comes_before_what_is_taken_and_ended_after),
        BROKER_TEST(copies_of_many_origins_end_in_the_order_of_their_session),
        BROKER_TEST(more_cannot_end_than_is_held),
        BROKER_TEST(a_hold_of_a_handle_that_nobody_has_ends_the_link),
        BROKER_TEST(a_hold_again_of_what_was_not_stated_ends_the_link),
        BROKER_TEST(what_a_lost_node_held_is_unconfirmed),
        BROKER_TEST(copies_are_held_longer_than_the_name),
        BROKER_TEST(a_new_link_states_what_it_still_holds),
        BROKER_TEST(a_link_that_is_lost_while_it_states_counts_for_nothing),
        BROKER_TEST(a_session_without_its_name_states_what_it_holds),
        BROKER_TEST(an_origin_whose_link_is_resumed_hears_what_is_held),
        BROKER_TEST(an_origin_that_was_given_up_hears_what_is_held),
        BROKER_TEST(a_node_of_which_nothing_is_held_hears_that_it_is_settled),
        BROKER_TEST(what_a_node_states_counts_when_it_has_stated_all),
        BROKER_TEST(what_a_resumed_link_states_first_is_news),
        BROKER_TEST(what_a_fresh_link_states_is_no_news),
        BROKER_TEST(what_ended_before_its_origin_came_is_not_stated),
        BROKER_TEST(what_is_held_of_a_node_that_is_gone_ends_quietly),
        BROKER_TEST(what_a_node_of_the_brokers_own_holds_is_lent),
    };
    return BROKER_RUN(tests);
}
