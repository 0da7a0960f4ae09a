/* SPDX-License-Identifier: MPL-2.0 */
/* log_line: fields are added behind each other, and room for the end is kept free all the time, so that a line that is
 * cut is still valid in its format. Both formats share the escapes of JSON, which readers of logfmt know too. Nothing
 * fails; what does not fit is left out. Owner: the thread that started the line. */
#include "base/log_line.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/utf8.h"

static const char json_end[] = ",\"cut\":true}\n";
static const char logfmt_end[] = " cut=true\n";

/* The longer end, with a quote before it in the place of the NUL. */
enum { ROOM = LOG_LINE_SIZE - sizeof json_end };

static size_t room(const log_line_t *self)
{
    return self->size < ROOM ? ROOM - self->size : 0;
}

static void put(log_line_t *self, const char *bytes, size_t size)
{
    if (self->cut || size > room(self)) {
        self->cut = true;
        return;
    }
    memcpy(self->bytes + self->size, bytes, size);
    self->size += size;
}

static void put_string(log_line_t *self, const char *string)
{
    put(self, string, strlen(string));
}

/* Uses the room that is kept for the end. */
static void put_last(log_line_t *self, const char *string)
{
    memcpy(self->bytes + self->size, string, strlen(string));
    self->size += strlen(string);
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* Characters that a terminal or a pager acts on: control characters, line separators, and changes of direction. */
static bool is_active(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200e && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

static void put_escaped(log_line_t *self, uint32_t code)
{
    char text[8];
    switch (code) {
    case '"':
        put_string(self, "\\\"");
        return;
    case '\\':
        put_string(self, "\\\\");
        return;
    case '\n':
        put_string(self, "\\n");
        return;
    case '\r':
        put_string(self, "\\r");
        return;
    case '\t':
        put_string(self, "\\t");
        return;
    default:
        snprintf(text, sizeof text, "\\u%04" PRIx32, code);
        put_string(self, text);
    }
}

static size_t plain_size(span_t text)
{
    size_t size = 0;
    while (size < text.size && is_plain((unsigned char)text.data[size]))
        size++;
    return size;
}

/* Puts as much of a plain run as there is room for. */
static void put_plain(log_line_t *self, span_t text)
{
    size_t size = text.size < room(self) ? text.size : room(self);
    put(self, text.data, size);
    self->cut = self->cut || size < text.size;
}

/* Puts one character that is not plain; returns the bytes of it. */
static size_t put_character(log_line_t *self, span_t text)
{
    uint32_t code;
    size_t size = utf8_decode(text, &code);
    if (size == 0) {
        put_escaped(self, 0xfffd);
        return 1;
    }
    if (size == 1 || is_active(code))
        put_escaped(self, code);
    else
        put(self, text.data, size);
    return size;
}

static void put_text(log_line_t *self, span_t text)
{
    while (text.size > 0 && !self->cut) {
        size_t size = plain_size(text);
        if (size > 0)
            put_plain(self, span_of(text.data, size));
        else
            size = put_character(self, text);
        text = span_of(text.data + size, text.size - size);
    }
}

static bool needs_quotes(span_t text)
{
    return text.size == 0 || plain_size(text) < text.size || memchr(text.data, ' ', text.size) ||
           memchr(text.data, '=', text.size);
}

static void put_key(log_line_t *self, const char *key)
{
    put_string(self, self->format == LOG_FORMAT_JSON ? ",\"" : " ");
    put_string(self, key);
    put_string(self, self->format == LOG_FORMAT_JSON ? "\":" : "=");
}

/* The next three return false if so little could be put that the field must go. */
static bool put_span(log_line_t *self, span_t text)
{
    if (self->format == LOG_FORMAT_LOGFMT && !needs_quotes(text)) {
        put_plain(self, text);
        return true;
    }
    put(self, "\"", 1);
    if (self->cut)
        return false;
    put_text(self, text);
    put_last(self, "\"");
    return true;
}

static bool put_number(log_line_t *self, const log_field_t *field)
{
    char number[24];
    if (field->kind == LOG_FIELD_UINT)
        snprintf(number, sizeof number, "%" PRIu64, field->value.uint);
    else
        snprintf(number, sizeof number, "%" PRId64, field->value.sint);
    put_string(self, number);
    return !self->cut;
}

static bool put_value(log_line_t *self, const log_field_t *field)
{
    return field->kind == LOG_FIELD_SPAN ? put_span(self, field->value.span) : put_number(self, field);
}

void log_line_field(log_line_t *self, const log_field_t *field)
{
    if (self->cut)
        return;
    size_t before = self->size;
    put_key(self, field->key);
    if (self->cut || !put_value(self, field))
        self->size = before;
}

static const char *level_name(log_level_t level)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    return names[level];
}

void log_line_start(
    log_line_t *self, log_format_t format, const struct timespec *now, log_level_t level, const char *event)
{
    self->format = format;
    self->cut = false;
    self->size = 0; /* the bytes need no clearing, and it would cost as much as the rest */
    struct tm utc;
    gmtime_r(&now->tv_sec, &utc);
    char date[32];
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    const char *start = format == LOG_FORMAT_JSON ? "{\"time\":\"%s.%03ldZ\"" : "time=%s.%03ldZ";
    char time[64];
    snprintf(time, sizeof time, start, date, now->tv_nsec / 1000000);
    put_string(self, time);
    log_line_field(self, &log_str("level", level_name(level)));
    log_line_field(self, &log_str("event", event));
}

span_t log_line_end(log_line_t *self)
{
    if (self->format == LOG_FORMAT_JSON)
        put_last(self, self->cut ? json_end : "}\n");
    else
        put_last(self, self->cut ? logfmt_end : "\n");
    return span_of(self->bytes, self->size);
}
