/* SPDX-License-Identifier: MPL-2.0 */
#include "ferry/bench/schedule.h"
#include "lib/test.h"

static void senders_take_turns_at_even_distances(void **state)
{
    (void)state;
    const schedule_t schedule = {.rate = 1000, .sender_count = 4};
    assert_int_equal(schedule_due_ns(&schedule, 0, 0), 0);
    assert_int_equal(schedule_due_ns(&schedule, 1, 0), 1000000);
    assert_int_equal(schedule_due_ns(&schedule, 3, 0), 3000000);
    assert_int_equal(schedule_due_ns(&schedule, 0, 1), 4000000);
    assert_int_equal(schedule_due_ns(&schedule, 0, 250), 1000000000);
}

/* At the very nanosecond, and one before. */
static void what_is_due_is_counted_to_the_nanosecond(void **state)
{
    (void)state;
    static const uint64_t rates[] = {1, 3, 7, 1000, 333333, 10000000};
    for (unsigned i = 0; i < sizeof rates / sizeof rates[0]; i++)
        for (unsigned sender = 0; sender < 3; sender++)
            for (uint64_t number = 0; number < 2000000; number = number * 2 + 1) {
                const schedule_t schedule = {.rate = rates[i], .sender_count = 3};
                uint64_t due = schedule_due_ns(&schedule, sender, number);
                assert_int_equal(schedule_count(&schedule, sender, due), number + 1);
                if (due > 0)
                    assert_int_equal(schedule_count(&schedule, sender, due - 1), number);
            }
}

static void a_second_has_as_many_messages_as_the_rate_says(void **state)
{
    (void)state;
    const schedule_t schedule = {.rate = 12345, .sender_count = 7};
    uint64_t count = 0;
    for (unsigned sender = 0; sender < 7; sender++)
        count += schedule_count(&schedule, sender, UINT64_C(3600000000000) - 1);
    assert_int_equal(count, 12345 * 3600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(senders_take_turns_at_even_distances),
        cmocka_unit_test(what_is_due_is_counted_to_the_nanosecond),
        cmocka_unit_test(a_second_has_as_many_messages_as_the_rate_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
