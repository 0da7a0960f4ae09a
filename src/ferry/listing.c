/* SPDX-License-Identifier: MPL-2.0 */
/* listing: all cells are kept in one array until the widths are known. The titles are its first row. Nothing fails;
 * memory that runs out aborts. */
#include "ferry/listing.h"

#include <czmq.h>
#include <stdarg.h>
#include <wchar.h>

#include "base/buffer.h"

enum { GAP = 2, TEXT_SIZE_MAX = 4096 };

struct listing {
    size_t columns;
    bool to_the_right[LISTING_COLUMNS_MAX];
    int widths[LISTING_COLUMNS_MAX]; /* cells of a terminal */
    char **cells;
    size_t count;
    size_t capacity;
};

/* What is no text in this locale is counted by its bytes. */
static int text_width(const char *text)
{
    wchar_t wide[TEXT_SIZE_MAX];
    size_t size = mbstowcs(wide, text, TEXT_SIZE_MAX);
    int width = size < TEXT_SIZE_MAX ? wcswidth(wide, size) : -1;
    return width >= 0 ? width : (int)strlen(text);
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(zmalloc(size), text, size);
}

static void append(listing_t *self, const char *text)
{
    if (self->count == self->capacity) {
        self->capacity = 2 * self->capacity + 64;
        self->cells = realloc(self->cells, self->capacity * sizeof *self->cells);
        if (!self->cells)
            abort();
    }
    size_t column = self->count % self->columns;
    int width = text_width(text);
    if (self->widths[column] < width)
        self->widths[column] = width;
    self->cells[self->count++] = copy_text(text);
}

static void add_title(listing_t *self, const char *title)
{
    bool right = *title == '>';
    self->to_the_right[self->count] = right;
    append(self, title + right);
}

listing_t *listing_new(const char *titles)
{
    listing_t *self = zmalloc(sizeof *self);
    self->columns = 1;
    for (const char *at = titles; (at = strchr(at, ',')); at++)
        self->columns++;
    assert(self->columns <= LISTING_COLUMNS_MAX);
    char *copy = copy_text(titles);
    char *rest = copy;
    while (rest)
        add_title(self, strsep(&rest, ","));
    free(copy);
    return self;
}

void listing_destroy(listing_t **self_p)
{
    listing_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    for (size_t i = 0; i < self->count; i++)
        free(self->cells[i]);
    free(self->cells);
    free(self);
}

void listing_add(listing_t *self, const char *format, ...)
{
    char text[TEXT_SIZE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    append(self, text);
}

static void pad(buffer_t *line, int count)
{
    while (count-- > 0)
        buffer_append(line, " ", 1);
}

static void append_cell(const listing_t *self, buffer_t *line, size_t index)
{
    size_t column = index % self->columns;
    const char *text = self->cells[index];
    int missing = self->widths[column] - text_width(text);
    bool last = column + 1 == self->columns;
    pad(line, GAP + (self->to_the_right[column] ? missing : 0));
    buffer_append(line, text, strlen(text));
    pad(line, self->to_the_right[column] || last ? 0 : missing);
}

void listing_write(const listing_t *self, display_t *display)
{
    buffer_t line = {0};
    for (size_t row = 0; row + self->columns <= self->count; row += self->columns) {
        for (size_t column = 0; column < self->columns; column++)
            append_cell(self, &line, row + column);
        display_text(display, buffer_span(&line));
        buffer_clear(&line);
    }
    buffer_fini(&line);
}
