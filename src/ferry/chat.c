/* SPDX-License-Identifier: MPL-2.0 */
/* chat: `ferry chat NAME`, a conversation by hand. On a terminal the lines are typed into an editor, and what comes in
 * is written above it; elsewhere standard input is read line by line. Either way lines go to the gateway as they are.
 * When the gateway is stopped or lost, another is looked for, and what is typed meanwhile goes there. Ctrl-D, /quit,
 * Ctrl-C and the end of input leave in order: /quit is said, and what the gateway still owes is read to its end. A
 * second Ctrl-C leaves at once. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "ferry/command.h"
#include "ferry/display.h"
#include "ferry/editor.h"
#include "ferry/interrupt.h"
#include "ferry/line_source.h"
#include "ferry/name.h"
#include "ferry/talk.h"

enum { PROMPT_SIZE = 300, SHOWN_COUNT = 16, INTERRUPTED = 128 + SIGINT };

typedef struct {
    const options_t *options;
    const char *name;
    talk_t *talk;
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
} chat_t;

static void leave(chat_t *self)
{
    self->leaving = true;
    talk_leave(self->talk);
}

/* What the gateway takes for /quit, whatever follows it. */
static bool is_quit(span_t line)
{
    size_t size = strlen("/quit");
    return line.size >= size && memcmp(line.data, "/quit", size) == 0 &&
           (line.size == size || line.data[size] == ' ' || line.data[size] == '\t' || line.data[size] == '\r');
}

static void say(chat_t *self, span_t line)
{
    if (is_quit(line))
        leave(self);
    else
        talk_say(self->talk, line, span_str(""));
}

/* Nobody wants to type again what a gateway's end kept from being sent. */
static void show_lines(const chat_t *self, const char *what, uint64_t first, uint64_t end)
{
    span_t line;
    if (end - first > SHOWN_COUNT)
        first = end - SHOWN_COUNT;
    for (; first < end; first++)
        if (talk_said_line(self->talk, first, &line))
            display_complain("%s: %.*s", what, (int)line.size, line.data);
}

static void show_doubt(const chat_t *self)
{
    uint64_t first, end;
    if (talk_doubt(self->talk, &first, &end))
        show_lines(self, "in doubt", first, end);
}

static void on_line(chat_t *self, talk_event_t event)
{
    bool message = event == TALK_MESSAGE || self->editor;
    display_line(message ? &self->out : &self->err, talk_line(self->talk));
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
static void on_event(chat_t *self, talk_event_t event)
{
    switch (event) {
    case TALK_CONFIRMED:
        on_confirmed(self);
        break;
    case TALK_INPUT:
        on_input(self);
        break;
    case TALK_SIGNAL:
        on_signal(self);
        break;
    case TALK_STOPPED:
        display_complain("* the gateway was stopped, reconnecting…");
        break;
    case TALK_LOST:
        display_complain("* connection lost, reconnecting…");
        show_doubt(self);
        break;
    case TALK_BACK:
        display_complain("* connected again");
        break;
    case TALK_END:
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
        talk_event_t event = talk_wait(self->talk, STDIN_FILENO, self->signals);
        if (event == TALK_INPUT)
            return true;
        if (event == TALK_SIGNAL) {
            on_signal(self);
            continue;
        }
        if (event == TALK_END)
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
    if (talk_result(self->talk) != TALK_SETTLED) {
        talk_complain(self->talk);
        show_doubt(self);
        show_lines(self, "not taken", talk_rest(self->talk), talk_said(self->talk));
        return EXIT_FAILURE;
    }
    if (talk_stopped(self->talk) && !self->options->quiet)
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
        on_event(self, talk_wait(self->talk, self->leaving ? -1 : STDIN_FILENO, self->signals));
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
    self.talk = talk_new(&(talk_options_t){.gateways = options->gateway,
        .name = self.name,
        .unit = "line",
        .reconnect_s = options->reconnect_s,
        .doubt = TALK_DOUBT_PASSES});
    int result = self.talk ? chat_loop(&self) : EXIT_FAILURE;
    editor_destroy(&self.editor);
    line_source_destroy(&self.input);
    talk_destroy(&self.talk);
    close(self.signals);
    return result;
}

const command_t chat_command = {
    .name = "chat",
    .synopsis = "NAME",
    .letters = "cqgh",
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
                   "When the gateway is stopped or lost, the chat goes on with the next one that\n"
                   "takes NAME. Lines that a lost gateway may have taken or not are shown.\n"
                   "\n"
                   "Exit code: 0 if the gateway took every line and ended in order; 1 if not; 2 for\n"
                   "a wrong command line.\n",
    .run = chat_run,
};
