/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include "link/taken_log.h"

enum { MANY = 5000, SESSIONS = 7 };

static void expect(taken_log_t *log, uint64_t number, uint64_t session, taken_log_answer_t answer)
{
    taken_log_answer_t got = taken_log_ask(log, number, session);
    if (got != answer)
        fail_msg("%u for session %u: %d", (unsigned)number, (unsigned)session, got);
}

static void what_was_taken_is_known_and_what_lies_behind_it_is_late(void **state)
{
    (void)state;
    taken_log_t log = {0};
    expect(&log, 1, 5, TAKEN_LOG_NEW);
    taken_log_add(&log, 3, 5);
    taken_log_add(&log, 3, 6);
    taken_log_add(&log, 9, 6);
    static const struct {
        uint64_t number, session;
        taken_log_answer_t answer;
    } questions[] = {
        {2, 5, TAKEN_LOG_LATE},
        {3, 5, TAKEN_LOG_KNOWN},
        {4, 5, TAKEN_LOG_NEW},
        {9, 5, TAKEN_LOG_NEW},
        {3, 6, TAKEN_LOG_KNOWN},
        {4, 6, TAKEN_LOG_LATE},
        {9, 6, TAKEN_LOG_KNOWN},
        {10, 6, TAKEN_LOG_NEW},
        {3, 7, TAKEN_LOG_NEW},
        {3, TAKEN_LOG_NOTICE, TAKEN_LOG_NEW},
    };
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        expect(&log, questions[i].number, questions[i].session, questions[i].answer);
    taken_log_fini(&log);
    assert_int_equal(taken_log_count(&log), 0);
}

static void what_is_taken_between_two_questions_counts(void **state)
{
    (void)state;
    taken_log_t log = {0};
    for (uint64_t number = 1; number <= MANY; number++) {
        uint64_t session = number % SESSIONS;
        expect(&log, number, session, TAKEN_LOG_NEW);
        taken_log_add(&log, number, session);
        expect(&log, number, session, TAKEN_LOG_KNOWN);
        if (number > 2 * SESSIONS)
            expect(&log, number - 2 * SESSIONS + 1, session, TAKEN_LOG_LATE); /* taken, but for another session */
    }
    assert_int_equal(taken_log_count(&log), MANY);
    taken_log_fini(&log);
}

static void the_floor_cuts_what_came_first(void **state)
{
    (void)state;
    taken_log_t log = {0};
    taken_log_cut(&log, 10, false);
    for (uint64_t number = 1; number <= MANY; number++) {
        taken_log_add(&log, number, 5);
        taken_log_cut(&log, number > 20 ? number - 20 : 1, false);
        assert_int_equal(taken_log_count(&log), number <= 20 ? number : 21);
    }
    assert_int_equal(log.capacity, 32); /* it goes round */
    expect(&log, MANY - 20, 5, TAKEN_LOG_KNOWN);
    expect(&log, MANY - 21, 5, TAKEN_LOG_LATE);
    taken_log_cut(&log, MANY + 1, false);
    assert_int_equal(taken_log_count(&log), 0);
    expect(&log, MANY, 5, TAKEN_LOG_NEW);
    taken_log_fini(&log);
}

static void what_was_sent_again_out_of_order_is_cut_behind_what_came_before_it(void **state)
{
    (void)state;
    taken_log_t log = {0};
    taken_log_add(&log, 8, 5);
    taken_log_add(&log, 3, 6);
    taken_log_add(&log, 9, 5);
    taken_log_cut(&log, 4, true);
    expect(&log, 3, 6, TAKEN_LOG_KNOWN);
    taken_log_cut(&log, 9, true);
    assert_int_equal(taken_log_count(&log), 1);
    taken_log_fini(&log);
}

static void memory_for_questions_is_freed_when_they_are_over(void **state)
{
    (void)state;
    taken_log_t log = {0};
    taken_log_add(&log, 1, 5);
    assert_null(log.index);
    taken_log_ask(&log, 1, 5);
    taken_log_cut(&log, 1, true);
    assert_non_null(log.index);
    taken_log_cut(&log, 1, false);
    assert_null(log.index);
    expect(&log, 1, 5, TAKEN_LOG_KNOWN);
    taken_log_fini(&log);
    assert_null(log.index);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(what_was_taken_is_known_and_what_lies_behind_it_is_late),
        TEST(what_is_taken_between_two_questions_counts),
        TEST(the_floor_cuts_what_came_first),
        TEST(what_was_sent_again_out_of_order_is_cut_behind_what_came_before_it),
        TEST(memory_for_questions_is_freed_when_they_are_over),
    };
    return TEST_RUN(tests);
}
