/* SPDX-License-Identifier: MPL-2.0 */
/* chaos_main: the options, one cmocka test for each fault, and the table. The seed is that of the clock unless an
 * option gives one, and is printed; each fault draws from it by its name, so that it does the same alone. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chaos/chaos_internal.h"
#include "lib/deadline.h"
#include "lib/test.h"

#define FAULTS_MAX   32
#define EXIT_SKIPPED 77 /* as CTest is told */

/* What the options say, for all tests of the program. */
static struct {
    uint64_t seed;
    unsigned times; /* 0: as the fault says */
    bool is_long;
    const char *table; /* a file to add the rows to, or NULL */
} options;

typedef struct {
    const chaos_fault_t *fault;
    result_t result;
    bool skipped;
} trial_t;

#define TIMES_OF_SLOW 4 /* injections in a build that needs patience, which would take too long for more */

static uint64_t seed_of(const chaos_fault_t *fault)
{
    uint64_t seed = options.seed;
    for (const char *at = fault->name; *at; at++)
        seed = seed * 31 + (unsigned char)*at;
    return seed;
}

static void run_trial(void **state)
{
    trial_t *trial = *state;
    const chaos_fault_t *fault = trial->fault;
    const char *lacks = fault->lacks ? fault->lacks() : NULL;
    if (lacks) {
        trial->skipped = true;
        print_message("SKIP %s: %s\n", fault->name, lacks);
        skip();
    }
    unsigned times = options.is_long ? fault->long_times : fault->times;
    if (!options.is_long && deadline_patience() > 1 && times > TIMES_OF_SLOW)
        times = TIMES_OF_SLOW;
    trial->result.failed = "failed";
    chaos_run(fault, options.times ? options.times : times, seed_of(fault), &trial->result);
}

static void print_usage(const char *program, const chaos_fault_t *faults, size_t count)
{
    printf("usage: %s [--long] [--fault NAME] [--seed N] [--times N] [--table FILE]\n\n", program);
    for (size_t i = 0; i < count; i++)
        printf("%-28s%s\n", faults[i].name, faults[i].what);
}

/* Reads the options; `*only` is the fault that is picked, or NULL. Returns whether to go on. */
static bool read_options(int argc, char **argv, const chaos_fault_t *faults, size_t count, const char **only)
{
    static const struct option known[] = {{"long", no_argument, NULL, 'l'}, {"fault", required_argument, NULL, 'f'},
        {"seed", required_argument, NULL, 's'}, {"times", required_argument, NULL, 'n'},
        {"table", required_argument, NULL, 't'}, {"help", no_argument, NULL, 'h'}, {0}};
    options.seed = (uint64_t)time(NULL);
    for (int found; (found = getopt_long(argc, argv, "", known, NULL)) >= 0;) {
        if (found == 'l')
            options.is_long = true;
        else if (found == 'f')
            *only = optarg;
        else if (found == 's')
            options.seed = strtoull(optarg, NULL, 10);
        else if (found == 'n')
            options.times = (unsigned)strtoul(optarg, NULL, 10);
        else if (found == 't')
            options.table = optarg;
        else
            return print_usage(argv[0], faults, count), false;
    }
    return true;
}

/* Prints the table, and adds its rows to the file that the options name. Returns how many were skipped. */
static size_t report(trial_t *trials, size_t count)
{
    size_t skipped = 0;
    FILE *file = options.table ? fopen(options.table, "ae") : NULL;
    result_print_head(stdout);
    for (size_t i = 0; i < count; i++) {
        skipped += trials[i].skipped;
        trials[i].result.failed = trials[i].skipped ? "skipped" : trials[i].result.failed;
        result_print(&trials[i].result, stdout);
        if (file)
            result_print(&trials[i].result, file);
        result_fini(&trials[i].result);
    }
    if (file)
        fclose(file);
    return skipped;
}

int chaos_main(int argc, char **argv, const chaos_fault_t *faults, size_t count)
{
    static trial_t trials[FAULTS_MAX];
    static struct CMUnitTest tests[FAULTS_MAX];
    const char *only = NULL;
    size_t picked = 0;
    if (!read_options(argc, argv, faults, count, &only))
        return EXIT_FAILURE;
    for (size_t i = 0; i < count; i++) {
        if (only && strcmp(only, faults[i].name) != 0)
            continue;
        trials[picked] = (trial_t){.fault = &faults[i], .result = {.fault = faults[i].name}};
        tests[picked] = (struct CMUnitTest){faults[i].name, run_trial, NULL, test_clear, &trials[picked]};
        picked++;
    }
    printf("seed %" PRIu64 "\n", options.seed);
    int failed = _cmocka_run_group_tests("chaos", tests, picked, NULL, NULL);
    size_t skipped = report(trials, picked);
    return !failed && skipped > 0 && skipped == picked ? EXIT_SKIPPED : failed;
}
