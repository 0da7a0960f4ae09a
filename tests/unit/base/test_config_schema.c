/* SPDX-License-Identifier: MPL-2.0 */
/* config_schema: every kind of value, the suggestions for unknown keys, and that the shipped file tells the same as the
 * table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/config_schema.h"

static const config_option_t *option(const char *key)
{
    size_t index = config_option_find(key);
    assert_true(index < config_option_count);
    return &config_options[index];
}

static void expect_number(const char *key, const char *text, int64_t expected)
{
    char why[CONFIG_WHY_SIZE];
    int64_t number = -1;
    if (config_option_read(option(key), text, &number, why) != 0)
        fail_msg("%s = %s: %s", key, text, why);
    assert_int_equal(number, expected);
}

static void expect_refused(const char *key, const char *text, const char *reason)
{
    char why[CONFIG_WHY_SIZE];
    int64_t number;
    assert_int_equal(config_option_read(option(key), text, &number, why), -1);
    assert_string_equal(why, reason);
}

static void every_default_is_a_good_value_of_its_option(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_option_count; i++) {
        char why[CONFIG_WHY_SIZE];
        int64_t number;
        if (config_option_read(&config_options[i], config_options[i].value, &number, why) != 0)
            fail_msg("%s: %s", config_options[i].key, why);
    }
}

static void no_key_stands_in_the_table_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_option_count; i++)
        assert_int_equal(config_option_find(config_options[i].key), i);
    assert_int_equal(config_option_find("gateway"), config_option_count);
    assert_int_equal(config_option_find("gateway/"), config_option_count);
}

static void numbers_have_bounds(void **state)
{
    (void)state;
    expect_number("gateway/max_name", "1B", 1);
    expect_number("gateway/max_name", "255B", 255);
    expect_refused("gateway/max_name", "0", "0 is out of bounds; 1B to 255B may stand here");
    expect_refused("gateway/max_name", "1KiB", "1KiB is out of bounds; 1B to 255B may stand here");
    expect_refused("drain/timeout", "2s", "2s is out of bounds; 3s to 24h may stand here");
    expect_refused("gateway/workers", "1025", "1025 is out of bounds; 0 to 1024 may stand here");
}

static void a_choice_is_the_place_of_its_word(void **state)
{
    (void)state;
    expect_number("log/level", "debug", 0);
    expect_number("log/level", "error", 3);
    expect_number("log/format", "json", 1);
    expect_refused("log/level", "", "'' is none of: debug info warning error");
    expect_refused("log/level", "inf", "'inf' is none of: debug info warning error");
    expect_refused("log/level", "info warning", "'info warning' is none of: debug info warning error");
    expect_refused("log/format", "JSON", "'JSON' is none of: logfmt json");
}

static void a_boolean_is_0_or_1(void **state)
{
    (void)state;
    expect_number("security/allow_plaintext", "0", 0);
    expect_number("security/allow_plaintext", "1", 1);
    expect_refused("security/allow_plaintext", "2", "'2' is neither 0 nor 1");
    expect_refused("security/allow_plaintext", "", "'' is neither 0 nor 1");
}

static void a_text_that_no_file_could_hold_is_refused(void **state)
{
    (void)state;
    expect_number("gateway/listen", "ipc://a b#c'd", 0);
    expect_refused("gateway/listen", "ipc://a\"b'c",
        "'ipc://a\"b'c': it holds both kinds of quotation marks, which ZPL cannot express");
    expect_refused("gateway/listen", "ipc://a\nb", "'ipc://a\nb': it holds a control byte");
}

static void a_mistyped_key_finds_the_one_that_was_meant(void **state)
{
    (void)state;
    assert_string_equal(config_option_nearest("gateway/wrokers"), "gateway/workers");
    assert_string_equal(config_option_nearest("gateway/stalltime"), "gateway/stall_time");
    assert_string_equal(config_option_nearest("gateway/low_marks"), "gateway/low_mark");
    assert_string_equal(config_option_nearest("gatway/listen"), "gateway/listen");
    assert_string_equal(config_option_nearest("broker/heartbeat"), "link/heartbeat");
    assert_string_equal(config_option_nearest("heartbeat"), "link/heartbeat");
}

static void a_key_like_no_other_finds_none(void **state)
{
    (void)state;
    assert_null(config_option_nearest(""));
    assert_null(config_option_nearest("/"));
    assert_null(config_option_nearest("colour"));
    assert_null(config_option_nearest("gateway/colour"));
    assert_null(config_option_nearest("gateway/listen_listen_listen_listen_listen_listen_listen_listen"));
}

static void sections_are_known(void **state)
{
    (void)state;
    assert_true(config_option_section("gateway"));
    assert_true(config_option_section("log"));
    assert_false(config_option_section(""));
    assert_false(config_option_section("gate"));
    assert_false(config_option_section("gateway/listen"));
}

enum { SHIPPED_LINES_MAX = 1000, SHIPPED_LINE_SIZE = 256 };

typedef struct {
    config_t *config;
    char lines[SHIPPED_LINES_MAX][SHIPPED_LINE_SIZE]; /* from 1 */
    unsigned line_count;
    unsigned last; /* line of the option before */
    size_t option_count;
} shipped_t;

static const char *shipped_file(void)
{
    static char file[4096];
    const char *source = getenv("FERRY_SOURCE");
    snprintf(file, sizeof file, "%s/deploy/config/ferryd.cfg", source ? source : ".");
    return file;
}

static int open_shipped(void **state)
{
    static shipped_t shipped;
    *state = &shipped;
    shipped.line_count = 0;
    shipped.config = config_new(shipped_file(), NULL, 0, stderr);
    FILE *stream = fopen(shipped_file(), "re");
    if (!shipped.config || !stream)
        return -1;
    while (shipped.line_count + 1 < SHIPPED_LINES_MAX &&
           fgets(shipped.lines[shipped.line_count + 1], SHIPPED_LINE_SIZE, stream))
        shipped.line_count++;
    fclose(stream);
    return 0;
}

static int close_shipped(void **state)
{
    shipped_t *shipped = *state;
    config_destroy(&shipped->config);
    return 0;
}

/* The line of an option in the shipped file; fails if it is not given there exactly once, behind the one before. */
static unsigned line_of(shipped_t *self, const char *key)
{
    assert_int_equal(config_count(self->config, key), 1);
    const char *place = config_place(self->config, key, 0);
    if (strcmp(place, "default") == 0)
        fail_msg("%s is missing in the shipped file", key);
    unsigned line = (unsigned)atoi(strrchr(place, ':') + 1);
    if (line <= self->last)
        fail_msg("%s stands too early in the shipped file", key);
    self->last = line;
    return line;
}

static void expect_default(void *arg, const char *key, const char *kind, const char *value)
{
    shipped_t *self = arg;
    line_of(self, key);
    assert_string_equal(config_item(self->config, key, 0), value);
    assert_string_equal(kind, config_option_kind(option(key)));
    self->option_count++;
}

static void the_shipped_file_holds_every_option_with_its_default(void **state)
{
    shipped_t *shipped = *state;
    shipped->last = 0;
    config_schema(expect_default, shipped);
    assert_int_equal(shipped->option_count, config_option_count);
}

static void expect_comment(void *arg, const char *key, const char *kind, const char *value)
{
    (void)kind;
    (void)value;
    shipped_t *self = arg;
    unsigned line = line_of(self, key);
    while (line > 1 && strncmp(self->lines[line], "    #", 5) != 0 && strchr(self->lines[line], '='))
        line--;
    if (strncmp(self->lines[line], "    # ", 6) != 0)
        fail_msg("%s has no comment in the shipped file", key);
}

static void the_shipped_file_explains_every_option(void **state)
{
    shipped_t *shipped = *state;
    shipped->last = 0;
    config_schema(expect_comment, shipped);
}

int main(void)
{
#define shipped_test(name) cmocka_unit_test_setup_teardown(name, open_shipped, close_shipped)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_is_a_good_value_of_its_option),
        cmocka_unit_test(no_key_stands_in_the_table_twice),
        cmocka_unit_test(numbers_have_bounds),
        cmocka_unit_test(a_choice_is_the_place_of_its_word),
        cmocka_unit_test(a_boolean_is_0_or_1),
        cmocka_unit_test(a_text_that_no_file_could_hold_is_refused),
        cmocka_unit_test(a_mistyped_key_finds_the_one_that_was_meant),
        cmocka_unit_test(a_key_like_no_other_finds_none),
        cmocka_unit_test(sections_are_known),
        shipped_test(the_shipped_file_holds_every_option_with_its_default),
        shipped_test(the_shipped_file_explains_every_option),
    };
    return cmocka_run_group_tests_name("config_schema", tests, NULL, NULL);
}
