/* SPDX-License-Identifier: MPL-2.0 */
/* listen: `ferry listen NAME` logs in and prints what comes, one message a line, until the gateway ends, a signal comes
 * or enough was read. Messages go to stdout, everything else to stderr. A gateway that says why and ends in order is no
 * failure; one that is lost, or that ends before --count is reached, is. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "ferry/client.h"
#include "ferry/command.h"
#include "ferry/display.h"
#include "ferry/interrupt.h"
#include "ferry/name.h"

typedef struct {
    const options_t *options;
    const char *name;
    client_t *client;
    display_t out;
    display_t err;
    int signals;
    uint64_t count;   /* messages printed */
    uint64_t dropped; /* messages that came after the last one that was wanted */
    bool interrupted;
} listen_t;

static bool is_done(const listen_t *self)
{
    return self->options->count > 0 && self->count == self->options->count;
}

static void on_message(listen_t *self)
{
    if (is_done(self)) {
        self->dropped++;
        return;
    }
    display_line(&self->out, client_line(self->client));
    self->count++;
    if (is_done(self) || ferror(stdout))
        client_leave(self->client);
}

/* The first signal leaves in order, the second at once. */
static bool on_signal(listen_t *self)
{
    interrupt_take(self->signals);
    bool again = self->interrupted;
    self->interrupted = true;
    client_leave(self->client);
    return again;
}

static int conclude(const listen_t *self)
{
    if (self->dropped > 0)
        display_complain("ferry: messages that came later and were not printed: %" PRIu64, self->dropped);
    if (ferror(stdout)) {
        display_complain("ferry: cannot write to standard output");
        return EXIT_FAILURE;
    }
    if (is_done(self))
        return EXIT_SUCCESS;
    if (!client_settled(self->client)) {
        client_complain(self->client);
        return EXIT_FAILURE;
    }
    if (client_draining(self->client) && !self->options->quiet)
        display_complain("ferry: the gateway was stopped");
    if (self->options->count > 0)
        display_complain("ferry: only %" PRIu64 " of %" PRIu64 " messages came", self->count, self->options->count);
    return self->options->count > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int listen_loop(listen_t *self)
{
    for (;;) {
        switch (client_wait(self->client, -1, self->signals)) {
        case CLIENT_CONFIRMED:
            if (!self->options->quiet)
                display_complain("ferry: %s listens at %s", self->name, self->options->gateway);
            break;
        case CLIENT_MESSAGE:
            on_message(self);
            break;
        case CLIENT_SIGNAL:
            if (on_signal(self))
                return 128 + SIGINT;
            break;
        case CLIENT_PROGRESS:
            break;
        case CLIENT_END:
            return conclude(self);
        default:
            if (!self->options->quiet)
                display_line(&self->err, client_line(self->client));
        }
    }
}

static int listen_run(const options_t *options)
{
    static const int signals[] = {SIGINT, SIGTERM};
    listen_t self = {.options = options, .name = options->operands[0]};
    if (name_check("ferry listen", self.name))
        return COMMAND_USAGE;
    setvbuf(stdout, NULL, _IOLBF, 0);
    display_init(&self.out, stdout);
    display_init(&self.err, stderr);
    self.signals = interrupt_open(signals, 2);
    self.client = client_new(options->gateway, self.name, false);
    int result = self.client ? listen_loop(&self) : EXIT_FAILURE;
    client_destroy(&self.client);
    close(self.signals);
    return result;
}

const command_t listen_command = {
    .name = "listen",
    .synopsis = "[--count N] NAME",
    .letters = "nqgh",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "print what is sent to a name",
    .description = "Logs in as NAME and prints each message that comes as a line \"from SENDER: TEXT\"\n"
                   "on standard output, as soon as it is there. Everything else that the gateway\n"
                   "says goes to standard error. Ends when the gateway does, at Ctrl-C, or after N\n"
                   "messages.\n"
                   "\n"
                   "Exit code: 0 if N messages came, or without --count when it was interrupted or\n"
                   "the gateway was stopped in order; 1 if not; 2 for a wrong command line.\n",
    .run = listen_run,
};
