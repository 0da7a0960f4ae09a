/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include "link/unsettled.h"

enum { MANY = 500 };

static void add(unsettled_t *unsettled, uint64_t number, uint64_t session)
{
    unsettled_add(unsettled, &(unsettled_message_t){.number = number, .session = session, .held = 1});
}

static void a_settled_message_is_not_found_any_more(void **state)
{
    (void)state;
    unsettled_t unsettled = {0};
    assert_true(unsettled_is_empty(&unsettled));
    assert_null(unsettled_find(&unsettled, 9));
    add(&unsettled, 9, 77);
    add(&unsettled, 10, 78);
    assert_false(unsettled_is_empty(&unsettled));
    assert_int_equal(unsettled_find(&unsettled, 9)->session, 77);
    unsettled_settle(&unsettled, unsettled_find(&unsettled, 9));
    assert_null(unsettled_find(&unsettled, 9));
    assert_false(unsettled_is_empty(&unsettled));
    unsettled_settle(&unsettled, unsettled_find(&unsettled, 10));
    assert_true(unsettled_is_empty(&unsettled));
    unsettled_fini(&unsettled);
}

static void messages_are_found_in_whatever_order_they_came(void **state)
{
    (void)state;
    unsettled_t unsettled = {0};
    for (uint64_t i = 0; i < MANY; i++)
        add(&unsettled, 1 + i * 7 % MANY * 2, i * 7 % MANY);
    for (uint64_t i = 0; i < MANY; i++) {
        assert_null(unsettled_find(&unsettled, 2 * i));
        assert_int_equal(unsettled_find(&unsettled, 2 * i + 1)->session, i);
    }
    assert_null(unsettled_find(&unsettled, 2 * MANY));
    unsettled_fini(&unsettled);
}

static void settled_messages_are_forgotten_once_they_are_the_larger_part(void **state)
{
    (void)state;
    unsettled_t unsettled = {0};
    for (uint64_t i = 0; i < MANY; i++)
        add(&unsettled, i, i);
    for (uint64_t i = 0; i < MANY; i += 2) {
        unsettled_settle(&unsettled, unsettled_find(&unsettled, i));
        unsettled_tidy(&unsettled);
    }
    assert_int_equal(unsettled.count, MANY);
    unsettled_settle(&unsettled, unsettled_find(&unsettled, 1));
    unsettled_tidy(&unsettled);
    assert_int_equal(unsettled.count, MANY / 2 - 1);
    for (uint64_t i = 3; i < MANY; i += 2)
        assert_int_equal(unsettled_find(&unsettled, i)->session, i);
    assert_false(unsettled_is_empty(&unsettled));
    unsettled_fini(&unsettled);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_settled_message_is_not_found_any_more),
        TEST(messages_are_found_in_whatever_order_they_came),
        TEST(settled_messages_are_forgotten_once_they_are_the_larger_part),
    };
    return TEST_RUN(tests);
}
