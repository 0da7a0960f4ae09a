/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include <stdio.h>

#include "plain/answers.h"

static answers_t answers;

static int setup(void **state)
{
    (void)state;
    answers_init(&answers);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    answers_fini(&answers);
    return 0;
}

static unsigned count_allowed(const char *route, unsigned tries, uint64_t now_ms)
{
    unsigned count = 0;
    for (unsigned i = 0; i < tries; i++)
        count += answers_allow(&answers, span_str(route), now_ms);
    return count;
}

static void a_connection_is_answered_so_often_in_a_time(void **state)
{
    (void)state;
    assert_int_equal(count_allowed("one", 1000, 1), ANSWERS_MAX);
    assert_int_equal(count_allowed("two", 1000, ANSWERS_TIME_MS - 1), ANSWERS_MAX);
    assert_int_equal(count_allowed("one", 1, ANSWERS_TIME_MS - 1), 0);
    assert_int_equal(count_allowed("one", 1000, ANSWERS_TIME_MS), ANSWERS_MAX);
}

static void those_that_are_too_many_to_be_remembered_are_not_answered(void **state)
{
    (void)state;
    char route[16];
    for (unsigned i = 0; i < ANSWERS_ROUTES; i++) {
        snprintf(route, sizeof route, "%u", i);
        assert_int_equal(count_allowed(route, 1, 1), 1);
    }
    assert_int_equal(count_allowed("one more", 1, 1), 0);
    assert_int_equal(count_allowed("7", 1, 1), 1);
    assert_int_equal(count_allowed("one more", 1, ANSWERS_TIME_MS + 1), 1);
}

#define ANSWERS_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ANSWERS_TEST(a_connection_is_answered_so_often_in_a_time),
        ANSWERS_TEST(those_that_are_too_many_to_be_remembered_are_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
