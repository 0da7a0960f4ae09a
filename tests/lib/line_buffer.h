/* SPDX-License-Identifier: MPL-2.0 */
/* line_buffer: bytes as they come from a socket, handed out line by line. Embedded in what reads the socket; belongs to
 * the thread of its owner. All zero is an empty one. */
#ifndef FERRY_TESTS_LINE_BUFFER_H
#define FERRY_TESTS_LINE_BUFFER_H

#include <stddef.h>

typedef struct {
    char *data;      /* heap, or NULL */
    size_t start;    /* where the next line begins */
    size_t searched; /* up to where there is no end of line */
    size_t end;      /* behind the last byte that was read */
    size_t capacity; /* bytes of data */
} line_buffer_t;

void line_buffer_fini(line_buffer_t *self);

/* Room for at least `size` more bytes; tell with line_buffer_add how many came. */
char *line_buffer_room(line_buffer_t *self, size_t size);
void line_buffer_add(line_buffer_t *self, size_t size);

/* The next complete line without its end, NUL-terminated and valid until the next call of line_buffer_room; NULL if
 * there is none. Its length without the NUL goes to *size unless that is NULL. */
char *line_buffer_next(line_buffer_t *self, size_t *size);

/* Bytes of the line that is not complete. */
size_t line_buffer_rest(const line_buffer_t *self);

#endif
