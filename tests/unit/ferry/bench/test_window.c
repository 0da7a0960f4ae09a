/* SPDX-License-Identifier: MPL-2.0 */
#include "ferry/bench/window.h"
#include "lib/test.h"

static window_verdict_t take(window_t *window, uint64_t number)
{
    return window_take(window, number, 1, NULL, NULL);
}

static void what_comes_in_order_needs_no_memory(void **state)
{
    (void)state;
    window_t window = {0};
    for (uint64_t number = 0; number < 1000; number++)
        assert_int_equal(take(&window, number), WINDOW_NEW);
    assert_null(window.bits);
}

static void what_comes_twice_is_doubled(void **state)
{
    (void)state;
    window_t window = {0};
    take(&window, 0);
    take(&window, 1);
    assert_int_equal(take(&window, 0), WINDOW_DOUBLED);
    take(&window, 5);
    assert_int_equal(take(&window, 5), WINDOW_DOUBLED);
    window_fini(&window);
}

static void what_was_overtaken_is_late_and_then_doubled(void **state)
{
    (void)state;
    window_t window = {0};
    assert_int_equal(take(&window, 1), WINDOW_NEW);
    assert_int_equal(take(&window, 0), WINDOW_LATE);
    assert_int_equal(take(&window, 0), WINDOW_DOUBLED);
    assert_int_equal(take(&window, 2), WINDOW_NEW);
    assert_int_equal(window.base, 3);
    window_fini(&window);
}

static void only_within_a_flow_there_is_an_order(void **state)
{
    (void)state;
    window_t window = {0};
    assert_int_equal(window_take(&window, 1, 3, NULL, NULL), WINDOW_NEW);
    assert_int_equal(window_take(&window, 2, 3, NULL, NULL), WINDOW_NEW);
    assert_int_equal(window_take(&window, 6, 3, NULL, NULL), WINDOW_NEW);
    assert_int_equal(window_take(&window, 4, 3, NULL, NULL), WINDOW_NEW);
    assert_int_equal(window_take(&window, 0, 3, NULL, NULL), WINDOW_LATE); /* behind 6 */
    window_fini(&window);
}

/* Against an array of all numbers, with holes that are filled at last, far apart and near. */
static void a_ring_grows_and_is_used_again(void **state)
{
    (void)state;
    window_t window = {0};
    uint64_t base = 0;
    for (unsigned round = 0; round < 50; round++) {
        unsigned ahead = 1 + round * 37 % 700;
        for (uint64_t number = base + 1; number <= base + ahead; number++)
            assert_int_equal(take(&window, number), WINDOW_NEW);
        for (uint64_t number = base + 1; number <= base + ahead; number += 13)
            assert_int_equal(take(&window, number), WINDOW_DOUBLED);
        assert_int_equal(take(&window, base), WINDOW_LATE);
        base += ahead + 1;
        assert_int_equal(window.base, base);
        assert_int_equal(window.top, base);
    }
    assert_true(window.word_count <= 16);
    window_fini(&window);
}

static bool is_odd(const void *arg, uint64_t number)
{
    (void)arg;
    return number % 2;
}

static void numbers_of_others_are_not_waited_for(void **state)
{
    (void)state;
    window_t window = {0};
    for (uint64_t number = 0; number < 10000; number += 2)
        assert_int_equal(window_take(&window, number, 4, is_odd, NULL), WINDOW_NEW);
    assert_true(window.word_count <= 2);
    assert_int_equal(window_take(&window, 9998, 4, is_odd, NULL), WINDOW_DOUBLED);
    window_fini(&window);
}

static void what_nobody_can_have_sent_is_absurd(void **state)
{
    (void)state;
    window_t window = {0};
    assert_int_equal(take(&window, UINT64_C(1) << 40), WINDOW_ABSURD);
    assert_int_equal(take(&window, 0), WINDOW_NEW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_in_order_needs_no_memory),
        cmocka_unit_test(what_comes_twice_is_doubled),
        cmocka_unit_test(what_was_overtaken_is_late_and_then_doubled),
        cmocka_unit_test(only_within_a_flow_there_is_an_order),
        cmocka_unit_test(a_ring_grows_and_is_used_again),
        cmocka_unit_test(numbers_of_others_are_not_waited_for),
        cmocka_unit_test(what_nobody_can_have_sent_is_absurd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
