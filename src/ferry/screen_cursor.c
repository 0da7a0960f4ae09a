/* SPDX-License-Identifier: MPL-2.0 */
/* screen_cursor: libedit keeps the place of its cursor to itself, so it is worked out again from what is drawn: tabs
 * stop at every eighth column, a control character is two cells wide, what cannot be printed is written as \U+0085, and
 * a wide character that would be cut by the margin starts the next row. Pure, but for the locale. */
#include "ferry/screen_cursor.h"

#include <wctype.h>

enum { TAB_STOP = 8, CONTROL_WIDTH = 2, CODE_WIDTH = 7, LONG_CODE_WIDTH = 8 };

/* A row that is full is left at once: libedit forces the terminal to wrap there. */
static void advance(screen_cursor_t *self, int width, int columns)
{
    if (self->column + width > columns) {
        self->row++;
        self->column = 0;
    }
    self->column += width;
    if (self->column >= columns) {
        self->row++;
        self->column = 0;
    }
}

static void advance_cells(screen_cursor_t *self, int count, int columns)
{
    while (count-- > 0)
        advance(self, 1, columns);
}

static void draw(screen_cursor_t *self, wchar_t character, int columns)
{
    if (character == L'\t') {
        do
            advance(self, 1, columns);
        while (self->column % TAB_STOP != 0);
    } else if (character == L'\n') {
        self->row++;
        self->column = 0;
    } else if (character < 0x20 || character == 0x7f) {
        advance_cells(self, CONTROL_WIDTH, columns);
    } else if (iswprint((wint_t)character)) {
        int width = wcwidth(character);
        advance(self, width > 0 ? width : 0, columns);
    } else {
        advance_cells(self, character > 0xffff ? LONG_CODE_WIDTH : CODE_WIDTH, columns);
    }
}

void screen_cursor_draw(screen_cursor_t *self, const wchar_t *text, size_t count, int columns)
{
    for (size_t i = 0; i < count; i++)
        draw(self, text[i], columns);
}
