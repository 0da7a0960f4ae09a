/* SPDX-License-Identifier: MPL-2.0 */
#include "ferry/bench/watched.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/test.h"

static void a_process_has_cpu_time_and_memory(void **state)
{
    (void)state;
    char text[64];
    watched_t watched;
    watched_cpu_t from[WATCHED_PIDS_MAX], to[WATCHED_PIDS_MAX];
    uint64_t bytes;
    snprintf(text, sizeof text, "me=%d", (int)getpid());
    assert_int_equal(watched_init(&watched, text), 0);
    assert_string_equal(watched.name, "me");
    assert_int_equal(watched_read_cpu(&watched, from), 0);
    uint64_t taken;
    do {
        assert_int_equal(watched_read_cpu(&watched, to), 0);
        taken = watched_cpu_between(&watched, from, to);
    } while (taken < 20000000);
    assert_int_equal(watched_read_memory(&watched, &bytes), 0);
    assert_true(bytes > 100000);
}

static void several_processes_are_added_up(void **state)
{
    (void)state;
    char text[64];
    watched_t one, two;
    uint64_t bytes_of_one, bytes_of_two;
    snprintf(text, sizeof text, "me=%d", (int)getpid());
    assert_int_equal(watched_init(&one, text), 0);
    snprintf(text, sizeof text, "us=%d,%d", (int)getpid(), (int)getpid());
    assert_int_equal(watched_init(&two, text), 0);
    assert_int_equal(two.pid_count, 2);
    assert_int_equal(watched_read_memory(&one, &bytes_of_one), 0);
    assert_int_equal(watched_read_memory(&two, &bytes_of_two), 0);
    assert_true(bytes_of_two > bytes_of_one * 3 / 2);
}

/* A thread that has ended took its part with it, which the ticks still have. */
static void a_thread_that_ends_does_not_make_time_run_back(void **state)
{
    (void)state;
    const watched_cpu_t from = {.precise_ns = 5000000000, .whole_ns = 5000000000};
    const watched_cpu_t less = {.precise_ns = 4000000000, .whole_ns = 6000000000};
    const watched_cpu_t more = {.precise_ns = 5100000000, .whole_ns = 6000000000};
    const watched_cpu_t same = {.precise_ns = 5987654321, .whole_ns = 6010000000};
    assert_int_equal(watched_cpu_difference(&from, &less), 1000000000);
    assert_int_equal(watched_cpu_difference(&from, &more), 1000000000);
    assert_int_equal(watched_cpu_difference(&from, &same), 987654321);
}

static void what_is_no_process_is_refused(void **state)
{
    (void)state;
    watched_t watched;
    assert_int_equal(watched_init(&watched, "a"), -1);
    assert_int_equal(watched_init(&watched, "=1"), -1);
    assert_int_equal(watched_init(&watched, "a="), -1);
    assert_int_equal(watched_init(&watched, "a=0"), -1);
    assert_int_equal(watched_init(&watched, "a=-1"), -1);
    assert_int_equal(watched_init(&watched, "a=1,"), -1);
    assert_int_equal(watched_init(&watched, "a=99999999999"), -1);
    assert_int_equal(watched_init(&watched, "a=2147483647"), -1);
}

static void a_process_that_has_ended_is_missed(void **state)
{
    (void)state;
    char text[64];
    watched_t watched;
    watched_cpu_t cpu[WATCHED_PIDS_MAX];
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    snprintf(text, sizeof text, "child=%d", (int)child);
    assert_int_equal(watched_init(&watched, text), 0);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(watched_read_cpu(&watched, cpu), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_has_cpu_time_and_memory),
        cmocka_unit_test(several_processes_are_added_up),
        cmocka_unit_test(a_thread_that_ends_does_not_make_time_run_back),
        cmocka_unit_test(what_is_no_process_is_refused),
        cmocka_unit_test(a_process_that_has_ended_is_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
