/* SPDX-License-Identifier: MPL-2.0 */
/* shell: command lines for tests that let other people's programs do the work. Each runs under `sh -eu`, in a process
 * that ends with the test. The test's thread; fails the running cmocka test as process.h does. */
#ifndef FERRY_TESTS_SHELL_H
#define FERRY_TESTS_SHELL_H

#include "lib/process.h"

/* Starts the command line, made as printf does. */
process_t *shell_start(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Runs it to its end, within a minute, and fails the test unless it ends with 0. Returns what it wrote on its standard
 * output; the caller frees it. */
char *shell_read(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for a command line whose output does not matter. */
void shell_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
