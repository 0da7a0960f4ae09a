/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include "link/refusals.h"

enum { MANY = 1000 };

static void a_refusal_is_noted_once(void **state)
{
    (void)state;
    refusals_t refusals = {0};
    assert_false(refusals_has(&refusals, 5, 0));
    assert_true(refusals_add(&refusals, 5, 0));
    assert_false(refusals_add(&refusals, 5, 0));
    assert_true(refusals_has(&refusals, 5, 0));
    assert_false(refusals_has(&refusals, 5, 1));
    assert_false(refusals_has(&refusals, 4, 0));
    assert_false(refusals_has(&refusals, 6, 0));
    refusals_fini(&refusals);
    assert_false(refusals_has(&refusals, 5, 0));
}

static void refusals_are_found_in_whatever_order_they_came(void **state)
{
    (void)state;
    refusals_t refusals = {0};
    for (unsigned i = 0; i < MANY; i++)
        assert_true(refusals_add(&refusals, i * 7 % MANY / 4, i * 7 % MANY % 4));
    for (unsigned i = 0; i < MANY; i++) {
        assert_true(refusals_has(&refusals, i / 4, i % 4));
        assert_false(refusals_add(&refusals, i / 4, i % 4));
    }
    assert_int_equal(refusals.count, MANY);
    refusals_fini(&refusals);
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
    refusals_t refusals = {0};
    for (unsigned i = 0; i < MANY; i++)
        refusals_add(&refusals, i, 3);
    refusals_tidy(&refusals, is_even, &asked);
    assert_int_equal(asked, MANY);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(refusals_has(&refusals, i, 3), i % 2);
    refusals_fini(&refusals);
}

static void tidying_waits_until_it_is_worth_it(void **state)
{
    (void)state;
    unsigned asked = 0;
    refusals_t refusals = {0};
    for (unsigned i = 0; i < MANY; i++) {
        refusals_add(&refusals, 2 * i + 1, 0); /* none is ever taken */
        refusals_tidy(&refusals, is_even, &asked);
    }
    assert_int_equal(refusals.count, MANY);
    assert_in_range(asked, 1, 3 * MANY);
    refusals_fini(&refusals);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_refusal_is_noted_once),
        TEST(refusals_are_found_in_whatever_order_they_came),
        TEST(taken_messages_are_forgotten_and_others_stay),
        TEST(tidying_waits_until_it_is_worth_it),
    };
    return TEST_RUN(tests);
}
