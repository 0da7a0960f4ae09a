/* SPDX-License-Identifier: MPL-2.0 */
/* screen_cursor: where the cursor of a terminal stands after text was drawn by libedit. */
#ifndef FERRY_FERRY_SCREEN_CURSOR_H
#define FERRY_FERRY_SCREEN_CURSOR_H

#include <stddef.h>
#include <wchar.h>

typedef struct {
    int row;    /* rows below the one where drawing began */
    int column; /* from 0 to the number of columns less one */
} screen_cursor_t;

/* Moves the cursor over `count` characters on a terminal of `columns`, at least 2. Widths follow LC_CTYPE. */
void screen_cursor_draw(screen_cursor_t *self, const wchar_t *text, size_t count, int columns);

#endif
