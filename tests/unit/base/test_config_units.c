/* SPDX-License-Identifier: MPL-2.0 */
/* config_units: numbers with their units, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/config_units.h"

static void expect_number(config_unit_t unit, const char *text, int64_t expected)
{
    char why[CONFIG_WHY_SIZE];
    int64_t number = -1;
    if (config_units_parse(unit, text, &number, why) != 0)
        fail_msg("%s: %s", text, why);
    assert_int_equal(number, expected);
}

static void expect_refused(config_unit_t unit, const char *text, const char *reason)
{
    char why[CONFIG_WHY_SIZE];
    int64_t number = -1;
    assert_int_equal(config_units_parse(unit, text, &number, why), -1);
    assert_string_equal(why, reason);
    assert_int_equal(number, -1);
}

static void a_size_is_in_bytes(void **state)
{
    (void)state;
    expect_number(CONFIG_UNIT_SIZE, "512B", 512);
    expect_number(CONFIG_UNIT_SIZE, "64KiB", 65536);
    expect_number(CONFIG_UNIT_SIZE, "1MiB", 1048576);
    expect_number(CONFIG_UNIT_SIZE, "2GiB", 2147483648);
    expect_number(CONFIG_UNIT_SIZE, "0", 0);
    expect_number(CONFIG_UNIT_SIZE, "0KiB", 0);
}

static void a_duration_is_in_milliseconds(void **state)
{
    (void)state;
    expect_number(CONFIG_UNIT_TIME, "250ms", 250);
    expect_number(CONFIG_UNIT_TIME, "30s", 30000);
    expect_number(CONFIG_UNIT_TIME, "5m", 300000);
    expect_number(CONFIG_UNIT_TIME, "1h", 3600000);
    expect_number(CONFIG_UNIT_TIME, "0", 0);
}

static void a_count_has_no_unit(void **state)
{
    (void)state;
    expect_number(CONFIG_UNIT_NONE, "0", 0);
    expect_number(CONFIG_UNIT_NONE, "007", 7);
    expect_number(CONFIG_UNIT_NONE, "999999999999999", 999999999999999);
    expect_refused(CONFIG_UNIT_NONE, "4s", "'4s' is not a whole number without a unit");
    expect_refused(CONFIG_UNIT_NONE, "1.5", "'1.5' is not a whole number without a unit");
}

static void a_number_that_needs_a_unit_is_refused_with_the_units(void **state)
{
    (void)state;
    expect_refused(CONFIG_UNIT_SIZE, "64", "'64' has no unit; a size is in B, KiB, MiB or GiB");
    expect_refused(CONFIG_UNIT_TIME, "30", "'30' has no unit; a duration is in ms, s, m or h");
}

static void an_unknown_unit_is_refused_with_the_units(void **state)
{
    (void)state;
    expect_refused(CONFIG_UNIT_SIZE, "64KB", "'64KB' is not a whole number and a unit of B, KiB, MiB or GiB");
    expect_refused(CONFIG_UNIT_SIZE, "64 KiB", "'64 KiB' is not a whole number and a unit of B, KiB, MiB or GiB");
    expect_refused(CONFIG_UNIT_TIME, "30sec", "'30sec' is not a whole number and a unit of ms, s, m or h");
    expect_refused(CONFIG_UNIT_TIME, "1.5s", "'1.5s' is not a whole number and a unit of ms, s, m or h");
    expect_refused(CONFIG_UNIT_TIME, "0x", "'0x' is not a whole number and a unit of ms, s, m or h");
}

static void what_does_not_begin_with_a_digit_is_refused(void **state)
{
    (void)state;
    expect_refused(CONFIG_UNIT_NONE, "", "'' is not a number");
    expect_refused(CONFIG_UNIT_NONE, "many", "'many' is not a number");
    expect_refused(CONFIG_UNIT_NONE, "-1", "'-1' is not a number");
    expect_refused(CONFIG_UNIT_SIZE, "+1B", "'+1B' is not a size");
    expect_refused(CONFIG_UNIT_TIME, " 1s", "' 1s' is not a duration");
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    expect_refused(CONFIG_UNIT_NONE, "1000000000000000", "'1000000000000000' is too large");
    expect_refused(CONFIG_UNIT_SIZE, "999999999999999GiB", "'999999999999999GiB' is too large");
    expect_number(CONFIG_UNIT_TIME, "999999999999h", 3599999999996400000);
}

static void a_long_text_is_cut_in_its_reason(void **state)
{
    (void)state;
    char text[2000], why[CONFIG_WHY_SIZE];
    int64_t number;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(config_units_parse(CONFIG_UNIT_SIZE, text, &number, why), -1);
    assert_int_equal(strlen(why), strlen("'' is not a size") + 64);
}

static void expect_text(config_unit_t unit, int64_t number, const char *expected)
{
    char text[CONFIG_NUMBER_SIZE];
    config_units_text(unit, number, text);
    assert_string_equal(text, expected);
}

static void a_number_is_written_with_the_largest_unit_that_fits(void **state)
{
    (void)state;
    expect_text(CONFIG_UNIT_SIZE, 0, "0");
    expect_text(CONFIG_UNIT_SIZE, 1000, "1000B");
    expect_text(CONFIG_UNIT_SIZE, 65536, "64KiB");
    expect_text(CONFIG_UNIT_SIZE, 1LL << 40, "1024GiB");
    expect_text(CONFIG_UNIT_TIME, 1500, "1500ms");
    expect_text(CONFIG_UNIT_TIME, 90000, "90s");
    expect_text(CONFIG_UNIT_TIME, 86400000, "24h");
    expect_text(CONFIG_UNIT_NONE, 1024, "1024");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_size_is_in_bytes),
        cmocka_unit_test(a_duration_is_in_milliseconds),
        cmocka_unit_test(a_count_has_no_unit),
        cmocka_unit_test(a_number_that_needs_a_unit_is_refused_with_the_units),
        cmocka_unit_test(an_unknown_unit_is_refused_with_the_units),
        cmocka_unit_test(what_does_not_begin_with_a_digit_is_refused),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(a_long_text_is_cut_in_its_reason),
        cmocka_unit_test(a_number_is_written_with_the_largest_unit_that_fits),
    };
    return cmocka_run_group_tests_name("config_units", tests, NULL, NULL);
}
