/* SPDX-License-Identifier: MPL-2.0 */
/* backoff: delays that double up to their cap, each drawn from the upper half. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/backoff.h"

static void delays_double_up_to_the_cap(void **state)
{
    (void)state;
    static const unsigned spans[] = {50, 100, 200, 400, 800, 1600, 2000, 2000};
    for (int round = 0; round < 100; round++) {
        backoff_t backoff = {0};
        for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
            assert_in_range(backoff_next(&backoff), spans[i] / 2, spans[i]);
    }
}

static void two_clients_do_not_come_back_at_once(void **state)
{
    (void)state;
    bool differ = false;
    backoff_t one = {.span_ms = BACKOFF_MOST_MS};
    backoff_t other = one;
    for (int i = 0; i < 100; i++)
        differ |= backoff_next(&one) != backoff_next(&other);
    assert_true(differ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_double_up_to_the_cap),
        cmocka_unit_test(two_clients_do_not_come_back_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
