/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include "broker/awake_clock.h"

static void it_goes_with_the_real_clock_while_it_ticks(void **state)
{
    (void)state;
    awake_clock_t clock;
    awake_clock_init(&clock, 1000, 100);
    assert_int_equal(awake_clock_now(&clock, 1050), 1050);
    assert_false(awake_clock_tick(&clock, 1100));
    assert_false(awake_clock_tick(&clock, 1300));
    assert_int_equal(awake_clock_now(&clock, 1350), 1350);
}

static void it_stands_still_when_it_does_not_tick(void **state)
{
    (void)state;
    awake_clock_t clock;
    awake_clock_init(&clock, 1000, 100);
    assert_int_equal(awake_clock_now(&clock, 9000), 1200);
    assert_true(awake_clock_tick(&clock, 9000));
    assert_int_equal(awake_clock_now(&clock, 9000), 1200);
    assert_int_equal(awake_clock_now(&clock, 9010), 1210);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_with_the_real_clock_while_it_ticks),
        cmocka_unit_test(it_stands_still_when_it_does_not_tick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
