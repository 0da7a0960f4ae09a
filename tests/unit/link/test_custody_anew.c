/* SPDX-License-Identifier: MPL-2.0 */
/* What becomes of custody when a new link is up. */
#include "custody_rig.h"

enum { REFUSED = FERRY_ERROR_NO_SUCH_PEER };

static void a_resumed_link_goes_on_behind_what_the_broker_has(void **state)
{
    (void)state;
    for (uint64_t count = 0; count <= 3; count++) {
        custody_rig_t rig;
        rig_open(&rig);
        for (unsigned i = 1; i <= 3; i++) {
            rig_accept(&rig, i, 2, 0);
            rig_keep_and_send(&rig);
        }
        rig_accept(&rig, 4, 1, 0);
        rig_keep(&rig);
        rig_refuse(&rig, 3, "r1", REFUSED);
        assert_int_equal(custody_sent_count(rig.custody), 3);
        rig_resume(&rig, count);
        assert_int_equal(custody_sent_count(rig.custody), 3 - count);
        assert_int_equal(custody_unsent_count(rig.custody), count + 1);
        assert_int_equal(custody_sent_end(rig.custody), 4 - count);
        static const char *const sent[] = {"1:r0,r1 ", "2:r0,r1 ", "3:r0,r1 ", "4:r0 "};
        for (uint64_t i = 3 - count; i < 4; i++)
            rig_expect_sent(&rig, sent[i]);
        rig_check_ledger(&rig);
        rig_close(&rig);
    }
}

static void a_fresh_link_sends_again_what_is_not_taken(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    for (unsigned i = 1; i <= 4; i++)
        rig_accept(&rig, i, 2, 0);
    rig_accept_report(&rig, "bob");
    rig_keep_and_send(&rig);
    rig_accept(&rig, 6, 1, 0);
    rig_keep_and_send(&rig);
    rig_accept(&rig, 7, 1, 0);
    rig_keep(&rig);
    rig_accept(&rig, 8, 1, 0);
    rig_taken_but(&rig, 4, (const uint64_t[][2]){{2, 1}}, 1);
    rig_refuse(&rig, 4, "r0", REFUSED);
    rig_begin_anew(&rig, CUSTODY_NEW_BROKER);
    assert_int_equal(custody_sent_count(rig.custody), 0);
    assert_int_equal(custody_kept_first(rig.custody), 1);
    assert_int_equal(custody_floor(rig.custody), 2);
    rig_expect_sent(&rig, "again 1:- 2:r0,r1 3:- 4:r1 5:!bob ");
    rig_expect_sent(&rig, "again 6:r0 ");
    rig_expect_sent(&rig, "7:r0 ");
    rig_expect_sent(&rig, "8:r0 ");
    assert_int_equal(custody_open_copies(rig.custody), 2 + 1 + 3);
    rig_check_ledger(&rig);
    rig_close(&rig);
}

static void a_taken_number_below_the_floor_is_not_taken_for_another(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    custody_rig_t rig;
    rig_open(&rig);
    for (unsigned i = 0; i < 10; i++)
        rig_accept(&rig, 1, 1, 0);
    rig_keep_and_send(&rig);
    rig_taken(&rig, 10); /* nine of ten: the body is kept */
    for (unsigned i = 0; i < MANY; i++) {
        rig_accept(&rig, 2, 1, 0);
        rig_keep_and_send(&rig);
        rig_begin_anew(&rig, CUSTODY_NEW_BROKER);
        while (custody_unsent_count(rig.custody) > 0)
            rig_send(&rig);
        if (i % 100 == 0)
            assert_int_equal(custody_open_copies(rig.custody), i + 2);
    }
    assert_int_equal(custody_open_copies(rig.custody), MANY + 1);
    rig_check_ledger(&rig);
    rig_close(&rig);
}

static void a_second_fresh_link_flags_what_the_first_had_no_time_for(void **state)
{
    (void)state;
    for (unsigned sent = 0; sent <= 3; sent++) {
        custody_rig_t rig;
        rig_open(&rig);
        for (unsigned i = 0; i < 3; i++) {
            rig_accept(&rig, 1, 1, 0);
            rig_keep_and_send(&rig);
        }
        rig_accept(&rig, 1, 1, 0);
        rig_begin_anew(&rig, CUSTODY_NEW_BROKER);
        for (unsigned i = 0; i < sent; i++)
            rig_send(&rig);
        rig_begin_anew(&rig, CUSTODY_NEW_BROKER);
        rig_expect_sent(&rig, "again 1:r0 ");
        rig_expect_sent(&rig, "again 2:r0 ");
        rig_expect_sent(&rig, "again 3:r0 ");
        rig_expect_sent(&rig, "4:r0 ");
        rig_close(&rig);
    }
}

static void a_fresh_link_flags_what_a_resumed_one_had_no_time_for(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    for (unsigned i = 0; i < 3; i++) {
        rig_accept(&rig, 1, 1, 0);
        rig_keep_and_send(&rig);
    }
    rig_resume(&rig, 2);
    assert_false(custody_next_is_again(rig.custody));
    rig_begin_anew(&rig, CUSTODY_NEW_BROKER);
    rig_accept(&rig, 1, 1, 0);
    rig_keep(&rig);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(custody_next_is_again(rig.custody));
        rig_send(&rig);
    }
    assert_false(custody_next_is_again(rig.custody));
    rig_close(&rig);
}

static void a_message_of_which_nothing_is_left_is_taken_on_a_fresh_link(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    rig_accept(&rig, 1, 2, 0);
    rig_keep_and_send(&rig);
    rig_refuse(&rig, 1, "r0", REFUSED);
    rig_end(&rig, 1, "r1", true);
    rig_begin_anew(&rig, CUSTODY_NEW_BROKER);
    assert_int_equal(rig.ledger.handed_over, 1);
    assert_int_equal(rig.settled_count, 0); /* the broker is still to say what is held */
    rig_expect_sent(&rig, "again 1:- ");
    custody_settled(rig.custody);
    assert_int_equal(rig.settled[1], 1);
    rig_taken(&rig, 2);
    assert_int_equal(rig.settled_count, 1);
    assert_true(custody_is_clear(rig.custody));
    assert_true(custody_is_settled(rig.custody));
    rig_check_ledger(&rig);
    rig_close(&rig);
}

static void a_notice_that_comes_again_on_a_fresh_link_is_not_news(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    rig_accept(&rig, 1, 3, 0);
    rig_keep_and_send(&rig);
    rig_refuse(&rig, 1, "r0", REFUSED);
    rig_end(&rig, 1, "r1", true);
    rig_begin_anew(&rig, CUSTODY_NEW_BROKER);
    assert_false(rig_refuse(&rig, 1, "r0", REFUSED));
    assert_false(rig_end(&rig, 1, "r1", true));
    assert_true(rig_refuse(&rig, 1, "r2", REFUSED)); /* whose place in the record is another now */
    assert_int_equal(rig.ledger.refused[REFUSED], 2);
    assert_int_equal(custody_open_copies(rig.custody), 1);
    rig_check_ledger(&rig);
    rig_close(&rig);
}

/* Where an open copy is counted whose node was lost, by what has become of the broker that said so. */
static void a_copy_that_a_broker_had_lost_is_counted_here_when_that_is_no_more(void **state)
{
    (void)state;
    for (unsigned given_up = 0; given_up < 2; given_up++) {
        custody_rig_t rig;
        rig_open(&rig);
        rig_accept(&rig, 1, 2, 0);
        rig_keep_and_send(&rig);
        rig_end(&rig, 1, "r0", false);
        rig_begin_anew(&rig, given_up ? CUSTODY_GIVEN_UP : CUSTODY_NEW_BROKER);
        assert_int_equal(rig.ledger.unconfirmed[FERRY_REASON_GATEWAY_LOST], !given_up);
        rig_check_ledger(&rig);
        rig_expect_sent(&rig, "again 1:r1 ");
        rig_taken(&rig, 2);
        assert_int_equal(rig.ledger.handed_over, 1 + given_up);
        rig_check_ledger(&rig);
        rig_close(&rig);
    }
}

static void a_node_that_was_given_up_drops_its_reports(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    rig_accept_report(&rig, "bob");
    rig_accept(&rig, 1, 1, 0);
    rig_keep_and_send(&rig);
    rig_accept_report(&rig, "zoe");
    rig_keep(&rig);
    rig_accept_report(&rig, "ann");
    rig_begin_anew(&rig, CUSTODY_GIVEN_UP);
    rig_expect_sent(&rig, "again 1:- 2:r0 ");
    rig_expect_sent(&rig, "3:- ");
    rig_expect_sent(&rig, "4:- ");
    custody_settled(rig.custody);
    rig_taken(&rig, 3);
    assert_int_equal(custody_floor(rig.custody), 5);
    assert_true(custody_is_clear(rig.custody));
    assert_true(custody_is_settled(rig.custody));
    rig_close(&rig);
}

static void exceptions_of_another_instance_mean_nothing(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    for (uint64_t session = 1; session <= 10; session++)
        rig_accept(&rig, session, 1, 0);
    rig_keep_and_send(&rig);
    rig_taken_but(&rig, 11, (const uint64_t[][2]){{2, 1}, {5, 3}}, 2);
    rig_begin_anew(&rig, CUSTODY_NEW_BROKER);
    custody_settled(rig.custody);
    rig_taken(&rig, 11);
    assert_int_equal(rig.settled_count, 6); /* nothing was sent yet */
    rig_expect_sent(&rig, "again 1:- 2:r0 3:- 4:- 5:r0 6:r0 7:r0 8:- 9:- 10:- ");
    rig_taken_but(&rig, 11, (const uint64_t[][2]){{6, 1}}, 1);
    assert_int_equal(rig.settled_count, 9);
    rig_taken(&rig, 11);
    assert_int_equal(rig.settled_count, 10);
    assert_true(custody_is_settled(rig.custody));
    rig_check_ledger(&rig);
    rig_close(&rig);
}

static void nothing_settles_until_the_broker_has_stated_what_is_held(void **state)
{
    (void)state;
    for (unsigned resumed = 0; resumed < 2; resumed++) {
        custody_rig_t rig;
        rig_open(&rig);
        for (uint64_t session = 1; session <= 5; session++) {
            rig_accept(&rig, session, 1, 0);
            rig_keep_and_send(&rig);
        }
        for (uint64_t number = 1; number <= 4; number++)
            rig_held(&rig, number);
        rig_taken(&rig, 4);
        if (resumed)
            rig_resume(&rig, 0);
        else
            rig_begin_anew(&rig, CUSTODY_NEW_BROKER);
        while (custody_unsent_count(rig.custody) > 0)
            rig_send(&rig);
        rig_held_again(&rig, 2);
        rig_ended(&rig, 3);
        rig_held_again(&rig, 5);
        rig_taken(&rig, 6);
        assert_int_equal(rig.settled_count, 0);
        assert_false(custody_is_settled(rig.custody));
        custody_settled(rig.custody);
        assert_int_equal(rig.settled[1] + rig.settled[3] + rig.settled[4], 3);
        assert_int_equal(rig.settled_count, 3);
        rig_ended(&rig, 5);
        rig_ended(&rig, 2);
        assert_int_equal(rig.settled_count, 5);
        assert_true(custody_is_settled(rig.custody));
        rig_close(&rig);
    }
}

static void what_was_stated_on_a_link_that_was_lost_is_stated_anew(void **state)
{
    (void)state;
    custody_rig_t rig;
    rig_open(&rig);
    rig_accept(&rig, 1, 2, 0);
    rig_accept(&rig, 2, 2, 0);
    rig_keep_and_send(&rig);
    rig_held(&rig, 1);
    rig_taken(&rig, 2);
    rig_resume(&rig, 0);
    rig_held_again(&rig, 1);
    rig_held_again(&rig, 2);
    rig_resume(&rig, 0);
    rig_held_again(&rig, 1);
    rig_held_again(&rig, 2);
    custody_settled(rig.custody);
    rig_taken(&rig, 3);
    assert_int_equal(rig.settled_count, 0);
    rig_ended(&rig, 1);
    rig_ended(&rig, 2);
    assert_int_equal(rig.settled_count, 2);
    rig_close(&rig);
}

typedef struct {
    unsigned count;
    body_notice_t last;
} told_t;

static void on_called_in(void *arg, const body_notice_t *notice)
{
    told_t *told = arg;
    told->count++;
    told->last = *notice;
}

static void what_was_lent_is_lost_with_its_broker(void **state)
{
    (void)state;
    custody_rig_t rig;
    told_t told = {0};
    rig_open(&rig);
    rig_accept(&rig, 5, 2, 0); /* to r0 and r1 */
    rig_accept_to(&rig, "#room");
    rig_accept(&rig, 6, 1, 0);
    rig_keep_and_send(&rig);
    for (uint64_t number = 1; number <= 3; number++)
        rig_held(&rig, number);
    rig_held(&rig, 1);
    custody_lent(rig.custody, &(control_numbers_t){.first = 1}, span_str("r0"));
    custody_lent(rig.custody, &(control_numbers_t){.first = 1}, span_str("r1"));
    custody_lent(rig.custody, &(control_numbers_t){.first = 2}, span_str("#room"));
    custody_lent(rig.custody, &(control_numbers_t){.first = 3}, span_str("r0"));
    rig_taken(&rig, 3); /* and 3 is not */
    rig_ended(&rig, 1);
    custody_repaid(rig.custody, &(control_numbers_t){.first = 1}, span_str("r0"));
    custody_call_in(rig.custody, on_called_in, &told);
    assert_int_equal(told.count, 2);
    assert_int_equal(told.last.number, 2);
    assert_true(span_equal(told.last.name, span_str("#room")));
    assert_int_equal(told.last.session, 1);
    assert_int_equal(told.last.error, FERRY_ERROR_UNCONFIRMED);
    assert_int_equal(told.last.reason, FERRY_REASON_BROKER_LOST);
    assert_int_equal(rig.ledger.unconfirmed[FERRY_REASON_BROKER_LOST], 2);
    assert_int_equal(rig.ledger.handed_over, 1);
    assert_int_equal(rig.ledger.shared, 0);
    rig_check_ledger(&rig);
    rig_begin_anew(&rig, CUSTODY_NEW_BROKER);
    custody_settled(rig.custody);
    assert_int_equal(rig.settled_count, 2);
    custody_call_in(rig.custody, on_called_in, &told);
    assert_int_equal(told.count, 2);
    rig_close(&rig);
}

/* The broker that the link was resumed with ends before it has said what is held. */
static void what_was_lent_is_lost_with_a_broker_that_ends_before_it_settles(void **state)
{
    (void)state;
    custody_rig_t rig;
    told_t told = {0};
    rig_open(&rig);
    rig_accept(&rig, 5, 1, 0);
    rig_accept(&rig, 6, 1, 0);
    rig_keep_and_send(&rig);
    for (uint64_t number = 1; number <= 2; number++) {
        rig_held(&rig, number);
        custody_lent(rig.custody, &(control_numbers_t){.first = number}, span_str("r0"));
    }
    rig_taken(&rig, 3);
    rig_resume(&rig, 0);
    rig_held_again(&rig, 2);
    custody_lent(rig.custody, &(control_numbers_t){.first = 2}, span_str("r0"));
    custody_call_in(rig.custody, on_called_in, &told);
    assert_int_equal(told.count, 2);
    assert_int_equal(rig.ledger.unconfirmed[FERRY_REASON_BROKER_LOST], 2);
    rig_begin_anew(&rig, CUSTODY_NEW_BROKER);
    custody_settled(rig.custody);
    assert_int_equal(rig.settled_count, 2);
    rig_check_ledger(&rig);
    rig_close(&rig);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_resumed_link_goes_on_behind_what_the_broker_has),
        TEST(a_fresh_link_sends_again_what_is_not_taken),
        TEST(a_taken_number_below_the_floor_is_not_taken_for_another),
        TEST(a_second_fresh_link_flags_what_the_first_had_no_time_for),
        TEST(a_fresh_link_flags_what_a_resumed_one_had_no_time_for),
        TEST(a_message_of_which_nothing_is_left_is_taken_on_a_fresh_link),
        TEST(a_notice_that_comes_again_on_a_fresh_link_is_not_news),
        TEST(a_copy_that_a_broker_had_lost_is_counted_here_when_that_is_no_more),
        TEST(a_node_that_was_given_up_drops_its_reports),
        TEST(exceptions_of_another_instance_mean_nothing),
        TEST(nothing_settles_until_the_broker_has_stated_what_is_held),
        TEST(what_was_stated_on_a_link_that_was_lost_is_stated_anew),
        TEST(what_was_lent_is_lost_with_its_broker),
        TEST(what_was_lent_is_lost_with_a_broker_that_ends_before_it_settles),
    };
    return TEST_RUN(tests);
}
