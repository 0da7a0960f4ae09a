/* SPDX-License-Identifier: MPL-2.0 */
/* reason: the codes on the wire, and numbers from outside of the table. */
#include "lib/document.h"
#include "lib/test.h"

#include <limits.h>
#include <stdlib.h>

#include "wire/reason.h"

static const struct {
    int number;
    const char *code;
    const char *meaning;
} table[] = {
#define REASON(name, number, code, meaning) {FERRY_REASON_##name, code, meaning},
#include "reasons.def"
#undef REASON
};

enum { ROWS = sizeof table / sizeof table[0] };

static void every_reason_has_its_code_and_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        assert_string_equal(reason_code(table[i].number), table[i].code);
        assert_string_equal(reason_meaning(table[i].number), table[i].meaning);
    }
    assert_string_equal(reason_code(FERRY_REASON_GATEWAY_LOST), "gateway-lost");
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

static void a_number_outside_of_the_table_is_unknown(void **state)
{
    (void)state;
    const int numbers[] = {0, -1, 255, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_string_equal(reason_code(numbers[i]), "unknown");
        assert_non_null(reason_meaning(numbers[i]));
    }
}

static void the_specification_has_the_same_table(void **state)
{
    (void)state;
    static const char expected[] = "| number | reason | meaning |\n| --- | --- | --- |\n"
#define REASON(name, number, code, meaning) "| " #number " | `" code "` | " meaning " |\n"
#include "reasons.def"
#undef REASON
        ;
    char *found = document_table("proto/line.md", "## 8. Reasons");
    assert_string_equal(found, expected);
    free(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_its_code_and_meaning),
        cmocka_unit_test(no_number_and_no_code_is_used_twice),
        cmocka_unit_test(a_number_outside_of_the_table_is_unknown),
        cmocka_unit_test(the_specification_has_the_same_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
