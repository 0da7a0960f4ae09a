/* SPDX-License-Identifier: MPL-2.0 */
/* kept: lines that were said and may have to be said again, in order, with a cursor at the next one to say. Lines are
 * numbered from 0 for the life of the object. */
#ifndef FERRY_FERRY_KEPT_H
#define FERRY_FERRY_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

typedef struct kept kept_t;

/* The caller owns it. */
kept_t *kept_new(void);

void kept_destroy(kept_t **self_p);

/* Adds a line at the end, made of the two parts, which hold no "\n". */
void kept_add(kept_t *self, span_t head, span_t rest);

/* Takes the line at the cursor, without an end, and moves on. False if there is none. The line lives until something is
 * added or dropped. */
bool kept_next(kept_t *self, span_t *line);

/* Moves the cursor to this line; it must not be before kept_first or behind kept_end. */
void kept_seek(kept_t *self, uint64_t line);

/* The lines before `line` are with the gateway. Those that lie `size` bytes and more before it are dropped; none at or
 * behind the cursor is. */
void kept_taken(kept_t *self, uint64_t line, size_t size);

/* Reads one of the lines that are kept. False if it is not. The line lives as in kept_next. */
bool kept_line(const kept_t *self, uint64_t number, span_t *line);

/* The first line that is kept, the one at the cursor, and the one behind the last. */
uint64_t kept_first(const kept_t *self);
uint64_t kept_cursor(const kept_t *self);
uint64_t kept_end(const kept_t *self);

/* Bytes of lines that the gateway is not known to have, and of those from the cursor on. */
size_t kept_open_size(const kept_t *self);
size_t kept_waiting_size(const kept_t *self);

#endif
