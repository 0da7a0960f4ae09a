/* SPDX-License-Identifier: MPL-2.0 */
/* test: cmocka with what it must be preceded by, and the teardown that every test of real processes names:
 *
 *     static const struct CMUnitTest tests[] = {TEST(a_line_reaches_its_recipient)};
 *     int main(void) { return TEST_RUN(tests); }
 *
 * FERRY_TEST picks tests by a pattern ("a_broker_*") when a program is run by hand. The test's thread. */
#ifndef FERRY_TESTS_TEST_H
#define FERRY_TESTS_TEST_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* Closes every client and ends every process that a test left, so that a failed one harms no other. Never fails. */
int test_clear(void **state);

#define TEST_RUN(tests) (cmocka_set_test_filter(getenv("FERRY_TEST")), cmocka_run_group_tests(tests, NULL, NULL))
#define TEST(function)  cmocka_unit_test_teardown(function, test_clear)

#endif
