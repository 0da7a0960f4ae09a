/* SPDX-License-Identifier: MPL-2.0 */
#include "fixture.h"

static void a_message_reaches_its_recipient_and_is_taken_when_that_is_acknowledged(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "hello");
    const dealer_event_t *copy = dealer_expect_copy(&b, SESSION(1, 2), "alice", "hello");
    assert_int_equal(copy->record.copy.number, 1);
    assert_int_equal(copy->record.copy.session, SESSION(1, 1));
    assert_int_equal(broker_number("ledger.pending"), 1);
    dealer_barrier(&a, 9); /* nothing was taken so far */
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 2);
    assert_int_equal(broker_number("ledger.handed_over"), 1);
    assert_int_equal(broker_number("ledger.pending"), 0);
    broker_assert_balance();
}

static void a_node_sends_to_its_own_peers_like_to_others(void **state)
{
    (void)state;
    pair_open();
    alice_sends("alice", "note to self");
    dealer_expect_copy(&a, SESSION(1, 1), "alice", "note to self");
    dealer_acknowledge(&a);
    dealer_expect_taken(&a, 2);
}

static void recipients_at_one_node_share_a_copy_and_others_get_their_own(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&b, SESSION(1, 7), "bert");
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
    dealer_login(&c, SESSION(1, 3), "carol");
    alice_sends("bob,carol,bert", "all");
    const dealer_event_t *copy = dealer_expect(&b, RECORD_COPY);
    assert_int_equal(copy->record.copy.recipient_count, 2);
    assert_int_equal(body_session_at(&copy->record.copy, 0), SESSION(1, 2));
    assert_int_equal(body_session_at(&copy->record.copy, 1), SESSION(1, 7));
    dealer_expect_copy(&c, SESSION(1, 3), "alice", "all");
    assert_int_equal(broker_number("ledger.pending"), 3);
    dealer_acknowledge(&b);
    dealer_barrier(&a, 9);
    dealer_acknowledge(&c);
    dealer_expect_taken(&a, 2);
    assert_int_equal(broker_number("ledger.handed_over"), 3);
}

static void an_unknown_recipient_is_refused_and_the_message_taken(void **state)
{
    (void)state;
    pair_open();
    alice_sends("carol", "anybody?");
    const dealer_event_t *notice = dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 1, "carol");
    assert_int_equal(notice->record.notice.session, SESSION(1, 1));
    assert_false(notice->record.notice.taken);
    dealer_expect_taken(&a, 2);
    assert_int_equal(broker_number("ledger.taken_over"), 0);
    assert_int_equal(broker_number("counters.copies_refused"), 1);
}

static void the_notice_comes_before_what_covers_it_also_when_others_got_the_message(void **state)
{
    (void)state;
    pair_open();
    alice_sends("carol,bob", "half");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "half");
    dealer_acknowledge(&b);
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 1, "carol");
    dealer_expect_taken(&a, 2);
}

static void messages_of_one_batch_arrive_in_order(void **state)
{
    (void)state;
    pair_open();
    char text[16];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "%u", i);
        dealer_put_message(&a, SESSION(1, 1), "alice", "bob", text);
    }
    dealer_flush(&a);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "%u", i);
        assert_int_equal(dealer_expect_copy(&b, SESSION(1, 2), "alice", text)->record.copy.number, i + 1);
    }
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 101);
}

static void more_goes_where_the_message_before_it_went(void **state)
{
    (void)state;
    pair_open();
    dealer_put_message(&a, SESSION(1, 1), "alice", "bob", "one");
    dealer_put_more(&a, "two");
    dealer_put_more(&a, "three");
    dealer_put_message(&a, SESSION(1, 1), "alice", "nobody", "four");
    dealer_put_more(&a, "five");
    dealer_put_message(&a, SESSION(1, 1), "alice", "bob,alice", "six");
    dealer_put_more(&a, "seven");
    dealer_flush(&a);
    assert_false(dealer_expect_copy(&b, SESSION(1, 2), "alice", "one")->record.copy.more);
    assert_int_equal(dealer_expect_copy(&b, SESSION(1, 2), "alice", "two")->record.copy.number, 2);
    assert_true(dealer_expect_copy(&b, SESSION(1, 2), "alice", "three")->record.copy.more);
    assert_false(dealer_expect_copy(&b, SESSION(1, 2), "alice", "six")->record.copy.more);
    assert_int_equal(dealer_expect_copy(&b, SESSION(1, 2), "alice", "seven")->record.copy.number, 7);
    dealer_acknowledge(&b);
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 4, "nobody");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 5, "nobody");
    dealer_expect_copy(&a, SESSION(1, 1), "alice", "six");
    dealer_expect_copy(&a, SESSION(1, 1), "alice", "seven");
    dealer_acknowledge(&a);
    dealer_expect_taken(&a, 8);
    assert_int_equal(broker_number("ledger.handed_over"), 7);
    broker_assert_balance();
}

/* The recipient's batch is full in the middle of what goes on. */
static void more_goes_on_in_the_next_batch_as_a_copy(void **state)
{
    (void)state;
    pair_open();
    char text[3001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (unsigned round = 0; round < 5; round++) {
        dealer_put_message(&a, SESSION(1, 1), "alice", "bob", text);
        for (unsigned i = 1; i < 20; i++)
            dealer_put_more(&a, text);
        dealer_flush(&a);
    }
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(dealer_expect_copy(&b, SESSION(1, 2), "alice", text)->record.copy.number, i + 1);
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 101);
    broker_assert_balance();
}

/* Bodies are cut at the largest batch, and everything still arrives in order. */
static void what_is_larger_than_a_batch_travels_in_several(void **state)
{
    (void)state;
    pair_open();
    size_t size = 3000;
    char text[3001];
    for (unsigned i = 0; i < 100; i++) {
        memset(text, 'a' + (int)(i % 26), size);
        text[size] = '\0';
        alice_sends("bob", text);
    }
    for (unsigned i = 0; i < 100; i++) {
        memset(text, 'a' + (int)(i % 26), size);
        dealer_expect_copy(&b, SESSION(1, 2), "alice", text);
    }
    assert_true(b.received > 1);
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 101);
    assert_int_equal(broker_number("gauges.open_bytes"), 0);
}

/* Carol's node does not acknowledge: what bob's node took after that is taken all the same. */
static void a_stalled_node_holds_up_only_its_own_messages(void **state)
{
    (void)state;
    pair_open();
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
    dealer_login(&c, SESSION(1, 3), "carol");
    alice_sends("bob", "one");
    alice_sends("carol", "two");
    alice_sends("carol", "three");
    alice_sends("bob", "four");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "four");
    dealer_acknowledge(&b);
    const dealer_event_t *taken;
    do
        taken = dealer_expect(&a, RECORD_TAKEN);
    while (taken->control.taken.below < 5);
    uint64_t first, count;
    assert_int_equal(control_exception_count(&taken->control), 1);
    control_exception_at(&taken->control, 0, &first, &count);
    assert_int_equal(first, 2);
    assert_int_equal(count, 2);
    dealer_expect_copy(&c, SESSION(1, 3), "alice", "two");
    dealer_expect_copy(&c, SESSION(1, 3), "alice", "three");
    dealer_acknowledge(&c);
    dealer_expect_taken(&a, 5);
}

static body_report_t report_on(const dealer_event_t *copy, const dealer_t *origin, const char *name)
{
    return (body_report_t){.error = FERRY_ERROR_UNDELIVERED,
        .reason = FERRY_REASON_STALLED,
        .origin = origin->id,
        .session = copy->record.copy.session,
        .number = copy->record.copy.number,
        .name = span_str(name)};
}

static void a_report_becomes_a_notice_and_is_taken_when_that_is_acknowledged(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "hello");
    const dealer_event_t *copy = dealer_expect_copy(&b, SESSION(1, 2), "alice", "hello");
    body_report_t report = report_on(copy, &a, "bob");
    dealer_put_report(&b, &report);
    dealer_acknowledge(&b);
    const dealer_event_t *notice = dealer_expect_notice(&a, FERRY_ERROR_UNDELIVERED, FERRY_REASON_STALLED, 1, "bob");
    assert_true(notice->record.notice.taken);
    assert_int_equal(notice->record.notice.session, SESSION(1, 1));
    dealer_expect_taken(&a, 2);
    dealer_barrier(&b, 9); /* not taken yet */
    dealer_acknowledge(&a);
    dealer_expect_taken(&b, 2);
    broker_assert_balance();
}

static void a_report_to_a_node_that_is_gone_ends_here(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "hello");
    dealer_t nobody = {.id.bytes = {1, 2, 3}};
    body_report_t report = report_on(dealer_expect_copy(&b, SESSION(1, 2), "alice", "hello"), &nobody, "bob");
    dealer_put_report(&b, &report);
    dealer_flush(&b);
    dealer_expect_taken(&b, 2);
    assert_int_equal(broker_number("counters.notices_dropped"), 1);
}

static void a_notice_names_the_report_that_it_passes_on(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "hello");
    const dealer_event_t *copy = dealer_expect_copy(&b, SESSION(1, 2), "alice", "hello");
    body_report_t report = report_on(copy, &a, "bob");
    b.number = 0;
    dealer_put_gap(&b);
    dealer_put_report(&b, &report);
    b.header.floor = 2;
    b.header.flags = FRAME_FLAG_AGAIN;
    dealer_flush(&b);
    dealer_put_message(&a, SESSION(1, 1), "alice", "nobody", "x");
    dealer_flush(&a);
    const dealer_event_t *notice = dealer_expect_notice(&a, FERRY_ERROR_UNDELIVERED, FERRY_REASON_STALLED, 1, "bob");
    assert_int_equal(notice->record.notice.report, 2);
    assert_true(notice->run.handle > 0);
    assert_true(notice->run.again);
    assert_int_equal(notice->run.floor, 2);
    notice = dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 2, "nobody");
    assert_int_equal(notice->record.notice.report, 0);
}

static void a_gap_is_taken_and_goes_nowhere(void **state)
{
    (void)state;
    pair_open();
    dealer_put_gap(&a);
    dealer_put_message(&a, SESSION(1, 1), "alice", "bob", "behind the gap");
    dealer_put_gap(&a);
    dealer_flush(&a);
    assert_int_equal(dealer_expect_copy(&b, SESSION(1, 2), "alice", "behind the gap")->record.copy.number, 2);
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 4);
    assert_int_equal(broker_number("counters.messages"), 1);
}

static void what_is_sent_again_says_so(void **state)
{
    (void)state;
    pair_open();
    a.header.flags = FRAME_FLAG_AGAIN;
    a.header.floor = 1;
    dealer_put_message(&a, SESSION(1, 1), "alice", "bob", "old");
    dealer_flush(&a);
    a.header.flags = 0;
    alice_sends("bob", "new");
    const dealer_event_t *copy = dealer_expect_copy(&b, SESSION(1, 2), "alice", "old");
    assert_true(copy->run.again);
    assert_int_equal(copy->run.floor, 1);
    copy = dealer_expect_copy(&b, SESSION(1, 2), "alice", "new");
    assert_false(copy->run.again);
}

static void nobody_says_of_a_copy_that_is_sent_again_that_there_is_no_such_peer(void **state)
{
    (void)state;
    pair_open();
    a.header.flags = FRAME_FLAG_AGAIN;
    alice_sends("carol", "anybody?");
    const dealer_event_t *notice =
        dealer_expect_notice(&a, FERRY_ERROR_UNCONFIRMED, FERRY_REASON_BROKER_LOST, 1, "carol");
    assert_false(notice->record.notice.taken);
    dealer_expect_taken(&a, 2);
}

static void the_same_name_may_be_named_by_messages_of_many_nodes(void **state)
{
    (void)state;
    pair_open();
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
    alice_sends("bob", "from a");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "from a");
    dealer_put_message(&c, SESSION(1, 5), "carol", "bob", "from c");
    dealer_flush(&c);
    const dealer_event_t *copy = dealer_expect_copy(&b, SESSION(1, 2), "carol", "from c");
    assert_int_equal(copy->record.copy.number, 1);
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 2);
    dealer_expect_taken(&c, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(more_goes_where_the_message_before_it_went),
        BROKER_TEST(more_goes_on_in_the_next_batch_as_a_copy),
        BROKER_TEST(a_message_reaches_its_recipient_and_is_taken_when_that_is_acknowledged),
        BROKER_TEST(a_node_sends_to_its_own_peers_like_to_others),
        BROKER_TEST(recipients_at_one_node_share_a_copy_and_others_get_their_own),
        BROKER_TEST(an_unknown_recipient_is_refused_and_the_message_taken),
        BROKER_TEST(the_notice_comes_before_what_covers_it_also_when_others_got_the_message),
        BROKER_TEST(messages_of_one_batch_arrive_in_order),
        BROKER_TEST(what_is_larger_than_a_batch_travels_in_several),
        BROKER_TEST(a_stalled_node_holds_up_only_its_own_messages),
        BROKER_TEST(a_report_becomes_a_notice_and_is_taken_when_that_is_acknowledged),
        BROKER_TEST(a_report_to_a_node_that_is_gone_ends_here),
        BROKER_TEST(a_notice_names_the_report_that_it_passes_on),
        BROKER_TEST(a_gap_is_taken_and_goes_nowhere),
        BROKER_TEST(what_is_sent_again_says_so),
        BROKER_TEST(nobody_says_of_a_copy_that_is_sent_again_that_there_is_no_such_peer),
        BROKER_TEST(the_same_name_may_be_named_by_messages_of_many_nodes),
    };
    return BROKER_RUN(tests);
}
