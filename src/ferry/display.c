/* SPDX-License-Identifier: MPL-2.0 */
/* display: lines for people and for pipes. A gateway refuses control bytes, but neither the C1 controls nor the signs
 * that turn the direction of text around, and what listens on that port may not be a gateway at all; so what goes to a
 * terminal is checked here, character by character. Nothing fails but the stream. */
#include "ferry/display.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/utf8.h"
#include "wire/error.h"

#define COLOUR_NAME  "\033[1;36m"
#define COLOUR_ERROR "\033[31m"
#define COLOUR_QUIET "\033[2m"
#define COLOUR_OFF   "\033[0m"

void display_init(display_t *self, FILE *out)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    self->out = out;
    self->terminal = isatty(fileno(out));
    self->colour = self->terminal && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

static bool rune_steers(uint32_t rune)
{
    return (rune < 0x20 && rune != '\t') || (rune >= 0x7f && rune < 0xa0) ||         /* C0, DEL, C1 */
           rune == 0x2028 || rune == 0x2029 ||                                       /* ends of lines and paragraphs */
           (rune >= 0x202a && rune <= 0x202e) || (rune >= 0x2066 && rune <= 0x2069); /* direction of text */
}

static void write_safely(FILE *out, span_t text)
{
    while (text.size > 0) {
        uint32_t rune = 0;
        size_t size = utf8_decode(text, &rune);
        if (size == 0)
            fprintf(out, "<%02X>", (unsigned char)*text.data);
        else if (rune_steers(rune))
            fprintf(out, "<U+%04X>", (unsigned)rune);
        else
            fwrite(text.data, 1, size, out);
        size = size ? size : 1;
        text = span_of(text.data + size, text.size - size);
    }
}

static void display_write(const display_t *self, span_t text)
{
    if (self->terminal)
        write_safely(self->out, text);
    else
        fwrite(text.data, 1, text.size, self->out);
}

static void display_painted(const display_t *self, const char *colour, span_t text)
{
    if (self->colour)
        fputs(colour, self->out);
    display_write(self, text);
    if (self->colour)
        fputs(COLOUR_OFF, self->out);
}

/* "from NAME" is painted, the rest is not. A line without a colon is left alone. */
static void display_message(const display_t *self, span_t line)
{
    const char *colon = memchr(line.data, ':', line.size);
    size_t head = colon ? (size_t)(colon - line.data) : 0;
    if (head > 0)
        display_painted(self, COLOUR_NAME, span_of(line.data, head));
    display_write(self, span_of(line.data + head, line.size - head));
}

static const ferry_error_t known_errors[] = {
#define ERROR(name, number, code, arguments, meaning) FERRY_ERROR_##name,
#include "errors.def"
#undef ERROR
};

/* What the code of an error line means, or NULL if it is in no table. */
static const char *error_explain(span_t line)
{
    size_t start = strlen("error ");
    const char *code = line.data + start;
    size_t size = 0;
    while (start + size < line.size && code[size] != ' ')
        size++;
    for (size_t i = 0; i < sizeof known_errors / sizeof known_errors[0]; i++)
        if (span_equal(span_str(error_code((int)known_errors[i])), span_of(code, size)))
            return error_meaning((int)known_errors[i]);
    return NULL;
}

static void display_error(const display_t *self, span_t line)
{
    display_painted(self, COLOUR_ERROR, line);
    const char *meaning = self->terminal ? error_explain(line) : NULL;
    if (meaning)
        fprintf(self->out, " (%s)", meaning);
}

static bool starts_with(span_t line, const char *word)
{
    size_t size = strlen(word);
    return line.size >= size && memcmp(line.data, word, size) == 0;
}

void display_line(display_t *self, span_t line)
{
    if (starts_with(line, "from "))
        display_message(self, line);
    else if (starts_with(line, "error "))
        display_error(self, line);
    else
        display_painted(self, COLOUR_QUIET, line);
    putc('\n', self->out);
}

void display_text(display_t *self, span_t line)
{
    display_write(self, line);
    putc('\n', self->out);
}

void display_complain(const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    display_t display;
    display_init(&display, stderr);
    display_text(&display, span_str(text));
}
