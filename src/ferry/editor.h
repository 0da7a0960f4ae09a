/* SPDX-License-Identifier: MPL-2.0 */
/* editor: a line that somebody types into a terminal, and that other lines may be written above. */
#ifndef FERRY_FERRY_EDITOR_H
#define FERRY_FERRY_EDITOR_H

#include <stdbool.h>

#include "base/span.h"

typedef struct editor editor_t;

/* Called whenever the editor wants a key. Returns true once standard input can be read; false ends the input. It may
 * call the functions below that say so. */
typedef bool editor_wait_fn(void *arg);

/* Takes standard input and output, which must be terminals; `prompt` and `arg` are borrowed for life. The caller owns
 * the result. NULL if this terminal cannot be edited on (TERM is unset, unknown or "dumb"). */
editor_t *editor_new(const char *prompt, editor_wait_fn *wait, void *arg);

/* Leaves the terminal as it was found. */
void editor_destroy(editor_t **self_p);

/* Lets the user type a line and takes it, without its end; it lives until the next call. False at the end of input:
 * Ctrl-D on an empty line, or what the wait function said. */
bool editor_read(editor_t *self, span_t *line);

/* From the wait function: takes the prompt and the line off the screen, so that the caller can write whole lines to
 * stdout; and puts them back below. */
void editor_hide(editor_t *self);
void editor_show(editor_t *self);

/* From the wait function, at SIGWINCH and at SIGTSTP: draws the line anew at the new size; stops the process with the
 * terminal as it was found, and goes on when it is continued. */
void editor_resize(editor_t *self);
void editor_suspend(editor_t *self);

/* From the wait function, before it returns false: ends the line where it is. What was typed stays to be seen, and what
 * is written next begins below it. */
void editor_abandon(editor_t *self);

#endif
