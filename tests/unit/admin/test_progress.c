/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "admin/progress.h"

static void assert_rest(const progress_t *progress, uint64_t position, const char *expected)
{
    char text[1024];
    ssize_t size = progress_read(progress, position, text, sizeof text);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(text, expected, strlen(expected));
}

static void a_reader_finds_what_was_added_since_its_position(void **state)
{
    (void)state;
    progress_t *progress = progress_new();
    char byte;
    assert_int_equal(progress_read(progress, 0, &byte, 1), 0);
    progress_add(progress, "one");
    assert_rest(progress, 0, "one\n");
    progress_add(progress, "two");
    assert_rest(progress, 4, "two\n");
    assert_int_equal(progress_read(progress, 1, &byte, 1), 1);
    assert_int_equal(byte, 'n');
    assert_int_equal(progress_read(progress, 8, &byte, 1), 0);
    progress_destroy(&progress);
    assert_null(progress);
}

static void the_last_lines_are_the_ledger_and_the_result(void **state)
{
    (void)state;
    progress_t *progress = progress_new();
    progress_add(progress, "bye");
    assert_false(progress_is_finished(progress));
    progress_finish(progress, "{\"accepted\":1}", "3");
    assert_true(progress_is_finished(progress));
    assert_rest(progress, 0, "bye\nledger {\"accepted\":1}\nresult 3\n");
    char byte;
    assert_int_equal(progress_read(progress, 34, &byte, 1), 1);
    assert_int_equal(progress_read(progress, 35, &byte, 1), -1);
    progress_destroy(&progress);
}

static void nothing_comes_after_the_result(void **state)
{
    (void)state;
    progress_t *progress = progress_new();
    progress_finish(progress, "{}", "0");
    progress_add(progress, "late");
    progress_finish(progress, "{}", "4");
    assert_rest(progress, 0, "ledger {}\nresult 0\n");
    progress_destroy(&progress);
}

static void a_line_stays_one_line(void **state)
{
    (void)state;
    progress_t *progress = progress_new();
    progress_add(progress, "a\nresult 0\r\t\x7f\xc3\xa9");
    assert_rest(progress, 0, "a result 0   \xc3\xa9\n");
    progress_destroy(&progress);
}

static void a_flood_of_lines_is_cut_and_the_result_still_comes(void **state)
{
    (void)state;
    enum { ROOM = 80 * 1024 };
    progress_t *progress = progress_new();
    for (int i = 0; i < 10000; i++)
        progress_add(progress, "waiting for a client");
    progress_finish(progress, "{}", "0");
    char *text = malloc(ROOM);
    ssize_t size = progress_read(progress, 0, text, ROOM);
    assert_in_range(size, 60 * 1024, 70 * 1024);
    assert_memory_equal(text + size - 10, "\nresult 0\n", 10);
    free(text);
    progress_destroy(&progress);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_finds_what_was_added_since_its_position),
        cmocka_unit_test(the_last_lines_are_the_ledger_and_the_result),
        cmocka_unit_test(nothing_comes_after_the_result),
        cmocka_unit_test(a_line_stays_one_line),
        cmocka_unit_test(a_flood_of_lines_is_cut_and_the_result_still_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
