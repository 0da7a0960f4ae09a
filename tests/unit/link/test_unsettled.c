/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include "link/unsettled.h"

enum { MANY = 500 };

static void a_message_is_settled_with_its_last_held_copy(void **state)
{
    (void)state;
    unsettled_t unsettled = {0};
    assert_true(unsettled_is_empty(&unsettled));
    assert_null(unsettled_find(&unsettled, 9));
    unsettled_add(&unsettled, 9, 77, 2);
    assert_false(unsettled_is_empty(&unsettled));
    unsettled_message_t *message = unsettled_find(&unsettled, 9);
    assert_non_null(message);
    assert_int_equal(message->session, 77);
    assert_false(unsettled_end(&unsettled, message));
    assert_true(unsettled_end(&unsettled, message));
    assert_true(unsettled_is_empty(&unsettled));
    assert_false(unsettled_end(&unsettled, message));
    assert_true(unsettled_is_empty(&unsettled));
    unsettled_fini(&unsettled);
}

static void messages_are_found_in_whatever_order_they_came(void **state)
{
    (void)state;
    unsettled_t unsettled = {0};
    for (uint64_t i = 0; i < MANY; i++)
        unsettled_add(&unsettled, 1 + i * 7 % MANY * 2, i * 7 % MANY, 1);
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
        unsettled_add(&unsettled, i, i, 1);
    for (uint64_t i = 0; i < MANY; i += 2) {
        assert_true(unsettled_end(&unsettled, unsettled_find(&unsettled, i)));
        unsettled_tidy(&unsettled);
    }
    assert_int_equal(unsettled.count, MANY);
    assert_true(unsettled_end(&unsettled, unsettled_find(&unsettled, 1)));
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
        TEST(a_message_is_settled_with_its_last_held_copy),
        TEST(messages_are_found_in_whatever_order_they_came),
        TEST(settled_messages_are_forgotten_once_they_are_the_larger_part),
    };
    return TEST_RUN(tests);
}
