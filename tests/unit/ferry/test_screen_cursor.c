/* SPDX-License-Identifier: MPL-2.0 */
/* screen_cursor: where the cursor stands after texts of one width and of several. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <wchar.h>

#include "ferry/screen_cursor.h"

static void expect_at(const wchar_t *text, int columns, int row, int column)
{
    screen_cursor_t cursor = {0, 0};
    screen_cursor_draw(&cursor, text, wcslen(text), columns);
    assert_int_equal(cursor.row, row);
    assert_int_equal(cursor.column, column);
}

static void plain_text_fills_row_after_row(void **state)
{
    (void)state;
    expect_at(L"", 10, 0, 0);
    expect_at(L"123456789", 10, 0, 9);
    expect_at(L"1234567890", 10, 1, 0);
    expect_at(L"12345678901", 10, 1, 1);
    expect_at(L"123456789012345678901", 10, 2, 1);
}

static void a_wide_character_is_not_cut_by_the_margin(void **state)
{
    (void)state;
    expect_at(L"日本", 10, 0, 4);
    expect_at(L"123456789日", 10, 1, 2);
    expect_at(L"12345678日", 10, 1, 0);
}

static void a_combining_character_takes_no_room(void **state)
{
    (void)state;
    expect_at(L"e\u0301e\u0301", 10, 0, 2);
}

static void a_tab_goes_to_the_next_stop(void **state)
{
    (void)state;
    expect_at(L"\t", 80, 0, 8);
    expect_at(L"1234567\t", 80, 0, 8);
    expect_at(L"12345678\t", 80, 0, 16);
    expect_at(L"12345678\tx", 10, 1, 1);
}

static void what_cannot_be_printed_is_spelled(void **state)
{
    (void)state;
    expect_at(L"\x01", 80, 0, 2);
    expect_at(L"\x7f", 80, 0, 2);
    expect_at(L"\x85", 80, 0, 7);
    expect_at(L"12345\x85", 10, 1, 2);
    expect_at(L"\U0010ffff", 80, 0, 8);
}

static void drawing_goes_on_where_it_ended(void **state)
{
    (void)state;
    screen_cursor_t cursor = {0, 0};
    screen_cursor_draw(&cursor, L"prompt> ", 8, 10);
    screen_cursor_draw(&cursor, L"text", 4, 10);
    assert_int_equal(cursor.row, 1);
    assert_int_equal(cursor.column, 2);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_fills_row_after_row),
        cmocka_unit_test(a_wide_character_is_not_cut_by_the_margin),
        cmocka_unit_test(a_combining_character_takes_no_room),
        cmocka_unit_test(a_tab_goes_to_the_next_stop),
        cmocka_unit_test(what_cannot_be_printed_is_spelled),
        cmocka_unit_test(drawing_goes_on_where_it_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
