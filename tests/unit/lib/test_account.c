/* SPDX-License-Identifier: MPL-2.0 */
/* The account of a crowd must find whatever a router can do wrong. */
#include "lib/account.h"

#include "lib/test.h"

#define FROM 1
#define TO   2

static int open_account(void **state)
{
    account_t *account = account_new(3);
    account_open(account, 0, TO);
    account_open(account, FROM, TO);
    *state = account;
    return 0;
}

static int close_account(void **state)
{
    account_destroy((account_t **)state);
    return 0;
}

static bool is_faulty(const account_t *account, uint64_t count)
{
    char why[300];
    return account_fault(account, FROM, count, why, sizeof(why));
}

static void what_arrives_once_and_in_order_is_right(void **state)
{
    assert_true(account_receive(*state, FROM, TO, 1));
    assert_true(account_receive(*state, 0, TO, 1));
    assert_true(account_receive(*state, FROM, TO, 2));
    assert_false(is_faulty(*state, 2));
    assert_int_equal(account_received_by(*state, TO), 3);
}

static void a_message_that_was_accepted_and_not_received_is_found(void **state)
{
    account_receive(*state, FROM, TO, 1);
    account_receive(*state, FROM, TO, 3);
    assert_true(is_faulty(*state, 3));
    account_end(*state, FROM, TO, ACCOUNT_RETURNED);
    assert_false(is_faulty(*state, 3));
}

static void a_message_that_was_not_accepted_but_received_is_found(void **state)
{
    account_receive(*state, FROM, TO, 1);
    account_receive(*state, FROM, TO, 2);
    assert_true(is_faulty(*state, 1));
}

static void a_double_is_found(void **state)
{
    account_receive(*state, FROM, TO, 1);
    account_receive(*state, FROM, TO, 2);
    account_receive(*state, FROM, TO, 2);
    assert_true(is_faulty(*state, 2));
}

static void a_change_of_order_is_found(void **state)
{
    account_receive(*state, FROM, TO, 2);
    account_receive(*state, FROM, TO, 1);
    assert_true(is_faulty(*state, 2));
}

static void an_unconfirmed_message_may_have_arrived_or_not(void **state)
{
    account_receive(*state, FROM, TO, 1);
    account_end(*state, FROM, TO, ACCOUNT_UNCONFIRMED);
    assert_false(is_faulty(*state, 1));
    assert_false(is_faulty(*state, 2));
    assert_true(is_faulty(*state, 3));
}

static account_sum_t sum(const account_t *account, uint64_t count)
{
    account_sum_t total = {0};
    account_sum(account, FROM, TO, count, &total);
    return total;
}

static void a_late_message_is_told_from_a_double(void **state)
{
    account_receive(*state, FROM, TO, 1);
    account_receive(*state, FROM, TO, 5);
    account_receive(*state, FROM, TO, 3);
    account_receive(*state, FROM, TO, 3);
    account_receive(*state, FROM, TO, 2);
    account_receive(*state, FROM, TO, 5);
    account_sum_t total = sum(*state, 5);
    assert_int_equal(total.doubled, 2);
    assert_int_equal(total.disordered, 2);
    assert_int_equal(total.received, 4);
    assert_int_equal(total.lost, 1);
    account_receive(*state, FROM, TO, 4);
    assert_int_equal(sum(*state, 5).lost, 0);
}

static void a_message_that_is_received_and_returned_has_ended_twice(void **state)
{
    account_receive(*state, FROM, TO, 1);
    account_end(*state, FROM, TO, ACCOUNT_RETURNED);
    assert_int_equal(sum(*state, 1).doubled, 1);
}

static void what_was_open_when_its_sender_was_cut_off_is_no_loss(void **state)
{
    account_receive(*state, FROM, TO, 1);
    account_doubt(*state, FROM, TO, 3);
    account_receive(*state, FROM, TO, 5);
    account_sum_t total = sum(*state, 5);
    assert_int_equal(total.doubtful, 2);
    assert_int_equal(total.lost, 1);
}

static void a_message_from_nobody_is_told(void **state)
{
    assert_false(account_receive(*state, TO, TO, 1));
    assert_false(account_end(*state, FROM, FROM, ACCOUNT_REFUSED));
    assert_int_equal(account_ended(*state), 0);
}

#define ACCOUNT_TEST(function) cmocka_unit_test_setup_teardown(function, open_account, close_account)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACCOUNT_TEST(what_arrives_once_and_in_order_is_right),
        ACCOUNT_TEST(a_message_that_was_accepted_and_not_received_is_found),
        ACCOUNT_TEST(a_message_that_was_not_accepted_but_received_is_found),
        ACCOUNT_TEST(a_double_is_found),
        ACCOUNT_TEST(a_change_of_order_is_found),
        ACCOUNT_TEST(an_unconfirmed_message_may_have_arrived_or_not),
        ACCOUNT_TEST(a_late_message_is_told_from_a_double),
        ACCOUNT_TEST(a_message_that_is_received_and_returned_has_ended_twice),
        ACCOUNT_TEST(what_was_open_when_its_sender_was_cut_off_is_no_loss),
        ACCOUNT_TEST(a_message_from_nobody_is_told),
    };
    return TEST_RUN(tests);
}
