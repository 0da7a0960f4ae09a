/* SPDX-License-Identifier: MPL-2.0 */
/* A party that has nothing to do with others' groups, services and watches. */
#include "lib/test.h"
#include "link/party_internal.h"
#include "wire/error.h"
#include "wire/reason.h"

static unsigned answers;

static void on_answer(party_t *party, party_answer_t answer, span_t name)
{
    (void)party;
    (void)answer;
    (void)name;
    answers++;
}

static const exchange_owner_t callbacks = {.on_answer = on_answer};
static exchange_t exchange = {.callbacks = &callbacks};
static party_t party;

static int setup(void **state)
{
    (void)state;
    answers = 0;
    party = (party_t){0};
    party_init(&party, &exchange);
    party_enter(&party, 1, span_str("alice"));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    party_end(&party, FERRY_REASON_GONE);
    assert_null(party.ties);
    return 0;
}

static void what_a_party_does_not_have_is_answered_and_takes_no_memory(void **state)
{
    (void)state;
    party_leave(&party, span_str("#room"));
    party_unserve(&party, span_str("@mill"));
    party_unwatch(&party, span_str("bob"));
    assert_int_equal(answers, 3);
    assert_int_equal(party_done(&party, 1), -FERRY_ERROR_NO_SUCH_JOB);
    party_presence(&party, span_str("bob"), true);
    party_pause(&party, true, true);
    assert_true(party.is_paused && party.is_spared);
    assert_true(party_is_idle(&party));
    assert_null(party.ties);
}

static void what_a_party_may_not_have_takes_no_memory(void **state)
{
    (void)state;
    assert_int_equal(party_join(&party, span_str("#room")), -FERRY_ERROR_TOO_MANY_GROUPS);
    assert_int_equal(party_serve(&party, span_str("@mill"), 1), -FERRY_ERROR_TOO_MANY_SERVICES);
    assert_int_equal(party_watch(&party, span_str("bob")), -FERRY_ERROR_TOO_MANY_WATCHES);
    assert_null(party.ties);
}

static void what_was_allocated_is_kept_while_something_is_there(void **state)
{
    (void)state;
    party_tie(&party)->group_count = 1;
    party_untie(&party);
    assert_non_null(party.ties);
    party.ties->group_count = 0;
    party.ties->job_last = 7; /* the numbers of jobs never begin anew */
    party_untie(&party);
    assert_non_null(party.ties);
    assert_int_equal(party.ties->job_last, 7);
    party.ties->job_last = 0;
    party_untie(&party);
    assert_null(party.ties);
}

#define PARTY_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        PARTY_TEST(what_a_party_does_not_have_is_answered_and_takes_no_memory),
        PARTY_TEST(what_a_party_may_not_have_takes_no_memory),
        PARTY_TEST(what_was_allocated_is_kept_while_something_is_there),
    };
    return TEST_RUN(tests);
}
