/* SPDX-License-Identifier: MPL-2.0 */
/* ledger: `ferry ledger` asks several processes for their ledgers, all at once, and again until nothing was counted
 * between two such pictures; then it adds them up, with those that drained processes left behind. What fails is a
 * process that cannot be asked; what does not balance, or does not come to rest, is an answer with an exit code of its
 * own. */
#include <czmq.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "ferry/balance.h"
#include "ferry/command.h"
#include "ferry/display.h"
#include "ferry/farewell.h"
#include "ferry/request.h"

enum { LEDGER_UNEVEN = 3, PROCESS_COUNT_MAX = 256, PICTURE_INTERVAL_MS = 250 };

typedef struct {
    const char *const *urls;
    size_t url_count;
    balance_t *picture; /* the last one; NULL before the first */
    bool at_rest;       /* it is the same as the one before */
} inquiry_t;

/* Fills in what each process answers, or left behind: "@FILE". Returns how many did not, after one sentence for each.
 */
static size_t bodies_gather(const inquiry_t *self, char **bodies)
{
    const char *asked[PROCESS_COUNT_MAX];
    char *answers[PROCESS_COUNT_MAX];
    size_t count = 0;
    size_t failures = 0;
    for (size_t i = 0; i < self->url_count; i++)
        if (*self->urls[i] != '@')
            asked[count++] = self->urls[i];
        else
            failures += !(bodies[i] = farewell_read(self->urls[i] + 1));
    failures += request_get_all(asked, count, "/status", answers);
    for (size_t i = 0, answer = 0; i < self->url_count; i++)
        if (*self->urls[i] != '@')
            bodies[i] = answers[answer++];
    return failures;
}

/* NULL after one sentence for each process that cannot be asked. */
static balance_t *picture_take(const inquiry_t *self)
{
    char *bodies[PROCESS_COUNT_MAX] = {NULL};
    size_t failures = bodies_gather(self, bodies);
    balance_t *picture = balance_new();
    for (size_t i = 0; i < self->url_count; i++) {
        const char *why = NULL;
        if (bodies[i] && balance_add(picture, self->urls[i], bodies[i], &why)) {
            display_complain("ferry: %s is no ferryd: %s", self->urls[i], why);
            failures++;
        }
        free(bodies[i]);
    }
    if (failures > 0)
        balance_destroy(&picture);
    return picture;
}

/* Takes pictures until two in a row are the same and nothing is pending, two at least. Returns 0, or -1 after one
 * sentence for each process that cannot be asked. */
static int inquire(inquiry_t *self, uint64_t wait_s)
{
    int64_t deadline_ms = zclock_mono() + (int64_t)wait_s * 1000;
    for (;;) {
        balance_t *picture = picture_take(self);
        bool first = self->picture == NULL;
        self->at_rest = picture && !first && balance_equal(self->picture, picture);
        balance_destroy(&self->picture);
        self->picture = picture;
        if (!picture)
            return -1;
        if ((self->at_rest && balance_pending(picture) == 0) || (!first && zclock_mono() >= deadline_ms))
            return 0;
        poll(NULL, 0, PICTURE_INTERVAL_MS);
    }
}

/* How an operator reads copies that are missing between the processes. */
static void explain_between(int64_t between)
{
    if (between > 0)
        display_complain("ferry: copies that were handed over and nobody here took over: %" PRId64
                         "; they are in the ledger of a process that was not asked, or has ended or was killed",
            between);
    else if (between < 0)
        display_complain(
            "ferry: copies that were taken over and nobody here handed over: %" PRId64
            "; they come from a process that was not asked, or has ended or was killed, or they are counted "
            "as unconfirmed too, because nobody could say that they were taken",
            -between);
}

static int judge(const inquiry_t *self)
{
    if (!self->at_rest) {
        display_complain("ferry: the processes are not at rest: copies were counted while they were asked (--wait "
                         "SECONDS waits longer)");
        return LEDGER_UNEVEN;
    }
    if (balance_pending(self->picture) > 0)
        display_complain(
            "ferry: copies that have not ended: %" PRIu64 "; they wait for somebody", balance_pending(self->picture));
    if (balance_holds(self->picture))
        return EXIT_SUCCESS;
    explain_between(balance_between(self->picture));
    display_complain("ferry: the ledger does not balance");
    return LEDGER_UNEVEN;
}

static void print(const inquiry_t *self, bool json)
{
    display_t out;
    display_init(&out, stdout);
    if (!json) {
        balance_write(self->picture, &out);
        return;
    }
    json_t *object = balance_json(self->picture, self->at_rest);
    json_dumpf(object, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(object);
}

/* A process that is named twice would be counted twice. */
static int urls_check(const inquiry_t *self)
{
    for (size_t i = 0; i < self->url_count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(self->urls[i], self->urls[j]) == 0) {
                display_complain("ferry ledger: %s is named twice", self->urls[i]);
                return -1;
            }
    return 0;
}

static int ledger_run(const options_t *options)
{
    inquiry_t self = {.urls = &options->admin, .url_count = 1};
    if (options->operand_count > 0) {
        self.urls = (const char *const *)options->operands;
        self.url_count = (size_t)options->operand_count;
    }
    if (urls_check(&self))
        return COMMAND_USAGE;
    int result = EXIT_FAILURE;
    if (!inquire(&self, options->wait_s)) {
        print(&self, options->json);
        fflush(stdout);
        result = judge(&self);
    }
    balance_destroy(&self.picture);
    return result;
}

const command_t ledger_command = {
    .name = "ledger",
    .synopsis = "[--json] [--wait SECONDS] [URL|@FILE...]",
    .letters = "jwuh",
    .operands_min = 0,
    .operands_max = PROCESS_COUNT_MAX,
    .summary = "add up the ledgers of several processes",
    .description = "Asks the ferryd behind each admin endpoint URL for its ledger, all of them at\n"
                   "once and again until two pictures in a row are the same, and prints what each\n"
                   "has counted, the sum, the ends by reason, and what lies between the processes.\n"
                   "Every copy must be accounted for: at rest each balance is 0, and as many copies\n"
                   "were handed over as were taken over. Without URL it is the one of --admin.\n"
                   "\n"
                   "The ledger of a process that was killed is gone, and what it handed over or took\n"
                   "over is then missing between the others. That of one that was drained is in what\n"
                   "`ferry drain` printed: give it as @FILE.\n"
                   "\n"
                   "Exit code: 0 if all balances; 1 if a process could not be asked; 2 for a wrong\n"
                   "command line; 3 if it does not balance, or the processes are not at rest.\n"
                   "\n"
                   "  ferry ledger --wait 10 http://127.0.0.1:7480 http://127.0.0.1:7481\n",
    .run = ledger_run,
};
