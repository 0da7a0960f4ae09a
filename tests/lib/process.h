/* SPDX-License-Identifier: MPL-2.0 */
/* process: a real program under test, or one that a test needs (nc, socat, haproxy, python3). Its standard input is a
 * pipe from the test, its standard output and error are captured. It runs in a process group of its own, is killed with
 * the test that started it, whatever ends that, and by process_end_all. All functions belong to the test's thread and
 * fail the running cmocka test, with what the process wrote, when what they wait for does not come. */
#ifndef FERRY_TESTS_PROCESS_H
#define FERRY_TESTS_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct process process_t;

/* Starts argv[0]: a path if it holds a slash, else a program of the folder FERRY_BIN (unset: the one of
 * the build that the test belongs to), else one of PATH. `argv` ends
 * with NULL. */
process_t *process_start(const char *const *argv);

/* The path that a program without a slash is started by; the caller frees it. */
char *process_find_program(const char *name);

/* process_start for arguments in a row, ended by NULL: process_run ("ferryd", "--version", NULL). */
process_t *process_run(const char *program, ...) __attribute__((sentinel));

/* Processes that are started from now on may have this many descriptors; 0: as many as the test. */
void process_limit_descriptors(unsigned count);

/* Kills the process and its group if it still runs, and frees everything about it. If FERRY_TEST_LOGS names a folder,
 * its log is kept there. */
void process_destroy(process_t **self_p);

/* Destroys every process that is left. Shows the log of those that had failed without being asked for their end; with
 * FERRY_TEST_LOG in the environment, of all. */
void process_end_all(void);

pid_t process_pid(const process_t *self);

/* What it has in memory now, in KiB. */
long process_memory_kib(const process_t *self);

/* How many descriptors it has open now. */
unsigned process_descriptors(const process_t *self);

/* Writes to the standard input; fails the test if the process does not take it in time. */
void process_write(process_t *self, const char *text);

/* The end of input for the process. */
void process_close_input(process_t *self);

/* SIGSTOP: returns when the process stands still. */
void process_signal(process_t *self, int signal_number);

/* True once the process has ended; never blocks. */
bool process_ended(process_t *self);

/* Waits for the end and for the end of its output. Returns the exit code, or minus the signal that killed it. May be
 * called again. */
int process_wait_exit(process_t *self, unsigned timeout_ms);

/* The same, and fails the test, with the log, unless the exit code is this one. */
void process_expect_exit(process_t *self, int exit_code, unsigned timeout_ms);

/* Waits for a line of the log (standard error) that has all `fields` ("event=listening role=gateway", see logfmt_match)
 * and lies behind the mark. Returns the line, valid until the next call for this process. */
const char *process_wait_log(process_t *self, const char *fields, unsigned timeout_ms);

/* The same for programs that log in other ways: waits for a line that holds `text`. */
const char *process_wait_text(process_t *self, const char *text, unsigned timeout_ms);

/* The first line with all `fields` that is there now, or NULL. */
const char *process_find_log(process_t *self, const char *fields);

/* How many such lines there are now. */
unsigned process_count_log(process_t *self, const char *fields);

/* The values of `key` in all such lines, in order, separated by a space: what came after what. Valid until the next
 * call for this process. */
const char *process_join_log(process_t *self, const char *fields, const char *key);

/* From now on only lines that are not there yet are looked at. */
void process_mark_log(process_t *self);

/* Waits until the standard output holds `text`. */
void process_wait_output(process_t *self, const char *text, unsigned timeout_ms);

/* All that was written to the standard output, or error, so far; the caller frees it. */
char *process_output(process_t *self);
char *process_errors(process_t *self);

#endif
