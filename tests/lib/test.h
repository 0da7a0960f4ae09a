/* SPDX-License-Identifier: MPL-2.0 */
/* test: cmocka with what it must be preceded by, and the teardown that every test of real processes names:
 *
 *     static const struct CMUnitTest tests[] = {TEST(a_line_reaches_its_recipient)};
 *     int main(void) { return cmocka_run_group_tests(tests, NULL, NULL); }
 *
 * The test's thread. */
#ifndef FERRY_TESTS_TEST_H
#define FERRY_TESTS_TEST_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* Closes every client and ends every process that a test left, so that a failed one harms no other. Never fails. */
int test_clear(void **state);

#define TEST(function) cmocka_unit_test_teardown(function, test_clear)

#endif
