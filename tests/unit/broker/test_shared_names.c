/* SPDX-License-Identifier: MPL-2.0 */
/* Groups, which several nodes have. What waits for a settling is in test_kept, pauses are in test_pauses. */
#include "groups.h"
#include "logins.h"

static void each_node_with_members_gets_a_copy_and_all_must_acknowledge_it(void **state)
{
    (void)state;
    room_open();
    alice_sends("#room", "one");
    expect_room_copy(&a, "one");
    expect_room_copy(&b, "one");
    expect_room_copy(&c, "one");
    alice_sends("bob", "two");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "two");
    dealer_acknowledge(&a);
    dealer_acknowledge(&b);
    expect_taken_but(&a, 3, 1); /* node c has not acknowledged it */
    dealer_acknowledge(&c);
    dealer_expect_taken(&a, 3);
    assert_int_equal(broker_number("counters.copies"), 4);
    assert_int_equal(broker_number("ledger.taken_over"), 1); /* bob's: those of members are made at their nodes */
    assert_int_equal(broker_number("ledger.handed_over"), 1);
    broker_assert_balance();
}

static void a_node_gets_one_copy_for_all_groups_and_names_of_a_message(void **state)
{
    (void)state;
    room_open();
    dealer_login(&b, GROUP(1, 8), "#hall");
    alice_sends("#room,bob,#hall", "one");
    expect_room_copy(&a, "one");
    const body_copy_t *copy = &dealer_expect(&b, RECORD_COPY)->record.copy;
    assert_int_equal(copy->recipient_count, 3);
    assert_int_equal(body_session_at(copy, 0), GROUP(1, 7));
    assert_int_equal(body_session_at(copy, 1), SESSION(1, 2));
    assert_int_equal(body_session_at(copy, 2), GROUP(1, 8));
    expect_room_copy(&c, "one");
    dealer_acknowledge(&b);
    dealer_acknowledge(&c);
    dealer_acknowledge(&a);
    dealer_expect_taken(&a, 2);
    broker_assert_balance();
}

static void a_group_that_nobody_has_is_refused(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&b, GROUP(1, 7), "#room");
    alice_sends("#hall,#room", "one");
    const dealer_event_t *notice = dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 1, "#hall");
    assert_false(notice->record.notice.taken);
    assert_int_equal(notice->record.notice.session, SESSION(1, 1));
    expect_room_copy(&b, "one");
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 2);
    assert_int_equal(broker_number("counters.copies_refused"), 1);
    broker_assert_balance();
}

static void the_only_member_at_a_node_is_not_sent_what_it_writes(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&a, GROUP(1, 7), "#room");
    dealer_login(&a, SESSION(1, 3), "ann");
    alice_is_alone();
    alice_sends("#room", "one");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 1, "#room");
    dealer_expect_taken(&a, 2);
    dealer_login(&b, GROUP(1, 7), "#room");
    alice_sends("#room", "two");
    expect_room_copy(&b, "two");
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 3);
    dealer_put_message(&a, SESSION(1, 3), "ann", "#room", "three");
    dealer_flush(&a);
    dealer_expect_copy(&a, GROUP(1, 7), "ann", "three");
}

/* A session of another node that has the same number is somebody else. */
static void whoever_is_not_that_member_reaches_it(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&a, GROUP(1, 7), "#room");
    alice_is_alone();
    dealer_barrier(&a, 9);
    dealer_put_message(&b, SESSION(1, 1), "bert", "#room", "one");
    dealer_flush(&b);
    dealer_expect_copy(&a, GROUP(1, 7), "bert", "one");
}

static void a_second_member_hears_the_first(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&a, GROUP(1, 7), "#room");
    alice_is_alone();
    put_only(&a, GROUP(1, 7), 0);
    dealer_flush(&a);
    alice_sends("#room", "one");
    expect_room_copy(&a, "one");
}

static void who_is_the_only_member_is_said_anew_on_each_link(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&a, GROUP(1, 7), "#room");
    alice_is_alone();
    dealer_barrier(&a, 9);
    dealer_resume(&a, ENDPOINT, 0);
    dealer_put_again(&a, SESSION(1, 1), "alice", 1, 1);
    dealer_put_again(&a, GROUP(1, 7), "#room", 1, 2);
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    alice_sends("#room", "one");
    dealer_wait(&a, RECORD_COPY);
}

static void who_is_the_only_member_is_known_before_what_comes_with_it(void **state)
{
    (void)state;
    room_open();
    alice_is_alone();
    put_only(&a, GROUP(1, 7), 0); /* bob has joined, and knows it */
    alice_sends("#room", "one");
    expect_room_copy(&a, "one");
}

static void the_only_member_of_what_is_no_group_here_ends_the_link(void **state)
{
    (void)state;
    pair_open();
    put_only(&a, GROUP(1, 7), SESSION(1, 1));
    dealer_flush(&a);
    dealer_expect_refused(&a, CLOSE_BAD_RECORD);
}

static void a_group_leaves_one_node_and_stays_at_the_others(void **state)
{
    (void)state;
    room_open();
    alice_is_alone();
    alice_sends("#room", "one");
    expect_room_copy(&b, "one");
    expect_room_copy(&c, "one");
    dealer_acknowledge(&c);
    say_leaving(&b, GROUP(1, 7));
    dealer_put_message(&b, SESSION(1, 2), "bob", "nobody", "sent behind it");
    dealer_flush(&b);
    dealer_expect_notice(&b, FERRY_ERROR_NO_SUCH_PEER, 0, 1, "nobody");
    dealer_expect_taken(&b, 2);
    alice_sends("#room", "two");
    expect_room_copy(&c, "two");
    dealer_acknowledge(&c);
    dealer_acknowledge(&b); /* only now it has left */
    expect_left(&b, GROUP(1, 7));
    dealer_expect_taken(&a, 3);
    say_leaving(&c, GROUP(1, 7));
    expect_left(&c, GROUP(1, 7));
    alice_sends("#room", "three");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 3, "#room");
    broker_assert_balance();
}

static void a_group_may_come_back_to_its_node_before_it_has_left(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&b, GROUP(1, 7), "#room");
    alice_sends("#room", "one");
    expect_room_copy(&b, "one");
    say_leaving(&b, GROUP(1, 7));
    dealer_login(&b, GROUP(1, 8), "#room");
    alice_sends("#room", "two");
    dealer_expect_copy(&b, GROUP(1, 8), "alice", "two");
    dealer_acknowledge(&b);
    expect_left(&b, GROUP(1, 7));
    dealer_expect_taken(&a, 3);
    say_leaving(&b, GROUP(1, 8));
    expect_left(&b, GROUP(1, 8));
    broker_assert_balance();
}

static void a_node_that_is_lost_with_a_copy_leaves_it_unconfirmed(void **state)
{
    (void)state;
    room_open();
    alice_is_alone();
    alice_sends("#room", "one");
    expect_room_copy(&b, "one");
    expect_room_copy(&c, "one");
    dealer_acknowledge(&c);
    lose(&b);
    const dealer_event_t *notice =
        dealer_expect_notice(&a, FERRY_ERROR_UNCONFIRMED, FERRY_REASON_GATEWAY_LOST, 1, "#room");
    assert_true(notice->record.notice.taken);
    assert_int_equal(notice->record.notice.session, SESSION(1, 1));
    dealer_expect(&a, RECORD_GONE);
    dealer_expect_taken(&a, 2);
    assert_int_equal(broker_number("ledger.made"), 1);
    assert_int_equal(broker_number("ledger.unconfirmed.gateway-lost"), 1);
    broker_assert_balance();
    alice_sends("#room", "two");
    dealer_expect(&c, RECORD_GONE);
    expect_room_copy(&c, "two");
}

static void what_members_hold_is_one_copy_that_ends_or_is_lost_with_their_node(void **state)
{
    (void)state;
    room_open();
    alice_is_alone();
    dealer_acknowledge(&a);
    alice_sends("#room", "one");
    alice_sends("#room", "two");
    uint32_t handle = expect_room_copy(&b, "one")->run.handle;
    expect_room_copy(&b, "two");
    for (unsigned i = 0; i < 2; i++)
        dealer_expect(&c, RECORD_COPY);
    dealer_acknowledge(&c);
    const uint32_t offset = htole32(1);
    dealer_put(&b, &(control_t){.type = RECORD_HOLD,
                       .held = {.session = GROUP(1, 7),
                           .handle = handle,
                           .numbers = {.first = 1, .offsets = span_of((const char *)&offset, sizeof offset)}}});
    dealer_acknowledge(&b);
    dealer_expect_numbers(dealer_expect(&a, RECORD_HELD), (const uint64_t[]){1, 2}, 2);
    dealer_expect_taken(&a, 3);
    dealer_put(&b, &(control_t){.type = RECORD_END, .held = {.session = GROUP(1, 7), .count = 1}});
    dealer_flush(&b);
    dealer_expect_numbers(dealer_expect(&a, RECORD_ENDED), (const uint64_t[]){1}, 1);
    lose(&b);
    dealer_expect_notice(&a, FERRY_ERROR_UNCONFIRMED, FERRY_REASON_GATEWAY_LOST, 2, "#room");
    dealer_expect_numbers(dealer_expect(&a, RECORD_ENDED), (const uint64_t[]){2}, 1);
    broker_assert_balance();
}

static void the_report_of_a_member_reaches_the_origin_with_its_name(void **state)
{
    (void)state;
    room_open();
    alice_is_alone();
    alice_sends("#room", "one");
    expect_room_copy(&b, "one");
    static const char *const members[] = {"bob", "bert"};
    for (unsigned i = 0; i < 2; i++)
        dealer_put_report(&b, &(body_report_t){.error = FERRY_ERROR_UNDELIVERED,
                                  .reason = FERRY_REASON_STALLED,
                                  .origin = a.id,
                                  .session = SESSION(1, 1),
                                  .number = 1,
                                  .name = span_str(members[i])});
    dealer_acknowledge(&b);
    for (unsigned i = 0; i < 2; i++)
        dealer_expect_notice(&a, FERRY_ERROR_UNDELIVERED, FERRY_REASON_STALLED, 1, members[i]);
    dealer_acknowledge(&a);
    dealer_expect_taken(&b, 3);
    broker_assert_balance();
}

static void a_group_and_its_session_go_together(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    dealer_join(&a);
    dealer_put_register(&a, SESSION(1, 7), "#room");
    dealer_flush(&a);
    dealer_expect_refused(&a, CLOSE_BAD_RECORD);
    dealer_open(&b, ENDPOINT, 0xb);
    dealer_join(&b);
    dealer_put_register(&b, GROUP(1, 7), "room");
    dealer_flush(&b);
    dealer_expect_refused(&b, CLOSE_BAD_RECORD);
}

/* Else a node could be sent one copy by more sessions than a COPY holds. */
static void a_group_that_a_node_registers_twice_ends_the_link(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&b, GROUP(1, 7), "#room");
    dealer_put_register(&b, GROUP(1, 8), "#room");
    dealer_flush(&b);
    dealer_expect_refused(&b, CLOSE_BAD_RECORD);
}

static void a_resumed_link_keeps_the_groups_that_are_registered_again(void **state)
{
    (void)state;
    room_open();
    dealer_login(&b, GROUP(1, 8), "#hall");
    alice_is_alone();
    dealer_resume(&b, ENDPOINT, 0);
    alice_sends("#room,#hall", "one"); /* they are its until REGISTERED */
    expect_room_copy(&c, "one");
    dealer_put_again(&b, SESSION(1, 2), "bob", 1, 2);
    dealer_put_again(&b, GROUP(1, 7), "#room", 1, 4);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    assert_confirmed(&b, SESSION(1, 2));
    assert_confirmed(&b, GROUP(1, 7));
    assert_int_equal(dealer_expect(&b, RECORD_COPY)->record.copy.recipient_count, 2);
    alice_sends("#room,#hall", "two");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 2, "#hall");
    expect_room_copy(&b, "two");
    expect_room_copy(&c, "two");
}

static void a_resumed_link_may_have_the_group_anew_by_another_session(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&b, GROUP(1, 7), "#room");
    dealer_resume(&b, ENDPOINT, 0);
    dealer_put_register(&b, GROUP(1, 8), "#room");
    dealer_put(&b, &(control_t){.type = RECORD_LEAVING, .name.session = GROUP(1, 7)});
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    assert_confirmed(&b, GROUP(1, 8));
    expect_left(&b, GROUP(1, 7));
    alice_sends("#room", "one");
    dealer_expect_copy(&b, GROUP(1, 8), "alice", "one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(each_node_with_members_gets_a_copy_and_all_must_acknowledge_it),
        BROKER_TEST(a_node_gets_one_copy_for_all_groups_and_names_of_a_message),
        BROKER_TEST(a_group_that_nobody_has_is_refused),
        BROKER_TEST(the_only_member_at_a_node_is_not_sent_what_it_writes),
        BROKER_TEST(whoever_is_not_that_member_reaches_it),
        BROKER_TEST(a_second_member_hears_the_first),
        BROKER_TEST(who_is_the_only_member_is_said_anew_on_each_link),
        BROKER_TEST(who_is_the_only_member_is_known_before_what_comes_with_it),
        BROKER_TEST(the_only_member_of_what_is_no_group_here_ends_the_link),
        BROKER_TEST(a_group_leaves_one_node_and_stays_at_the_others),
        BROKER_TEST(a_group_may_come_back_to_its_node_before_it_has_left),
        BROKER_TEST(a_node_that_is_lost_with_a_copy_leaves_it_unconfirmed),
        BROKER_TEST(what_members_hold_is_one_copy_that_ends_or_is_lost_with_their_node),
        BROKER_TEST(the_report_of_a_member_reaches_the_origin_with_its_name),
        BROKER_TEST(a_group_and_its_session_go_together),
        BROKER_TEST(a_group_that_a_node_registers_twice_ends_the_link),
        BROKER_TEST(a_resumed_link_keeps_the_groups_that_are_registered_again),
        BROKER_TEST(a_resumed_link_may_have_the_group_anew_by_another_session),
    };
    return BROKER_RUN(tests);
}
