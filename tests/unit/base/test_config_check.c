/* SPDX-License-Identifier: MPL-2.0 */
/* config_check: each rule between options, at its edge, and the option that is blamed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"

enum { ARGUMENTS_MAX = 8 };

/* Loads the defaults with the arguments, which are separated by one space each; returns what was told, for the caller
 * to free. */
static char *check(const char *arguments)
{
    char text[512];
    const char *list[ARGUMENTS_MAX];
    size_t count = 0, size;
    char *told, *next, *rest = text;
    snprintf(text, sizeof text, "%s", arguments);
    while ((next = strsep(&rest, " ")) != NULL) {
        assert_true(count < ARGUMENTS_MAX);
        list[count++] = next;
    }
    FILE *errors = open_memstream(&told, &size);
    config_t *config = config_new(NULL, list, count, errors);
    fclose(errors);
    assert_int_equal(config != NULL, size == 0);
    config_destroy(&config);
    return told;
}

static void expect_good(const char *arguments)
{
    char *told = check(arguments);
    assert_string_equal(told, "");
    free(told);
}

/* Expects one mistake, told of `key`, whose text holds `words`. */
static void expect_told(const char *arguments, const char *key, const char *words)
{
    char *told = check(arguments);
    char start[128];
    snprintf(start, sizeof start, "-s: %s: ", key);
    if (strncmp(told, start, strlen(start)) != 0 || !strstr(told, words) ||
        strchr(told, '\n') != told + strlen(told) - 1)
        fail_msg("%s told: %s", arguments, told);
    free(told);
}

static void the_low_mark_is_below_the_high_mark(void **state)
{
    (void)state;
    expect_good("gateway/low_mark=262143B");
    expect_told("gateway/low_mark=256KiB", "gateway/low_mark", "below gateway/high_mark");
    expect_told("gateway/high_mark=64KiB", "gateway/high_mark", "below gateway/high_mark");
}

static void the_heartbeat_is_shorter_than_the_timeout(void **state)
{
    (void)state;
    expect_good("link/heartbeat=4999ms");
    expect_told("link/heartbeat=5s", "link/heartbeat", "shorter than link/timeout");
    expect_told("link/timeout=1s", "link/timeout", "shorter than link/timeout");
}

static void the_first_back_off_is_not_longer_than_the_last(void **state)
{
    (void)state;
    expect_good("link/backoff_min=1s");
    expect_told("link/backoff_min=1001ms", "link/backoff_min", "not be longer than link/backoff_max");
    expect_told("link/backoff_max=9ms", "link/backoff_max", "not be longer than link/backoff_max");
}

static void settling_outlasts_all_that_a_node_may_need(void **state)
{
    (void)state;
    expect_good("link/settling_time=9001ms");
    expect_told("link/settling_time=9s", "link/settling_time", "longer than link/timeout, link/connect_timeout");
    expect_told("link/timeout=6s", "link/timeout", "link/settling_time must be longer");
    expect_told("link/connect_timeout=4s", "link/connect_timeout", "link/settling_time must be longer");
    expect_told("link/backoff_max=2s", "link/backoff_max", "link/settling_time must be longer");
}

static void a_batch_holds_the_longest_line(void **state)
{
    (void)state;
    expect_good("link/batch=66240B");
    expect_told("link/batch=66239B", "link/batch", "room for a line");
    expect_told("gateway/max_line=1MiB", "gateway/max_line", "room for a line");
    expect_good("gateway/max_line=1MiB link/batch=2MiB");
    expect_told("link/batch=66240B gateway/max_recipients=65", "link/batch", "room for a line");
}

static void a_drain_lasts_longer_than_its_delay(void **state)
{
    (void)state;
    expect_good("drain/delay=27s");
    expect_told("drain/delay=27001ms", "drain/delay", "leave 3s after drain/delay");
    expect_good("drain/timeout=3s");
    expect_told("drain/timeout=3s drain/delay=1ms", "drain/delay", "leave 3s after drain/delay");
}

static void several_brokers_are_named(void **state)
{
    (void)state;
    expect_good("gateway/broker=tcp://127.0.0.1:1");
    expect_good("gateway/broker=a=tcp://127.0.0.1:1 gateway/broker=b=tcp://127.0.0.1:2");
    expect_told("gateway/broker=a=tcp://127.0.0.1:1 gateway/broker=tcp://127.0.0.1:2", "gateway/broker",
        "'tcp://127.0.0.1:2': where there are several brokers, each needs its name: NAME=ADDRESS");
    expect_told(
        "gateway/broker=a=tcp://127.0.0.1:1 gateway/broker=a=tcp://127.0.0.1:2", "gateway/broker", "named 'a' too");
}

static void a_broker_that_others_can_reach_needs_a_word(void **state)
{
    (void)state;
    expect_good("broker/listen=ipc://x broker/listen=tcp://[::1]:1 broker/listen=inproc://x");
    expect_told("broker/listen=tcp://127.0.0.1:1 broker/listen=tcp://*:7410", "broker/listen",
        "tcp://*:7410 is not of this machine alone");
    expect_good("broker/listen=tcp://*:7410 security/allow_plaintext=1");
    expect_good("gateway/listen=tcp://*:7400 admin/listen=http://*:7480");
}

static void programs_that_others_can_reach_need_a_word_too(void **state)
{
    (void)state;
    expect_good("broker/peer_listen=ipc://x");
    expect_good("broker/peer_listen=");
    expect_told("broker/peer_listen=tcp://*:7411", "broker/peer_listen", "tcp://*:7411 is not of this machine alone");
    expect_good("broker/peer_listen=tcp://*:7411 security/allow_plaintext=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_low_mark_is_below_the_high_mark),
        cmocka_unit_test(the_heartbeat_is_shorter_than_the_timeout),
        cmocka_unit_test(the_first_back_off_is_not_longer_than_the_last),
        cmocka_unit_test(settling_outlasts_all_that_a_node_may_need),
        cmocka_unit_test(a_batch_holds_the_longest_line),
        cmocka_unit_test(a_drain_lasts_longer_than_its_delay),
        cmocka_unit_test(several_brokers_are_named),
        cmocka_unit_test(a_broker_that_others_can_reach_needs_a_word),
        cmocka_unit_test(programs_that_others_can_reach_need_a_word_too),
    };
    return cmocka_run_group_tests_name("config_check", tests, NULL, NULL);
}
