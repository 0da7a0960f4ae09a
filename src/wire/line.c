/* SPDX-License-Identifier: MPL-2.0 */
/* line: parses what clients write (proto/line.md). A line is looked at three times: its bytes are checked, 16 at a time
 * while they are ASCII; the colon is searched; the names before it are cut out and checked. The first rule that a line
 * breaks decides its error, and nothing of such a line is used. Any thread. */
#include "wire/line.h"

#include <stdint.h>

#include "base/utf8.h"

/* A set of names already seen on one line: a name whose bit is clear is new; one whose bit is set is searched for. It
 * needs no secret key: names made to collide cost no more than the search through the few names that a line may hold.
 */
#define NAME_SET_BITS 4096

typedef struct {
    uint64_t words[NAME_SET_BITS / 64];
} name_set_t;

static bool name_set_add(name_set_t *self, span_t name)
{
    uint64_t hash = name.size;
    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * 0x9E3779B97F4A7C15u;
    size_t index = hash >> 52;
    uint64_t bit = (uint64_t)1 << index % 64;
    bool was_set = (self->words[index / 64] & bit) != 0;
    self->words[index / 64] |= bit;
    return was_set;
}

static span_t line_drop_return(span_t line)
{
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    return line;
}

int line_check_text(span_t text)
{
    while (true) {
        size_t plain = utf8_skip_plain(text);
        text = span_of(text.data + plain, text.size - plain);
        for (int i = 0; i < 16; i++) {
            if (text.size == 0)
                return 0;
            uint32_t rune;
            size_t size = utf8_decode(text, &rune);
            if (size == 0)
                return -FERRY_ERROR_BAD_UTF8;
            if ((rune < 0x20 && rune != '\t') || rune == 0x7F)
                return -FERRY_ERROR_CONTROL_BYTE;
            text = span_of(text.data + size, text.size - size);
        }
    }
}

/* Whether the bytes of a name, past the rule for its first character, are legal. */
static bool line_name_is_legal(span_t name)
{
    enum { ILLEGAL, LEGAL, WIDE };
    static const uint8_t kinds[256] = {
        [0x21 ... ',' - 1] = LEGAL,
        [',' + 1 ... ':' - 1] = LEGAL,
        [':' + 1 ... 0x7E] = LEGAL,
        [0x80 ... 0xFF] = WIDE,
    };
    for (size_t i = 0; i < name.size;) {
        uint8_t kind = kinds[(unsigned char)name.data[i]];
        size_t size = 1;
        if (kind == ILLEGAL)
            return false;
        if (kind == WIDE) {
            uint32_t rune;
            size = utf8_decode(span_of(name.data + i, name.size - i), &rune);
            if (size == 0 || rune < 0xA0 || utf8_is_space(rune))
                return false;
        }
        i += size;
    }
    return true;
}

int line_check_name(span_t name, size_t size_max)
{
    if (name.size == 0)
        return -FERRY_ERROR_NO_NAME;
    char first = name.data[0];
    bool legal = name.size <= size_max && first != '/' && first != '#' && first != '@' && line_name_is_legal(name);
    return legal ? 0 : -FERRY_ERROR_BAD_NAME;
}

/* A destination is a name, or a name behind '#' (a group) or '@' (a service). The size counts the sign. */
static int line_check_destination(span_t name, size_t size_max)
{
    if (name.data[0] != '#' && name.data[0] != '@')
        return line_check_name(name, size_max);
    return line_check_name(span_of(name.data + 1, name.size - 1), size_max - 1) ? -FERRY_ERROR_BAD_NAME : 0;
}

int line_parse_login(span_t line, const line_limits_t *limits, span_t *name, span_t *secret, span_t *culprit)
{
    *name = *secret = *culprit = (span_t){0};
    line = line_drop_return(line);
    if (line.size > limits->line_size)
        return -FERRY_ERROR_LINE_TOO_LONG;
    int error = line_check_text(line);
    if (error)
        return error;
    line = utf8_trim(line);
    const char *space = line.size > 0 ? memchr(line.data, ' ', line.size) : NULL;
    span_t word = space ? span_of(line.data, (size_t)(space - line.data)) : line;
    word = utf8_trim(word);
    error = line_check_name(word, limits->name_size);
    if (error) {
        *culprit = utf8_cut(word, LINE_CULPRIT_SIZE);
        return error;
    }
    *name = word;
    if (space)
        *secret = utf8_trim(span_of(space, line.size - (size_t)(space - line.data)));
    return 0;
}

/* Bytes up to the first space or tab. */
static size_t line_word_size(span_t line)
{
    size_t size = 0;
    while (size < line.size && line.data[size] != ' ' && line.data[size] != '\t')
        size++;
    return size;
}

static int line_parse_command(line_t *self, span_t line)
{
    static const struct {
        span_t word;
        line_kind_t kind;
    } commands[] = {
#define COMMAND(name, word, syntax, meaning) {{word, sizeof word - 1}, LINE_##name},
#include "commands.def"
#undef COMMAND
    };
    size_t size = line_word_size(line);
    span_t word = span_of(line.data, size);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (span_equal(word, commands[i].word)) {
            self->kind = commands[i].kind;
            self->text = utf8_trim(span_of(line.data + size, line.size - size));
            return 0;
        }
    self->culprit = utf8_cut(word, LINE_CULPRIT_SIZE);
    return -FERRY_ERROR_UNKNOWN_COMMAND;
}

static bool line_names(const line_t *self, span_t name)
{
    for (unsigned i = 0; i < self->recipient_count; i++)
        if (span_equal(self->recipients[i], name))
            return true;
    return false;
}

/* `seen` is NULL where there is but one name. */
static int line_add_recipient(line_t *self, span_t name, const line_limits_t *limits, name_set_t *seen)
{
    int error = line_check_destination(name, limits->name_size);
    if (error) {
        self->culprit = utf8_cut(name, LINE_CULPRIT_SIZE);
        return error;
    }
    if (seen && name_set_add(seen, name) && line_names(self, name))
        return 0;
    if (self->recipient_count == limits->recipient_count)
        return -FERRY_ERROR_TOO_MANY_RECIPIENTS;
    self->recipients[self->recipient_count++] = name;
    return 0;
}

static int line_parse_list(line_t *self, span_t list, const line_limits_t *limits)
{
    name_set_t seen = {0};
    const char *end = list.data + list.size;
    for (const char *at = list.data; at <= end;) {
        const char *comma = at < end ? memchr(at, ',', (size_t)(end - at)) : NULL;
        const char *stop = comma ? comma : end;
        span_t name = utf8_trim(span_of(at, (size_t)(stop - at)));
        int error = name.size > 0 ? line_add_recipient(self, name, limits, &seen) : 0;
        if (error)
            return error;
        at = stop + 1;
    }
    return 0;
}

static int line_parse_recipients(line_t *self, span_t list, const line_limits_t *limits)
{
    int error = 0;
    if (list.size > 0 && memchr(list.data, ',', list.size))
        error = line_parse_list(self, list, limits);
    else {
        span_t name = utf8_trim(list);
        if (name.size > 0)
            error = line_add_recipient(self, name, limits, NULL);
    }
    if (error == 0 && self->recipient_count == 0)
        error = -FERRY_ERROR_NO_RECIPIENT;
    return error;
}

/* `names: text` */
static int line_parse_message(line_t *self, span_t line, const line_limits_t *limits)
{
    const char *colon = line.size > 0 ? memchr(line.data, ':', line.size) : NULL;
    if (colon == NULL)
        return -FERRY_ERROR_BAD_LINE;
    size_t head = (size_t)(colon - line.data);
    self->text = utf8_trim(span_of(colon + 1, line.size - head - 1));
    return line_parse_recipients(self, span_of(line.data, head), limits);
}

/* Takes a word, and the white space behind it, off a text. */
static span_t line_take_word(span_t *text)
{
    span_t word = span_of(text->data, line_word_size(*text));
    *text = utf8_trim(span_of(text->data + word.size, text->size - word.size));
    return word;
}

/* Takes the label off the argument. */
static int line_take_label(line_t *self, span_t *argument)
{
    *argument = self->text;
    self->text = span_of(NULL, 0);
    span_t label = line_take_word(argument);
    if (label.size == 0 || label.size > LINE_LABEL_SIZE)
        return -FERRY_ERROR_BAD_LINE;
    self->label = label;
    return 0;
}

/* The argument of /send: a label, white space, and a message. */
static int line_parse_send(line_t *self, const line_limits_t *limits)
{
    span_t argument;
    int error = line_take_label(self, &argument);
    return error ? error : line_parse_message(self, argument, limits);
}

int line_parse_number(span_t digits, uint64_t most, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9' || *number > most / 10)
            return -FERRY_ERROR_BAD_LINE;
        *number = *number * 10 + (uint64_t)(digits.data[i] - '0');
    }
    return *number >= 1 && *number <= most ? 0 : -FERRY_ERROR_BAD_LINE;
}

int line_parse_time(span_t word, uint64_t *time_ms)
{
    static const struct {
        span_t unit;
        uint64_t ms;
    } units[] = {{{"ms", 2}, 1}, {{"s", 1}, 1000}, {{"m", 1}, 60000}, {{"h", 1}, 3600000}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t size = units[i].unit.size;
        if (word.size <= size || !span_equal(span_of(word.data + word.size - size, size), units[i].unit))
            continue;
        int error = line_parse_number(span_of(word.data, word.size - size), LINE_TIME_MAX / units[i].ms, time_ms);
        *time_ms *= units[i].ms;
        return error;
    }
    return -FERRY_ERROR_BAD_LINE;
}

/* The argument of /request: a label, a time, and a message to one service. */
static int line_parse_request(line_t *self, const line_limits_t *limits)
{
    span_t argument;
    int error = line_take_label(self, &argument);
    if (error == 0)
        error = line_parse_time(line_take_word(&argument), &self->number);
    if (error == 0)
        error = line_parse_message(self, argument, limits);
    if (error == 0 && (self->recipient_count != 1 || self->recipients[0].data[0] != '@')) {
        self->culprit = utf8_cut(self->recipients[0], LINE_CULPRIT_SIZE);
        error = -FERRY_ERROR_BAD_NAME;
    }
    return error;
}

/* The argument of /serve: a service, and perhaps a credit. */
static int line_parse_serve(line_t *self)
{
    span_t argument = self->text;
    self->text = line_take_word(&argument);
    self->number = 1;
    return argument.size ? line_parse_number(argument, LINE_CREDIT_MAX, &self->number) : 0;
}

static int line_parse_job(line_t *self, span_t digits)
{
    self->job = digits;
    return line_parse_number(digits, LINE_JOB_MAX, &self->number);
}

/* The argument of /reply: a job, a colon, and a text. */
static int line_parse_reply(line_t *self)
{
    span_t argument = self->text;
    const char *colon = argument.size ? memchr(argument.data, ':', argument.size) : NULL;
    if (!colon)
        return -FERRY_ERROR_BAD_LINE;
    size_t head = (size_t)(colon - argument.data);
    self->text = utf8_trim(span_of(colon + 1, argument.size - head - 1));
    return line_parse_job(self, utf8_trim(span_of(argument.data, head)));
}

/* The sign of what a command is about: a group, a service, or 0 for a peer. */
static char line_argument_sign(line_kind_t kind)
{
    if (kind == LINE_JOIN || kind == LINE_LEAVE)
        return '#';
    return kind == LINE_SERVE || kind == LINE_UNSERVE ? '@' : '\0';
}

/* The argument is one name, with its sign. */
static int line_check_name_argument(line_t *self, const line_limits_t *limits)
{
    if (self->text.size == 0)
        return -FERRY_ERROR_BAD_LINE;
    char sign = line_argument_sign(self->kind);
    int error = -FERRY_ERROR_BAD_NAME;
    if (!sign)
        error = line_check_name(self->text, limits->name_size);
    else if (self->text.data[0] == sign)
        error = line_check_destination(self->text, limits->name_size);
    if (error)
        self->culprit = utf8_cut(self->text, LINE_CULPRIT_SIZE);
    return error;
}

/* The argument is what a name, of any sign, begins with, or nothing. */
static int line_check_prefix(line_t *self, const line_limits_t *limits)
{
    span_t rest = self->text;
    if (rest.size && (rest.data[0] == '#' || rest.data[0] == '@'))
        rest = span_of(rest.data + 1, rest.size - 1);
    if (self->text.size <= limits->name_size && (rest.size == 0 || line_check_name(rest, limits->name_size) == 0))
        return 0;
    self->culprit = utf8_cut(self->text, LINE_CULPRIT_SIZE);
    return -FERRY_ERROR_BAD_NAME;
}

int line_check_argument(line_t *self, const line_limits_t *limits)
{
    return self->kind == LINE_WHO ? line_check_prefix(self, limits) : line_check_name_argument(self, limits);
}

/* What follows the word of a command. */
static int line_parse_argument(line_t *self, const line_limits_t *limits)
{
    int error = 0;
    switch (self->kind) {
    case LINE_SEND:
        return line_parse_send(self, limits);
    case LINE_REQUEST:
        return line_parse_request(self, limits);
    case LINE_REPLY:
        return line_parse_reply(self);
    case LINE_DONE:
        return line_parse_job(self, self->text);
    case LINE_ACK:
        return span_equal(self->text, span_str("on")) ? 0 : line_parse_number(self->text, LINE_JOB_MAX, &self->number);
    case LINE_SERVE:
        error = line_parse_serve(self);
        return error ? error : line_check_argument(self, limits);
    case LINE_WHO:
    case LINE_JOIN:
    case LINE_LEAVE:
    case LINE_UNSERVE:
    case LINE_WATCH:
    case LINE_UNWATCH:
        return line_check_argument(self, limits);
    default:
        return 0;
    }
}

int line_parse_destinations(line_t *self, span_t list, const line_limits_t *limits)
{
    self->culprit = (span_t){0};
    self->recipient_count = 0;
    int error = line_check_text(list);
    return error ? error : line_parse_recipients(self, list, limits);
}

/* A message without anything. */
static void line_clear(line_t *self)
{
    self->kind = LINE_MESSAGE;
    self->text = self->label = self->job = self->culprit = (span_t){0};
    self->number = self->head = 0;
    self->recipient_count = 0;
}

void line_head_keep(line_head_t *self, span_t line, line_t *parsed)
{
    if (parsed->kind != LINE_MESSAGE || parsed->recipient_count != 1)
        return;
    span_t recipient = parsed->recipients[0];
    size_t at = (size_t)(recipient.data - line.data);
    const char *end = recipient.data + recipient.size;
    const char *colon = memchr(end, ':', line.size - at - recipient.size);
    size_t size = (size_t)(colon - line.data) + 1;
    if (size > sizeof self->bytes)
        return;
    memcpy(self->bytes, line.data, size);
    self->size = size;
    self->recipient_at = at;
    self->recipient_size = recipient.size;
    parsed->head = ++self->number;
}

bool line_parse_like(line_t *self, span_t line, const line_limits_t *limits, const line_head_t *head)
{
    if (head->size == 0 || line.size < head->size || memcmp(line.data, head->bytes, head->size) != 0)
        return false;
    line = line_drop_return(line);
    if (line.size > limits->line_size || line_check_text(line) != 0)
        return false;
    line_clear(self);
    self->head = head->number;
    self->text = utf8_trim(span_of(line.data + head->size, line.size - head->size));
    self->recipients[self->recipient_count++] = span_of(head->bytes + head->recipient_at, head->recipient_size);
    return true;
}

int line_parse(line_t *self, span_t line, const line_limits_t *limits)
{
    line_clear(self);
    line = line_drop_return(line);
    if (line.size > limits->line_size)
        return -FERRY_ERROR_LINE_TOO_LONG;
    int error = line_check_text(line);
    if (error)
        return error;
    if (line.size == 0 || line.data[0] != '/')
        return line_parse_message(self, line, limits);
    error = line_parse_command(self, line);
    return error ? error : line_parse_argument(self, limits);
}

span_t line_help(void)
{
#define COMMAND(name, word, syntax, meaning) "info " syntax ": " meaning "\n"
    static const char help[] =
#include "commands.def"
        "ok help\n";
#undef COMMAND
    return span_of(help, sizeof help - 1);
}
