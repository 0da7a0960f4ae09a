/* SPDX-License-Identifier: MPL-2.0 */
/* status: `ferry status` asks a process how it is, and prints its answer for people, or as it came. */
#include <jansson.h>
#include <stdlib.h>

#include "ferry/command.h"
#include "ferry/display.h"
#include "ferry/request.h"
#include "ferry/summary.h"

static int status_print(const options_t *options, const char *body)
{
    display_t out;
    display_init(&out, stdout);
    if (options->json) {
        printf("%s%s", body, *body && body[strlen(body) - 1] == '\n' ? "" : "\n");
        return EXIT_SUCCESS;
    }
    json_error_t error;
    json_t *status = json_loads(body, 0, &error);
    if (!json_is_object(status)) {
        display_complain("ferry: what answers at %s is no ferryd: %s", options->admin,
            status ? "its answer is no JSON object" : error.text);
        json_decref(status);
        return EXIT_FAILURE;
    }
    summary_write(status, &out);
    json_decref(status);
    return EXIT_SUCCESS;
}

static int status_run(const options_t *options)
{
    char *body = request_get(options->admin, "/status");
    if (!body)
        return EXIT_FAILURE;
    int result = status_print(options, body);
    free(body);
    return result;
}

const command_t status_command = {
    .name = "status",
    .synopsis = "[--json] [--admin URL]",
    .letters = "juh",
    .operands_min = 0,
    .operands_max = 0,
    .summary = "show how a process is",
    .description = "Asks the ferryd behind the admin endpoint for its state and shows it: whether it\n"
                   "is ready, its sessions and names, its links and DEALER writers, the session\n"
                   "writers that hold something, and the ledger. At rest the ledger's balance is 0.\n"
                   "\n"
                   "Exit code: 0 if the process answered, ready or not; 1 if not; 2 for a wrong\n"
                   "command line.\n",
    .run = status_run,
};
