/* SPDX-License-Identifier: MPL-2.0 */
/* error: the codes on the wire, and numbers from outside of the table. */
#include "lib/document.h"
#include "lib/test.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/error.h"

static const struct {
    int number;
    const char *code;
    const char *arguments;
    const char *meaning;
} table[] = {
#define ERROR(name, number, code, arguments, meaning) {FERRY_ERROR_##name, code, arguments, meaning},
#include "errors.def"
#undef ERROR
};

enum { ROWS = sizeof table / sizeof table[0] };

static void every_error_has_its_code_and_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        assert_string_equal(error_code(table[i].number), table[i].code);
        assert_string_equal(error_code(-table[i].number), table[i].code);
        assert_string_equal(error_meaning(-table[i].number), table[i].meaning);
    }
    assert_string_equal(error_code(-FERRY_ERROR_NO_SUCH_PEER), "no-such-peer");
}

static void no_number_and_no_code_is_used_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(table[i].number, table[j].number);
            assert_string_not_equal(table[i].code, table[j].code);
        }
}

static void codes_are_words_of_lower_case_letters_digits_and_hyphens(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(table[i].number > 0 && table[i].number < 256);
        assert_int_equal(strspn(table[i].code, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(table[i].code));
    }
}

static void a_number_outside_of_the_table_is_unknown(void **state)
{
    (void)state;
    const int numbers[] = {0, 255, -255, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_string_equal(error_code(numbers[i]), "unknown");
        assert_non_null(error_meaning(numbers[i]));
    }
}

static void the_specification_has_the_same_table(void **state)
{
    (void)state;
    char expected[4096] = "| number | line | meaning |\n| --- | --- | --- |\n";
    size_t size = strlen(expected);
    for (size_t i = 0; i < ROWS; i++)
        size += (size_t)snprintf(expected + size, sizeof expected - size, "| %d | `error %s%s%s` | %s |\n",
            table[i].number, table[i].code, table[i].arguments[0] ? " " : "", table[i].arguments, table[i].meaning);
    assert_true(size < sizeof expected);
    char *found = document_table("proto/line.md", "## 7. Errors");
    assert_string_equal(found, expected);
    free(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_its_code_and_meaning),
        cmocka_unit_test(no_number_and_no_code_is_used_twice),
        cmocka_unit_test(codes_are_words_of_lower_case_letters_digits_and_hyphens),
        cmocka_unit_test(a_number_outside_of_the_table_is_unknown),
        cmocka_unit_test(the_specification_has_the_same_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
