/* SPDX-License-Identifier: MPL-2.0 */
/* logfmt: one line of ferryd's log, taken apart (key=value, values quoted where they must be). Pure functions; any
 * thread. */
#ifndef FERRY_TESTS_LOGFMT_H
#define FERRY_TESTS_LOGFMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies the value of `key` without its quotes and escapes into `value`, cut to `size` with its NUL. False if the line
 * has no such key; `value` is "" then. */
bool logfmt_value(const char *line, const char *key, char *value, size_t size);

/* The value of `key` as a number; -1 if the key is missing or no number. */
int64_t logfmt_number(const char *line, const char *key);

/* True if the line has each of the fields ("event=listening role=gateway", separated by a space, in any order). A field
 * of the form "key=" matches any value. */
bool logfmt_match(const char *line, const char *fields);

#endif
