/* SPDX-License-Identifier: MPL-2.0 */
/* editor: libedit, with a wait of our own before each key. While the user thinks, the wait function may hide the line,
 * write and show it again; so what comes in stands above what is being typed, and neither cuts the other. Single
 * thread. What can fail is the terminal: one that cannot move its cursor up is not edited on. */
#include "ferry/editor.h"

#include <czmq.h>
#include <errno.h>
#include <histedit.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "ferry/screen_cursor.h"

enum { HISTORY_SIZE = 500, PROMPT_SIZE_MAX = 320 };

struct editor {
    EditLine *edit;
    History *history;
    const char *prompt;
    editor_wait_fn *wait;
    void *arg;
    bool abandoned;
    struct termios found; /* how the terminal was */
};

static editor_t *editor_of(EditLine *edit)
{
    void *self = NULL;
    el_get(edit, EL_CLIENTDATA, &self);
    return self;
}

static char *on_prompt(EditLine *edit)
{
    return (char *)editor_of(edit)->prompt;
}

/* libedit's own reader of keys would block in read(2), and incoming lines would wait for a key. Bytes that are no
 * character of this locale are dropped. */
static int on_key(EditLine *edit, wchar_t *key)
{
    editor_t *self = editor_of(edit);
    mbstate_t state = {0};
    while (self->wait(self->arg)) {
        char byte;
        ssize_t size = read(STDIN_FILENO, &byte, 1);
        if (size < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (size <= 0)
            return 0;
        size_t result = mbrtowc(key, &byte, 1, &state);
        if (result == 0 || result == 1)
            return 1;
        if (result == (size_t)-1)
            state = (mbstate_t){0};
    }
    return 0;
}

static bool terminal_can(EditLine *edit, const char *capability)
{
    char *value = NULL;
    return el_get(edit, EL_GETTC, capability, &value) == 0 && value && *value;
}

/* Between two lines libedit lets the terminal be as it was; keys that come at that moment, as those of a paste do,
 * would be shown twice if it still echoed. */
static void editor_setup(editor_t *self)
{
    HistEvent event;
    history(self->history, &event, H_SETSIZE, HISTORY_SIZE);
    history(self->history, &event, H_SETUNIQUE, 1);
    el_set(self->edit, EL_CLIENTDATA, self);
    el_set(self->edit, EL_PROMPT, on_prompt);
    el_set(self->edit, EL_EDITOR, "emacs");
    el_set(self->edit, EL_HIST, history, self->history);
    el_set(self->edit, EL_GETCFN, on_key);
    el_source(self->edit, NULL);
    el_set(self->edit, EL_SETTY, "-x", "-echo", NULL);
}

editor_t *editor_new(const char *prompt, editor_wait_fn *wait, void *arg)
{
    const char *term = getenv("TERM");
    if (!term || !*term || strcmp(term, "dumb") == 0)
        return NULL;
    editor_t *self = zmalloc(sizeof *self);
    self->prompt = prompt;
    self->wait = wait;
    self->arg = arg;
    tcgetattr(STDIN_FILENO, &self->found);
    self->history = history_init();
    self->edit = el_init("ferry", stdin, stdout, stderr);
    if (!self->history || !self->edit || !terminal_can(self->edit, "up") || !terminal_can(self->edit, "cd")) {
        editor_destroy(&self);
        return NULL;
    }
    editor_setup(self);
    return self;
}

void editor_destroy(editor_t **self_p)
{
    editor_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    if (self->edit)
        el_end(self->edit);
    if (self->history)
        history_end(self->history);
    free(self);
}

bool editor_read(editor_t *self, span_t *line)
{
    int size = 0;
    const char *text = el_gets(self->edit, &size);
    if (!text || size <= 0) {
        if (!self->abandoned)
            puts(""); /* libedit shows Ctrl-D and stays in that row */
        return false;
    }
    HistEvent event;
    if (size > 1)
        history(self->history, &event, H_ENTER, text);
    *line = span_of(text, strcspn(text, "\n"));
    return true;
}

/* Where the cursor is, from the start of the prompt. */
static screen_cursor_t cursor_find(editor_t *self)
{
    screen_cursor_t cursor = {0, 0};
    int columns = 80;
    el_get(self->edit, EL_GETTC, "co", &columns);
    wchar_t prompt[PROMPT_SIZE_MAX];
    size_t size = mbstowcs(prompt, self->prompt, PROMPT_SIZE_MAX);
    const LineInfoW *line = el_wline(self->edit);
    screen_cursor_draw(&cursor, prompt, size, columns);
    screen_cursor_draw(&cursor, line->buffer, (size_t)(line->cursor - line->buffer), columns);
    return cursor;
}

void editor_hide(editor_t *self)
{
    screen_cursor_t cursor = cursor_find(self);
    fputc('\r', stdout);
    fflush(stdout);
    while (cursor.row-- > 0)
        el_set(self->edit, EL_ECHOTC, "up", NULL);
    el_set(self->edit, EL_ECHOTC, "cd", NULL);
}

void editor_show(editor_t *self)
{
    el_set(self->edit, EL_REFRESH);
    fflush(stdout);
}

void editor_resize(editor_t *self)
{
    el_resize(self->edit);
    editor_hide(self);
    editor_show(self);
}

void editor_suspend(editor_t *self)
{
    editor_hide(self);
    fflush(stdout);
    el_set(self->edit, EL_PREP_TERM, 0);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &self->found);
    raise(SIGSTOP);
    el_set(self->edit, EL_PREP_TERM, 1);
    el_resize(self->edit);
    editor_show(self);
}

void editor_abandon(editor_t *self)
{
    self->abandoned = true;
    editor_hide(self);
    const LineInfo *line = el_line(self->edit);
    if (line->lastchar > line->buffer)
        printf("%s%.*s\n", self->prompt, (int)(line->lastchar - line->buffer), line->buffer);
    fflush(stdout);
}
