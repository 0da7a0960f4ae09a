/* SPDX-License-Identifier: MPL-2.0 */
/* chat: `ferry chat NAME`, a conversation by hand. On a terminal the lines are typed into an editor, and what comes in
 * is written above it; elsewhere standard input is read line by line. Either way lines go to the gateway as they are.
 * Ctrl-D, /quit, Ctrl-C and the end of input leave in order: the input is ended, and what the gateway still owes is
 * read to its end. A second Ctrl-C leaves at once. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "ferry/client.h"
#include "ferry/command.h"
#include "ferry/display.h"
#include "ferry/editor.h"
#include "ferry/interrupt.h"
#include "ferry/line_source.h"
#include "ferry/name.h"

enum { PROMPT_SIZE = 300, RECENT_COUNT = 16, INTERRUPTED = 128 + SIGINT };

typedef struct {
    const options_t *options;
    const char *name;
    client_t *client;
    editor_t *editor;     /* NULL if this is no terminal, or not one to edit on */
    line_source_t *input; /* the lines of standard input without an editor */
    display_t out;
    display_t err;
    int signals;
    int input_fault; /* the negative result that ended the input, or 0 */
    bool leaving;
    bool ended;
    bool interrupted; /* for the second time */
    char prompt[PROMPT_SIZE];
    buffer_t recent[RECENT_COUNT]; /* line number n (from 0) at n % RECENT_COUNT: what a stopped gateway may not take */
} chat_t;

static void leave(chat_t *self)
{
    self->leaving = true;
    client_leave(self->client);
}

static void say(chat_t *self, span_t line)
{
    if (span_equal(line, span_str("/quit"))) {
        leave(self);
        return;
    }
    buffer_t *recent = &self->recent[client_said(self->client) % RECENT_COUNT];
    buffer_clear(recent);
    buffer_append(recent, line.data, line.size);
    client_say(self->client, line, span_str(""));
}

/* Nobody wants to type again what only the gateway's stop kept from being sent. */
static void show_not_taken(const chat_t *self)
{
    uint64_t said = client_said(self->client);
    uint64_t first = client_taken(self->client);
    if (said - first > RECENT_COUNT)
        first = said - RECENT_COUNT;
    for (uint64_t i = first; i < said; i++) {
        span_t line = buffer_span(&self->recent[i % RECENT_COUNT]);
        display_complain("not taken: %.*s", (int)line.size, line.data);
    }
}

static void on_line(chat_t *self, client_event_t event)
{
    bool message = event == CLIENT_MESSAGE || self->editor;
    display_line(message ? &self->out : &self->err, client_line(self->client));
    fflush(stdout);
}

static void on_confirmed(chat_t *self)
{
    if (self->editor && !self->options->quiet)
        display_complain("%s is logged in at %s. Write `bob: hello`; /help lists the commands, Ctrl-D leaves.",
            self->name, self->options->gateway);
}

static void on_signal(chat_t *self)
{
    int signal = interrupt_take(self->signals);
    if (signal == SIGWINCH && self->editor)
        editor_resize(self->editor);
    else if (signal == SIGTSTP && self->editor)
        editor_suspend(self->editor);
    else if (signal == SIGTSTP)
        raise(SIGSTOP);
    else if (signal == SIGINT || signal == SIGTERM) {
        self->interrupted = self->leaving;
        leave(self);
    }
}

static void on_input(chat_t *self)
{
    int result = line_source_read(self->input);
    span_t line;
    while (!self->leaving && line_source_next(self->input, &line))
        say(self, line);
    if (result < 0 && result != -EAGAIN)
        self->input_fault = result;
    if (result == 0 || self->input_fault)
        leave(self);
}

/* One event without the editor. */
static void on_event(chat_t *self, client_event_t event)
{
    switch (event) {
    case CLIENT_CONFIRMED:
        on_confirmed(self);
        break;
    case CLIENT_INPUT:
        on_input(self);
        break;
    case CLIENT_SIGNAL:
        on_signal(self);
        break;
    case CLIENT_END:
        self->ended = true;
        break;
    default:
        on_line(self, event);
    }
}

/* Waits for the editor's next key, and writes what comes in meanwhile above the line. */
static bool on_wait(void *arg)
{
    chat_t *self = arg;
    while (!self->leaving) {
        client_event_t event = client_wait(self->client, STDIN_FILENO, self->signals);
        if (event == CLIENT_INPUT)
            return true;
        if (event == CLIENT_SIGNAL) {
            on_signal(self);
            continue;
        }
        if (event == CLIENT_END)
            break;
        editor_hide(self->editor);
        on_event(self, event);
        editor_show(self->editor);
    }
    editor_abandon(self->editor);
    return false;
}

/* People press Enter to see that they are alone; an empty line is not worth an error. */
static void edit_lines(chat_t *self)
{
    span_t line;
    while (!self->leaving && editor_read(self->editor, &line))
        if (line.size > 0)
            say(self, line);
    leave(self);
    editor_destroy(&self->editor);
}

static int conclude(const chat_t *self)
{
    if (self->interrupted)
        return INTERRUPTED;
    if (!client_settled(self->client)) {
        client_complain(self->client, "line");
        if (client_draining(self->client))
            show_not_taken(self);
        return EXIT_FAILURE;
    }
    if (client_draining(self->client) && !self->options->quiet)
        display_complain("ferry: the gateway was stopped; it took every line");
    if (self->input_fault)
        display_complain("ferry: cannot read standard input: %s", line_source_why(self->input_fault));
    return self->input_fault ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int chat_loop(chat_t *self)
{
    snprintf(self->prompt, sizeof self->prompt, "%s> ", self->name);
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        self->editor = editor_new(self->prompt, on_wait, self);
    self->input = line_source_new(STDIN_FILENO);
    if (self->editor)
        edit_lines(self);
    while (!self->ended && !self->interrupted)
        on_event(self, client_wait(self->client, self->leaving ? -1 : STDIN_FILENO, self->signals));
    return conclude(self);
}

static int chat_run(const options_t *options)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGWINCH, SIGTSTP};
    chat_t self = {.options = options, .name = options->operands[0]};
    if (name_check("ferry chat", self.name))
        return COMMAND_USAGE;
    display_init(&self.out, stdout);
    display_init(&self.err, stderr);
    self.signals = interrupt_open(signals, 4);
    self.client = client_new(options->gateway, self.name);
    int result = self.client ? chat_loop(&self) : EXIT_FAILURE;
    editor_destroy(&self.editor);
    line_source_destroy(&self.input);
    client_destroy(&self.client);
    close(self.signals);
    for (size_t i = 0; i < RECENT_COUNT; i++)
        buffer_fini(&self.recent[i]);
    return result;
}

const command_t chat_command = {
    .name = "chat",
    .synopsis = "NAME",
    .letters = "qgh",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "talk to others, line by line",
    .description = "Logs in as NAME and sends what you type; what others send appears above it.\n"
                   "\n"
                   "  bob: hello          a message to bob\n"
                   "  bob, carol: hello   the same to two\n"
                   "  /help               the gateway's commands\n"
                   "  /quit or Ctrl-D     leave, once everything is settled\n"
                   "  Ctrl-C twice        leave at once\n"
                   "\n"
                   "The keys are those of editline(7): arrows walk through line and history, Ctrl-R\n"
                   "searches. When standard input is no terminal its lines are sent as they are.\n"
                   "\n"
                   "Exit code: 0 if the gateway took every line and ended in order; 1 if not; 2 for\n"
                   "a wrong command line.\n",
    .run = chat_run,
};
