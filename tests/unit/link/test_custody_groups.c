/* SPDX-License-Identifier: MPL-2.0 */
/* What custody makes of messages to groups, whose members are told of one by one. */
#include "custody_rig.h"

static custody_rig_t rig;

static int setup(void **state)
{
    (void)state;
    rig_open(&rig);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static void what_goes_to_a_group_is_shared_and_the_rest_handed_over(void **state)
{
    (void)state;
    rig_accept_to(&rig, "#room,bob,#hall");
    rig_accept_to(&rig, "#room");
    rig_keep_and_send(&rig);
    assert_int_equal(custody_open_copies(rig.custody), 4);
    rig_taken(&rig, 3);
    assert_int_equal(rig.ledger.accepted, 4);
    assert_int_equal(rig.ledger.shared, 3);
    assert_int_equal(rig.ledger.handed_over, 1);
    assert_int_equal(rig.settled[1], 2);
    rig_check_ledger(&rig);
}

static void the_notice_of_each_member_is_news_once(void **state)
{
    (void)state;
    rig_accept_to(&rig, "#room");
    rig_accept_to(&rig, "#room");
    rig_keep_and_send(&rig);
    assert_true(rig_end(&rig, 1, "bob", true));
    assert_true(rig_end(&rig, 1, "carol", true));
    assert_true(rig_end(&rig, 2, "bob", true));
    assert_false(rig_end(&rig, 1, "bob", true));
    assert_false(rig_end(&rig, 1, "carol", true));
    assert_true(rig_end(&rig, 1, "#room", false)); /* a node with members is lost */
    assert_false(rig_end(&rig, 1, "#room", false));
    rig_check_ledger(&rig);
}

static void a_notice_of_a_name_is_none_of_a_message_without_groups(void **state)
{
    (void)state;
    rig_accept_to(&rig, "bob");
    rig_keep_and_send(&rig);
    assert_false(rig_end(&rig, 1, "carol", true));
    assert_true(rig_end(&rig, 1, "bob", true));
    assert_false(rig_end(&rig, 1, "bob", true));
}

static void a_group_that_is_refused_is_none_of_what_is_shared(void **state)
{
    (void)state;
    rig_accept_to(&rig, "#room,#hall,bob");
    rig_keep_and_send(&rig);
    assert_true(rig_refuse(&rig, 1, "#room", FERRY_ERROR_NO_SUCH_PEER));
    assert_false(rig_refuse(&rig, 1, "#room", FERRY_ERROR_NO_SUCH_PEER));
    rig_check_ledger(&rig);
    rig_taken(&rig, 2);
    assert_int_equal(rig.ledger.refused[FERRY_ERROR_NO_SUCH_PEER], 1);
    assert_int_equal(rig.ledger.shared, 1);
    assert_int_equal(rig.ledger.handed_over, 1);
    rig_check_ledger(&rig);
}

static void a_group_that_is_refused_is_left_out_of_what_is_sent_again(void **state)
{
    (void)state;
    rig_accept_to(&rig, "#room,#hall,bob");
    rig_keep_and_send(&rig);
    rig_refuse(&rig, 1, "#room", FERRY_ERROR_NO_SUCH_PEER);
    rig_begin_anew(&rig, CUSTODY_NEW_BROKER);
    rig_expect_sent(&rig, "again 1:#hall,bob ");
    rig_taken(&rig, 2);
    assert_int_equal(rig.ledger.shared, 1);
    rig_check_ledger(&rig);
}

static void a_message_goes_to_a_group_again_though_members_and_nodes_were_told_of(void **state)
{
    (void)state;
    for (custody_anew_t why = CUSTODY_NEW_BROKER; why <= CUSTODY_GIVEN_UP; why++) {
        uint64_t number = custody_next_number(rig.custody);
        char expected[64];
        snprintf(expected, sizeof expected, "again %u:#room ", (unsigned)number);
        rig_accept_to(&rig, "#room,bob");
        rig_keep_and_send(&rig);
        rig_end(&rig, number, "carol", true);
        rig_end(&rig, number, "#room", false);
        rig_end(&rig, number, "bob", true); /* that one is left out */
        rig_begin_anew(&rig, why);
        rig_expect_sent(&rig, expected);
        rig_taken(&rig, number + 1);
        rig_check_ledger(&rig);
    }
    assert_int_equal(rig.ledger.shared, 2);
    assert_int_equal(rig.ledger.unconfirmed[FERRY_REASON_GATEWAY_LOST], 0); /* no copy of this node was lost */
}

/* The nodes of its members report again what they had reported, since the notice may not have come. */
static void a_member_that_was_told_of_is_no_news_when_the_message_was_sent_again(void **state)
{
    (void)state;
    for (custody_anew_t why = CUSTODY_NEW_BROKER; why <= CUSTODY_GIVEN_UP; why++) {
        uint64_t number = custody_next_number(rig.custody);
        rig_accept_to(&rig, "#room,bob,#hall");
        rig_keep_and_send(&rig);
        rig_end(&rig, number, "carol", true);
        rig_end(&rig, number, "#room", false);
        rig_refuse(&rig, number, "#hall", FERRY_ERROR_NO_SUCH_PEER); /* the places of the others change */
        for (unsigned again = 0; again < 2; again++) {
            rig_begin_anew(&rig, why);
            rig_send(&rig);
            assert_false(rig_end(&rig, number, "carol", true));
            assert_false(rig_end(&rig, number, "#room", false));
        }
        assert_true(rig_end(&rig, number, "dave", true));
        assert_true(rig_end(&rig, number, "bob", true));
        rig_taken(&rig, number + 1);
        rig_check_ledger(&rig);
    }
}

static void what_is_held_for_a_group_is_settled_when_the_last_node_says_so(void **state)
{
    (void)state;
    rig_accept_to(&rig, "#room");
    rig_keep_and_send(&rig);
    rig_held(&rig, 1);
    rig_held(&rig, 1);
    rig_taken(&rig, 2);
    rig_ended(&rig, 1);
    assert_int_equal(rig.settled_count, 0);
    rig_ended(&rig, 1);
    assert_int_equal(rig.settled_count, 1);
}

#define CUSTODY_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CUSTODY_TEST(what_goes_to_a_group_is_shared_and_the_rest_handed_over),
        CUSTODY_TEST(the_notice_of_each_member_is_news_once),
        CUSTODY_TEST(a_notice_of_a_name_is_none_of_a_message_without_groups),
        CUSTODY_TEST(a_group_that_is_refused_is_none_of_what_is_shared),
        CUSTODY_TEST(a_group_that_is_refused_is_left_out_of_what_is_sent_again),
        CUSTODY_TEST(a_message_goes_to_a_group_again_though_members_and_nodes_were_told_of),
        CUSTODY_TEST(a_member_that_was_told_of_is_no_news_when_the_message_was_sent_again),
        CUSTODY_TEST(what_is_held_for_a_group_is_settled_when_the_last_node_says_so),
    };
    return TEST_RUN(tests);
}
