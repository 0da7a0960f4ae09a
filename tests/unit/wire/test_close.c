/* SPDX-License-Identifier: MPL-2.0 */
/* close: every reason of the table has one word of its own. */
#include "lib/test.h"

#include <string.h>

#include "wire/close.h"

static const int closes[] = {
#define CLOSE(name, number, code, meaning) CLOSE_##name,
#include "closes.def"
#undef CLOSE
};

enum { CLOSES = sizeof closes / sizeof *closes };

static void a_reason_and_its_negative_have_the_same_word(void **state)
{
    (void)state;
    assert_string_equal(close_code(CLOSE_LINK_TIMEOUT), "link-timeout");
    for (size_t index = 0; index < CLOSES; index++) {
        assert_string_not_equal(close_code(closes[index]), "unknown");
        assert_string_equal(close_code(-closes[index]), close_code(closes[index]));
    }
}

static void no_two_reasons_share_a_word_or_a_number(void **state)
{
    (void)state;
    for (size_t index = 0; index < CLOSES; index++)
        for (size_t other = 0; other < index; other++) {
            assert_int_not_equal(closes[index], closes[other]);
            assert_string_not_equal(close_code(closes[index]), close_code(closes[other]));
        }
}

static void words_hold_lower_case_letters_and_hyphens(void **state)
{
    (void)state;
    for (size_t index = 0; index < CLOSES; index++) {
        const char *code = close_code(closes[index]);
        assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz-"), strlen(code));
    }
}

static void numbers_outside_the_table_are_unknown(void **state)
{
    (void)state;
    static const int others[] = {0, 13, 31, CLOSE_COUNT, -CLOSE_COUNT, 65535, -65535};
    for (size_t index = 0; index < sizeof others / sizeof *others; index++)
        assert_string_equal(close_code(others[index]), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reason_and_its_negative_have_the_same_word),
        cmocka_unit_test(no_two_reasons_share_a_word_or_a_number),
        cmocka_unit_test(words_hold_lower_case_letters_and_hyphens),
        cmocka_unit_test(numbers_outside_the_table_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
