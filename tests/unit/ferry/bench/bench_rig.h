/* SPDX-License-Identifier: MPL-2.0 */
/* bench_rig: a plan as a command line would make it. */
#ifndef FERRY_TESTS_BENCH_RIG_H
#define FERRY_TESTS_BENCH_RIG_H

#include "ferry/bench/plan.h"
#include "ferry/options.h"
#include "lib/test.h"

/* `argv` holds the words behind `ferry bench`, ended by NULL. Returns what plan_init does. */
static inline int rig_plan(plan_t *plan, const char *const *argv)
{
    char *words[32] = {"ferry bench"};
    int count = 1;
    for (; argv[count - 1]; count++)
        words[count] = (char *)argv[count - 1];
    options_t options = {0};
    assert_int_equal(options_parse(&options, "ferry bench", "gpCsPRdWFHwjoh", false, count, words), 0);
    return plan_init(plan, &options);
}

#define RIG_PLAN(plan, ...) assert_int_equal(rig_plan((plan), (const char *const[]){__VA_ARGS__, NULL}), 0)

#endif
