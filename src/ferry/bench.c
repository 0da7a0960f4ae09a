/* SPDX-License-Identifier: MPL-2.0 */
/* bench: `ferry bench` measures what a router does: clients that it plays itself exchange messages, each of which is
 * checked, and what was delivered, how fast, and what it cost is printed. */
#include <stdlib.h>

#include "ferry/bench/gateways.h"
#include "ferry/bench/outcome.h"
#include "ferry/bench/plan.h"
#include "ferry/bench/plot.h"
#include "ferry/bench/trial.h"
#include "ferry/bench/watched.h"
#include "ferry/command.h"
#include "ferry/display.h"

/* Prints what was found. Returns the exit code. */
static int report(const outcome_t *outcome)
{
    const plan_t *plan = outcome->plan;
    if (plan->wants_json)
        outcome_write_json(outcome, stdout);
    else
        outcome_write(outcome, stdout);
    bool is_drawn = !plan->plot || plot_draw(plan->plot, outcome) == 0;
    if (!outcome_is_good(outcome))
        display_complain("ferry bench: not every message arrived once and in order: %llu were lost, %llu doubled, and "
                         "%llu late",
            (unsigned long long)outcome->lost, (unsigned long long)outcome->doubled, (unsigned long long)outcome->late);
    else if (plan_has_messages(plan) && outcome->messages == 0)
        display_complain("ferry bench: no message arrived in the time that was measured");
    else if (is_drawn && fflush(stdout) == 0)
        return EXIT_SUCCESS;
    return EXIT_FAILURE;
}

static int run_plan(const plan_t *plan, const options_t *options, const watched_t *watched)
{
    gateways_t gateways;
    outcome_t outcome;
    /* The user's own gateway is a gateway; another router is where it usually is. */
    bool is_gateway = options->gateway_given || plan->protocol == &protocol_line;
    const char *addresses = is_gateway ? options->gateway : plan->protocol->address;
    if (gateways_init(&gateways, addresses))
        return EXIT_FAILURE;
    outcome_init(&outcome, plan);
    int result = trial_run(plan, &gateways, watched, options->watch_count, &outcome) ? EXIT_FAILURE : report(&outcome);
    outcome_fini(&outcome);
    return result;
}

static int bench_run(const options_t *options)
{
    static watched_t watched[WATCHED_MAX];
    plan_t plan = {0};
    int result = plan_init(&plan, options) || (plan.plot && plot_check(plan.plot)) ? COMMAND_USAGE : EXIT_SUCCESS;
    for (unsigned i = 0; i < options->watch_count && result == EXIT_SUCCESS; i++)
        result = watched_init(&watched[i], options->watches[i]) ? COMMAND_USAGE : EXIT_SUCCESS;
    if (result == EXIT_SUCCESS)
        result = run_plan(&plan, options, watched);
    plan_fini(&plan);
    return result;
}

const command_t bench_command = {
    .name = "bench",
    .synopsis = "WORK [OPTION]...",
    .letters = "gpCsPRdWFHwjoh",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "measure a router, and check every message",
    .description = "Plays many clients of a router, checks that every message arrives whole, once\n"
                   "and in order, and prints how many were delivered, how fast, and their cost.\n"
                   "\n"
                   "WORK is one of\n"
                   "  pairs     half of the clients write, each to a reader of its own\n"
                   "  any       each client writes to all others in turns\n"
                   "  fanout    one client writes to a group that all others are in\n"
                   "  pingpong  in each pair one message is under way, to and fro\n"
                   "  idle      clients log in and stay: memory for each (messages with --rate)\n"
                   "  logins    clients log in, leave, and log in again\n"
                   "\n"
                   "Without --rate a client writes as fast as it may. With it, messages are due at\n"
                   "even distances whatever happens, and latency is counted from the moment at which\n"
                   "a message was due until its reader has read it: what had to wait because the\n"
                   "router was slow counts in full, so there is no coordinated omission. Latency is\n"
                   "measured with --rate, with --pipeline, and in pingpong.\n"
                   "\n"
                   "A router that limits sessions or logins of one address limits this, too; see\n"
                   "ferry(1). Exit code: 0 if every message arrived once and in order; 1 if not, or\n"
                   "the router refused something; 2 for a wrong command line.\n"
                   "\n"
                   "  ferry bench pairs --clients 100 --size 16 --watch ferryd=$(pidof ferryd)\n"
                   "  ferry bench any --rate 20000 --plot latency.svg\n"
                   "  ferry bench pairs --protocol nats --gateway 127.0.0.1:4222 --pipeline 100\n",
    .run = bench_run,
};
