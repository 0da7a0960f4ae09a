/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include "link/endings.h"

enum { MANY = 1000 };

static bool has(const endings_t *endings, uint64_t number, uint32_t recipient)
{
    return endings_find(endings, number, recipient) != NULL;
}

static bool add(endings_t *endings, uint64_t number, uint32_t recipient)
{
    return endings_add(endings, &(ending_t){number, recipient, ENDING_NODE});
}

static void an_ending_is_noted_once(void **state)
{
    (void)state;
    endings_t endings = {0};
    assert_false(has(&endings, 5, 0));
    assert_true(add(&endings, 5, 0));
    assert_false(add(&endings, 5, 0));
    assert_true(has(&endings, 5, 0));
    assert_false(has(&endings, 5, 1));
    assert_false(has(&endings, 4, 0));
    assert_false(has(&endings, 6, 0));
    assert_int_equal(endings_find(&endings, 5, 0)->place, ENDING_NODE);
    endings_fini(&endings);
    assert_false(has(&endings, 5, 0));
}

static void a_message_is_concerned_by_the_ending_of_any_of_its_copies(void **state)
{
    (void)state;
    endings_t endings = {0};
    assert_false(endings_concern(&endings, 5));
    add(&endings, 5, 3);
    assert_true(endings_concern(&endings, 5));
    assert_false(endings_concern(&endings, 4));
    assert_false(endings_concern(&endings, 6));
    endings_fini(&endings);
}

static void members_of_groups_outlive_the_positions_of_other_recipients(void **state)
{
    (void)state;
    endings_t endings = {0};
    for (unsigned i = 0; i < MANY; i++) {
        endings_add(&endings, &(ending_t){i, i % 3, ENDING_HERE});
        if (i % 2)
            endings_add(&endings, &(ending_t){i, ENDING_MEMBER | i, ENDING_NODE});
    }
    endings_forget_positions(&endings);
    assert_int_equal(endings.count, MANY / 2);
    for (unsigned i = 0; i < MANY; i++) {
        assert_null(endings_find(&endings, i, i % 3));
        assert_int_equal(endings_find(&endings, i, ENDING_MEMBER | i) != NULL, i % 2);
    }
    endings_forget_positions(&endings);
    assert_int_equal(endings.count, MANY / 2);
    endings_fini(&endings);
}

static void endings_are_found_in_whatever_order_they_came(void **state)
{
    (void)state;
    endings_t endings = {0};
    for (unsigned i = 0; i < MANY; i++)
        assert_true(add(&endings, i * 7 % MANY / 4, i * 7 % MANY % 4));
    for (unsigned i = 0; i < MANY; i++) {
        assert_true(has(&endings, i / 4, i % 4));
        assert_false(add(&endings, i / 4, i % 4));
    }
    assert_int_equal(endings.count, MANY);
    endings_fini(&endings);
}

static bool is_even(const void *arg, uint64_t number)
{
    ++*(unsigned *)(uintptr_t)arg;
    return number % 2 == 0;
}

static void taken_messages_are_forgotten_and_others_stay(void **state)
{
    (void)state;
    unsigned asked = 0;
    endings_t endings = {0};
    for (unsigned i = 0; i < MANY; i++)
        add(&endings, i, 3);
    endings_tidy(&endings, is_even, &asked);
    assert_int_equal(asked, MANY);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(has(&endings, i, 3), i % 2);
    endings_fini(&endings);
}

static void tidying_waits_until_it_is_worth_it(void **state)
{
    (void)state;
    unsigned asked = 0;
    endings_t endings = {0};
    for (unsigned i = 0; i < MANY; i++) {
        add(&endings, 2 * i + 1, 0); /* none is ever taken */
        endings_tidy(&endings, is_even, &asked);
    }
    assert_int_equal(endings.count, MANY);
    assert_in_range(asked, 1, 3 * MANY);
    endings_fini(&endings);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(an_ending_is_noted_once),
        TEST(a_message_is_concerned_by_the_ending_of_any_of_its_copies),
        TEST(members_of_groups_outlive_the_positions_of_other_recipients),
        TEST(endings_are_found_in_whatever_order_they_came),
        TEST(taken_messages_are_forgotten_and_others_stay),
        TEST(tidying_waits_until_it_is_worth_it),
    };
    return TEST_RUN(tests);
}
