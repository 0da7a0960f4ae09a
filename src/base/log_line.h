/* SPDX-License-Identifier: MPL-2.0 */
/* log_line: one line of the log while it is being written, in either format. No descriptor and no clock: a line belongs
 * to the thread that started it. */
#ifndef FERRY_BASE_LOG_LINE_H
#define FERRY_BASE_LOG_LINE_H

#include <time.h>

#include "base/log.h"

#define LOG_LINE_SIZE 4096 /* bytes, line feed included: what one write to a pipe never splits */

typedef struct {
    log_format_t format;
    bool cut;    /* what came last did not fit; nothing more is added */
    size_t size; /* bytes used */
    char bytes[LOG_LINE_SIZE];
} log_line_t;

/* Begins a line with time (UTC), level and event. */
void log_line_start(
    log_line_t *self, log_format_t format, const struct timespec *now, log_level_t level, const char *event);

/* Adds one field. Any byte may stand in a span: what could end the value or the line, move a terminal's cursor or turn
 * the direction of text is escaped, and a byte that is not UTF-8 reads \ufffd. A text that does not fit is cut, a
 * number is left out, and so is every later field. */
void log_line_field(log_line_t *self, const log_field_t *field);

/* Closes the line, with cut=true at its end if anything is missing, and a line feed. Borrowed from the line. */
span_t log_line_end(log_line_t *self);

#endif
