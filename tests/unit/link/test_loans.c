/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>
#include <string.h>

#include "lib/test.h"

#include "link/loans.h"

static void a_loan_ends_by_its_number_and_name(void **state)
{
    (void)state;
    loans_t loans = {0};
    for (uint64_t number = 1; number <= 40; number++)
        loans_add(&loans, number / 2, span_str(number % 2 ? "bob" : "carol"));
    loans_end(&loans, 7, span_str("bob"));
    loans_end(&loans, 7, span_str("bob"));
    loans_end(&loans, 99, span_str("bob"));
    loans_end(&loans, 7, span_str("bo"));
    assert_int_equal(loans.count, 39);
    for (size_t i = 0; i < loans.count; i++)
        assert_false(loans.items[i].number == 7 && span_equal(loan_name(&loans.items[i]), span_str("bob")));
    loans_end(&loans, 7, span_str("carol"));
    assert_int_equal(loans.count, 38);
    loans_clear(&loans);
    assert_int_equal(loans.count, 0);
    loans_fini(&loans);
}

/* Whether these loans are all there are: names of one letter, each behind the digit of its number. */
static bool holds(const loans_t *loans, const char *wanted)
{
    char text[100] = "";
    for (size_t i = 0; i < loans->count; i++)
        snprintf(text + 2 * i, 3, "%u%c", (unsigned)loans->items[i].number, loans->items[i].name[0]);
    return strcmp(text, wanted) == 0;
}

static void what_is_in_doubt_and_not_lent_again_has_ended(void **state)
{
    (void)state;
    loans_t loans = {0};
    loans_doubt(&loans);
    loans_settle(&loans);
    loans_add(&loans, 2, span_str("b"));
    loans_add(&loans, 1, span_str("b"));
    loans_add(&loans, 1, span_str("c"));
    loans_doubt(&loans);
    assert_true(holds(&loans, "2b1b1c"));
    loans_add(&loans, 1, span_str("b"));
    loans_add(&loans, 3, span_str("b"));
    loans_settle(&loans);
    assert_true(holds(&loans, "1b3b"));
    loans_settle(&loans);
    assert_true(holds(&loans, "1b3b"));
    loans_fini(&loans);
}

static void what_is_doubted_twice_is_there_once_and_ends_at_once(void **state)
{
    (void)state;
    loans_t loans = {0};
    loans_add(&loans, 2, span_str("b"));
    loans_add(&loans, 1, span_str("c"));
    loans_add(&loans, 1, span_str("b"));
    loans_doubt(&loans);
    loans_add(&loans, 1, span_str("b"));
    loans_add(&loans, 2, span_str("b"));
    loans_end(&loans, 2, span_str("b")); /* in both places */
    assert_true(holds(&loans, "1c1b1b"));
    loans_doubt(&loans);
    assert_true(holds(&loans, "1b1c"));
    loans_settle(&loans);
    assert_true(holds(&loans, ""));
    loans_fini(&loans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_loan_ends_by_its_number_and_name),
        TEST(what_is_in_doubt_and_not_lent_again_has_ended),
        TEST(what_is_doubted_twice_is_there_once_and_ends_at_once),
    };
    return TEST_RUN(tests);
}
