/* SPDX-License-Identifier: MPL-2.0 */
/* log: levels, formats, and that a line is one write. Standard error is a socket that keeps writes apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

static int reader;
static int saved_stderr;

static int open_stderr(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    reader = pair[0];
    saved_stderr = dup(STDERR_FILENO);
    assert_true(dup2(pair[1], STDERR_FILENO) >= 0);
    close(pair[1]);
    return 0;
}

static int restore_stderr(void **state)
{
    (void)state;
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    close(reader);
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    return 0;
}

/* What the next write held, without its line feed; "" if nothing was written. */
static const char *next_write(void)
{
    static char text[8192];
    ssize_t size = recv(reader, text, sizeof text - 1, MSG_DONTWAIT);
    if (size <= 0)
        return "";
    assert_int_equal(text[size - 1], '\n');
    text[size - 1] = '\0';
    assert_null(strchr(text, '\n'));
    return text;
}

static void each_line_is_one_write(void **state)
{
    (void)state;
    static char long_text[9000];
    memset(long_text, 'x', sizeof long_text - 1);
    log_info("first", log_str("text", "a b"), log_uint("count", 3), log_int("change", -1));
    log_info("second", log_str("text", long_text));
    assert_non_null(strstr(next_write(), " level=info event=first text=\"a b\" count=3 change=-1"));
    assert_non_null(strstr(next_write(), " level=info event=second text=xxx"));
    assert_string_equal(next_write(), "");
}

static void the_time_is_now(void **state)
{
    (void)state;
    time_t before = time(NULL);
    log_info("ready");
    struct tm utc = {0};
    const char *rest = strptime(next_write(), "time=%Y-%m-%dT%H:%M:%S", &utc);
    assert_non_null(rest);
    assert_true(timegm(&utc) >= before && timegm(&utc) <= time(NULL));
    assert_int_equal(rest[0], '.');
    assert_int_equal(strspn(rest + 1, "0123456789"), 3);
    assert_string_equal(rest + 4, "Z level=info event=ready");
}

static void what_is_below_the_level_is_not_written(void **state)
{
    (void)state;
    log_setup(LOG_LEVEL_WARNING, LOG_FORMAT_LOGFMT);
    log_debug("quiet");
    log_info("quiet");
    assert_false(log_enabled(LOG_LEVEL_INFO));
    assert_string_equal(next_write(), "");
    log_warning("loud");
    assert_non_null(strstr(next_write(), "level=warning event=loud"));
    log_error("louder");
    assert_non_null(strstr(next_write(), "level=error event=louder"));
}

static void nothing_at_all_is_written_when_that_is_asked_for(void **state)
{
    (void)state;
    log_setup(LOG_LEVEL_NONE, LOG_FORMAT_LOGFMT);
    log_error("quiet");
    assert_false(log_enabled(LOG_LEVEL_ERROR));
    assert_string_equal(next_write(), "");
}

static void json_is_written_when_it_is_asked_for(void **state)
{
    (void)state;
    log_setup(LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
    log_debug("login", log_str("name", "a\"b"));
    assert_non_null(strstr(next_write(), "Z\",\"level\":\"debug\",\"event\":\"login\",\"name\":\"a\\\"b\"}"));
}

static void a_stderr_that_takes_nothing_harms_nobody(void **state)
{
    (void)state;
    close(STDERR_FILENO);
    errno = ENOMEM;
    log_error("lost", log_str("name", "alice"));
    assert_int_equal(errno, ENOMEM);
}

static void a_stderr_that_hangs_loses_lines_and_says_so_later(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++)
        log_info("flood", log_int("number", i));
    unsigned taken = 0;
    while (*next_write())
        taken++;
    assert_true(taken > 0 && taken < 20000);
    log_info("after");
    char lost[32];
    snprintf(lost, sizeof lost, "lines=%u", 20000 - taken);
    const char *line = next_write();
    assert_non_null(strstr(line, "level=warning event=log-lost"));
    assert_non_null(strstr(line, lost));
    assert_non_null(strstr(next_write(), "event=after"));
    assert_string_equal(next_write(), "");
}

int main(void)
{
#define log_test(name) cmocka_unit_test_setup_teardown(name, open_stderr, restore_stderr)
    const struct CMUnitTest tests[] = {
        log_test(each_line_is_one_write),
        log_test(the_time_is_now),
        log_test(what_is_below_the_level_is_not_written),
        log_test(nothing_at_all_is_written_when_that_is_asked_for),
        log_test(json_is_written_when_it_is_asked_for),
        log_test(a_stderr_that_takes_nothing_harms_nobody),
        log_test(a_stderr_that_hangs_loses_lines_and_says_so_later),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
