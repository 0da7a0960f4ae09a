/* SPDX-License-Identifier: MPL-2.0 */
/* line_buffer: one block of memory that grows as needed; lines that were handed out make room when more is read.
 * Nothing can fail but memory, which aborts. */
#include "lib/line_buffer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void line_buffer_fini(line_buffer_t *self)
{
    free(self->data);
    *self = (line_buffer_t){0};
}

char *line_buffer_room(line_buffer_t *self, size_t size)
{
    if (self->start > 0) {
        memmove(self->data, self->data + self->start, self->end - self->start);
        self->searched -= self->start;
        self->end -= self->start;
        self->start = 0;
    }
    if (self->end + size > self->capacity) {
        self->capacity = self->end + size > 2 * self->capacity ? self->end + size : 2 * self->capacity;
        self->data = realloc(self->data, self->capacity);
        assert(self->data);
    }
    return self->data + self->end;
}

void line_buffer_add(line_buffer_t *self, size_t size)
{
    self->end += size;
}

char *line_buffer_next(line_buffer_t *self, size_t *size)
{
    if (self->searched == self->end)
        return NULL;
    char *end = memchr(self->data + self->searched, '\n', self->end - self->searched);
    if (!end) {
        self->searched = self->end;
        return NULL;
    }
    char *line = self->data + self->start;
    *end = '\0';
    if (size)
        *size = (size_t)(end - line);
    self->start = (size_t)(end + 1 - self->data);
    self->searched = self->start;
    return line;
}

size_t line_buffer_rest(const line_buffer_t *self)
{
    return self->end - self->start;
}
