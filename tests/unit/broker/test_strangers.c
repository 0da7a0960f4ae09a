/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include "broker/strangers.h"

static void a_stranger_is_answered_once_in_a_while(void **state)
{
    (void)state;
    strangers_t strangers = {0};
    assert_true(strangers_answer(&strangers, 42, 5000));
    assert_false(strangers_answer(&strangers, 42, 5000));
    assert_false(strangers_answer(&strangers, 42, 5000 + STRANGERS_PAUSE_MS - 1));
    assert_true(strangers_answer(&strangers, 42, 5000 + STRANGERS_PAUSE_MS));
    assert_false(strangers_answer(&strangers, 42, 5001 + STRANGERS_PAUSE_MS));
}

static void strangers_do_not_silence_each_other(void **state)
{
    (void)state;
    strangers_t strangers = {0};
    for (uint64_t hash = 0; hash < 3 * STRANGERS_COUNT; hash++)
        assert_true(strangers_answer(&strangers, hash, 5000));
    assert_false(strangers_answer(&strangers, 3 * STRANGERS_COUNT - 1, 5000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stranger_is_answered_once_in_a_while),
        cmocka_unit_test(strangers_do_not_silence_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
