/* SPDX-License-Identifier: MPL-2.0 */
/* interrupt: signals that are taken one by one instead of ending the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <unistd.h>

#include "ferry/interrupt.h"

static void a_signal_is_taken_once(void **state)
{
    (void)state;
    int fd = interrupt_open((const int[]){SIGTERM, SIGINT}, 2);
    assert_int_equal(interrupt_take(fd), 0);
    raise(SIGTERM);
    assert_int_equal(interrupt_take(fd), SIGTERM);
    assert_int_equal(interrupt_take(fd), 0);
    raise(SIGINT);
    assert_int_equal(interrupt_take(fd), SIGINT);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_signal_is_taken_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
