/* SPDX-License-Identifier: MPL-2.0 */
/* line_source: lines through a pipe, whole, cut and without an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ferry/line_source.h"

typedef struct {
    int in;
    int out;
    line_source_t *source;
} fixture_t;

static int setup(void **state)
{
    fixture_t *self = calloc(1, sizeof *self);
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    self->in = fds[1];
    self->out = fds[0];
    self->source = line_source_new(self->out);
    *state = self;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *self = *state;
    line_source_destroy(&self->source);
    close(self->out);
    if (self->in >= 0)
        close(self->in);
    free(self);
    return 0;
}

static void put(fixture_t *self, const char *bytes)
{
    assert_int_equal(write(self->in, bytes, strlen(bytes)), strlen(bytes));
    assert_int_equal(line_source_read(self->source), 1);
}

static void expect_line(fixture_t *self, const char *text)
{
    span_t line;
    assert_true(line_source_next(self->source, &line));
    assert_int_equal(line.size, strlen(text));
    assert_memory_equal(line.data, text, line.size);
}

static void expect_none(fixture_t *self)
{
    span_t line;
    assert_false(line_source_next(self->source, &line));
}

static void expect_end(fixture_t *self)
{
    close(self->in);
    self->in = -1;
    assert_int_equal(line_source_read(self->source), 0);
}

static void lines_come_one_by_one_without_their_ends(void **state)
{
    fixture_t *self = *state;
    put(self, "one\n\ntwo\r\n");
    expect_line(self, "one");
    expect_line(self, "");
    expect_line(self, "two\r");
    expect_none(self);
}

static void a_line_may_be_cut_anywhere(void **state)
{
    static const char text[] = "first\nsecond\n";
    fixture_t *self = *state;
    for (size_t i = 0; i < strlen(text); i++) {
        if (text[i] != '\n')
            expect_none(self);
        put(self, (char[]){text[i], '\0'});
        if (text[i] == '\n')
            expect_line(self, i == 5 ? "first" : "second");
    }
    expect_none(self);
}

static void the_rest_without_an_end_is_a_line_once_the_input_has_ended(void **state)
{
    fixture_t *self = *state;
    put(self, "one\nrest");
    expect_line(self, "one");
    expect_none(self);
    expect_end(self);
    expect_line(self, "rest");
    expect_none(self);
}

static void an_input_that_ends_with_a_line_has_no_further_one(void **state)
{
    fixture_t *self = *state;
    put(self, "one\n");
    expect_end(self);
    expect_line(self, "one");
    expect_none(self);
}

static void nothing_to_read_is_no_end(void **state)
{
    fixture_t *self = *state;
    assert_int_equal(line_source_read(self->source), -EAGAIN);
    put(self, "still here\n");
    expect_line(self, "still here");
}

static void a_line_without_end_is_given_up(void **state)
{
    fixture_t *self = *state;
    char block[4096];
    memset(block, 'x', sizeof block);
    int result = 1;
    size_t size = 0;
    while (result == 1) {
        assert_int_equal(write(self->in, block, sizeof block), sizeof block);
        size += sizeof block;
        result = line_source_read(self->source);
        expect_none(self);
    }
    assert_int_equal(result, -EMSGSIZE);
    assert_in_range(size, LINE_SOURCE_SIZE_MAX, LINE_SOURCE_SIZE_MAX + 2 * sizeof block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_come_one_by_one_without_their_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_may_be_cut_anywhere, setup, teardown),
        cmocka_unit_test_setup_teardown(the_rest_without_an_end_is_a_line_once_the_input_has_ended, setup, teardown),
        cmocka_unit_test_setup_teardown(an_input_that_ends_with_a_line_has_no_further_one, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_to_read_is_no_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_without_end_is_given_up, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
