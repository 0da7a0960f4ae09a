/* SPDX-License-Identifier: MPL-2.0 */
#include "fixture.h"

/* Keeps node a alive until the broker has told it of the loss of another. */
static void wait_while_alive(const char *path, json_int_t least)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (broker_number(path) < least) {
        assert_false(deadline_passed(deadline));
        dealer_acknowledge(&a);
        zmq_pollitem_t item = {.socket = a.socket, .events = ZMQ_POLLIN};
        zmq_poll(&item, 1, 20);
    }
}

static void a_silent_node_is_given_up_and_its_copies_are_unconfirmed(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&b, SESSION(1, 3), "bert");
    alice_sends("bob,bert", "one");
    alice_sends("bob", "two");
    wait_while_alive("counters.links_closed.reason.link-timeout", 1);
    const dealer_event_t *notice =
        dealer_expect_notice(&a, FERRY_ERROR_UNCONFIRMED, FERRY_REASON_GATEWAY_LOST, 1, "bob");
    assert_true(notice->record.notice.taken);
    assert_int_equal(notice->record.notice.session, SESSION(1, 1));
    dealer_expect_notice(&a, FERRY_ERROR_UNCONFIRMED, FERRY_REASON_GATEWAY_LOST, 1, "bert");
    dealer_expect_notice(&a, FERRY_ERROR_UNCONFIRMED, FERRY_REASON_GATEWAY_LOST, 2, "bob");
    dealer_expect(&a, RECORD_GONE);
    dealer_expect_taken(&a, 3);
    assert_int_equal(broker_number("ledger.unconfirmed.gateway-lost"), 3);
    assert_int_equal(broker_number("ledger.pending"), 0);
    broker_assert_balance();
    dealer_login(&a, SESSION(1, 8), "bob");
}

static void heartbeats_keep_a_quiet_link(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    dealer_join(&a);
    int64_t until_ms = deadline_now_ms() + 3 * config_number(config, "link/timeout");
    unsigned heartbeats = 0;
    while (deadline_now_ms() < until_ms) {
        zmq_pollitem_t item = {.socket = a.socket, .events = ZMQ_POLLIN};
        assert_int_equal(zmq_poll(&item, 1, (int)config_number(config, "link/timeout") / 2), 1);
        uint8_t frame[FRAME_HEADER_SIZE];
        assert_true(zmq_recv(a.socket, frame, sizeof frame, 0) >= (int)sizeof frame);
        heartbeats++;
        dealer_flush(&a);
    }
    assert_true(heartbeats >= 3);
    assert_int_equal(broker_number("gauges.nodes"), 1);
}

static void the_last_stamp_of_a_node_is_given_back(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    a.header.stamp = 7;
    assert_int_equal(dealer_greet(&a)->header.stamp, 7);
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    a.header.stamp = UINT32_MAX;
    dealer_login(&a, SESSION(1, 1), "alice");
    dealer_put(&a, &(control_t){.type = RECORD_LEAVING, .name.session = SESSION(1, 1)});
    dealer_flush(&a);
    assert_int_equal(dealer_expect(&a, RECORD_LEFT)->header.stamp, UINT32_MAX);
    assert_int_equal(dealer_resume(&a, ENDPOINT, a.received)->header.stamp, 0);
}

static void the_messages_of_a_lost_node_still_arrive(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "last words");
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    dealer_expect_refused(&a, CLOSE_BAD_RECORD);
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "last words");
    dealer_expect(&b, RECORD_GONE);
    dealer_acknowledge(&b);
    dealer_barrier(&b, 9);
    assert_int_equal(broker_number("ledger.handed_over"), 1);
    broker_assert_balance();
}

static void what_comes_after_a_loss_is_of_an_unknown_link(void **state)
{
    (void)state;
    pair_open();
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    dealer_expect_refused(&a, CLOSE_BAD_RECORD);
    alice_sends("bob", "anybody?");
    dealer_expect_refused(&a, CLOSE_UNKNOWN_LINK);
    dealer_expect(&b, RECORD_GONE);
    dealer_barrier(&b, 9);
    dealer_reopen(&a, ENDPOINT);
    dealer_join(&a);
}

static void what_was_under_way_to_a_node_that_begins_anew_is_unconfirmed(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "one");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    dealer_reopen(&b, ENDPOINT);
    dealer_greet(&b);
    dealer_expect_notice(&a, FERRY_ERROR_UNCONFIRMED, FERRY_REASON_GATEWAY_LOST, 1, "bob");
    dealer_expect(&a, RECORD_GONE);
    dealer_expect_taken(&a, 2);
    dealer_login(&b, SESSION(1, 2), "bob");
    alice_sends("bob", "two");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "two");
    assert_int_equal(b.received, 1);
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 3);
    broker_assert_balance();
}

/* The connection is lost without a word: copies wait until the node comes back. */
static void a_node_without_a_connection_is_kept_until_it_comes_back(void **state)
{
    (void)state;
    pair_open();
    link_id_t id = b.id, instance = b.instance;
    dealer_close(&b);
    while (broker_number("counters.congestions") == 0)
        alice_sends("bob", "found");
    assert_int_equal(broker_number("gauges.nodes"), 2);
    dealer_open(&b, ENDPOINT, 0xb);
    assert_true(link_id_equal(&b.id, &id));
    b.instance = instance;
    dealer_rejoin(&b, ENDPOINT, 0);
    for (uint64_t number = 1; number <= a.number; number++)
        assert_int_equal(dealer_expect_copy(&b, SESSION(1, 2), "alice", "found")->record.copy.number, number);
    dealer_acknowledge(&b);
    while (dealer_wait(&a, RECORD_TAKEN)->control.taken.below <= a.number)
        continue;
    assert_int_equal(broker_number("ledger.unconfirmed.gateway-lost"), 0);
    broker_assert_balance();
}

static void a_node_that_leaves_with_bye_is_gone_for_good(void **state)
{
    (void)state;
    pair_open();
    dealer_put(&b, &(control_t){.type = RECORD_BYE, .number = 0});
    dealer_flush(&b);
    dealer_expect(&b, RECORD_BYE_OK);
    assert_true(dealer_expect(&a, RECORD_GONE)->control.origin.orderly);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST_HASTY(a_silent_node_is_given_up_and_its_copies_are_unconfirmed),
        BROKER_TEST_HASTY(heartbeats_keep_a_quiet_link),
        BROKER_TEST_HASTY(the_last_stamp_of_a_node_is_given_back),
        BROKER_TEST(the_messages_of_a_lost_node_still_arrive),
        BROKER_TEST(what_comes_after_a_loss_is_of_an_unknown_link),
        BROKER_TEST(what_was_under_way_to_a_node_that_begins_anew_is_unconfirmed),
        BROKER_TEST(a_node_without_a_connection_is_kept_until_it_comes_back),
        BROKER_TEST(a_node_that_leaves_with_bye_is_gone_for_good),
    };
    return BROKER_RUN(tests);
}
