/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include "link/receipts.h"

static receipts_t receipts;

static int set_up(void **state)
{
    (void)state;
    receipts_init(&receipts);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    receipts_fini(&receipts);
    return 0;
}

static void await(const char *label, uint64_t number)
{
    receipts_await(&receipts, receipts_add(&receipts, span_str(label)), 0, number);
}

static void expect_due(receipt_t *receipt, const char *label, bool failed)
{
    assert_non_null(receipt);
    assert_true(span_equal(receipt_label(receipt), span_str(label)));
    assert_int_equal(receipt_has_failed(receipt), failed);
    receipt_destroy(&receipt);
    assert_null(receipt);
}

static void a_receipt_is_due_when_its_message_is_settled(void **state)
{
    (void)state;
    await("one", 5);
    await("two", 6);
    assert_null(receipts_settle(&receipts, 0, 4));
    assert_null(receipts_settle(&receipts, 1, 5));
    expect_due(receipts_settle(&receipts, 0, 6), "two", false);
    expect_due(receipts_settle(&receipts, 0, 5), "one", false);
    assert_null(receipts_settle(&receipts, 0, 5));
    assert_int_equal(receipts.size, 0);
}

static void one_with_two_parts_is_due_when_both_are_settled(void **state)
{
    (void)state;
    receipt_t *receipt = receipts_add(&receipts, span_str("both"));
    receipts_await(&receipts, receipt, 0, 9);
    receipts_await(&receipts, receipt, 1, 9);
    assert_null(receipts_settle(&receipts, 1, 9));
    assert_int_equal(receipts_fail(&receipts, 1, 9).size, 0);
    expect_due(receipts_settle(&receipts, 0, 9), "both", false);
}

static void one_whose_message_is_sent_again_waits_for_that_too(void **state)
{
    (void)state;
    await("one", 5);
    assert_null(receipts_hold(&receipts, 0, 4));
    receipt_t *receipt = receipts_hold(&receipts, 0, 5);
    assert_null(receipts_settle(&receipts, 0, 5));
    receipts_go_on(&receipts, receipt, 0, 8);
    expect_due(receipts_settle(&receipts, 0, 8), "one", false);
    assert_int_equal(receipts.size, 0);
}

static void a_failed_copy_is_told_with_the_label(void **state)
{
    (void)state;
    await("sad", 1);
    assert_int_equal(receipts_fail(&receipts, 0, 2).size, 0);
    assert_true(span_equal(receipts_fail(&receipts, 0, 1), span_str("sad")));
    expect_due(receipts_settle(&receipts, 0, 1), "sad", true);
}

static void what_is_open_at_the_end_is_freed(void **state)
{
    (void)state;
    await("open", 1);
    receipt_t *receipt = receipts_add(&receipts, span_str("half open"));
    receipts_await(&receipts, receipt, 0, 2);
    receipts_await(&receipts, receipt, 1, 2);
    assert_null(receipts_settle(&receipts, 1, 2));
    assert_true(receipts.size > 0);
}

#define RECEIPTS_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECEIPTS_TEST(a_receipt_is_due_when_its_message_is_settled),
        RECEIPTS_TEST(one_with_two_parts_is_due_when_both_are_settled),
        RECEIPTS_TEST(one_whose_message_is_sent_again_waits_for_that_too),
        RECEIPTS_TEST(a_failed_copy_is_told_with_the_label),
        RECEIPTS_TEST(what_is_open_at_the_end_is_freed),
    };
    return TEST_RUN(tests);
}
