/* SPDX-License-Identifier: MPL-2.0 */
/* options: command lines that are read, and those that are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ferry/options.h"

enum { WORDS_MAX = 8 };

/* Reads a command line of words that are separated by blanks. */
static int parse(options_t *self, const char *letters, bool stop, const char *line)
{
    static char copy[256];
    char *argv[WORDS_MAX + 1] = {"ferry"};
    int argc = 1;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word && argc < WORDS_MAX; word = strtok(NULL, " "))
        argv[argc++] = word;
    static char *kept[WORDS_MAX + 1];
    memcpy(kept, argv, sizeof kept);
    return options_parse(self, "ferry test", letters, stop, argc, kept);
}

static void options_and_operands_may_be_mixed(void **state)
{
    (void)state;
    options_t options = {0};
    assert_int_equal(parse(&options, "anqg", false, "bob --as alice - -qn 3 --gateway=x"), 0);
    assert_string_equal(options.as, "alice");
    assert_string_equal(options.gateway, "x");
    assert_int_equal(options.count, 3);
    assert_true(options.quiet);
    assert_int_equal(options.operand_count, 2);
    assert_string_equal(options.operands[0], "bob");
    assert_string_equal(options.operands[1], "-");
}

static void seconds_may_be_none_and_a_day_at_most(void **state)
{
    (void)state;
    options_t options = {0};
    assert_int_equal(parse(&options, "w", false, "--wait 86400"), 0);
    assert_int_equal(options.wait_s, 86400);
    assert_int_equal(parse(&options, "w", false, "--wait 0"), 0);
    assert_int_equal(options.wait_s, 0);
    assert_int_equal(parse(&options, "w", false, "--wait 86401"), -1);
    assert_int_equal(parse(&options, "w", false, "--wait -1"), -1);
    assert_int_equal(parse(&options, "w", false, "--wait 1s"), -1);
}

static void some_seconds_may_have_a_fraction(void **state)
{
    (void)state;
    options_t options = {0};
    assert_int_equal(parse(&options, "dW", false, "--duration 0.25 --warm-up 0"), 0);
    assert_int_equal(options.duration_ms, 250);
    assert_int_equal(options.warm_up_ms, 0);
    assert_true(options.warm_up_given);
    assert_int_equal(parse(&options, "d", false, "--duration 86400"), 0);
    assert_int_equal(parse(&options, "d", false, "--duration 86400.1"), -1);
    assert_int_equal(parse(&options, "d", false, "--duration 0"), -1);
    assert_int_equal(parse(&options, "d", false, "--duration nan"), -1);
    assert_int_equal(parse(&options, "d", false, "--duration -1"), -1);
    assert_int_equal(parse(&options, "d", false, "--duration 1s"), -1);
}

static void an_option_that_may_be_repeated_keeps_all(void **state)
{
    (void)state;
    options_t options = {0};
    assert_int_equal(parse(&options, "H", false, "--watch a=1 --watch b=2"), 0);
    assert_int_equal(options.watch_count, 2);
    assert_string_equal(options.watches[1], "b=2");
    options.watch_count = OPTIONS_WATCH_MAX;
    assert_int_equal(parse(&options, "H", false, "--watch c=3"), -1);
}

static void two_hyphens_end_the_options(void **state)
{
    (void)state;
    options_t options = {0};
    assert_int_equal(parse(&options, "q", false, "-- -q"), 0);
    assert_false(options.quiet);
    assert_string_equal(options.operands[0], "-q");
}

static void reading_stops_at_the_command_if_it_is_told_to(void **state)
{
    (void)state;
    options_t options = {0};
    assert_int_equal(parse(&options, "g", true, "-g x send -g y"), 0);
    assert_string_equal(options.gateway, "x");
    assert_int_equal(options.operand_count, 3);
    assert_string_equal(options.operands[0], "send");
}

static void an_option_of_another_command_is_refused(void **state)
{
    (void)state;
    options_t options = {0};
    assert_int_equal(parse(&options, "q", false, "--json"), -1);
    assert_int_equal(parse(&options, "q", false, "-n 3"), -1);
    assert_int_equal(parse(&options, "q", false, "-j"), -1);
}

static void an_argument_must_be_there_where_it_belongs_and_only_there(void **state)
{
    (void)state;
    options_t options = {0};
    assert_int_equal(parse(&options, "a", false, "--as"), -1);
    assert_int_equal(parse(&options, "q", false, "--quiet=1"), -1);
}

static void a_count_is_a_number_of_at_least_one(void **state)
{
    (void)state;
    options_t options = {0};
    static const char *const bad[] = {"-n 0", "-n -1", "-n x", "-n 3x", "-n 99999999999999999999", "--count="};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(parse(&options, "n", false, bad[i]), -1);
}

static void addresses_come_from_options_then_the_environment_then_the_defaults(void **state)
{
    (void)state;
    options_t options = {0};
    assert_int_equal(parse(&options, "gu", false, ""), 0);
    assert_string_equal(options.gateway, "tcp://127.0.0.1:7400");
    assert_string_equal(options.admin, "http://127.0.0.1:7480");
    setenv("FERRY_GATEWAY", "from-environment", 1);
    setenv("FERRY_ADMIN", "", 1);
    options = (options_t){0};
    assert_int_equal(parse(&options, "gu", false, ""), 0);
    assert_string_equal(options.gateway, "from-environment");
    assert_string_equal(options.admin, "http://127.0.0.1:7480");
    options = (options_t){0};
    assert_int_equal(parse(&options, "gu", false, "--gateway given"), 0);
    assert_string_equal(options.gateway, "given");
    unsetenv("FERRY_GATEWAY");
    unsetenv("FERRY_ADMIN");
}

static void the_help_shows_each_option_once(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    options_help("gn", out);
    fclose(out);
    assert_non_null(strstr(text, "-g, --gateway ADDRESS"));
    assert_non_null(strstr(text, "-n, --count N"));
    assert_null(strstr(text, "--json"));
    free(text);
}

int main(void)
{
    unsetenv("FERRY_GATEWAY");
    unsetenv("FERRY_ADMIN");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_operands_may_be_mixed),
        cmocka_unit_test(seconds_may_be_none_and_a_day_at_most),
        cmocka_unit_test(some_seconds_may_have_a_fraction),
        cmocka_unit_test(an_option_that_may_be_repeated_keeps_all),
        cmocka_unit_test(two_hyphens_end_the_options),
        cmocka_unit_test(reading_stops_at_the_command_if_it_is_told_to),
        cmocka_unit_test(an_option_of_another_command_is_refused),
        cmocka_unit_test(an_argument_must_be_there_where_it_belongs_and_only_there),
        cmocka_unit_test(a_count_is_a_number_of_at_least_one),
        cmocka_unit_test(addresses_come_from_options_then_the_environment_then_the_defaults),
        cmocka_unit_test(the_help_shows_each_option_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
