/* SPDX-License-Identifier: MPL-2.0 */
/* terminal: a program on a terminal of its own, with somebody who types and looks at the screen. The screen is
 * libvterm's, so what a program draws is what a user would see. Nothing blocks past the usual deadline; what does not
 * come by then fails the running cmocka test, with the screen. The test's thread. */
#ifndef FERRY_TESTS_TERMINAL_H
#define FERRY_TESTS_TERMINAL_H

#include <stdbool.h>

typedef struct terminal terminal_t;

/* Starts argv[0] of the folder FERRY_BIN on a terminal of that size, of the type xterm. `argv` ends with NULL. */
terminal_t *terminal_start(int rows, int columns, const char *const *argv);

/* Types keys as the terminal would send them: text, "\r", "\033[D". */
void terminal_type(terminal_t *self, const char *keys);

void terminal_resize(terminal_t *self, int rows, int columns);

/* Waits until the screen is exactly this: rows separated by newlines, without blanks at their ends and without empty
 * rows at its end. */
void terminal_expect(terminal_t *self, const char *screen);

/* Waits until the screen, written in the same way, holds this. */
void terminal_expect_part(terminal_t *self, const char *part);

/* Waits until the cursor stands there; the first row and column are 0. */
void terminal_expect_cursor(terminal_t *self, int row, int column);

/* Waits for the end of the program. Returns its exit code, or minus the signal that killed it. */
int terminal_wait_exit(terminal_t *self);

/* Waits until the program has stopped itself, as it does at Ctrl-Z; and lets it go on. */
void terminal_wait_stop(terminal_t *self);
void terminal_continue(terminal_t *self);

/* True if the terminal shows what is typed by itself and hands it out line by line, as a shell leaves it. */
bool terminal_is_cooked(const terminal_t *self);

/* Ends every program that still runs, and frees its terminal. */
void terminal_close_all(void);

#endif
