/* SPDX-License-Identifier: MPL-2.0 */
#include "settling.h"

static void a_message_waits_for_its_recipient_alone(void **state)
{
    (void)state;
    alice_comes_back();
    alice_sends_again("bob", "one");
    alice_sends("bob,alice", "two");
    alice_sends("alice", "three");
    dealer_expect_copy(&a, SESSION(1, 1), "alice", "two");
    dealer_expect_copy(&a, SESSION(1, 1), "alice", "three");
    dealer_acknowledge(&a);
    const dealer_event_t *taken;
    do
        taken = dealer_expect(&a, RECORD_TAKEN);
    while (taken->control.taken.below < 4);
    uint64_t first, count;
    assert_int_equal(control_exception_count(&taken->control), 1);
    control_exception_at(&taken->control, 0, &first, &count);
    assert_int_equal(first, 1);
    assert_int_equal(count, 2);
    come_back(&b, 0xb, 0);
    dealer_put_again(&b, SESSION(1, 2), "bob", 1, 2);
    dealer_flush(&b);
    const dealer_event_t *copy = dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    assert_true(copy->run.again);
    copy = dealer_expect_copy(&b, SESSION(1, 2), "alice", "two");
    assert_false(copy->run.again);
    assert_int_equal(copy->record.copy.number, 2);
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 4);
    broker_assert_balance();
}

/* A body has one COPY of a message at most, also when two of its recipients come at once. */
static void copies_of_a_message_that_waited_come_in_batches_of_their_own(void **state)
{
    (void)state;
    alice_comes_back();
    alice_sends("bob,bert", "one");
    broker_wait_number("counters.messages", 1);
    come_back(&b, 0xb, 0);
    dealer_put_again(&b, SESSION(1, 2), "bob", 1, 2);
    dealer_put_again(&b, SESSION(1, 3), "bert", 1, 3);
    dealer_flush(&b);
    assert_int_equal(dealer_wait(&b, RECORD_COPY)->header.sequence, 1);
    assert_int_equal(dealer_wait(&b, RECORD_COPY)->header.sequence, 2);
    dealer_acknowledge(&b);
    while (dealer_wait(&a, RECORD_TAKEN)->control.taken.below < 2)
        continue;
    broker_assert_balance();
}

static void a_report_waits_for_its_origin(void **state)
{
    (void)state;
    alice_comes_back();
    link_id_t origin;
    memset(origin.bytes, 0xb, LINK_ID_SIZE);
    dealer_put_report(&a, &(body_report_t){.error = FERRY_ERROR_UNDELIVERED,
                              .reason = FERRY_REASON_STALLED,
                              .origin = origin,
                              .session = SESSION(1, 2),
                              .number = 17,
                              .name = span_str("alice")});
    dealer_flush(&a);
    broker_wait_number("counters.reports", 1);
    come_back(&b, 0xb, 0);
    const dealer_event_t *notice = dealer_expect_notice(&b, FERRY_ERROR_UNDELIVERED, FERRY_REASON_STALLED, 17, "alice");
    assert_int_equal(notice->record.notice.report, 1);
    assert_true(notice->run.handle > 0);
    assert_int_equal(broker_number("counters.notices_dropped"), 0);
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 2);
}

static void what_is_kept_of_a_node_goes_with_it(void **state)
{
    (void)state;
    alice_comes_back();
    alice_sends("bob", "one");
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    dealer_expect_refused(&a, CLOSE_BAD_RECORD);
    come_back(&b, 0xb, 0);
    register_again(&b, SESSION(1, 2), "bob");
    dealer_barrier(&b, 9);
    assert_int_equal(broker_number("counters.copies"), 0);
}

static void what_is_kept_of_a_node_survives_its_link(void **state)
{
    (void)state;
    alice_comes_back();
    alice_sends("bob", "one");
    broker_wait_number("counters.messages", 1);
    dealer_resume(&a, ENDPOINT, 0);
    come_back(&b, 0xb, 0);
    dealer_put_again(&b, SESSION(1, 2), "bob", 1, 2);
    dealer_flush(&b);
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
}

/* Two nodes wait for bob: what each sent keeps its order, and what comes later goes behind. */
static void copies_of_many_nodes_wait_in_order(void **state)
{
    (void)state;
    alice_comes_back();
    come_back(&c, 0xc, 0);
    char text[16];
    for (unsigned i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "%u", i);
        dealer_t *from = i % 2 ? &c : &a;
        dealer_put_message(from, SESSION(1, 1), "sender", "bob", text);
        dealer_flush(from);
        broker_wait_number("counters.messages", i + 1);
    }
    come_back(&b, 0xb, 0);
    dealer_put_again(&b, SESSION(1, 2), "bob", 1, 2);
    dealer_flush(&b);
    for (unsigned i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "%u", i);
        dealer_expect_copy(&b, SESSION(1, 2), "sender", text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(a_message_waits_for_its_recipient_alone),
        BROKER_TEST(copies_of_a_message_that_waited_come_in_batches_of_their_own),
        BROKER_TEST(a_report_waits_for_its_origin),
        BROKER_TEST(what_is_kept_of_a_node_goes_with_it),
        BROKER_TEST(what_is_kept_of_a_node_survives_its_link),
        BROKER_TEST(copies_of_many_nodes_wait_in_order),
    };
    return BROKER_RUN(tests);
}
