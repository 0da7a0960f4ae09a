/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/budget.h"
#include "base/log.h"

enum { LIMIT = 32 * 1000 * 1000, STEPS = 1000 };

static budget_t budget;
static budget_account_t account;

static int setup(void **state)
{
    (void)state;
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
    budget_init(&budget, LIMIT);
    budget_account_init(&account, &budget);
    return 0;
}

/* Brings the budget to that many 32nds of its limit, and a few bytes. */
static void use(unsigned parts, int bytes)
{
    budget_account_change(&account, account.held, (size_t)(LIMIT / 32 * (int)parts + bytes));
    budget_account_tell(&account);
}

static void a_level_begins_at_its_mark_and_ends_below_it(void **state)
{
    (void)state;
    assert_int_equal(budget_look(&budget), BUDGET_FREE);
    use(16, -1);
    assert_int_equal(budget_look(&budget), BUDGET_FREE);
    use(16, 0);
    assert_int_equal(budget_look(&budget), BUDGET_SHORT);
    use(14, 0);
    assert_int_equal(budget_look(&budget), BUDGET_SHORT);
    use(30, -1);
    assert_int_equal(budget_look(&budget), BUDGET_SHORT);
    use(30, 0);
    assert_int_equal(budget_look(&budget), BUDGET_FULL);
    use(29, 0);
    assert_int_equal(budget_look(&budget), BUDGET_FULL);
    use(29, -1);
    assert_int_equal(budget_look(&budget), BUDGET_SHORT);
    use(14, -1);
    assert_int_equal(budget_look(&budget), BUDGET_FREE);
    use(33, 0);
    assert_int_equal(budget_look(&budget), BUDGET_FULL);
    use(0, 0);
    assert_int_equal(budget_look(&budget), BUDGET_FREE);
}

static void a_share_is_half_a_session_s_part_of_what_is_left(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 101; i++)
        budget_join(&budget);
    budget_leave(&budget);
    use(15, 0);
    budget_look(&budget);
    assert_true(budget_left(&budget) == SIZE_MAX);
    assert_true(budget_share(&budget) == SIZE_MAX);
    use(20, 0);
    budget_look(&budget);
    assert_int_equal(budget_left(&budget), LIMIT / 4);
    assert_int_equal(budget_share(&budget), LIMIT / 4 / 100 / 2);
    use(24, 0);
    assert_int_equal(budget_share(&budget), LIMIT / 8 / 100 / 2);
    use(28, -1);
    assert_int_equal(budget_left(&budget), 1);
    assert_int_equal(budget_share(&budget), BUDGET_SHARE_MIN);
    use(33, 5);
    assert_int_equal(budget_left(&budget), 0);
    assert_int_equal(budget_share(&budget), BUDGET_SHARE_MIN);
}

/* All sessions may fill their shares, in buffers of twice the size, and the budget is not full. */
static void shares_that_are_filled_do_not_fill_the_budget(void **state)
{
    (void)state;
    enum { SESSIONS = 7 };
    for (unsigned i = 0; i < SESSIONS; i++)
        budget_join(&budget);
    use(18, 0);
    budget_look(&budget);
    size_t share = budget_share(&budget);
    use(18, (int)(2 * SESSIONS * share));
    assert_in_range(account.held, LIMIT / 32 * 28 - 2 * SESSIONS, LIMIT / 32 * 28);
    assert_int_equal(budget_look(&budget), BUDGET_SHORT);
}

static void small_changes_are_told_together(void **state)
{
    (void)state;
    budget_account_change(&account, 0, 60 * 1024);
    assert_int_equal(budget.used, 0);
    budget_account_change(&account, 0, 10 * 1024);
    assert_int_equal(budget.used, 70 * 1024);
    budget_account_change(&account, 70 * 1024, 20 * 1024);
    assert_int_equal(budget.used, 70 * 1024);
    budget_account_change(&account, 20 * 1024, 0);
    assert_int_equal(budget.used, 0);
    budget_account_change(&account, 0, 5);
    budget_account_tell(&account);
    assert_int_equal(budget.used, 5);
    budget_account_fini(&account);
    assert_int_equal(budget.used, 0);
}

static void *run_thread(void *arg)
{
    budget_account_t own;
    (void)arg;
    budget_account_init(&own, &budget);
    for (unsigned i = 0; i < STEPS; i++) {
        budget_join(&budget);
        budget_account_change(&own, 0, 1000 * i);
        budget_look(&budget);
        budget_account_change(&own, 1000 * i, 3);
        budget_leave(&budget);
    }
    budget_account_tell(&own);
    return NULL;
}

static void accounts_of_several_threads_add_up(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_thread, NULL), 0);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(budget.used, 4 * STEPS * 3);
    assert_int_equal(budget.sessions, 0);
    assert_int_equal(budget_look(&budget), BUDGET_FREE);
}

static void the_status_tells_of_limit_use_and_level(void **state)
{
    (void)state;
    use(16, 0);
    budget_look(&budget);
    json_t *json = budget_json(&budget);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(text, "{\"limit_bytes\":32000000,\"used_bytes\":16000000,\"level\":\"short\"}");
    free(text);
    json_decref(json);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_level_begins_at_its_mark_and_ends_below_it, setup),
        cmocka_unit_test_setup(a_share_is_half_a_session_s_part_of_what_is_left, setup),
        cmocka_unit_test_setup(shares_that_are_filled_do_not_fill_the_budget, setup),
        cmocka_unit_test_setup(small_changes_are_told_together, setup),
        cmocka_unit_test_setup(accounts_of_several_threads_add_up, setup),
        cmocka_unit_test_setup(the_status_tells_of_limit_use_and_level, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
