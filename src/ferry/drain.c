/* SPDX-License-Identifier: MPL-2.0 */
/* drain: `ferry drain` asks a process to stop in order, prints the steps as they happen, and exits with the code that
 * the process will exit with. */
#include <stdlib.h>

#include "ferry/command.h"
#include "ferry/display.h"
#include "ferry/request.h"

typedef struct {
    display_t out;
    int result; /* the process's exit code, or -1 while it has not said it */
} drain_t;

/* "result N" is the last line; everything before it is for the user. */
static bool on_line(void *arg, span_t line)
{
    drain_t *self = arg;
    char digits[4];
    size_t head = strlen("result ");
    size_t size = line.size - head;
    if (line.size > head && size < sizeof digits && memcmp(line.data, "result ", head) == 0) {
        memcpy(digits, line.data + head, size);
        digits[size] = '\0';
        self->result = atoi(digits) & 0xff;
    }
    display_text(&self->out, line);
    fflush(stdout);
    return self->result < 0;
}

static const char *result_meaning(int result)
{
    switch (result) {
    case 0:
        return "everything ended; nothing was lost";
    case 3:
        return "the drain lost something or ran out of time";
    case 4:
        return "a second signal cut the drain short";
    default:
        return "the process failed";
    }
}

static int drain_run(const options_t *options)
{
    drain_t self = {.result = -1};
    display_init(&self.out, stdout);
    int posted = request_post(options->admin, "/drain", "X-Ferry-Drain: 1", on_line, &self);
    if (self.result >= 0) {
        if (!options->quiet)
            display_complain("ferry: %s", result_meaning(self.result));
        return self.result;
    }
    if (!posted)
        display_complain("ferry: the process ended its answer without a result");
    return EXIT_FAILURE;
}

const command_t drain_command = {
    .name = "drain",
    .synopsis = "[--admin URL]",
    .letters = "quh",
    .operands_min = 0,
    .operands_max = 0,
    .summary = "stop a process in order, and watch",
    .description = "Asks the ferryd behind the admin endpoint to drain: no new work, everything\n"
                   "pending settled, then the end. Prints each step as it happens, the ledger, and\n"
                   "the result. It has to run on the machine of that ferryd. Interrupting it does\n"
                   "not interrupt the drain.\n"
                   "\n"
                   "Exit code: that of the drained process (0 everything ended, 3 something was lost\n"
                   "or time ran out, 4 a second signal); 1 if no drain could be started or its end\n"
                   "was not seen; 2 for a wrong command line.\n",
    .run = drain_run,
};
