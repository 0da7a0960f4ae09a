/* SPDX-License-Identifier: MPL-2.0 */
/* journal: copies what the capture has from the mark on and walks its complete lines. Nothing can fail but memory,
 * which aborts. */
#include "lib/journal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/logfmt.h"

typedef void visit_fn(void *arg, const char *line);

bool journal_match_text(const char *line, const char *wanted)
{
    return strstr(line, wanted) != NULL;
}

void journal_init(journal_t *self, capture_t *capture)
{
    *self = (journal_t){.capture = capture};
}

void journal_fini(journal_t *self)
{
    free(self->found);
    self->found = NULL;
}

/* Calls `visit` with each complete line from byte `from` on that matches. Returns where the first line that is not
 * complete starts. */
static size_t visit_lines(
    const journal_t *self, size_t from, journal_match_fn *match, const char *wanted, visit_fn *visit, void *arg)
{
    char *text = capture_copy(self->capture, CAPTURE_ERRORS, from);
    char *line = text;
    for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (match(line, wanted))
            visit(arg, line);
    }
    from += (size_t)(line - text);
    free(text);
    return from;
}

static void take_first(void *arg, const char *line)
{
    char **first = arg;
    if (!*first)
        *first = strdup(line);
}

/* The first line from byte *from on; *from is moved behind what was looked at. */
static const char *search(journal_t *self, size_t *from, journal_match_fn *match, const char *wanted)
{
    journal_fini(self);
    *from = visit_lines(self, *from, match, wanted, take_first, &self->found);
    return self->found;
}

const char *journal_find(journal_t *self, journal_match_fn *match, const char *wanted)
{
    size_t from = self->mark;
    return search(self, &from, match, wanted);
}

const char *journal_wait(journal_t *self, journal_match_fn *match, const char *wanted, deadline_t deadline)
{
    size_t from = self->mark;
    for (;;) {
        bool last = capture_ended(self->capture, CAPTURE_ERRORS) || deadline_passed(deadline);
        size_t size = capture_wait(self->capture, CAPTURE_ERRORS, 0, deadline_in(0));
        const char *line = search(self, &from, match, wanted);
        if (line || last)
            return line;
        capture_wait(self->capture, CAPTURE_ERRORS, size, deadline);
    }
}

static void count_one(void *arg, const char *line)
{
    (void)line;
    ++*(unsigned *)arg;
}

unsigned journal_count(const journal_t *self, const char *fields)
{
    unsigned count = 0;
    visit_lines(self, self->mark, logfmt_match, fields, count_one, &count);
    return count;
}

typedef struct {
    const char *key;
    char *text; /* heap */
} join_t;

static void join_one(void *arg, const char *line)
{
    join_t *join = arg;
    char value[256];
    char *longer = NULL;
    logfmt_value(line, join->key, value, sizeof(value));
    int size = asprintf(&longer, "%s%s%s", join->text, *join->text ? " " : "", value);
    assert(size >= 0);
    free(join->text);
    join->text = longer;
}

const char *journal_join(journal_t *self, const char *fields, const char *key)
{
    join_t join = {.key = key, .text = strdup("")};
    visit_lines(self, self->mark, logfmt_match, fields, join_one, &join);
    journal_fini(self);
    self->found = join.text;
    return self->found;
}

static void ignore_one(void *arg, const char *line)
{
    (void)arg;
    (void)line;
}

void journal_mark(journal_t *self)
{
    self->mark = visit_lines(self, self->mark, journal_match_text, "", ignore_one, NULL);
}
