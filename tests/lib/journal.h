/* SPDX-License-Identifier: MPL-2.0 */
/* journal: the log of a process, searched line by line for what a test waits for. Embedded in the process; the test's
 * thread. */
#ifndef FERRY_TESTS_JOURNAL_H
#define FERRY_TESTS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/capture.h"
#include "lib/deadline.h"

typedef struct {
    capture_t *capture; /* borrowed; its stream of errors is the log */
    size_t mark;        /* bytes that are not looked at any more */
    char *found;        /* heap: what the last search returned */
} journal_t;

/* Whether a line is what is wanted: logfmt_match, or journal_match_text for a part of it. */
typedef bool journal_match_fn(const char *line, const char *wanted);
journal_match_fn journal_match_text;

void journal_init(journal_t *self, capture_t *capture);
void journal_fini(journal_t *self);

/* The first complete line behind the mark that matches, valid until the next search; NULL if there is none now. */
const char *journal_find(journal_t *self, journal_match_fn *match, const char *wanted);

/* The same, waiting for it; NULL if the log ends or the deadline passes before. */
const char *journal_wait(journal_t *self, journal_match_fn *match, const char *wanted, deadline_t deadline);

/* How many lines behind the mark have these fields; and the values of `key` in them, in order, separated by a space,
 * valid until the next search. */
unsigned journal_count(const journal_t *self, const char *fields);
const char *journal_join(journal_t *self, const char *fields, const char *key);

/* Moves the mark behind all that is there now. */
void journal_mark(journal_t *self);

#endif
