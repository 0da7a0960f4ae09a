/* SPDX-License-Identifier: MPL-2.0 */
/* name: what may stand on the command line as a name and as recipients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/name.h"

static void names_are_those_of_the_line_protocol(void **state)
{
    (void)state;
    assert_int_equal(name_check("ferry test", "alice"), 0);
    assert_int_equal(name_check("ferry test", "日本"), 0);
    assert_int_equal(name_check("ferry test", ""), -1);
    assert_int_equal(name_check("ferry test", "alice s3cret"), -1);
    assert_int_equal(name_check("ferry test", "/quit"), -1);
    assert_int_equal(name_check("ferry test", "a\nbob: forged"), -1);
}

static void recipients_cannot_make_another_line_of_it(void **state)
{
    (void)state;
    assert_int_equal(name_check_recipients("ferry test", "bob"), 0);
    assert_int_equal(name_check_recipients("ferry test", "bob, carol"), 0);
    assert_int_equal(name_check_recipients("ferry test", "#group"), 0);
    assert_int_equal(name_check_recipients("ferry test", ""), -1);
    assert_int_equal(name_check_recipients("ferry test", "/quit"), -1);
    assert_int_equal(name_check_recipients("ferry test", "bob: hi"), -1);
    assert_int_equal(name_check_recipients("ferry test", "bob\ncarol"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_the_line_protocol),
        cmocka_unit_test(recipients_cannot_make_another_line_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
