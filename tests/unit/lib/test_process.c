/* SPDX-License-Identifier: MPL-2.0 */
/* The library for tests of real processes, tried on the shell and on socat. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/logfmt.h"
#include "lib/process.h"
#include "lib/test.h"

static process_t *run_shell(const char *script)
{
    return process_run("sh", "-c", script, NULL);
}

static void the_exit_code_and_the_signal_are_told_apart(void **state)
{
    (void)state;
    process_t *leaves = run_shell("exit 3");
    process_t *hangs = run_shell("read line");
    assert_int_equal(process_wait_exit(leaves, 5000), 3);
    assert_false(process_ended(hangs));
    process_signal(hangs, SIGKILL);
    assert_int_equal(process_wait_exit(hangs, 5000), -SIGKILL);
}

static void what_is_written_comes_out_again(void **state)
{
    (void)state;
    process_t *cat = process_run("cat", NULL);
    process_write(cat, "one\ntwo\n");
    process_wait_output(cat, "two\n", 5000);
    process_close_input(cat);
    assert_int_equal(process_wait_exit(cat, 5000), 0);
    char *output = process_output(cat);
    assert_string_equal(output, "one\ntwo\n");
    free(output);
}

static void a_process_that_writes_a_lot_never_waits_for_the_test(void **state)
{
    (void)state;
    process_t *loud = run_shell("head -c 5000000 /dev/zero | tr '\\0' x; head -c 5000000 /dev/zero | tr '\\0' y >&2");
    assert_int_equal(process_wait_exit(loud, 20000), 0);
    char *output = process_output(loud);
    char *errors = process_errors(loud);
    assert_int_equal(strlen(output), 5000000);
    assert_int_equal(strlen(errors), 5000000);
    free(output);
    free(errors);
}

static void log_lines_are_found_by_their_fields(void **state)
{
    (void)state;
    process_t *logs = run_shell("echo level=info event=drain step=one >&2; read line;"
                                "echo level=info step=two event=drain note='\"a \\\"b\\\" event=x\"' >&2; read line");
    assert_string_equal(process_wait_log(logs, "event=drain", 5000), "level=info event=drain step=one");
    assert_null(process_find_log(logs, "event=drain step=two"));
    process_write(logs, "\n");
    char note[32];
    assert_true(logfmt_value(process_wait_log(logs, "step=two event=drain", 5000), "note", note, sizeof(note)));
    assert_string_equal(note, "a \"b\" event=x");
    assert_int_equal(process_count_log(logs, "event=drain"), 2);
    assert_int_equal(process_count_log(logs, "event=x"), 0);
    assert_string_equal(process_join_log(logs, "event=drain", "step"), "one two");
    process_mark_log(logs);
    assert_null(process_find_log(logs, "event=drain"));
}

static void nothing_is_left_of_a_group_that_is_destroyed(void **state)
{
    (void)state;
    process_t *parent = run_shell("sh -c 'echo child=$$ >&2; read line' <&0 & read line");
    pid_t child = (pid_t)logfmt_number(process_wait_log(parent, "child=", 5000), "child");
    process_destroy(&parent);
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/fd/0", (int)child);
    while (access(path, F_OK) == 0)
        assert_false(deadline_passed(deadline));
}

/* A socat that listens on a port of the system's choice and hands each connection to `program`. */
static void start_socat(const char *program, char *endpoint, size_t size)
{
    process_t *socat = process_run("socat", "-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1,fork", program, NULL);
    const char *line = process_wait_text(socat, "listening on AF=2 127.0.0.1:", 5000);
    snprintf(endpoint, size, "tcp://%s", strrchr(line, ' ') + 1);
}

static void a_client_reads_lines_and_the_end(void **state)
{
    (void)state;
    char endpoint[64];
    start_socat("EXEC:cat", endpoint, sizeof(endpoint));
    client_t *client = client_connect(endpoint);
    client_sendf(client, "%d bottles", 99);
    client_send(client, "none");
    client_expect(client, "99 bottles");
    client_expect_prefix(client, "no");
    client_half_close(client);
    client_expect_eof(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_exit_code_and_the_signal_are_told_apart),
        TEST(what_is_written_comes_out_again),
        TEST(a_process_that_writes_a_lot_never_waits_for_the_test),
        TEST(log_lines_are_found_by_their_fields),
        TEST(nothing_is_left_of_a_group_that_is_destroyed),
        TEST(a_client_reads_lines_and_the_end),
    };
    return TEST_RUN(tests);
}
