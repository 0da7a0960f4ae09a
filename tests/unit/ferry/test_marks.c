/* SPDX-License-Identifier: MPL-2.0 */
/* marks: which of the lines that a gateway counts are the caller's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/marks.h"

/* Marks behind these many lines: P 1 2 P 3 P 4 … */
static marks_t marks_behind_0_2_and_3(void)
{
    marks_t self = {0};
    assert_int_equal(marks_add(&self, 0), 0);
    assert_int_equal(marks_add(&self, 2), 1);
    assert_int_equal(marks_add(&self, 3), 2);
    return self;
}

static void expect_said(const marks_t *self, uint64_t lines, uint64_t said)
{
    if (marks_said_among(self, lines) != said)
        fail_msg("among %d are %d", (int)lines, (int)marks_said_among(self, lines));
}

static void marks_are_not_the_callers_lines(void **state)
{
    (void)state;
    static const uint64_t said[] = {0, 0, 1, 2, 2, 3, 3, 4, 5};
    marks_t marks = marks_behind_0_2_and_3();
    for (uint64_t lines = 0; lines < sizeof said / sizeof said[0]; lines++)
        expect_said(&marks, lines, said[lines]);
    assert_true(marks_answer(&marks, 0));
    assert_true(marks_answer(&marks, 1));
    for (uint64_t lines = 4; lines < sizeof said / sizeof said[0]; lines++)
        expect_said(&marks, lines, said[lines]);
    marks_fini(&marks);
}

static void a_count_below_what_was_answered_is_not_believed(void **state)
{
    (void)state;
    marks_t marks = marks_behind_0_2_and_3();
    assert_true(marks_answer(&marks, 0));
    assert_true(marks_answer(&marks, 1));
    expect_said(&marks, 0, 2);
    marks_fini(&marks);
}

static void answers_come_in_order(void **state)
{
    (void)state;
    marks_t marks = marks_behind_0_2_and_3();
    assert_false(marks_answer(&marks, 1));
    assert_int_equal(marks.answered_said, 0);
    assert_true(marks_answer(&marks, 0));
    assert_false(marks_answer(&marks, 0));
    assert_true(marks_answer(&marks, 1));
    assert_int_equal(marks.answered_said, 2);
    assert_true(marks_answer(&marks, 2));
    assert_false(marks_answer(&marks, 3));
    assert_int_equal(marks_add(&marks, 9), 3);
    marks_fini(&marks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_are_not_the_callers_lines),
        cmocka_unit_test(a_count_below_what_was_answered_is_not_believed),
        cmocka_unit_test(answers_come_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
