/* SPDX-License-Identifier: MPL-2.0 */
/* What becomes of a session whose link is lost, and made again. */
#include "worker_rig.h"

/* The link is lost, and made again with a new instance. */
static void replace_broker(void)
{
    router_stop(&router);
    router_start(&router);
    router_welcome(&router);
}

/* The link is lost, and resumed, or made again with a new instance. */
static void lose_link(bool resumed)
{
    if (!resumed) {
        replace_broker();
        return;
    }
    router_stop(&router);
    router_return(&router);
    router_resume(&router);
}

static void a_name_that_was_not_confirmed_is_asked_for_on_the_next_link(void **state)
{
    (void)state;
    client_t *client = client_new();
    client_send(client, "alice");
    expect_register("alice", false);
    replace_broker();
    answer(RECORD_CONFIRMED, expect_register("alice", false));
    client_barrier(client);
}

static void a_confirmed_name_is_registered_again(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    for (unsigned resumed = 0; resumed < 2; resumed++) {
        lose_link(resumed);
        const router_event_t *event = router_expect(&router, RECORD_REGISTER);
        assert_true(event->control.name.again);
        assert_int_equal(event->control.name.session, session);
        assert_int_equal(event->control.name.term, resumed + 1); /* as it was confirmed last */
        assert_int_equal(event->control.name.serial, 1);
        router_expect(&router, RECORD_REGISTERED);
        router.serial = 0;
        router_put_origin(&router, ORIGIN, 0);
        router_put_session(&router, RECORD_CONFIRMED, session);
        deliver(1 + resumed, session, "confirmed");
        client_expect(client, "from eve: confirmed");
    }
    client_send(client, "bob: still here");
    router_expect_message(&router, 1, "still here");
}

static void a_line_that_was_not_taken_is_sent_again_and_nothing_told(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "bob, carol: hello");
    router_expect_message(&router, 1, "hello");
    replace_broker();
    expect_register("alice", true);
    assert_int_equal(router_expect_message(&router, 1, "hello")->header.flags, FRAME_FLAG_AGAIN);
    router_expect(&router, RECORD_REGISTERED);
    router_put_session(&router, RECORD_CONFIRMED, session);
    router_put_taken(&router, 2);
    router_put_origin(&router, ORIGIN, 0);
    deliver(1, session, "all is taken");
    client_expect(client, "from eve: all is taken");
    client_barrier(client);
    assert_int_equal(ledger_count("handed_over", NULL), 2);
    check_balance();
}

static void a_session_that_leaves_when_its_link_is_lost_leaves_on_the_next(void **state)
{
    (void)state;
    for (unsigned resumed = 0; resumed < 2; resumed++) {
        uint64_t session;
        client_t *client = client_open("alice", &session);
        client_send(client, "/quit");
        expect_leaving(session);
        lose_link(resumed);
        expect_leaving(session);
        router_expect(&router, RECORD_REGISTERED);
        answer(RECORD_LEFT, session);
        client_expect(client, "ok quit");
        client_expect_eof(client);
        client_close(&client);
        expect_forgotten();
    }
}

static void a_session_whose_client_goes_while_there_is_no_link_leaves_on_the_next(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    router_stop(&router);
    client_close(&client);
    router_start(&router);
    router_welcome(&router);
    const router_event_t *event = router_next(&router);
    if (event->type == RECORD_REGISTER) /* it had not seen the end yet */
        router_wait(&router, RECORD_LEAVING);
    answer(RECORD_LEFT, session);
    expect_forgotten();
}

static void a_copy_that_comes_again_too_late_is_returned(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    deliver(5, session, "five");
    client_expect(client, "from eve: five");
    for (uint64_t number = 4; number <= 6; number++) {
        router_put_run_of(&router, &(body_run_t){.handle = ORIGIN, .floor = 4, .again = true});
        router_put_copy(&router, number, &session, 1, "eve", "again");
    }
    router_flush(&router);
    client_expect(client, "from eve: again"); /* number 6 */
    expect_report(4, "alice", FERRY_REASON_LATE);
    client_barrier(client);
    assert_int_equal(ledger_count("returned", "late"), 1);
    assert_int_equal(ledger_count("delivered", NULL), 2);
    check_balance();
}

static void a_copy_that_is_no_line_is_returned(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    router.copy_flags = BODY_FLAG_OPAQUE;
    deliver(5, session, "two\nlines");
    router.copy_flags = 0;
    expect_report(5, "alice", FERRY_REASON_NOT_A_LINE);
    deliver(6, session, "one line");
    client_expect(client, "from eve: one line");
    client_barrier(client);
    assert_int_equal(ledger_count("returned", "not-a-line"), 1);
    assert_int_equal(ledger_count("delivered", NULL), 1);
    check_balance();
}

static void a_name_that_another_has_now_returns_what_still_comes(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    replace_broker();
    expect_register("alice", true);
    router_put_origin(&router, ORIGIN, 0);
    router_put(
        &router, &(control_t){.type = RECORD_DENIED, .name = {.session = session, .error = FERRY_ERROR_NAME_TAKEN}});
    router_flush(&router);
    deliver(7, session, "for the other one");
    expect_report(7, "alice", FERRY_REASON_GONE);
    client_expect(client, "error name-taken alice");
    client_expect_eof(client);
    assert_int_equal(ledger_count("returned", "gone"), 1);
    check_balance();
}

static void a_name_that_was_taken_meanwhile_ends_its_session_in_order(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "bob: unread"); /* stays in the kernel while bob is paused */
    router_expect(&router, RECORD_MESSAGE);
    replace_broker();
    expect_register("alice", true);
    router_put(
        &router, &(control_t){.type = RECORD_DENIED, .name = {.session = session, .error = FERRY_ERROR_NAME_TAKEN}});
    router_flush(&router);
    client_expect(client, "error name-taken alice");
    client_expect_eof(client);
    client_close(&client);
    expect_forgotten();
    check_balance();
}

static void a_paused_name_is_paused_again_when_it_is_confirmed_again(void **state)
{
    (void)state;
    uint64_t session;
    client_open("alice", &session);
    deliver_many(1, 100, session);
    router_wait(&router, RECORD_PAUSE);
    replace_broker();
    expect_register("alice", true);
    router_expect(&router, RECORD_ORIGIN);
    router_expect(&router, RECORD_HOLD);
    router_expect(&router, RECORD_REGISTERED);
    answer(RECORD_CONFIRMED, session);
    const router_event_t *event = router_wait(&router, RECORD_PAUSE);
    assert_true(span_equal(event->control.name.name, span_str("alice")));
}

static void what_a_slow_client_has_not_taken_is_held_and_outlives_the_link(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    deliver_many(1, 60, session);
    const control_t *record = &router_wait(&router, RECORD_HOLD)->control;
    uint64_t first = record->held.numbers.first;
    assert_in_range(first, 2, 60);
    replace_broker();
    expect_register("alice", true);
    router_expect(&router, RECORD_ORIGIN);
    record = &router_expect(&router, RECORD_HOLD)->control;
    assert_true(record->held.again);
    assert_int_equal(record->held.numbers.first, first);
    router_expect(&router, RECORD_REGISTERED);
    for (unsigned i = 0; i < 60; i++)
        client_expect_prefix(client, "from eve: xxx");
    uint32_t ended = 0;
    while (ended < 60 - first + 1)
        ended += router_wait(&router, RECORD_END)->control.held.count;
    assert_int_equal(ended, 60 - first + 1);
    check_balance();
}

static void a_node_that_was_given_up_tells_nothing_of_what_it_took_before(void **state)
{
    (void)state;
    uint64_t session, other;
    client_t *client = client_open("alice", &session);
    client_t *gone = client_open("bob", &other);
    deliver_many(1, 60, session);
    router_wait(&router, RECORD_HOLD);
    deliver_many(61, 60, other);
    router_wait(&router, RECORD_HOLD);
    router_stop(&router);
    router_return(&router);
    router_welcome(&router); /* to a fresh link of the same instance */
    for (unsigned i = 0; i < 2; i++)
        router_expect(&router, RECORD_REGISTER);
    router_expect(&router, RECORD_REGISTERED);
    client_close(&gone);
    router_expect(&router, RECORD_LEAVING); /* no REPORT comes before it */
    for (unsigned i = 0; i < 60; i++)
        client_expect_prefix(client, "from eve: xxx");
    client_send(client, "carol: nor END");
    router_expect_message(&router, 1, "nor END");
    check_balance();
}

#define SESSION_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
#define SLOW_TEST(function)    cmocka_unit_test_setup_teardown(function, setup_slow, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SESSION_TEST(a_name_that_was_not_confirmed_is_asked_for_on_the_next_link),
        SESSION_TEST(a_confirmed_name_is_registered_again),
        SESSION_TEST(a_line_that_was_not_taken_is_sent_again_and_nothing_told),
        SESSION_TEST(a_session_that_leaves_when_its_link_is_lost_leaves_on_the_next),
        SESSION_TEST(a_session_whose_client_goes_while_there_is_no_link_leaves_on_the_next),
        SESSION_TEST(a_copy_that_comes_again_too_late_is_returned),
        SESSION_TEST(a_copy_that_is_no_line_is_returned),
        SESSION_TEST(a_name_that_another_has_now_returns_what_still_comes),
        SESSION_TEST(a_name_that_was_taken_meanwhile_ends_its_session_in_order),
        SLOW_TEST(a_paused_name_is_paused_again_when_it_is_confirmed_again),
        SLOW_TEST(what_a_slow_client_has_not_taken_is_held_and_outlives_the_link),
        SLOW_TEST(a_node_that_was_given_up_tells_nothing_of_what_it_took_before),
    };
    return TEST_RUN(tests);
}
