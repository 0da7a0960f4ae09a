/* SPDX-License-Identifier: MPL-2.0 */
/* send: `ferry send` logs in, says one message or a message for each line of standard input, and waits until all of
 * them have ended. What the gateway refuses is an error line on stderr. When a gateway is stopped meanwhile, another
 * takes over exactly where it stopped; when one is lost, the user reads which lines are in doubt, or they are said
 * again. Success is that everything was taken, without one error line. */
#include <czmq.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ferry/command.h"
#include "ferry/display.h"
#include "ferry/line_source.h"
#include "ferry/name.h"
#include "ferry/talk.h"

enum { SEND_DOUBTED = 5 }; /* the exit code when lines are in doubt */

typedef struct {
    talk_t *talk;
    line_source_t *input; /* NULL when the text came on the command line */
    const char *text;     /* NULL when it comes from standard input */
    char *head;           /* "bob, alice: " */
    display_t out;
    display_t err;
    int input_fault; /* the negative result that ended the input, or 0 */
    bool input_ended;
} send_t;

static void say(send_t *self, span_t text)
{
    talk_say(self->talk, span_str(self->head), text);
}

static void input_end(send_t *self)
{
    self->input_ended = true;
    talk_leave(self->talk);
}

static void on_input(send_t *self)
{
    int result = line_source_read(self->input);
    span_t line;
    while (line_source_next(self->input, &line))
        say(self, line);
    if (result < 0 && result != -EAGAIN)
        self->input_fault = result;
    if (result == 0 || self->input_fault)
        input_end(self);
}

static int conclude(const send_t *self)
{
    talk_result_t result = talk_result(self->talk);
    if (result != TALK_SETTLED || !self->input_ended)
        talk_complain(self->talk);
    if (result == TALK_DOUBTED)
        return SEND_DOUBTED;
    if (self->input_fault)
        display_complain("ferry: cannot read standard input: %s", line_source_why(self->input_fault));
    else if (result == TALK_SETTLED && self->input_ended && talk_error_count(self->talk) == 0)
        return EXIT_SUCCESS;
    return EXIT_FAILURE;
}

/* Others may write to the name while it is logged in; what they say is not lost. */
static int send_loop(send_t *self)
{
    for (;;) {
        switch (talk_wait(self->talk, self->input_ended || !self->input ? -1 : STDIN_FILENO, -1)) {
        case TALK_INPUT:
            on_input(self);
            break;
        case TALK_MESSAGE:
            display_line(&self->out, talk_line(self->talk));
            break;
        case TALK_ERROR:
        case TALK_ANSWER:
            display_line(&self->err, talk_line(self->talk));
            break;
        case TALK_STOPPED:
            display_complain("ferry: the gateway was stopped; reconnecting");
            break;
        case TALK_LOST:
            display_complain("ferry: the connection was lost; reconnecting");
            break;
        case TALK_END:
            return conclude(self);
        default:
            break;
        }
    }
}

/* What the arguments mean; 0, or -1 after one sentence. */
static int arguments_take(send_t *self, const options_t *options)
{
    static const char who[] = "ferry send";
    const char *text = options->operand_count > 1 ? options->operands[1] : NULL;
    if (!options->as) {
        display_complain("%s: --as NAME is missing: who is the sender?", who);
        return -1;
    }
    if (name_check(who, options->as) || name_check_recipients(who, options->operands[0]))
        return -1;
    if (!text && isatty(STDIN_FILENO)) {
        display_complain("%s: there is no TEXT, and standard input is a terminal; write - to type messages", who);
        return -1;
    }
    self->text = text && strcmp(text, "-") != 0 ? text : NULL;
    if (!self->text || !strchr(self->text, '\n'))
        return 0;
    display_complain("%s: TEXT holds more than one line; a message is one line, and standard input takes many", who);
    return -1;
}

static char *head_new(const char *recipients)
{
    size_t size = strlen(recipients) + sizeof ": ";
    char *head = zmalloc(size);
    snprintf(head, size, "%s: ", recipients);
    return head;
}

static int send_start(send_t *self)
{
    if (self->text) {
        say(self, span_str(self->text));
        input_end(self);
    }
    return send_loop(self);
}

static int send_run(const options_t *options)
{
    send_t self = {0};
    if (arguments_take(&self, options))
        return COMMAND_USAGE;
    display_init(&self.out, stdout);
    display_init(&self.err, stderr);
    self.head = head_new(options->operands[0]);
    self.input = self.text ? NULL : line_source_new(STDIN_FILENO);
    self.talk = talk_new(&(talk_options_t){.gateways = options->gateway,
        .name = options->as,
        .unit = self.text ? "message" : "line",
        .reconnect_s = options->reconnect_s,
        .doubt = options->resend ? TALK_DOUBT_REPEATS : TALK_DOUBT_ENDS});
    int result = self.talk ? send_start(&self) : EXIT_FAILURE;
    talk_destroy(&self.talk);
    line_source_destroy(&self.input);
    free(self.head);
    return result;
}

const command_t send_command = {
    .name = "send",
    .synopsis = "--as NAME [--resend] TO[,TO...] [TEXT|-]",
    .letters = "arcgh",
    .operands_min = 1,
    .operands_max = 2,
    .summary = "send one message, or each line of standard input",
    .description = "Logs in as NAME and sends TEXT to every recipient TO; without TEXT, or when it\n"
                   "is \"-\", each line of standard input is a message. Then it waits until the\n"
                   "gateway has settled everything. Error lines go to standard error; what others\n"
                   "send to NAME meanwhile goes to standard output.\n"
                   "\n"
                   "When the gateway is stopped, the next one that takes NAME goes on with the first\n"
                   "line that was not taken: none is lost, and none is sent twice. When the gateway\n"
                   "is lost without a word, the lines that it may have taken or not are named and\n"
                   "not sent again; --resend sends them again, some of them maybe twice.\n"
                   "\n"
                   "Exit code: 0 if every message was accepted and none came back with an error; 1\n"
                   "if not, and the first line that was not taken is named; 2 for a wrong command\n"
                   "line; 5 if lines are in doubt.\n"
                   "\n"
                   "  ferry send --as alice bob 'hello, bob'\n"
                   "  ferry send --as alice bob,carol < book.txt\n",
    .run = send_run,
};
