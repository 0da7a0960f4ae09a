/* SPDX-License-Identifier: MPL-2.0 */
/* line_source: a buffer that a read fills at its end and that gives its lines from its front. What fails is read(2), or
 * a line without end. */
#include "ferry/line_source.h"

#include <czmq.h>
#include <errno.h>
#include <unistd.h>

#include "base/buffer.h"

enum { READ_SIZE = 64 << 10 };

struct line_source {
    int fd;
    buffer_t buffer;
    size_t taken;   /* the line that the caller holds, with its "\n": consumed at the next call */
    size_t scanned; /* so many bytes after it hold no "\n" */
    bool ended;
};

line_source_t *line_source_new(int fd)
{
    line_source_t *self = zmalloc(sizeof *self);
    self->fd = fd;
    return self;
}

void line_source_destroy(line_source_t **self_p)
{
    line_source_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    buffer_fini(&self->buffer);
    free(self);
}

static void drop_taken(line_source_t *self)
{
    buffer_consume(&self->buffer, self->taken);
    self->taken = 0;
}

int line_source_read(line_source_t *self)
{
    drop_taken(self);
    if (buffer_size(&self->buffer) > LINE_SOURCE_SIZE_MAX)
        return -EMSGSIZE;
    ssize_t size = read(self->fd, buffer_reserve(&self->buffer, READ_SIZE), READ_SIZE);
    if (size < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    buffer_commit(&self->buffer, (size_t)size);
    self->ended = size == 0;
    return size > 0;
}

const char *line_source_why(int result)
{
    return result == -EMSGSIZE ? "a line is longer than 16 MiB" : strerror(-result);
}

bool line_source_next(line_source_t *self, span_t *line)
{
    drop_taken(self);
    span_t rest = buffer_span(&self->buffer);
    const char *newline = NULL;
    if (rest.size > self->scanned)
        newline = memchr(rest.data + self->scanned, '\n', rest.size - self->scanned);
    self->scanned = newline ? 0 : rest.size;
    if (!newline && !(self->ended && rest.size > 0))
        return false;
    size_t size = newline ? (size_t)(newline - rest.data) : rest.size;
    *line = span_of(rest.data, size);
    self->taken = newline ? size + 1 : size;
    if (!newline)
        self->scanned = 0;
    return true;
}
