/* SPDX-License-Identifier: MPL-2.0 */
/* log: one line an event on stderr, as logfmt or JSON. Any thread; a line is written with one write(2). */
#ifndef FERRY_BASE_LOG_H
#define FERRY_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

typedef enum { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR, LOG_LEVEL_NONE } log_level_t;
typedef enum { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON } log_format_t;

typedef enum { LOG_FIELD_END, LOG_FIELD_SPAN, LOG_FIELD_UINT, LOG_FIELD_INT } log_field_kind_t;

typedef struct {
    log_field_kind_t kind;
    const char *key; /* a literal of [a-z_] */
    union {
        span_t span;
        uint64_t uint;
        int64_t sint;
    } value;
} log_field_t;

#define log_span(k, v) ((log_field_t){.kind = LOG_FIELD_SPAN, .key = (k), .value.span = (v)})
#define log_str(k, v)  ((log_field_t){.kind = LOG_FIELD_SPAN, .key = (k), .value.span = span_str(v)})
#define log_uint(k, v) ((log_field_t){.kind = LOG_FIELD_UINT, .key = (k), .value.uint = (uint64_t)(v)})
#define log_int(k, v)  ((log_field_t){.kind = LOG_FIELD_INT, .key = (k), .value.sint = (int64_t)(v)})

/* log_info("login", log_str("address", a), log_uint("count", n)) writes
 *     time=2026-01-31T12:00:00.000Z level=info event=login address=127.0.0.1:5000 count=3
 * Fields may be absent. Values that hold white space, quotes, '=' or bytes beyond ASCII are quoted; control characters
 * and what else a terminal acts on are escaped as in JSON, and a byte that is not UTF-8 reads \ufffd, so that no client
 * can forge a line. */
#define log_debug(event, ...)   log_event(LOG_LEVEL_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...)    log_event(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_warning(event, ...) log_event(LOG_LEVEL_WARNING, event, __VA_ARGS__)
#define log_error(event, ...)   log_event(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_event(level, event, ...)                                                                                   \
    do {                                                                                                               \
        if (log_enabled(level))                                                                                        \
            log_write(level, event, (const log_field_t[]){__VA_ARGS__ __VA_OPT__(, ){.kind = LOG_FIELD_END}});         \
    } while (0)

/* Sets what is written and how, for the whole process; LOG_LEVEL_NONE, of which no event is, writes nothing. Call it
 * before the first thread starts. Info and logfmt are the defaults. */
void log_setup(log_level_t least, log_format_t format);

bool log_enabled(log_level_t level);

/* Writes one event; `fields` ends with LOG_FIELD_END. A line is cut at 4 KiB, stays valid in its format, and then ends
 * with cut=true. Never blocks for longer than stderr does, never fails visibly and leaves errno alone; a process whose
 * stderr may be a pipe ignores SIGPIPE. */
void log_write(log_level_t level, const char *event, const log_field_t *fields);

#endif
