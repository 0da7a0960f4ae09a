/* SPDX-License-Identifier: MPL-2.0 */
/* config: what files and -s make of the options, and what is told about mistakes. Files are made in a folder of their
 * own, which is the current one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/log.h"
#include "wire/line.h"

#define FILE_NAME "ferryd.cfg"

static char folder[] = "/tmp/ferry-config-XXXXXX";
static char *told; /* what the last load wrote to its errors */

static int enter_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? chdir(folder) : -1;
}

static int leave_folder(void **state)
{
    (void)state;
    free(told);
    unlink(FILE_NAME);
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

static config_t *load_file(const char *file, const char *const *overrides, size_t count)
{
    size_t size;
    free(told);
    FILE *errors = open_memstream(&told, &size);
    config_t *config = config_new(file, overrides, count, errors);
    fclose(errors);
    assert_int_equal(config == NULL, size > 0);
    return config;
}

static void write_file(const char *text)
{
    FILE *stream = fopen(FILE_NAME, "we");
    assert_non_null(stream);
    assert_int_equal(fputs(text, stream) < 0, 0);
    fclose(stream);
}

static config_t *load(const char *text)
{
    write_file(text);
    return load_file(FILE_NAME, NULL, 0);
}

static config_t *load_good(const char *text)
{
    config_t *config = load(text);
    if (!config)
        fail_msg("%s", told);
    return config;
}

#define load_with(file, ...)                                                                                           \
    load_file(file, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void expect_told(config_t *config, const char *errors)
{
    assert_null(config);
    assert_string_equal(told, errors);
}

static void without_a_file_every_option_has_its_default(void **state)
{
    (void)state;
    config_t *config = load_file(NULL, NULL, 0);
    assert_int_equal(config_number(config, "gateway/high_mark"), 256 * 1024);
    assert_int_equal(config_number(config, "drain/timeout"), 30000);
    assert_int_equal(config_number(config, "drain/delay"), 0);
    assert_int_equal(config_number(config, "log/level"), LOG_LEVEL_INFO);
    assert_int_equal(config_number(config, "log/format"), LOG_FORMAT_LOGFMT);
    assert_string_equal(config_string(config, "broker/name"), "main");
    assert_string_equal(config_item(config, "gateway/listen", 0), "tcp://127.0.0.1:7400");
    assert_null(config_item(config, "gateway/listen", 1));
    assert_string_equal(config_place(config, "gateway/listen", 0), "default");
    config_destroy(&config);
    assert_null(config);
}

static void a_file_sets_options_and_leaves_the_others(void **state)
{
    (void)state;
    config_t *config = load_good("# a comment\n"
                                 "gateway\n"
                                 "    workers = 4 # four\n"
                                 "\n"
                                 "    stall_time = 250ms\r\n"
                                 "  # a comment at an odd place\n"
                                 "security\n"
                                 "    allow_plaintext = \"1\"\n"
                                 "log\n"
                                 "    level = debug\n"
                                 "    format = 'json'");
    assert_int_equal(config_number(config, "gateway/workers"), 4);
    assert_int_equal(config_number(config, "gateway/stall_time"), 250);
    assert_int_equal(config_number(config, "security/allow_plaintext"), 1);
    assert_int_equal(config_number(config, "log/level"), LOG_LEVEL_DEBUG);
    assert_int_equal(config_number(config, "log/format"), LOG_FORMAT_JSON);
    assert_int_equal(config_number(config, "gateway/max_line"), 64 * 1024);
    assert_string_equal(config_place(config, "gateway/stall_time", 0), "ferryd.cfg:5");
    config_destroy(&config);
}

static void an_empty_file_is_all_defaults(void **state)
{
    (void)state;
    config_t *config = load_good("");
    config_destroy(&config);
    config = load_good("\n\n# nothing\ngateway\n");
    assert_int_equal(config_number(config, "gateway/workers"), 0);
    config_destroy(&config);
}

static void a_list_is_a_repeated_key(void **state)
{
    (void)state;
    config_t *config = load_good("gateway\n"
                                 "    listen = tcp://127.0.0.1:1\n"
                                 "    listen = tcp://[::1]:2\n"
                                 "    workers = 1\n"
                                 "    listen = \"ipc:///run/ferry #1.sock\"\n");
    assert_int_equal(config_count(config, "gateway/listen"), 3);
    assert_string_equal(config_item(config, "gateway/listen", 0), "tcp://127.0.0.1:1");
    assert_string_equal(config_item(config, "gateway/listen", 1), "tcp://[::1]:2");
    assert_string_equal(config_item(config, "gateway/listen", 2), "ipc:///run/ferry #1.sock");
    assert_string_equal(config_place(config, "gateway/listen", 2), "ferryd.cfg:5");
    config_destroy(&config);
}

static void a_section_may_come_again_and_a_key_may_stand_in_full(void **state)
{
    (void)state;
    config_t *config = load_good("gateway\n"
                                 "    workers = 2\n"
                                 "link/window = 1MiB\n"
                                 "gateway\n"
                                 "    max_errors = 3\n");
    assert_int_equal(config_number(config, "gateway/workers"), 2);
    assert_int_equal(config_number(config, "gateway/max_errors"), 3);
    assert_int_equal(config_number(config, "link/window"), 1024 * 1024);
    config_destroy(&config);
}

static void an_override_wins_over_the_file(void **state)
{
    (void)state;
    write_file("gateway\n    workers = 2\n    max_errors = 5\n");
    config_t *config = load_with(FILE_NAME, "gateway/workers=3", "gateway/workers=4");
    assert_non_null(config);
    assert_int_equal(config_number(config, "gateway/workers"), 4);
    assert_int_equal(config_number(config, "gateway/max_errors"), 5);
    assert_string_equal(config_place(config, "gateway/workers", 0), "-s");
    config_destroy(&config);
}

static void the_first_override_replaces_a_list_and_the_next_append(void **state)
{
    (void)state;
    write_file("gateway\n    listen = tcp://127.0.0.1:1\n    listen = tcp://127.0.0.1:2\n");
    config_t *config = load_with(FILE_NAME, "gateway/listen=tcp://127.0.0.1:3", "gateway/listen=ipc://a=b");
    assert_non_null(config);
    assert_int_equal(config_count(config, "gateway/listen"), 2);
    assert_string_equal(config_item(config, "gateway/listen", 0), "tcp://127.0.0.1:3");
    assert_string_equal(config_item(config, "gateway/listen", 1), "ipc://a=b");
    config_destroy(&config);
}

static void every_mistake_is_told_with_its_file_line_and_key(void **state)
{
    (void)state;
    expect_told(load("gateway\n"
                     "    workers = many\n"
                     "    # fine\n"
                     "    stall_time = 30\n"
                     "    high_mark = 64KB\n"
                     "    listen = 127.0.0.1:7400\n"
                     "    workers 4\n"
                     "security\n"
                     "    allow_plaintext = yes\n"
                     "log\n"
                     "    level = loud\n"),
        "ferryd.cfg:7: a value is written as KEY = VALUE\n"
        "ferryd.cfg:2: gateway/workers: 'many' is not a number\n"
        "ferryd.cfg:4: gateway/stall_time: '30' has no unit; a duration is in ms, s, m or h\n"
        "ferryd.cfg:5: gateway/high_mark: '64KB' is not a whole number and a unit of B, KiB, MiB or GiB\n"
        "ferryd.cfg:6: gateway/listen: '127.0.0.1:7400': it must begin with tcp://, ipc://, inproc:// or http://\n"
        "ferryd.cfg:9: security/allow_plaintext: 'yes' is neither 0 nor 1\n"
        "ferryd.cfg:11: log/level: 'loud' is none of: debug info warning error\n");
}

static void an_unknown_key_is_told_with_the_nearest_one(void **state)
{
    (void)state;
    expect_told(load("gateway\n"
                     "    wrokers = 4\n"
                     "    heartbeat = 1s\n"
                     "    colour = red\n"),
        "ferryd.cfg:2: gateway/wrokers: unknown key; did you mean gateway/workers?\n"
        "ferryd.cfg:3: gateway/heartbeat: unknown key; did you mean link/heartbeat?\n"
        "ferryd.cfg:4: gateway/colour: unknown key\n");
}

static void an_unknown_section_is_told_with_its_keys(void **state)
{
    (void)state;
    expect_told(load("gatewy\n    workers = 4\n"),
        "ferryd.cfg:1: gatewy: unknown section\n"
        "ferryd.cfg:2: gatewy/workers: unknown key; did you mean gateway/workers?\n");
    expect_told(
        load("gateway = 1\n"), "ferryd.cfg:1: gateway: this is a section; its keys follow, indented by four spaces\n");
}

static void a_key_given_twice_is_told(void **state)
{
    (void)state;
    expect_told(load("gateway\n    workers = 1\ngateway\n    workers = 2\n"),
        "ferryd.cfg:4: gateway/workers: given before, at ferryd.cfg:2\n");
}

static void a_bad_override_is_told_with_its_key(void **state)
{
    (void)state;
    expect_told(load_with(NULL, "gateway/workers=many", "gateway/worker=1", "workers", "link/linger=2", ""),
        "-s: gateway/workers: 'many' is not a number\n"
        "-s: gateway/worker: unknown key; did you mean gateway/workers?\n"
        "-s: workers: it is written as SECTION/KEY=VALUE\n"
        "-s: link/linger: '2' has no unit; a duration is in ms, s, m or h\n"
        "-s: : it is written as SECTION/KEY=VALUE\n");
}

static void a_file_that_cannot_be_read_is_told(void **state)
{
    (void)state;
    expect_told(load_file("missing.cfg", NULL, 0), "missing.cfg: No such file or directory\n");
    expect_told(load_file(".", NULL, 0), ".: Is a directory\n");
}

static void contradictions_are_told_once_each_value_is_right(void **state)
{
    (void)state;
    expect_told(load("gateway\n    low_mark = 256KiB\n"),
        "ferryd.cfg:2: gateway/low_mark: gateway/low_mark must be below gateway/high_mark\n");
}

static void as_many_recipients_as_a_line_can_hold_may_be_allowed(void **state)
{
    (void)state;
    char argument[64];
    snprintf(argument, sizeof argument, "gateway/max_recipients=%d", LINE_RECIPIENTS_MAX);
    config_t *config = load_with(NULL, argument);
    assert_non_null(config);
    config_destroy(&config);
    snprintf(argument, sizeof argument, "gateway/max_recipients=%d", LINE_RECIPIENTS_MAX + 1);
    assert_null(load_with(NULL, argument));
}

static void a_broker_has_the_name_that_stands_before_its_address(void **state)
{
    (void)state;
    char name[CONFIG_BROKER_NAME_SIZE];
    config_t *config = load_file(NULL, NULL, 0);
    assert_string_equal(config_broker(config, 0, name), "tcp://127.0.0.1:7410");
    assert_string_equal(name, "main");
    assert_null(config_broker(config, 1, name));
    config_destroy(&config);
    config = load_with(NULL, "broker/name=east");
    assert_non_null(config_broker(config, 0, name));
    assert_string_equal(name, "east");
    config_destroy(&config);
    config = load_with(NULL, "gateway/broker=east=tcp://10.0.0.1:7410", "gateway/broker=west=ipc://w=1");
    assert_non_null(config);
    assert_string_equal(config_broker(config, 1, name), "ipc://w=1");
    assert_string_equal(name, "west");
    config_destroy(&config);
}

static void expect_admin(const char *argument, bool broker_alone, const char *address)
{
    config_t *config = load_with(NULL, argument);
    assert_non_null(config);
    assert_string_equal(config_admin_listen(config, broker_alone), address);
    config_destroy(&config);
}

static void the_admin_address_depends_on_the_role_unless_it_is_given(void **state)
{
    (void)state;
    expect_admin("admin/listen=auto", false, "http://127.0.0.1:7480");
    expect_admin("admin/listen=auto", true, "http://127.0.0.1:7481");
    expect_admin("admin/listen=http://127.0.0.1:0", true, "http://127.0.0.1:0");
    expect_admin("admin/listen=", true, "");
}

/* The configuration as config_print writes it; the caller frees it. */
static char *printed(const config_t *config)
{
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    config_print(config, stream);
    fclose(stream);
    return text;
}

static void what_is_printed_reads_back_the_same(void **state)
{
    (void)state;
    config_t *config = load_with(NULL, "gateway/listen=ipc://it's a #1", "gateway/listen=ipc://\"x\"",
        "admin/listen=", "gateway/high_mark=1GiB", "log/level=error", "drain/timeout=90s");
    assert_non_null(config);
    char *first = printed(config);
    config_destroy(&config);
    config = load_good(first);
    assert_string_equal(config_item(config, "gateway/listen", 0), "ipc://it's a #1");
    assert_string_equal(config_item(config, "gateway/listen", 1), "ipc://\"x\"");
    assert_string_equal(config_string(config, "admin/listen"), "");
    assert_int_equal(config_number(config, "drain/timeout"), 90000);
    char *second = printed(config);
    assert_string_equal(first, second);
    config_destroy(&config);
    free(first);
    free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_every_option_has_its_default),
        cmocka_unit_test(a_file_sets_options_and_leaves_the_others),
        cmocka_unit_test(an_empty_file_is_all_defaults),
        cmocka_unit_test(a_list_is_a_repeated_key),
        cmocka_unit_test(a_section_may_come_again_and_a_key_may_stand_in_full),
        cmocka_unit_test(an_override_wins_over_the_file),
        cmocka_unit_test(the_first_override_replaces_a_list_and_the_next_append),
        cmocka_unit_test(every_mistake_is_told_with_its_file_line_and_key),
        cmocka_unit_test(an_unknown_key_is_told_with_the_nearest_one),
        cmocka_unit_test(an_unknown_section_is_told_with_its_keys),
        cmocka_unit_test(a_key_given_twice_is_told),
        cmocka_unit_test(a_bad_override_is_told_with_its_key),
        cmocka_unit_test(a_file_that_cannot_be_read_is_told),
        cmocka_unit_test(contradictions_are_told_once_each_value_is_right),
        cmocka_unit_test(as_many_recipients_as_a_line_can_hold_may_be_allowed),
        cmocka_unit_test(a_broker_has_the_name_that_stands_before_its_address),
        cmocka_unit_test(the_admin_address_depends_on_the_role_unless_it_is_given),
        cmocka_unit_test(what_is_printed_reads_back_the_same),
    };
    return cmocka_run_group_tests_name("config", tests, enter_folder, leave_folder);
}
