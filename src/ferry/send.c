/* SPDX-License-Identifier: MPL-2.0 */
/* send: `ferry send` logs in, says one message or a message for each line of standard input, ends its input and waits
 * until the gateway has settled everything. What the gateway refuses is an error line on stderr; a gateway that is
 * stopped meanwhile says how many lines it took, and the user reads which is the first of the others. Success is that
 * everything was taken, without one error line. */
#include <czmq.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ferry/client.h"
#include "ferry/command.h"
#include "ferry/display.h"
#include "ferry/line_source.h"
#include "ferry/name.h"

typedef struct {
    client_t *client;
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
    client_say(self->client, span_str(self->head), text);
}

static void input_end(send_t *self)
{
    self->input_ended = true;
    client_leave(self->client);
}

static void on_confirmed(send_t *self)
{
    if (!self->text)
        return;
    say(self, span_str(self->text));
    input_end(self);
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
    if (self->input_fault)
        display_complain("ferry: cannot read standard input: %s", line_source_why(self->input_fault));
    else if (!client_settled(self->client) || !self->input_ended)
        client_complain(self->client, self->input ? "line" : "message");
    else if (client_error_count(self->client) == 0)
        return EXIT_SUCCESS;
    return EXIT_FAILURE;
}

/* Others may write to the name while it is logged in; what they say is not lost. */
static int send_loop(send_t *self)
{
    for (;;) {
        switch (client_wait(self->client, self->input_ended || !self->input ? -1 : STDIN_FILENO, -1)) {
        case CLIENT_CONFIRMED:
            on_confirmed(self);
            break;
        case CLIENT_INPUT:
            on_input(self);
            break;
        case CLIENT_MESSAGE:
            display_line(&self->out, client_line(self->client));
            break;
        case CLIENT_END:
            return conclude(self);
        default:
            display_line(&self->err, client_line(self->client));
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

static int send_run(const options_t *options)
{
    send_t self = {0};
    if (arguments_take(&self, options))
        return COMMAND_USAGE;
    display_init(&self.out, stdout);
    display_init(&self.err, stderr);
    self.head = head_new(options->operands[0]);
    self.input = self.text ? NULL : line_source_new(STDIN_FILENO);
    self.client = client_new(options->gateway, options->as);
    int result = self.client ? send_loop(&self) : EXIT_FAILURE;
    client_destroy(&self.client);
    line_source_destroy(&self.input);
    free(self.head);
    return result;
}

const command_t send_command = {
    .name = "send",
    .synopsis = "--as NAME TO[,TO...] [TEXT|-]",
    .letters = "agh",
    .operands_min = 1,
    .operands_max = 2,
    .summary = "send one message, or each line of standard input",
    .description = "Logs in as NAME and sends TEXT to every recipient TO; without TEXT, or when it\n"
                   "is \"-\", each line of standard input is a message. Then it waits until the\n"
                   "gateway has settled everything. Error lines go to standard error; what others\n"
                   "send to NAME meanwhile goes to standard output.\n"
                   "\n"
                   "Exit code: 0 if every message was accepted and none came back with an error; 1\n"
                   "if not, and a gateway that was stopped in the middle says which line is the\n"
                   "first that it did not take; 2 for a wrong command line.\n"
                   "\n"
                   "  ferry send --as alice bob 'hello, bob'\n"
                   "  ferry send --as alice bob,carol < book.txt\n",
    .run = send_run,
};
