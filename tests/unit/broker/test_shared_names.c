/* SPDX-License-Identifier: MPL-2.0 */
/* Groups at the broker: nodes a, b and c have members, and alice of node a writes. */
#include "settling.h"

#define GROUP(slot) (LINK_SESSION_GROUP | SESSION(1, slot))

static void join_group(dealer_t *dealer, uint32_t slot, const char *name)
{
    dealer_login(dealer, GROUP(slot), name);
}

/* Says which session is the only member, or none. */
static void say_only(dealer_t *dealer, uint32_t slot, uint64_t member)
{
    dealer_put(dealer, &(control_t){.type = RECORD_ONLY, .name = {.session = GROUP(slot), .member = member}});
    dealer_flush(dealer);
}

/* Nodes b and c have members of #room in slots 3, a has none; alice is at a, bob at b. */
static void trio_open(void)
{
    pair_open();
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
    join_group(&b, 3, "#room");
    join_group(&c, 3, "#room");
}

static void each_node_with_members_gets_one_copy_and_taken_waits_for_all(void **state)
{
    (void)state;
    trio_open();
    alice_sends("#room", "hello");
    dealer_expect_copy(&b, GROUP(3), "alice", "hello");
    dealer_expect_copy(&c, GROUP(3), "alice", "hello");
    dealer_acknowledge(&b);
    dealer_barrier(&b, 9);
    assert_int_equal(broker_number("ledger.handed_over"), 0); /* it is no copy of the ledger's */
    assert_int_equal(a.taken, 0);
    dealer_acknowledge(&c);
    dealer_expect_taken(&a, 2);
    assert_int_equal(broker_number("ledger.taken_over"), 0);
    broker_assert_balance();
}

static void a_group_without_members_is_refused(void **state)
{
    (void)state;
    pair_open();
    alice_sends("#room", "hello");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 1, "#room");
}

static void who_writes_as_the_only_member_at_its_node_is_passed_over(void **state)
{
    (void)state;
    trio_open();
    join_group(&a, 3, "#room");
    say_only(&a, 3, SESSION(1, 1));
    alice_sends("#room", "one");
    dealer_expect_copy(&b, GROUP(3), "alice", "one");
    dealer_expect_copy(&c, GROUP(3), "alice", "one");
    dealer_barrier(&a, 9);
    say_only(&a, 3, 0);
    alice_sends("#room", "two");
    dealer_expect_copy(&a, GROUP(3), "alice", "two");
}

static void who_is_the_only_member_of_all_is_told_that_nobody_is_there(void **state)
{
    (void)state;
    pair_open();
    join_group(&a, 3, "#room");
    say_only(&a, 3, SESSION(1, 1));
    alice_sends("#room", "anybody?");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 1, "#room");
}

static void a_group_that_leaves_a_node_gets_nothing_new_there(void **state)
{
    (void)state;
    trio_open();
    dealer_put(&b, &(control_t){.type = RECORD_LEAVING, .name.session = GROUP(3)});
    dealer_flush(&b);
    dealer_expect(&b, RECORD_LEFT);
    alice_sends("#room", "hello");
    dealer_expect_copy(&c, GROUP(3), "alice", "hello");
    dealer_barrier(&b, 9);
    dealer_put(&c, &(control_t){.type = RECORD_LEAVING, .name.session = GROUP(3)});
    dealer_acknowledge(&c);
    dealer_expect(&c, RECORD_LEFT);
    assert_int_equal(broker_number("gauges.shared_names"), 0);
}

static void several_groups_and_names_at_a_node_share_a_copy(void **state)
{
    (void)state;
    trio_open();
    join_group(&b, 4, "#hall");
    alice_sends("#room,bob,#hall", "hello");
    const dealer_event_t *event = dealer_expect(&b, RECORD_COPY);
    assert_int_equal(event->record.copy.recipient_count, 3);
    assert_int_equal(body_session_at(&event->record.copy, 0), GROUP(3));
    assert_int_equal(body_session_at(&event->record.copy, 1), SESSION(1, 2));
    assert_int_equal(body_session_at(&event->record.copy, 2), GROUP(4));
    dealer_expect_copy(&c, GROUP(3), "alice", "hello");
    dealer_acknowledge(&b);
    dealer_acknowledge(&c);
    dealer_expect_taken(&a, 2);
    assert_int_equal(broker_number("ledger.handed_over"), 1); /* bob's */
    broker_assert_balance();
}

static void what_a_lost_node_had_of_a_group_is_unconfirmed_under_its_name(void **state)
{
    (void)state;
    trio_open();
    alice_sends("#room", "hello");
    dealer_expect_copy(&b, GROUP(3), "alice", "hello");
    dealer_expect_copy(&c, GROUP(3), "alice", "hello");
    dealer_acknowledge(&c);
    for (deadline_t deadline = deadline_in(DEADLINE_USUAL_MS); broker_number("gauges.nodes") == 3;) {
        assert_false(deadline_passed(deadline));
        dealer_put_empty(&a, RECORD_STOPPING); /* whoever says something is not lost */
        dealer_flush(&a);
        dealer_put_empty(&c, RECORD_STOPPING);
        dealer_flush(&c);
    }
    const body_notice_t *notice = &dealer_wait(&a, RECORD_NOTICE)->record.notice;
    assert_int_equal(notice->error, FERRY_ERROR_UNCONFIRMED);
    assert_int_equal(notice->reason, FERRY_REASON_GATEWAY_LOST);
    assert_true(span_equal(notice->name, span_str("#room")));
    assert_int_equal(broker_number("ledger.made"), 1);
    broker_assert_balance();
}

static void expect_about(dealer_t *dealer, record_type_t type, const char *name)
{
    const dealer_event_t *event = dealer_next(dealer);
    while (event->type == RECORD_TAKEN || event->type == RECORD_RUN || event->type == RECORD_ORIGIN)
        event = dealer_next(dealer);
    assert_int_equal(event->type, type);
    assert_true(span_equal(event->control.name.name, span_str(name)));
}

static void say_about(dealer_t *dealer, record_type_t type, const char *name)
{
    dealer_put(dealer, &(control_t){.type = type, .name.name = span_str(name)});
    dealer_flush(dealer);
}

static void a_pause_of_a_group_lasts_until_its_last_node_has_ended_it(void **state)
{
    (void)state;
    trio_open();
    say_about(&b, RECORD_PAUSE, "#room");
    say_about(&c, RECORD_PAUSE, "#room");
    dealer_barrier(&b, 9);
    dealer_barrier(&c, 9);
    alice_sends("#room", "one");
    expect_about(&a, RECORD_PAUSE, "#room");
    dealer_expect_copy(&b, GROUP(3), "alice", "one");
    dealer_expect_copy(&c, GROUP(3), "alice", "one");
    say_about(&b, RECORD_RESUME, "#room");
    dealer_acknowledge(&b);
    dealer_barrier(&b, 10);
    dealer_put(&a, &(control_t){.type = RECORD_REGISTER, .name = {.session = SESSION(1, 8), .name = span_str("x")}});
    dealer_flush(&a);
    while (true) { /* and neither a second PAUSE nor a RESUME yet */
        record_type_t type = dealer_next(&a)->type;
        assert_true(type != RECORD_PAUSE && type != RECORD_RESUME);
        if (type == RECORD_CONFIRMED)
            break;
    }
    say_about(&c, RECORD_RESUME, "#room");
    expect_about(&a, RECORD_RESUME, "#room");
}

static void copies_to_groups_wait_until_all_members_are_known(void **state)
{
    (void)state;
    alice_comes_back();
    alice_sends_again("#room", "to the room");
    alice_sends_again("#void", "to nobody");
    join_group(&a, 3, "#room");                            /* at once, though the broker settles */
    assert_int_equal(broker_number("counters.copies"), 0); /* but no copy yet */
    come_back(&b, 0xb, 0);
    dealer_put_again(&b, GROUP(4), "#room", 1, 1);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect_copy(&b, GROUP(4), "alice", "to the room");
    const body_copy_t *copy = &dealer_wait(&a, RECORD_COPY)->record.copy;
    assert_int_equal(body_session_at(copy, 0), GROUP(3));
    const body_notice_t *notice = &dealer_wait(&a, RECORD_NOTICE)->record.notice;
    assert_int_equal(notice->error, FERRY_ERROR_UNCONFIRMED);
    assert_true(span_equal(notice->name, span_str("#void")));
    dealer_acknowledge(&a);
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 3);
}

static void a_group_is_stated_again_on_a_resumed_link(void **state)
{
    (void)state;
    trio_open();
    dealer_resume(&b, ENDPOINT, 0);
    dealer_put_again(&b, GROUP(3), "#room", 1, 1);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_wait(&b, RECORD_CONFIRMED);
    dealer_resume(&c, ENDPOINT, 0); /* and here it is not */
    dealer_put_empty(&c, RECORD_REGISTERED);
    dealer_flush(&c);
    dealer_barrier(&c, 9);
    alice_sends("#room", "hello");
    dealer_expect_copy(&b, GROUP(3), "alice", "hello");
    dealer_barrier(&c, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(each_node_with_members_gets_one_copy_and_taken_waits_for_all),
        BROKER_TEST(a_group_without_members_is_refused),
        BROKER_TEST(who_writes_as_the_only_member_at_its_node_is_passed_over),
        BROKER_TEST(who_is_the_only_member_of_all_is_told_that_nobody_is_there),
        BROKER_TEST(a_group_that_leaves_a_node_gets_nothing_new_there),
        BROKER_TEST(several_groups_and_names_at_a_node_share_a_copy),
        BROKER_TEST_HASTY(what_a_lost_node_had_of_a_group_is_unconfirmed_under_its_name),
        BROKER_TEST(a_pause_of_a_group_lasts_until_its_last_node_has_ended_it),
        BROKER_TEST(copies_to_groups_wait_until_all_members_are_known),
        BROKER_TEST(a_group_is_stated_again_on_a_resumed_link),
    };
    return BROKER_RUN(tests);
}
