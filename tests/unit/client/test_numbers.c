/* SPDX-License-Identifier: MPL-2.0 */
/* numbers: what is known by a number, whatever order it ends in. */
#include "lib/test.h"

#include "client/numbers.h"

static void what_is_added_is_found_until_it_ends(void **state)
{
    (void)state;
    numbers_t numbers = {0};
    assert_null(numbers_find(&numbers, 3));
    numbers_add(&numbers, 3, 30);
    numbers_add(&numbers, 7, 70);
    assert_int_equal(numbers_find(&numbers, 3)->value, 30);
    assert_int_equal(numbers_find(&numbers, 7)->value, 70);
    assert_null(numbers_find(&numbers, 5));
    assert_null(numbers_find(&numbers, 8));
    numbers_end(&numbers, numbers_find(&numbers, 3));
    assert_null(numbers_find(&numbers, 3));
    assert_int_equal(numbers_find(&numbers, 7)->value, 70);
    numbers_fini(&numbers);
}

static void one_that_stays_does_not_keep_those_behind_it(void **state)
{
    (void)state;
    numbers_t numbers = {0};
    numbers_add(&numbers, 1, 1);
    for (uint64_t number = 2; number < 100000; number++) {
        numbers_add(&numbers, number, number);
        numbers_end(&numbers, numbers_find(&numbers, number));
    }
    assert_int_equal(numbers_find(&numbers, 1)->value, 1);
    assert_in_range(numbers.capacity, 1, 64);
    numbers_fini(&numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_is_found_until_it_ends),
        cmocka_unit_test(one_that_stays_does_not_keep_those_behind_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
