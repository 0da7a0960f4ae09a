/* SPDX-License-Identifier: MPL-2.0 */
/* line: the line protocol of clients, as pure functions over bytes (proto/line.md). Any thread; nothing is allocated,
 * every span of a result points into the line that was given. Every limit is at least 1. */
#ifndef FERRY_WIRE_LINE_H
#define FERRY_WIRE_LINE_H

#include <stdint.h>

#include "base/span.h"
#include "wire/error.h"

#define LINE_RECIPIENTS_MAX 1024 /* the most that gateway/max_recipients may say */
#define LINE_CULPRIT_SIZE   64   /* bytes; a longer culprit is cut after the last whole character that fits */

typedef struct {
    size_t line_size;         /* bytes of a line without its end; 64 KiB unless configured */
    size_t name_size;         /* bytes of a name; 64 unless configured, never above 255 */
    unsigned recipient_count; /* recipients of a line; 64 unless configured, at most LINE_RECIPIENTS_MAX */
} line_limits_t;

#define LINE_LABEL_SIZE 64      /* bytes of a label, at most */
#define LINE_CREDIT_MAX 10000   /* jobs of one service at once */
#define LINE_TIME_MAX   3600000 /* ms of a request */
#define LINE_JOB_MAX    (UINT64_MAX / 10)

typedef enum {
    LINE_MESSAGE,
    LINE_SEND,
    LINE_JOIN,
    LINE_LEAVE,
    LINE_SERVE,
    LINE_UNSERVE,
    LINE_DONE,
    LINE_REPLY,
    LINE_REQUEST,
    LINE_ACK,
    LINE_WATCH,
    LINE_UNWATCH,
    LINE_WHO,
    LINE_PING,
    LINE_HELP,
    LINE_QUIT,
} line_kind_t;

typedef struct {
    line_kind_t kind;
    span_t text;     /* of a message; LINE_PING: the token; LINE_WATCH, LINE_UNWATCH: the name; LINE_WHO: the prefix;
                        LINE_JOIN, LINE_LEAVE: the        group, with its `#`; LINE_SERVE, LINE_UNSERVE: the service, with
                        its `@` */
    uint64_t number; /* LINE_SERVE: the credit; LINE_DONE, LINE_REPLY: the job; LINE_REQUEST: the time, ms; LINE_ACK:
                        the number, 0 for `on` */
    span_t label;    /* LINE_SEND, LINE_REQUEST, also after an error, if there was one; else empty */
    uint64_t head;   /* lines with the same one have the same recipients (line_head_t); 0 if it was not kept */
    span_t job;      /* LINE_DONE, LINE_REPLY: the number as it was written */
    span_t culprit;  /* after an error: what its line names ("error bad-name CULPRIT"), or empty */
    unsigned recipient_count;
    span_t *recipients; /* distinct names in order of appearance; the caller's array of limits->recipient_count */
} line_t;

static inline bool line_is_message(const line_t *self)
{
    return self->kind == LINE_MESSAGE || self->kind == LINE_SEND || self->kind == LINE_REQUEST;
}

/* Parses the first line of a connection (without its "\n"; a "\r" at its end is dropped here). An empty secret has
 * size 0. Returns 0 or -FERRY_ERROR_…; then *culprit is what the error names. */
int line_parse_login(span_t line, const line_limits_t *limits, span_t *name, span_t *secret, span_t *culprit);

/* Parses any later line. self->recipients must be set by the caller. Returns 0 or -FERRY_ERROR_…. */
int line_parse(line_t *self, span_t line, const line_limits_t *limits);

#define LINE_HEAD_SIZE 80 /* bytes of the longest head that is kept */

/* What a message to one recipient begins with, up to its colon: the next line often begins with the same. All zero is a
 * valid one that no line has. */
typedef struct {
    char bytes[LINE_HEAD_SIZE];
    size_t size;
    size_t recipient_at, recipient_size; /* in bytes */
    uint64_t number;                     /* of the heads that were kept */
} line_head_t;

/* Keeps the head of `line`, which was parsed into `parsed`, if it is such a message and has no long one. */
void line_head_keep(line_head_t *self, span_t line, line_t *parsed);

/* Parses a line with that head as line_parse does under the same limits, in less time. False if it has another one, or
 * is wrong: then nothing is said of it. `self` is as for line_parse; the recipient points into `head`. */
bool line_parse_like(line_t *self, span_t line, const line_limits_t *limits, const line_head_t *head);

/* Parses destinations alone, which commas separate: what stands before the colon of a line. As line_parse; the text is
 * left as it is. */
int line_parse_destinations(line_t *self, span_t list, const line_limits_t *limits);

/* Parses what stands behind the word of a command that has one argument without spaces, or none: self->kind and
 * self->text must be set, and the text be one that may stand in a line. As line_parse. */
int line_check_argument(line_t *self, const line_limits_t *limits);

/* Parses decimal digits, from 1 to `most`; and a number with its unit (ms, s, m, h), up to LINE_TIME_MAX. Takes any
 * bytes. Returns 0 or -FERRY_ERROR_BAD_LINE. */
int line_parse_number(span_t digits, uint64_t most, uint64_t *number);
int line_parse_time(span_t word, uint64_t *time_ms);

/* 0 if the bytes may stand in a line: UTF-8 (RFC 3629) without control bytes (0x00-0x1F but tab, 0x7F); else
 * -FERRY_ERROR_BAD_UTF8 or -FERRY_ERROR_CONTROL_BYTE, whichever comes first. */
int line_check_text(span_t text);

/* 0 if `name` may be a peer's name; else -FERRY_ERROR_BAD_NAME (or NO_NAME when it is empty). Takes any bytes. */
int line_check_name(span_t name, size_t size_max);

/* What /help answers: one `info` line a command, then `ok help`, each with its "\n". Static. */
span_t line_help(void);

#endif
