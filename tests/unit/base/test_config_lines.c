/* SPDX-License-Identifier: MPL-2.0 */
/* config_lines: which lines are ZPL, what is told about the others, and that zconfig takes what is kept. The file lies
 * in memory and is opened by its descriptor's path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <czmq.h>
#include <sys/mman.h>

#include "base/config_lines.h"

static char file[64];
static int fd;
static char *told;

static int open_file(void **state)
{
    (void)state;
    fd = memfd_create("ferryd.cfg", MFD_CLOEXEC);
    snprintf(file, sizeof file, "/proc/self/fd/%d", fd);
    return fd < 0 ? -1 : 0;
}

static int close_file(void **state)
{
    (void)state;
    free(told);
    return close(fd);
}

static config_lines_t *read_bytes(const char *bytes, size_t size)
{
    size_t told_size;
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, bytes, size, 0), size);
    free(told);
    config_errors_t errors = {.stream = open_memstream(&told, &told_size)};
    config_lines_t *lines = config_lines_new(file, &errors);
    fclose(errors.stream);
    assert_int_equal(errors.count == 0, told_size == 0);
    return lines;
}

/* Expects that exactly `kept` is left of the text, that zconfig takes it, and that `reasons` are told: each "LINE:
 * WHY", one a line. */
static void expect_lines(const char *text, const char *kept, const char *reasons)
{
    config_lines_t *lines = read_bytes(text, strlen(text));
    assert_string_equal(config_lines_text(lines), kept);
    zconfig_t *root = zconfig_str_load(kept);
    assert_non_null(root);
    zconfig_destroy(&root);
    config_lines_destroy(&lines);
    assert_null(lines);
    char expected[2048] = "";
    for (const char *at = reasons; *at; at = strchr(at, '\n') + 1)
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%s:%.*s\n", file,
            (int)strcspn(at, "\n"), at);
    assert_string_equal(told, expected);
}

static void comments_and_empty_lines_are_left_out(void **state)
{
    (void)state;
    expect_lines("# one\n\n   \t \n  # two\n\t# three\r\ngateway # four\n    workers = 4 # five\n    listen = a#b\n",
        "gateway \n    workers = 4\n    listen = a\n", "");
}

static void a_value_may_be_quoted(void **state)
{
    (void)state;
    expect_lines("gateway\n    a = \"x # y\" # z\n    b='\"'\n    c = \"\"\n    d =\n    e = # nothing\n",
        "gateway\n    a = \"x # y\"\n    b='\"'\n    c = \"\"\n    d =\n    e = \n", "");
}

static void good_lines_keep_their_numbers(void **state)
{
    (void)state;
    const char *text = "\ngateway\n# no\n    workers = 4\n    oops\tno\n    listen = a";
    config_lines_t *lines = read_bytes(text, strlen(text));
    assert_int_equal(config_lines_count(lines), 3);
    assert_int_equal(config_lines_number(lines, 0), 2);
    assert_int_equal(config_lines_number(lines, 1), 4);
    assert_int_equal(config_lines_number(lines, 2), 6);
    config_lines_destroy(&lines);
}

static void each_kind_of_bad_line_is_told(void **state)
{
    (void)state;
    expect_lines("gateway\n"
                 "\tworkers = 4\n"
                 "   workers = 4\n"
                 "        workers = 4\n"
                 "    = 4\n"
                 "    /workers = 4\n"
                 "    workers/ = 4\n"
                 "    workers: 4\n"
                 "    workers = \"4\n"
                 "    workers = '4' 5\n"
                 "    work\x01ers = 4\n"
                 "    workers = 4\n",
        "gateway\n    workers = 4\n",
        "2: indent with spaces, not with tabs\n"
        "3: indent by four spaces\n"
        "4: nothing stands deeper than a key under its section\n"
        "5: a line begins with a section or a key\n"
        "6: a line begins with a section or a key\n"
        "7: a line begins with a section or a key\n"
        "8: a value is written as KEY = VALUE\n"
        "9: the quotation is not closed\n"
        "10: something follows the quoted value\n"
        "11: the line holds a control byte\n");
}

static void what_stands_under_a_bad_section_is_left_out_with_it(void **state)
{
    (void)state;
    expect_lines("[gateway]\n    workers = 4\n   odd\nlink\n    window = 1\n", "link\n    window = 1\n",
        "1: a line begins with a section or a key\n");
}

static void a_key_before_any_section_is_told(void **state)
{
    (void)state;
    expect_lines("    workers = 4\n", "", "1: a key stands under a section, and none has begun\n");
}

static void a_nul_is_a_control_byte(void **state)
{
    (void)state;
    config_lines_t *lines = read_bytes("link\n    a\0b = 1\n", 16);
    assert_int_equal(config_lines_count(lines), 1);
    assert_non_null(strstr(told, ":2: the line holds a control byte\n"));
    config_lines_destroy(&lines);
}

static void a_line_may_have_1024_bytes_and_no_more(void **state)
{
    (void)state;
    char text[1100];
    int size = snprintf(text, sizeof text, "a = %0*d\n", 1020, 0);
    config_lines_t *lines = read_bytes(text, (size_t)size);
    assert_int_equal(config_lines_count(lines), 1);
    config_lines_destroy(&lines);
    size = snprintf(text, sizeof text, "a = %0*d\n", 1021, 0);
    lines = read_bytes(text, (size_t)size);
    assert_int_equal(config_lines_count(lines), 0);
    assert_non_null(strstr(told, ":1: the line is longer than 1 KiB\n"));
    config_lines_destroy(&lines);
}

/* `count` times the text; the caller frees it. */
static char *repeated(const char *text, size_t count)
{
    char *bytes = malloc(strlen(text) * count + 1);
    bytes[0] = '\0';
    for (size_t i = 0; i < count; i++)
        memcpy(bytes + i * strlen(text), text, strlen(text) + 1);
    return bytes;
}

static void a_file_with_too_many_lines_is_told(void **state)
{
    (void)state;
    char *text = repeated("a\n", 4097);
    config_lines_t *lines = read_bytes(text, strlen(text));
    assert_int_equal(config_lines_count(lines), 4096);
    assert_non_null(strstr(told, ":4097: the file has too many lines\n"));
    config_lines_destroy(&lines);
    free(text);
}

static void a_file_above_1_mib_is_not_read(void **state)
{
    (void)state;
    char *text = repeated("#234567\n", 131072);
    config_lines_t *lines = read_bytes(text, 1048576);
    assert_non_null(lines);
    config_lines_destroy(&lines);
    free(text);
    text = repeated("#234567\n", 131073);
    assert_null(read_bytes(text, 1048577));
    assert_non_null(strstr(told, "the file is larger than 1 MiB\n"));
    free(text);
}

static void a_missing_file_is_told(void **state)
{
    (void)state;
    char text[256] = "";
    config_errors_t errors = {.stream = fmemopen(text, sizeof text, "w")};
    assert_null(config_lines_new("/nonexistent/ferryd.cfg", &errors));
    fclose(errors.stream);
    assert_int_equal(errors.count, 1);
    assert_string_equal(text, "/nonexistent/ferryd.cfg: No such file or directory\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_and_empty_lines_are_left_out),
        cmocka_unit_test(a_value_may_be_quoted),
        cmocka_unit_test(good_lines_keep_their_numbers),
        cmocka_unit_test(each_kind_of_bad_line_is_told),
        cmocka_unit_test(what_stands_under_a_bad_section_is_left_out_with_it),
        cmocka_unit_test(a_key_before_any_section_is_told),
        cmocka_unit_test(a_nul_is_a_control_byte),
        cmocka_unit_test(a_line_may_have_1024_bytes_and_no_more),
        cmocka_unit_test(a_file_with_too_many_lines_is_told),
        cmocka_unit_test(a_file_above_1_mib_is_not_read),
        cmocka_unit_test(a_missing_file_is_told),
    };
    return cmocka_run_group_tests_name("config_lines", tests, open_file, close_file);
}
