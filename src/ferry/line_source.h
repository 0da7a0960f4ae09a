/* SPDX-License-Identifier: MPL-2.0 */
/* line_source: the lines that come out of a descriptor, standard input or a gateway. */
#ifndef FERRY_FERRY_LINE_SOURCE_H
#define FERRY_FERRY_LINE_SOURCE_H

#include <stdbool.h>

#include "base/span.h"

#define LINE_SOURCE_SIZE_MAX (16u << 20) /* bytes of the longest line that is taken */

typedef struct line_source line_source_t;

/* `fd` is borrowed for life. The caller owns the result. */
line_source_t *line_source_new(int fd);

void line_source_destroy(line_source_t **self_p);

/* Reads once, blocking if the descriptor does. Returns 1 if something came, 0 at the end of input, -EAGAIN if there is
 * nothing now, -EMSGSIZE if a line grows beyond LINE_SOURCE_SIZE_MAX, or another negative errno. */
int line_source_read(line_source_t *self);

/* Why a read failed: what a user reads of its negative result. Static, or until the next call of strerror. */
const char *line_source_why(int result);

/* Takes the next line, without its "\n"; after the end of input also the rest that has none. False if there is none
 * yet. The line lives until the next call of either function. */
bool line_source_next(line_source_t *self, span_t *line);

#endif
