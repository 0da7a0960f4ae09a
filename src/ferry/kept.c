/* SPDX-License-Identifier: MPL-2.0 */
/* kept: one buffer of lines, each with its "\n", and places in it: a number of lines and the bytes before it. The
 * caller bounds it: it says no more when too much is open. Nothing fails; memory that runs out aborts. */
#include "ferry/kept.h"

#include <czmq.h>

#include "base/buffer.h"

typedef struct {
    uint64_t line;
    size_t offset; /* in the buffer */
} place_t;

struct kept {
    buffer_t text;
    uint64_t first;
    place_t taken;
    place_t cursor;
    uint64_t end;
};

kept_t *kept_new(void)
{
    return zmalloc(sizeof(kept_t));
}

void kept_destroy(kept_t **self_p)
{
    kept_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    buffer_fini(&self->text);
    free(self);
}

void kept_add(kept_t *self, span_t head, span_t rest)
{
    buffer_append(&self->text, head.data, head.size);
    buffer_append(&self->text, rest.data, rest.size);
    buffer_append(&self->text, "\n", 1);
    self->end++;
}

/* The line at that place, which must not be the end. */
static span_t line_at(const kept_t *self, const place_t *place)
{
    span_t text = buffer_span(&self->text);
    const char *start = text.data + place->offset;
    const char *newline = memchr(start, '\n', text.size - place->offset);
    assert(newline);
    return span_of(start, (size_t)(newline - start));
}

static void place_move(const kept_t *self, place_t *place, uint64_t line)
{
    while (place->line < line) {
        place->offset += line_at(self, place).size + 1;
        place->line++;
    }
}

bool kept_next(kept_t *self, span_t *line)
{
    if (self->cursor.line == self->end)
        return false;
    *line = line_at(self, &self->cursor);
    place_move(self, &self->cursor, self->cursor.line + 1);
    return true;
}

void kept_seek(kept_t *self, uint64_t line)
{
    assert(line >= self->first && line <= self->end);
    self->cursor = (place_t){.line = self->first};
    place_move(self, &self->cursor, line);
    if (self->taken.line > line)
        self->taken = self->cursor;
}

static void drop_first(kept_t *self)
{
    size_t size = line_at(self, &(place_t){.line = self->first}).size + 1;
    buffer_consume(&self->text, size);
    self->first++;
    self->taken.offset -= size;
    self->cursor.offset -= size;
}

void kept_taken(kept_t *self, uint64_t line, size_t size)
{
    assert(line <= self->cursor.line);
    place_move(self, &self->taken, line);
    while (self->first < self->taken.line &&
           self->taken.offset - (line_at(self, &(place_t){.line = self->first}).size + 1) >= size)
        drop_first(self);
}

bool kept_line(const kept_t *self, uint64_t number, span_t *line)
{
    if (number < self->first || number >= self->end)
        return false;
    place_t place = {.line = self->first};
    place_move(self, &place, number);
    *line = line_at(self, &place);
    return true;
}

uint64_t kept_first(const kept_t *self)
{
    return self->first;
}

uint64_t kept_cursor(const kept_t *self)
{
    return self->cursor.line;
}

uint64_t kept_end(const kept_t *self)
{
    return self->end;
}

size_t kept_open_size(const kept_t *self)
{
    return buffer_size(&self->text) - self->taken.offset;
}

size_t kept_waiting_size(const kept_t *self)
{
    return buffer_size(&self->text) - self->cursor.offset;
}
