/* SPDX-License-Identifier: MPL-2.0 */
#include "settling.h"

#include "broker/who.h"

static void ask(dealer_t *dealer, uint64_t session, const char *prefix)
{
    dealer_put(dealer, &(control_t){.type = RECORD_WHO, .who = {.session = session, .names = span_str(prefix)}});
    dealer_flush(dealer);
}

/* The next WHO-IS; `names` are separated by spaces. */
static void expect_names(dealer_t *dealer, uint64_t session, const char *names, bool more)
{
    char found[8192] = "";
    const control_t *record = &dealer_wait(dealer, RECORD_WHO_IS)->control;
    assert_int_equal(record->who.session, session);
    assert_int_equal(record->who.more, more);
    for (span_t rest = record->who.names; rest.size > 0;) {
        span_t name = body_name_next(&rest);
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%.*s", *found ? " " : "", (int)name.size,
            name.data);
    }
    assert_string_equal(found, names);
}

static void names_that_begin_so_are_told_in_the_order_of_their_bytes(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&a, SESSION(1, 3), "bo");
    dealer_login(&b, SESSION(1, 3), "B");
    dealer_login(&b, SESSION(1, 4), "b");
    dealer_login(&b, LINK_SESSION_GROUP | SESSION(1, 5), "#b");
    dealer_login(&b, LINK_SESSION_SERVICE | SESSION(1, 6), "@b");
    ask(&a, SESSION(1, 1), "");
    expect_names(&a, SESSION(1, 1), "B alice b bo bob", false);
    ask(&a, SESSION(1, 1), "bo");
    expect_names(&a, SESSION(1, 1), "bo bob", false);
    ask(&a, SESSION(1, 1), "#");
    expect_names(&a, SESSION(1, 1), "#b", false);
    ask(&a, SESSION(1, 1), "@");
    expect_names(&a, SESSION(1, 1), "@b", false);
    ask(&a, SESSION(1, 1), "@c");
    expect_names(&a, SESSION(1, 1), "", false);
}

static void the_first_of_many_are_told_and_that_there_are_more(void **state)
{
    (void)state;
    char expected[8192] = "", name[16];
    pair_open();
    for (unsigned i = 0; i <= WHO_NAMES_MAX; i++) {
        snprintf(name, sizeof name, "n%03u", (i * 7) % (WHO_NAMES_MAX + 1)); /* in some other order */
        dealer_put_register(&b, SESSION(1, 10 + i), name);
    }
    dealer_flush(&b);
    for (unsigned i = 0; i <= WHO_NAMES_MAX; i++)
        dealer_expect(&b, RECORD_CONFIRMED);
    for (unsigned i = 0; i < WHO_NAMES_MAX; i++)
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%sn%03u", i ? " " : "", i);
    ask(&a, SESSION(1, 1), "n");
    expect_names(&a, SESSION(1, 1), expected, true);
    ask(&a, SESSION(1, 1), "n200");
    expect_names(&a, SESSION(1, 1), "n200", false);
}

static void each_session_has_one_question_and_each_is_answered(void **state)
{
    (void)state;
    pair_open();
    ask(&a, SESSION(1, 1), "x");
    dealer_put(&a, &(control_t){.type = RECORD_WHO, .who = {.session = SESSION(1, 1), .names = span_str("a")}});
    ask(&a, SESSION(1, 2), "b");
    const control_t *record = &dealer_wait(&a, RECORD_WHO_IS)->control;
    if (record->who.names.size == 0) /* x was answered before it was taken back */
        record = &dealer_wait(&a, RECORD_WHO_IS)->control;
    assert_int_equal(record->who.session, SESSION(1, 1));
    assert_true(span_equal(record->who.names, span_str("\5alice")));
    expect_names(&a, SESSION(1, 2), "bob", false);
}

static void who_is_leaving_is_not_there(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "hello");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "hello");
    dealer_put(&b, &(control_t){.type = RECORD_LEAVING, .name.session = SESSION(1, 2)});
    dealer_flush(&b); /* and nothing is acknowledged */
    dealer_barrier(&a, 9);
    broker_wait_number("counters.messages", 1);
    ask(&b, SESSION(1, 2), "b");
    expect_names(&b, SESSION(1, 2), "", false);
}

static void nobody_is_told_while_the_broker_settles(void **state)
{
    (void)state;
    alice_comes_back();
    ask(&a, SESSION(1, 1), "");
    come_back(&b, 0xb, 0);
    register_again(&b, SESSION(1, 2), "bob");
    expect_names(&a, SESSION(1, 1), "alice bob", false);
}

static void the_questions_of_a_node_go_with_it(void **state)
{
    (void)state;
    pair_open();
    ask(&a, SESSION(1, 1), "");
    dealer_put(&a, &(control_t){.type = RECORD_BYE, .number = 4711});
    dealer_flush(&a);
    dealer_wait(&b, RECORD_GONE);
    ask(&b, SESSION(1, 2), "");
    expect_names(&b, SESSION(1, 2), "bob", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(names_that_begin_so_are_told_in_the_order_of_their_bytes),
        BROKER_TEST(the_first_of_many_are_told_and_that_there_are_more),
        BROKER_TEST(each_session_has_one_question_and_each_is_answered),
        BROKER_TEST(who_is_leaving_is_not_there),
        BROKER_TEST(nobody_is_told_while_the_broker_settles),
        BROKER_TEST(the_questions_of_a_node_go_with_it),
    };
    return BROKER_RUN(tests);
}
