/* SPDX-License-Identifier: MPL-2.0 */
/* kept: lines that are said, let go of, and said again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "ferry/kept.h"

static int setup(void **state)
{
    kept_t *self = kept_new();
    static const char *const lines[] = {"one", "two", "", "four"};
    for (size_t i = 0; i < 4; i++)
        kept_add(self, span_str(i ? "" : "bob: "), span_str(lines[i]));
    *state = self;
    return 0;
}

static int teardown(void **state)
{
    kept_t *self = *state;
    kept_destroy(&self);
    return 0;
}

static void expect_next(kept_t *self, const char *text)
{
    span_t line;
    assert_true(kept_next(self, &line));
    assert_int_equal(line.size, strlen(text));
    assert_memory_equal(line.data, text, line.size);
}

static void say_all(kept_t *self)
{
    expect_next(self, "bob: one");
    expect_next(self, "two");
    expect_next(self, "");
    expect_next(self, "four");
}

static void lines_come_once_and_in_order(void **state)
{
    kept_t *self = *state;
    span_t line;
    say_all(self);
    assert_false(kept_next(self, &line));
    kept_add(self, span_str("fi"), span_str("ve"));
    expect_next(self, "five");
    assert_false(kept_next(self, &line));
    assert_int_equal(kept_end(self), 5);
}

static void lines_that_were_not_taken_are_said_again(void **state)
{
    kept_t *self = *state;
    say_all(self);
    kept_taken(self, 1, 0);
    assert_int_equal(kept_first(self), 1);
    kept_seek(self, 1);
    assert_int_equal(kept_cursor(self), 1);
    expect_next(self, "two");
    kept_taken(self, 2, 0);
    kept_seek(self, 3);
    expect_next(self, "four");
}

static void the_last_that_were_taken_are_kept_up_to_a_size(void **state)
{
    kept_t *self = *state;
    say_all(self);
    kept_taken(self, 3, 5); /* "two" and its end, and the end of the empty line */
    assert_int_equal(kept_first(self), 1);
    assert_int_equal(kept_open_size(self), strlen("four\n"));
    kept_taken(self, 2, 5); /* which was known before */
    assert_int_equal(kept_open_size(self), strlen("four\n"));
    kept_seek(self, kept_first(self));
    expect_next(self, "two");
    assert_int_equal(kept_open_size(self), strlen("two\n\nfour\n"));
}

static void what_waits_is_what_is_behind_the_cursor(void **state)
{
    kept_t *self = *state;
    assert_int_equal(kept_waiting_size(self), strlen("bob: one\ntwo\n\nfour\n"));
    expect_next(self, "bob: one");
    kept_taken(self, 1, 0);
    assert_int_equal(kept_waiting_size(self), strlen("two\n\nfour\n"));
}

static void a_line_can_be_read_while_it_is_kept(void **state)
{
    kept_t *self = *state;
    span_t line;
    say_all(self);
    kept_taken(self, 1, 0);
    assert_false(kept_line(self, 0, &line));
    assert_true(kept_line(self, 3, &line));
    assert_memory_equal(line.data, "four", 4);
    assert_false(kept_line(self, 4, &line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_come_once_and_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_that_were_not_taken_are_said_again, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_that_were_taken_are_kept_up_to_a_size, setup, teardown),
        cmocka_unit_test_setup_teardown(what_waits_is_what_is_behind_the_cursor, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_can_be_read_while_it_is_kept, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
