/* SPDX-License-Identifier: MPL-2.0 */
/* config_lines: the file is read whole, then walked line by line; a good line is copied behind the others, a bad one is
 * told and left out, together with what stands under it. Anything may stand in the file. One thread. */
#include "base/config_lines.h"

#include <czmq.h>

#include "base/span.h"

enum {
    FILE_SIZE_MAX = 1024 * 1024,
    LINE_SIZE_MAX = 1024,
    LINE_COUNT_MAX = 4096, /* zconfig's destructor recurses from line to line */
    INDENT = 4,
};

struct config_lines {
    char *text;
    size_t size;
    unsigned *numbers;
    size_t count;
};

typedef enum { SECTION_NONE, SECTION_GOOD, SECTION_BAD } section_t;

typedef struct {
    config_lines_t *lines; /* borrowed */
    config_errors_t *errors;
    const char *file; /* borrowed */
    unsigned number;  /* of the line */
    section_t section;
} scanner_t;

static size_t count_leading(span_t text, char byte)
{
    size_t size = 0;
    while (size < text.size && text.data[size] == byte)
        size++;
    return size;
}

static span_t skip(span_t text, size_t size)
{
    return span_of(text.data + size, text.size - size);
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static span_t trim_start(span_t text)
{
    while (text.size > 0 && is_blank(text.data[0]))
        text = skip(text, 1);
    return text;
}

static span_t trim_end(span_t text)
{
    while (text.size > 0 && (is_blank(text.data[text.size - 1]) || text.data[text.size - 1] == '\r'))
        text.size--;
    return text;
}

static bool is_empty(span_t line)
{
    line = trim_start(line);
    return line.size == 0 || line.data[0] == '#';
}

static size_t name_size(span_t text)
{
    size_t size = 0;
    while (size < text.size && text.data[size] != '\0' &&
           (isalnum((unsigned char)text.data[size]) || strchr("$-_@.&+/", text.data[size])))
        size++;
    return size;
}

static bool holds_control_byte(span_t text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
            return true;
    }
    return false;
}

/* Takes a comment off the end of what follows the "="; returns the reason if that is no value. */
static const char *check_value(span_t *value)
{
    *value = trim_start(*value);
    if (value->size == 0)
        return NULL;
    char quote = value->data[0];
    if (quote != '"' && quote != '\'') {
        const char *comment = memchr(value->data, '#', value->size);
        if (comment)
            *value = trim_end(span_of(value->data, (size_t)(comment - value->data)));
        return NULL;
    }
    const char *end = memchr(value->data + 1, quote, value->size - 1);
    if (!end)
        return "the quotation is not closed";
    span_t rest = skip(*value, (size_t)(end + 1 - value->data));
    if (!is_empty(rest))
        return "something follows the quoted value";
    value->size -= rest.size;
    return NULL;
}

/* Takes a comment off the end of a line; returns the reason if the line is not one of ZPL. */
static const char *check_line(span_t *line)
{
    size_t indent = count_leading(*line, ' ');
    span_t rest = skip(*line, indent);
    if (rest.data[0] == '\t')
        return "indent with spaces, not with tabs";
    if (indent % INDENT != 0)
        return "indent by four spaces";
    if (indent > INDENT)
        return "nothing stands deeper than a key under its section";
    size_t size = name_size(rest);
    if (size == 0 || rest.data[0] == '/' || rest.data[size - 1] == '/')
        return "a line begins with a section or a key";
    span_t value = trim_start(skip(rest, size));
    if (value.size > 0 && value.data[0] != '=' && value.data[0] != '#')
        return "a value is written as KEY = VALUE";
    const char *why = NULL;
    if (value.size > 0 && value.data[0] == '=') {
        value = skip(value, 1);
        why = check_value(&value);
    } else {
        value.size = 0;
    }
    line->size = (size_t)(value.data + value.size - line->data);
    return why;
}

static const char *check_bytes(span_t line)
{
    if (line.size > LINE_SIZE_MAX)
        return "the line is longer than 1 KiB";
    return holds_control_byte(line) ? "the line holds a control byte" : NULL;
}

static void tell(scanner_t *self, const char *why)
{
    char place[4096];
    snprintf(place, sizeof place, "%.4000s:%u", self->file, self->number);
    config_errors_add(self->errors, place, NULL, "%s", why);
}

static void keep(config_lines_t *self, span_t line, unsigned number)
{
    memcpy(self->text + self->size, line.data, line.size);
    self->size += line.size;
    self->text[self->size++] = '\n';
    self->text[self->size] = '\0';
    self->numbers[self->count++] = number;
}

static void scan_line(scanner_t *self, span_t line)
{
    line = trim_end(line);
    if (is_empty(line))
        return;
    bool is_indented = is_blank(line.data[0]);
    if (is_indented && self->section == SECTION_BAD)
        return;
    const char *why = check_bytes(line);
    if (!why)
        why = check_line(&line);
    if (!why && is_indented && self->section == SECTION_NONE)
        why = "a key stands under a section, and none has begun";
    if (!why && self->lines->count == LINE_COUNT_MAX)
        why = "the file has too many lines";
    if (why)
        tell(self, why);
    else
        keep(self->lines, line, self->number);
    if (!is_indented)
        self->section = why ? SECTION_BAD : SECTION_GOOD;
}

static void scan(scanner_t *self, span_t text)
{
    while (text.size > 0) {
        const char *end = memchr(text.data, '\n', text.size);
        size_t size = end ? (size_t)(end - text.data) : text.size;
        self->number++;
        scan_line(self, span_of(text.data, size));
        text = skip(text, end ? size + 1 : size);
    }
}

/* Reads at most FILE_SIZE_MAX + 1 bytes. Returns NULL when the file cannot be read; the caller owns the result. */
static char *read_file(const char *file, size_t *size, config_errors_t *errors)
{
    char *bytes = malloc(FILE_SIZE_MAX + 1);
    if (!bytes)
        abort();
    FILE *stream = fopen(file, "re");
    if (stream)
        *size = fread(bytes, 1, FILE_SIZE_MAX + 1, stream);
    if (!stream || ferror(stream)) {
        config_errors_add(errors, file, NULL, "%s", strerror(errno));
        free(bytes);
        bytes = NULL;
    }
    if (stream)
        fclose(stream);
    return bytes;
}

config_lines_t *config_lines_new(const char *file, config_errors_t *errors)
{
    size_t size = 0;
    char *bytes = read_file(file, &size, errors);
    if (!bytes)
        return NULL;
    config_lines_t *self = NULL;
    if (size > FILE_SIZE_MAX) {
        config_errors_add(errors, file, NULL, "the file is larger than 1 MiB");
    } else {
        self = zmalloc(sizeof *self);
        self->text = zmalloc(size + 2);
        self->numbers = zmalloc(LINE_COUNT_MAX * sizeof *self->numbers);
        scanner_t scanner = {.lines = self, .errors = errors, .file = file};
        scan(&scanner, span_of(bytes, size));
    }
    free(bytes);
    return self;
}

void config_lines_destroy(config_lines_t **self_p)
{
    config_lines_t *self = *self_p;
    if (!self)
        return;
    free(self->text);
    free(self->numbers);
    free(self);
    *self_p = NULL;
}

const char *config_lines_text(const config_lines_t *self)
{
    return self->text;
}

unsigned config_lines_number(const config_lines_t *self, size_t index)
{
    assert(index < self->count);
    return self->numbers[index];
}

size_t config_lines_count(const config_lines_t *self)
{
    return self->count;
}
