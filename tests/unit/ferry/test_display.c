/* SPDX-License-Identifier: MPL-2.0 */
/* display: what lines become on a terminal and in a pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ferry/display.h"

enum { TEXT_SIZE = 1024 };

typedef void write_fn(display_t *display, span_t line);

/* Writes one line into `fd` and leaves what comes out of `from` in `text`. */
static void write_through(int fd, int from, write_fn *write_line, const char *line, char text[TEXT_SIZE])
{
    FILE *out = fdopen(fd, "w");
    display_t display;
    display_init(&display, out);
    write_line(&display, span_str(line));
    fflush(out);
    ssize_t size = read(from, text, TEXT_SIZE - 1);
    text[size > 0 ? size : 0] = '\0';
    fclose(out);
    close(from);
}

static void expect_on_terminal(write_fn *write_line, const char *line, const char *expected)
{
    char text[TEXT_SIZE];
    struct termios raw;
    memset(&raw, 0, sizeof raw);
    int master;
    int slave;
    assert_int_equal(openpty(&master, &slave, NULL, &raw, NULL), 0);
    write_through(slave, master, write_line, line, text);
    assert_string_equal(text, expected);
}

static void expect_in_pipe(write_fn *write_line, const char *line, const char *expected)
{
    char text[TEXT_SIZE];
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    write_through(fds[1], fds[0], write_line, line, text);
    assert_string_equal(text, expected);
}

static void a_pipe_gets_the_bytes_as_they_are(void **state)
{
    (void)state;
    expect_in_pipe(display_line, "from bob: \033[2J\xff\xc2\x9b", "from bob: \033[2J\xff\xc2\x9b\n");
    expect_in_pipe(display_line, "error no-such-peer bob", "error no-such-peer bob\n");
}

static void a_terminal_is_not_steered(void **state)
{
    (void)state;
    expect_on_terminal(display_text, "a\033[2Jb", "a<U+001B>[2Jb\n");
    expect_on_terminal(display_text,
        "\xc2\x9b"
        "2J",
        "<U+009B>2J\n");
    expect_on_terminal(display_text, "\u202egnp.exe", "<U+202E>gnp.exe\n");
    expect_on_terminal(display_text, "a\rb\x7f", "a<U+000D>b<U+007F>\n");
}

static void bytes_that_are_no_text_are_shown_as_numbers(void **state)
{
    (void)state;
    expect_on_terminal(display_text, "a\xff\xc3", "a<FF><C3>\n");
}

static void text_and_tabs_pass(void **state)
{
    (void)state;
    expect_on_terminal(display_text, "naïve\t日本 🚢", "naïve\t日本 🚢\n");
}

static void a_terminal_shows_who_wrote_in_colour(void **state)
{
    (void)state;
    expect_on_terminal(display_line, "from bob: hi: there", "\033[1;36mfrom bob\033[0m: hi: there\n");
}

static void an_error_is_explained_on_a_terminal(void **state)
{
    (void)state;
    expect_on_terminal(display_line, "error no-such-peer bob",
        "\033[31merror no-such-peer bob\033[0m (Nobody is logged in under that name.)\n");
    expect_on_terminal(display_line, "error from-the-future", "\033[31merror from-the-future\033[0m\n");
}

static void no_color_is_obeyed(void **state)
{
    (void)state;
    setenv("NO_COLOR", "1", 1);
    expect_on_terminal(display_line, "from bob: hi", "from bob: hi\n");
    setenv("NO_COLOR", "", 1);
    expect_on_terminal(display_line, "from bob: hi", "\033[1;36mfrom bob\033[0m: hi\n");
    unsetenv("NO_COLOR");
}

static void a_dumb_terminal_gets_no_colour(void **state)
{
    (void)state;
    setenv("TERM", "dumb", 1);
    expect_on_terminal(display_line, "from bob: hi", "from bob: hi\n");
    setenv("TERM", "xterm", 1);
}

int main(void)
{
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_gets_the_bytes_as_they_are),
        cmocka_unit_test(a_terminal_is_not_steered),
        cmocka_unit_test(bytes_that_are_no_text_are_shown_as_numbers),
        cmocka_unit_test(text_and_tabs_pass),
        cmocka_unit_test(a_terminal_shows_who_wrote_in_colour),
        cmocka_unit_test(an_error_is_explained_on_a_terminal),
        cmocka_unit_test(no_color_is_obeyed),
        cmocka_unit_test(a_dumb_terminal_gets_no_colour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
