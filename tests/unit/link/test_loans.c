/* SPDX-License-Identifier: MPL-2.0 */
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

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(a_loan_ends_by_its_number_and_name)};
    return TEST_RUN(tests);
}
