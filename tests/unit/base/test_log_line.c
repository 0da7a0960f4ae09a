/* SPDX-License-Identifier: MPL-2.0 */
/* log_line: what a line reads in either format, and that neither foreign bytes nor a cut can break it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log_line.h"

#define PREFIX "time=2026-01-31T12:00:00.007Z level=info event=login"

static const struct timespec noon = {.tv_sec = 1769860800, .tv_nsec = 7999999};

/* The line of one event with one field, as a string in static memory. */
static const char *line_with(log_format_t format, log_field_t field)
{
    static log_line_t line;
    static char text[LOG_LINE_SIZE + 1];
    log_line_start(&line, format, &noon, LOG_LEVEL_INFO, "login");
    log_line_field(&line, &field);
    span_t bytes = log_line_end(&line);
    assert_true(bytes.size <= LOG_LINE_SIZE);
    memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    return text;
}

static void expect_logfmt(const char *value, const char *written)
{
    char expected[256];
    snprintf(expected, sizeof expected, PREFIX " name=%s\n", written);
    assert_string_equal(line_with(LOG_FORMAT_LOGFMT, log_str("name", value)), expected);
}

static void a_logfmt_line_begins_with_time_level_and_event(void **state)
{
    (void)state;
    expect_logfmt("alice", "alice");
}

static void numbers_are_written_with_their_sign(void **state)
{
    (void)state;
    const char *line = line_with(LOG_FORMAT_LOGFMT, log_uint("count", UINT64_MAX));
    assert_string_equal(line, PREFIX " count=18446744073709551615\n");
    line = line_with(LOG_FORMAT_LOGFMT, log_int("count", INT64_MIN));
    assert_string_equal(line, PREFIX " count=-9223372036854775808\n");
    line = line_with(LOG_FORMAT_JSON, log_int("count", -1));
    assert_string_equal(
        line, "{\"time\":\"2026-01-31T12:00:00.007Z\",\"level\":\"info\",\"event\":\"login\",\"count\":-1}\n");
}

static void a_value_that_could_be_read_wrongly_is_quoted(void **state)
{
    (void)state;
    expect_logfmt("", "\"\"");
    expect_logfmt("a b", "\"a b\"");
    expect_logfmt("a=b", "\"a=b\"");
    expect_logfmt("say \"hi\"", "\"say \\\"hi\\\"\"");
    expect_logfmt("c:\\", "\"c:\\\\\"");
    expect_logfmt("j\xc3\xb6rg", "\"j\xc3\xb6rg\"");
}

static void what_a_terminal_acts_on_is_escaped(void **state)
{
    (void)state;
    expect_logfmt("a\nlevel=error", "\"a\\nlevel=error\"");
    expect_logfmt("a\r\tb", "\"a\\r\\tb\"");
    expect_logfmt("\x1b[2J\x7f", "\"\\u001b[2J\\u007f\"");
    expect_logfmt("\xc2\x9b", "\"\\u009b\"");
    expect_logfmt("\xe2\x80\xa8", "\"\\u2028\"");
    expect_logfmt("\xe2\x80\xae", "\"\\u202e\"");
    expect_logfmt("\xe2\x81\xa6", "\"\\u2066\"");
}

static void a_byte_that_is_not_utf8_reads_as_the_replacement_character(void **state)
{
    (void)state;
    expect_logfmt("a\xff"
                  "b",
        "\"a\\ufffdb\"");
    expect_logfmt("\xe2\x82", "\"\\ufffd\\ufffd\"");
}

/* Parses a JSON line strictly; the caller releases the result. */
static json_t *parse(const char *line)
{
    json_error_t error;
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!object)
        fail_msg("%s in: %s", error.text, line);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    return object;
}

static void every_two_bytes_make_a_valid_json_line(void **state)
{
    (void)state;
    for (unsigned value = 0; value <= 0xffff; value++) {
        const char bytes[] = {(char)(value >> 8), (char)value};
        json_decref(parse(line_with(LOG_FORMAT_JSON, log_span("name", span_of(bytes, 2)))));
    }
}

static void json_gives_back_what_was_logged(void **state)
{
    (void)state;
    const char *name = "j\xc3\xb6rg \"the\" \\ \t\n\x01\xe2\x80\xae\xf0\x9f\x9a\xa2";
    json_t *object = parse(line_with(LOG_FORMAT_JSON, log_str("name", name)));
    assert_string_equal(json_string_value(json_object_get(object, "name")), name);
    json_decref(object);
}

/* A line filled up with `filler` bytes, then a quoted text, a number and another text. */
static const char *line_filled(log_format_t format, size_t filler, const char *pattern)
{
    static log_line_t line;
    static char text[LOG_LINE_SIZE + 1];
    static char bytes[2 * LOG_LINE_SIZE];
    for (size_t i = 0; i < filler; i++)
        bytes[i] = pattern[i % strlen(pattern)];
    log_line_start(&line, format, &noon, LOG_LEVEL_INFO, "login");
    log_line_field(&line, &log_span("filler", span_of(bytes, filler)));
    log_line_field(&line, &log_uint("number", 1234567890));
    log_line_field(&line, &log_str("text", "a \"b\" \x01"));
    span_t whole = log_line_end(&line);
    assert_true(whole.size <= LOG_LINE_SIZE);
    memcpy(text, whole.data, whole.size);
    text[whole.size] = '\0';
    return text;
}

static void expect_valid_cut(json_t *object)
{
    json_t *number = json_object_get(object, "number");
    assert_true(!number || json_integer_value(number) == 1234567890);
    if (!json_object_get(object, "text") || !number)
        assert_true(json_is_true(json_object_get(object, "cut")));
}

static void a_json_line_is_valid_wherever_it_is_cut(void **state)
{
    (void)state;
    static const char *const patterns[] = {"x", "\n", "\x01", "\xc3\xb6", "\xf0\x9f\x9a\xa2", "\xff", "x\""};
    bool seen_whole = false, seen_cut = false;
    for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; p++)
        for (size_t filler = 600; filler < LOG_LINE_SIZE + 64; filler++) {
            json_t *object = parse(line_filled(LOG_FORMAT_JSON, filler, patterns[p]));
            expect_valid_cut(object);
            if (json_object_get(object, "cut"))
                seen_cut = true;
            else
                seen_whole = true;
            json_decref(object);
        }
    assert_true(seen_whole && seen_cut);
}

/* Walks a logfmt line: key=bare or key="escaped", one space between fields. Returns the number of fields. */
static unsigned count_logfmt_fields(const char *at)
{
    unsigned count = 0;
    for (;;) {
        size_t key_size = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
        assert_true(key_size > 0);
        at += key_size;
        assert_int_equal(*at++, '=');
        if (*at == '"') {
            for (at++; *at != '"'; at++)
                if (*at == '\\')
                    at++;
            at++;
        } else {
            at += strcspn(at, " \n");
        }
        count++;
        if (*at == '\n')
            break;
        assert_int_equal(*at++, ' ');
    }
    assert_int_equal(at[1], '\0');
    return count;
}

static void a_logfmt_line_is_valid_wherever_it_is_cut(void **state)
{
    (void)state;
    static const char *const patterns[] = {"x", "\n", "\x01", "x ", "\xc3\xb6", "\\"};
    for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; p++)
        for (size_t filler = 600; filler < LOG_LINE_SIZE + 64; filler++) {
            const char *line = line_filled(LOG_FORMAT_LOGFMT, filler, patterns[p]);
            unsigned count = count_logfmt_fields(line);
            bool cut = strcmp(line + strlen(line) - 10, " cut=true\n") == 0;
            assert_true(cut ? count >= 4 : count == 6);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_logfmt_line_begins_with_time_level_and_event),
        cmocka_unit_test(numbers_are_written_with_their_sign),
        cmocka_unit_test(a_value_that_could_be_read_wrongly_is_quoted),
        cmocka_unit_test(what_a_terminal_acts_on_is_escaped),
        cmocka_unit_test(a_byte_that_is_not_utf8_reads_as_the_replacement_character),
        cmocka_unit_test(every_two_bytes_make_a_valid_json_line),
        cmocka_unit_test(json_gives_back_what_was_logged),
        cmocka_unit_test(a_json_line_is_valid_wherever_it_is_cut),
        cmocka_unit_test(a_logfmt_line_is_valid_wherever_it_is_cut),
    };
    return cmocka_run_group_tests_name("log_line", tests, NULL, NULL);
}
