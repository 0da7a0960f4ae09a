/* SPDX-License-Identifier: MPL-2.0 */
/* The healthy flow. What becomes of custody on a fresh link is in test_custody_anew.c. */
#include "custody_rig.h"

enum { REFUSED = FERRY_ERROR_NO_SUCH_PEER };

static void numbers_rise_by_one_and_the_sent_end_follows(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    assert_int_equal(custody_next_number(rig.custody), 1);
    assert_int_equal(custody_floor(rig.custody), 1);
    assert_int_equal(custody_sent_end(rig.custody), 1);
    rig_accept(&rig, 1, 1, 0);
    rig_keep(&rig);
    rig_accept(&rig, 1, 1, 0);
    rig_accept_report(&rig, "bob");
    rig_keep(&rig);
    assert_int_equal(custody_next_number(rig.custody), 4);
    assert_int_equal(custody_sent_end(rig.custody), 1);
    assert_int_equal(rig_send(&rig), 1);
    assert_int_equal(custody_sent_end(rig.custody), 2);
    assert_int_equal(rig_send(&rig), 2);
    rig_accept(&rig, 1, 1, 0);
    assert_int_equal(custody_sent_end(rig.custody), 4);
    assert_int_equal(custody_unsent_count(rig.custody), 0);
    rig_close(&rig);
}

static void what_is_taken_is_settled_and_handed_over(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    uint32_t size = rig_accept(&rig, 7, 3, 100) + rig_accept(&rig, 8, 1, 0);
    rig_keep_and_send(&rig);
    assert_int_equal(custody_open_size(rig.custody), size);
    assert_int_equal(custody_open_copies(rig.custody), 4);
    assert_false(custody_is_settled(rig.custody));
    assert_false(custody_is_clear(rig.custody));
    rig_taken(&rig, 3);
    assert_int_equal(rig.settled[7], 1);
    assert_int_equal(rig.settled[8], 1);
    assert_int_equal(rig.ledger.accepted, 4);
    assert_int_equal(rig.ledger.handed_over, 4);
    assert_int_equal(custody_open_size(rig.custody), 0);
    assert_int_equal(custody_floor(rig.custody), 3);
    assert_true(custody_is_settled(rig.custody));
    assert_true(custody_is_clear(rig.custody));
    rig_check_ledger(&rig);
    rig_close(&rig);
}

static void what_comes_later_does_not_keep_the_earlier_from_being_settled(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    rig_accept(&rig, 1, 1, 0);
    uint64_t next = custody_next_number(rig.custody);
    rig_accept_report(&rig, "bob");
    rig_keep_and_send(&rig);
    assert_false(custody_is_settled_below(rig.custody, next));
    rig_held(&rig, 1);
    rig_taken(&rig, 2);
    assert_false(custody_is_settled_below(rig.custody, next));
    rig_ended(&rig, 1);
    assert_true(custody_is_settled_below(rig.custody, next));
    assert_false(custody_is_settled(rig.custody));
    rig_close(&rig);
}

static void a_report_is_open_but_has_no_size_and_settles_nobody(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    rig_accept_report(&rig, "bob");
    rig_keep_and_send(&rig);
    assert_int_equal(custody_open_size(rig.custody), 0);
    assert_int_equal(custody_open_copies(rig.custody), 0);
    assert_false(custody_is_settled(rig.custody));
    assert_false(rig_refuse(&rig, 1, "bob", REFUSED));
    rig_taken(&rig, 2);
    assert_true(custody_is_settled(rig.custody));
    assert_int_equal(rig.settled_count, 0);
    rig_check_ledger(&rig);
    rig_close(&rig);
}

static void an_exception_stays_open_while_the_rest_is_taken(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    for (uint64_t session = 1; session <= 10; session++)
        rig_accept(&rig, session, 1, 10);
    rig_keep_and_send(&rig);
    rig_taken_but(&rig, 11, (const uint64_t[][2]){{2, 1}, {5, 3}}, 2);
    assert_int_equal(rig.settled_count, 6);
    assert_int_equal(rig.settled[2] + rig.settled[5] + rig.settled[6] + rig.settled[7], 0);
    assert_int_equal(custody_floor(rig.custody), 2);
    assert_int_equal(custody_open_copies(rig.custody), 4);
    rig_taken_but(&rig, 11, (const uint64_t[][2]){{6, 1}}, 1);
    assert_int_equal(rig.settled_count, 9);
    assert_int_equal(custody_floor(rig.custody), 6);
    rig_taken(&rig, 11);
    assert_int_equal(rig.settled_count, 10);
    assert_true(custody_is_settled(rig.custody));
    rig_check_ledger(&rig);
    rig_close(&rig);
}

static void a_long_stall_holds_up_nothing_but_itself(void **state)
{
    (void)state;
    enum { TURNS = 3000, EACH = 20 };
    custody_rig_t rig;
    rig_open(&rig);
    rig_accept(&rig, 1, 1, 10);
    rig_keep_and_send(&rig);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        for (unsigned i = 0; i < EACH; i++)
            rig_accept(&rig, 2, 1, 10);
        rig_keep_and_send(&rig);
        rig_taken_but(&rig, custody_next_number(rig.custody), (const uint64_t[][2]){{1, 1}}, 1);
        assert_int_equal(custody_open_copies(rig.custody), 1);
    }
    assert_int_equal(rig.settled[2], TURNS * EACH);
    assert_int_equal(custody_floor(rig.custody), 1);
    rig_taken(&rig, custody_next_number(rig.custody));
    assert_true(custody_is_settled(rig.custody));
    assert_true(custody_is_clear(rig.custody));
    rig_check_ledger(&rig);
    rig_close(&rig);
}

static void taken_may_fall_back_below_what_it_said_before(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    for (unsigned i = 0; i < 20; i++)
        rig_accept(&rig, 1, 1, 0);
    rig_keep_and_send(&rig);
    rig_taken_but(&rig, 21, (const uint64_t[][2]){{5, 10}, {18, 1}}, 2);
    assert_int_equal(rig.settled_count, 9);
    rig_taken_but(&rig, 9, (const uint64_t[][2]){{5, 1}, {7, 1}}, 2);
    assert_int_equal(rig.settled_count, 11);
    rig_taken_but(&rig, 21, (const uint64_t[][2]){{5, 1}}, 1);
    assert_int_equal(rig.settled_count, 19);
    assert_int_equal(custody_floor(rig.custody), 5);
    rig_taken(&rig, 21);
    assert_int_equal(rig.settled_count, 20);
    assert_true(custody_is_settled(rig.custody));
    rig_check_ledger(&rig);
    rig_close(&rig);
}

static void taken_says_nothing_about_what_was_not_sent(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    rig_accept(&rig, 1, 1, 0);
    rig_keep_and_send(&rig);
    rig_accept(&rig, 2, 1, 0);
    rig_keep(&rig);
    rig_accept(&rig, 3, 1, 0);
    rig_taken_but(&rig, UINT64_MAX, (const uint64_t[][2]){{1u << 30, 1u << 30}}, 1);
    assert_int_equal(rig.settled[1], 1);
    assert_int_equal(rig.settled_count, 1);
    rig_send(&rig);
    rig_taken(&rig, 3);
    assert_int_equal(rig.settled[2], 1);
    assert_int_equal(custody_open_copies(rig.custody), 1);
    rig_check_ledger(&rig);
    rig_close(&rig);
}

static void a_refused_copy_is_counted_once_and_not_handed_over(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    rig_accept(&rig, 1, 3, 0);
    rig_keep_and_send(&rig);
    assert_true(rig_refuse(&rig, 1, "r1", REFUSED));
    assert_false(rig_refuse(&rig, 1, "r1", REFUSED));
    assert_int_equal(rig.ledger.refused[REFUSED], 1);
    assert_int_equal(custody_open_copies(rig.custody), 2);
    rig_check_ledger(&rig);
    rig_taken(&rig, 2);
    assert_false(rig_refuse(&rig, 1, "r2", REFUSED));
    assert_int_equal(rig.ledger.handed_over, 2);
    assert_int_equal(rig.settled[1], 1);
    rig_check_ledger(&rig);
    rig_close(&rig);
}

static void notices_in_any_order_each_count_once(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    for (unsigned i = 0; i < 100; i++)
        rig_accept(&rig, 1, RIG_RECIPIENTS_MAX, i);
    rig_keep_and_send(&rig);
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < 100 * RIG_RECIPIENTS_MAX; i++) {
            char name[8];
            unsigned copy = i * 37 % (100 * RIG_RECIPIENTS_MAX);
            snprintf(name, sizeof name, "r%u", copy % RIG_RECIPIENTS_MAX);
            assert_int_equal(rig_refuse(&rig, 1 + copy / RIG_RECIPIENTS_MAX, name, REFUSED), round == 0);
        }
    assert_int_equal(rig.ledger.refused[REFUSED], 100 * RIG_RECIPIENTS_MAX);
    assert_int_equal(custody_open_copies(rig.custody), 0);
    rig_check_ledger(&rig);
    rig_close(&rig);
}

static void a_notice_on_what_is_not_open_is_passed_over(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    assert_false(rig_refuse(&rig, 1, "r0", REFUSED));
    rig_accept(&rig, 1, 1, 0);
    assert_false(rig_refuse(&rig, 1, "r0", REFUSED)); /* no body holds it yet */
    rig_keep_and_send(&rig);
    assert_false(rig_refuse(&rig, 0, "r0", REFUSED));
    assert_false(rig_refuse(&rig, 2, "r0", REFUSED));
    assert_false(rig_refuse(&rig, UINT64_MAX, "r0", REFUSED));
    assert_false(rig_refuse(&rig, 1, "nobody", REFUSED));
    assert_true(rig_refuse(&rig, 1, "r0", REFUSED));
    rig_check_ledger(&rig);
    rig_close(&rig);
}

static void numbers_of_a_notice_that_are_in_no_table_are_counted_as_unknown(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    rig_accept(&rig, 1, 3, 0);
    rig_keep_and_send(&rig);
    assert_true(rig_refuse(&rig, 1, "r0", UINT16_MAX));
    body_notice_t notice = {
        .error = FERRY_ERROR_UNCONFIRMED, .reason = UINT16_MAX, .number = 1, .name = span_str("r1")};
    assert_true(custody_note(rig.custody, &notice));
    notice = (body_notice_t){
        .error = FERRY_ERROR_UNCONFIRMED, .reason = FERRY_REASON_LATE, .number = 1, .name = span_str("r2")};
    assert_true(custody_note(rig.custody, &notice));
    assert_int_equal(rig.ledger.refused[0], 1);
    assert_int_equal(rig.ledger.unconfirmed[0], 1);
    assert_int_equal(rig.ledger.unconfirmed[FERRY_REASON_LATE], 1);
    rig_check_ledger(&rig);
    rig_close(&rig);
}

static void a_held_message_is_settled_when_its_last_copy_has_ended(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    rig_accept(&rig, 1, 2, 0);
    rig_keep_and_send(&rig);
    rig_held(&rig, 1);
    rig_held(&rig, 1);
    rig_taken(&rig, 2);
    assert_int_equal(rig.settled_count, 0);
    assert_true(custody_is_clear(rig.custody));
    assert_false(custody_is_settled(rig.custody));
    assert_int_equal(rig.ledger.handed_over, 2);
    rig_ended(&rig, 1);
    assert_int_equal(rig.settled_count, 0);
    rig_ended(&rig, 1);
    assert_int_equal(rig.settled[1], 1);
    assert_true(custody_is_settled(rig.custody));
    rig_ended(&rig, 1);
    assert_int_equal(rig.settled_count, 1);
    rig_close(&rig);
}

static void a_held_copy_may_end_before_its_message_is_taken(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    rig_accept(&rig, 1, 2, 0);
    rig_keep_and_send(&rig);
    rig_held(&rig, 1);
    rig_ended(&rig, 1);
    rig_ended(&rig, 1);
    assert_int_equal(rig.settled_count, 0);
    rig_taken(&rig, 2);
    assert_int_equal(rig.settled[1], 1);
    assert_true(custody_is_settled(rig.custody));
    rig_close(&rig);
}

static void held_and_ended_of_unknown_numbers_are_passed_over(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    rig_held(&rig, 0);
    rig_held(&rig, 1);
    rig_ended(&rig, 1);
    rig_accept(&rig, 1, 1, 0);
    rig_held(&rig, 1); /* no body holds it yet */
    rig_keep_and_send(&rig);
    rig_held(&rig, UINT64_MAX);
    rig_ended(&rig, UINT64_MAX);
    rig_taken(&rig, 2);
    assert_int_equal(rig.settled_count, 1);
    rig_held(&rig, 1);
    assert_true(custody_is_settled(rig.custody));
    rig_close(&rig);
}

static void many_held_messages_settle_in_any_order(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    custody_rig_t rig;
    rig_open(&rig);
    for (unsigned i = 0; i < MANY; i++)
        rig_accept(&rig, 1, 1, 0);
    rig_keep_and_send(&rig);
    uint8_t offsets[4 * (MANY - 1)];
    for (uint32_t i = 1; i < MANY; i++)
        bytes_put32(offsets + 4 * (i - 1), i);
    custody_held(rig.custody,
        &(control_numbers_t){.first = 1, .offsets = span_of((const char *)offsets, sizeof offsets)}, false);
    /* The last ones are taken first, so that the list is not made in order. */
    rig_taken_but(&rig, MANY + 1, (const uint64_t[][2]){{1, MANY / 2}}, 1);
    rig_taken(&rig, MANY + 1);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(rig.settled_count, i);
        rig_ended(&rig, 1 + i * 7 % MANY);
    }
    assert_int_equal(rig.settled_count, MANY);
    assert_true(custody_is_settled(rig.custody));
    rig_close(&rig);
}

static void the_session_of_a_message_is_known_until_it_is_settled(void **state)
{
    (void)state;
    custody_rig_t rig;
    uint64_t session = 99;
    rig_open(&rig);
    assert_false(custody_session(rig.custody, 1, &session));
    for (unsigned i = 1; i <= 4; i++)
        rig_accept(&rig, i, 1, 0);
    rig_keep_and_send(&rig);
    rig_held(&rig, 2);
    rig_taken_but(&rig, 5, (const uint64_t[][2]){{1, 1}}, 1);
    assert_true(custody_session(rig.custody, 1, &session));
    assert_int_equal(session, 1);
    assert_true(custody_session(rig.custody, 2, &session));
    assert_int_equal(session, 2);
    assert_false(custody_session(rig.custody, 3, &session));
    assert_false(custody_session(rig.custody, 0, &session));
    assert_false(custody_session(rig.custody, 5, &session));
    assert_int_equal(session, 2);
    rig_close(&rig);
}

static void a_notice_on_a_copy_that_was_taken_is_news_once_and_not_counted(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    rig_accept(&rig, 1, 3, 0);
    rig_keep_and_send(&rig);
    assert_true(rig_end(&rig, 1, "r0", true));
    assert_false(rig_end(&rig, 1, "r0", true));
    assert_false(rig_end(&rig, 1, "r0", false));
    assert_true(rig_end(&rig, 1, "r1", false));
    assert_false(rig_refuse(&rig, 1, "r1", REFUSED));
    assert_int_equal(custody_open_copies(rig.custody), 3);
    rig_taken(&rig, 2);
    assert_int_equal(rig.ledger.handed_over, 3);
    assert_true(rig_end(&rig, 1, "r2", true)); /* of what is not open any more everything is news */
    rig_check_ledger(&rig);
    rig_close(&rig);
}

static void it_is_crowded_when_the_oldest_number_lies_far_behind(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    for (unsigned i = 0; i < CUSTODY_NUMBERS_MAX; i++) {
        assert_false(custody_is_crowded(rig.custody));
        rig_accept_report(&rig, "b");
        if (i % 1000 == 0)
            rig_keep_and_send(&rig);
    }
    assert_true(custody_is_crowded(rig.custody));
    rig_taken(&rig, 2);
    assert_false(custody_is_crowded(rig.custody));
    rig_close(&rig);
}

static void what_waits_for_a_service_leaves_the_window_open(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    uint32_t size = rig_accept(&rig, 1, 1, 100);
    rig_accept(&rig, 2, 1, 100);
    rig_keep_and_send(&rig);
    custody_waits(rig.custody, 1);
    custody_waits(rig.custody, 1);
    custody_waits(rig.custody, 7); /* which is not there */
    assert_int_equal(custody_open_size(rig.custody), size);
    assert_false(custody_is_settled(rig.custody));
    rig_taken(&rig, 2);
    assert_int_equal(custody_open_size(rig.custody), size);
    custody_waits(rig.custody, 1);
    custody_waits(rig.custody, 2);
    assert_int_equal(custody_open_size(rig.custody), 0);
    rig_begin_anew(&rig, CUSTODY_NEW_BROKER); /* which may have somebody who takes it */
    assert_int_equal(custody_open_size(rig.custody), size);
    custody_settled(rig.custody);
    rig_send(&rig);
    custody_waits(rig.custody, 2);
    assert_int_equal(custody_open_size(rig.custody), 0);
    rig_taken(&rig, 3);
    assert_int_equal(custody_open_size(rig.custody), 0);
    assert_int_equal(rig.settled_count, 2);
    rig_check_ledger(&rig);
    rig_close(&rig);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(numbers_rise_by_one_and_the_sent_end_follows),
        TEST(what_is_taken_is_settled_and_handed_over),
        TEST(a_report_is_open_but_has_no_size_and_settles_nobody),
        TEST(an_exception_stays_open_while_the_rest_is_taken),
        TEST(a_long_stall_holds_up_nothing_but_itself),
        TEST(taken_may_fall_back_below_what_it_said_before),
        TEST(taken_says_nothing_about_what_was_not_sent),
        TEST(a_refused_copy_is_counted_once_and_not_handed_over),
        TEST(notices_in_any_order_each_count_once),
        TEST(a_notice_on_what_is_not_open_is_passed_over),
        TEST(numbers_of_a_notice_that_are_in_no_table_are_counted_as_unknown),
        TEST(a_held_message_is_settled_when_its_last_copy_has_ended),
        TEST(a_held_copy_may_end_before_its_message_is_taken),
        TEST(held_and_ended_of_unknown_numbers_are_passed_over),
        TEST(many_held_messages_settle_in_any_order),
        TEST(what_comes_later_does_not_keep_the_earlier_from_being_settled),
        TEST(the_session_of_a_message_is_known_until_it_is_settled),
        TEST(a_notice_on_a_copy_that_was_taken_is_news_once_and_not_counted),
        TEST(it_is_crowded_when_the_oldest_number_lies_far_behind),
        TEST(what_waits_for_a_service_leaves_the_window_open),
    };
    return TEST_RUN(tests);
}
