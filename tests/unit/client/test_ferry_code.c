/* SPDX-License-Identifier: MPL-2.0 */
/* ferry_code: the public codes are those of the tables. */
#include "lib/test.h"

#include "ferry.h"
#include "wire/error.h"

static void the_codes_of_the_line_protocol_have_its_numbers(void **state)
{
    (void)state;
    assert_int_equal(FERRY_E_BAD_NAME, FERRY_ERROR_BAD_NAME);
    assert_int_equal(FERRY_E_NAME_TAKEN, FERRY_ERROR_NAME_TAKEN);
    assert_int_equal(FERRY_E_TOO_LARGE, FERRY_ERROR_LINE_TOO_LONG);
    assert_int_equal(FERRY_E_NO_RECIPIENT, FERRY_ERROR_NO_RECIPIENT);
    assert_int_equal(FERRY_E_TOO_MANY_RECIPIENTS, FERRY_ERROR_TOO_MANY_RECIPIENTS);
    assert_int_equal(FERRY_E_NO_SUCH_PEER, FERRY_ERROR_NO_SUCH_PEER);
    assert_int_equal(FERRY_E_UNDELIVERED, FERRY_ERROR_UNDELIVERED);
    assert_int_equal(FERRY_E_UNCONFIRMED, FERRY_ERROR_UNCONFIRMED);
    assert_int_equal(FERRY_E_NO_SUCH_JOB, FERRY_ERROR_NO_SUCH_JOB);
}

static void a_code_and_its_negative_have_a_word_and_a_sentence(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *word;
    } words[] = {{0, "ok"}, {FERRY_E_NAME_TAKEN, "name-taken"}, {FERRY_E_NO_SUCH_PEER, "no-such-peer"},
        {FERRY_E_TOO_LARGE, "too-large"}, {FERRY_E_TIMEOUT, "timeout"}, {FERRY_E_INTERRUPTED, "interrupted"},
        {FERRY_E_NOT_LOGGED_IN, "not-logged-in"}, {FERRY_E_INVALID, "invalid"}, {12345, "unknown"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_string_equal(ferry_code(words[i].code), words[i].word);
        assert_string_equal(ferry_code(-words[i].code), words[i].word);
        assert_string_equal(ferry_strerror(-words[i].code), ferry_strerror(words[i].code));
    }
    assert_string_equal(ferry_strerror(FERRY_E_NAME_TAKEN), "Somebody else is logged in under that name.");
    assert_string_equal(ferry_strerror(12345), "An error that this version does not know.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_codes_of_the_line_protocol_have_its_numbers),
        cmocka_unit_test(a_code_and_its_negative_have_a_word_and_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
