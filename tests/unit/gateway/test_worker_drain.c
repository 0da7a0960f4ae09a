/* SPDX-License-Identifier: MPL-2.0 */
/* The orderly stop of a worker, step by step: the test is main, broker and clients. */
#include "worker_rig.h"

/* DRAIN with that much time; READY is not of interest any more. */
static void drain(unsigned left_ms)
{
    char *ready = NULL;
    expect_word("READY", &ready, NULL);
    zstr_free(&ready);
    char text[16];
    snprintf(text, sizeof text, "%u", left_ms);
    zstr_sendx(worker, "DRAIN", text, NULL);
}

static void leave(void)
{
    zstr_send(worker, "LEAVE");
    router_wait(&router, RECORD_LEAVE);
    router_put_empty(&router, RECORD_LEAVE_OK);
    router_flush(&router);
}

/* Answers BYE, and expects DRAINED with that number of lost copies and a ledger that balances. */
static void part(unsigned lost)
{
    char *count = NULL, *text = NULL;
    ledger_t ledger;
    uint64_t pending;
    router_put(
        &router, &(control_t){.type = RECORD_BYE_OK, .number = router_wait(&router, RECORD_BYE)->control.number});
    router_flush(&router);
    expect_word("DRAINED", &count, &text);
    assert_int_equal(strtoul(count, NULL, 10), lost);
    json_t *json = json_loads(text, 0, NULL);
    assert_int_equal(ledger_from_json(&ledger, &pending, json), 0);
    assert_int_equal(ledger_balance(&ledger, pending), 0);
    assert_int_equal(pending, lost);
    json_decref(json);
    zstr_free(&count);
    zstr_free(&text);
}

static void a_worker_without_sessions_drains_in_order(void **state)
{
    (void)state;
    drain(60000);
    expect_word("SETTLED", NULL, NULL);
    leave();
    part(0);
}

static void open_sessions_are_told_what_was_accepted(void **state)
{
    (void)state;
    uint64_t session, other;
    client_t *client = client_open("alice", &session), *friend = client_open("bob", &other);
    client_send(client, "bob: one\nnonsense\nbob: two"); /* the barrier was a line, too */
    client_expect(client, "error bad-line");
    router_expect_message(&router, 1, "one");
    router_expect_message(&router, 2, "two");
    answer_taken(3);
    drain(60000);
    client_expect(client, "info draining");
    client_expect(friend, "info draining");
    expect_word("SETTLED", NULL, NULL);
    client_send(client, "bob: beyond what is counted");
    leave();
    client_expect(client, "info accepted 4");
    client_expect_eof(client);
    client_close(&client);
    client_expect(friend, "info accepted 1");
    client_expect_eof(friend);
    client_close(&friend);
    part(0);
}

static void what_lies_in_the_kernel_is_taken_before_the_end(void **state)
{
    (void)state;
    enum { MANY = 200 };
    uint64_t session;
    char line[32], expected[32];
    client_t *client = client_open("alice", &session);
    /* A worker that is busy with its link reads them all in one snapshot or in pieces; each is counted once. */
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(line, sizeof line, "bob: %u", i);
        client_send(client, line);
    }
    drain(60000);
    client_expect(client, "info draining");
    unsigned count = 0;
    for (; count < MANY; count++) {
        snprintf(expected, sizeof expected, "%u", count);
        router_expect_message(&router, count + 1, expected);
    }
    answer_taken(MANY + 1);
    expect_word("SETTLED", NULL, NULL);
    leave();
    snprintf(expected, sizeof expected, "info accepted %u", MANY + 1);
    client_expect(client, expected);
    client_expect_eof(client);
    client_close(&client);
    part(0);
}

static void a_session_that_waits_stops_where_it_is(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    router_put(&router, &(control_t){.type = RECORD_PAUSE, .name.name = span_str("bob")});
    router_flush(&router);
    deliver(1, session, "the pause is known");
    client_expect(client, "from eve: the pause is known");
    client_send(client, "carol: one\nbob: two\ncarol: three");
    router_expect_message(&router, 1, "one");
    answer_taken(2);
    drain(60000);
    client_expect(client, "info draining");
    expect_word("SETTLED", NULL, NULL);
    router_put(&router, &(control_t){.type = RECORD_RESUME, .name.name = span_str("bob")});
    router_flush(&router);
    leave();
    client_expect(client, "info accepted 2");
    client_expect_eof(client);
    client_close(&client);
    part(0);
}

static void settling_waits_for_what_is_held(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "bob: one");
    router_expect_message(&router, 1, "one");
    drain(60000);
    client_expect(client, "info draining");
    router_put_numbers(&router, RECORD_HELD, 1);
    answer_taken(2);
    deliver(1, session, "still open");
    client_expect(client, "from eve: still open");
    router_put_notice(&router, &(body_notice_t){.error = FERRY_ERROR_UNDELIVERED,
                                   .reason = FERRY_REASON_STALLED,
                                   .number = 1,
                                   .session = UINT64_MAX,
                                   .name = span_str("bob"),
                                   .taken = true});
    router_put_numbers(&router, RECORD_ENDED, 1);
    router_flush(&router);
    client_expect(client, "error undelivered bob stalled");
    expect_word("SETTLED", NULL, NULL);
    leave();
    client_expect(client, "info accepted 2");
    client_expect_eof(client);
    client_close(&client);
    part(0);
}

/* A copy for a client that is gone, under the number of its report. */
static void deliver_in_vain(uint64_t number, uint64_t session, uint64_t report)
{
    deliver(number, session, "in vain");
    assert_int_equal(router_wait(&router, RECORD_REPORT)->number, report);
}

static void settling_waits_for_no_report_that_comes_later(void **state)
{
    (void)state;
    uint64_t session, gone;
    client_t *client = client_open("alice", &session), *leaver = client_open("bob", &gone);
    client_send(client, "carol: one");
    router_expect_message(&router, 1, "one");
    client_close(&leaver);
    router_wait(&router, RECORD_LEAVING);
    drain(60000);
    client_expect(client, "info draining");
    deliver_in_vain(1, gone, 2);
    answer_taken(2);
    deliver(2, session, "the message is settled");
    client_expect(client, "from eve: the message is settled");
    deliver_in_vain(3, gone, 3);
    answer_taken(3);
    expect_word("SETTLED", NULL, NULL);
    answer_taken(4);
    leave();
    client_expect(client, "info accepted 2");
    client_expect_eof(client);
    client_close(&client);
    part(0);
}

static void logins_from_now_on_are_refused(void **state)
{
    (void)state;
    client_t *early = client_new(), *asking = client_new();
    client_send(asking, "bob");
    uint64_t session = expect_register("bob", false);
    drain(60000);
    client_expect(early, "error draining");
    client_expect_eof(early);
    client_expect(asking, "error draining");
    router_expect(&router, RECORD_STOPPING);
    expect_leaving(session);
    client_expect_eof(asking);
    answer(RECORD_LEFT, session);
    client_t *late = client_new();
    client_expect(late, "error draining");
    client_expect_eof(late);
    client_close_all();
    expect_word("SETTLED", NULL, NULL);
    leave();
    part(0);
}

static void what_a_client_does_not_take_is_returned_in_time(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    char text[1001];
    uint64_t session;
    client_t *client = client_open("alice", &session);
    memset(text, 'x', 1000);
    text[1000] = '\0';
    router_put_run(&router, ORIGIN);
    for (unsigned i = 1; i <= MANY; i++)
        router_put_copy(&router, i, &session, 1, "eve", text);
    router_flush(&router);
    uint64_t first = router_wait(&router, RECORD_HOLD)->control.held.numbers.first;
    drain(3000);
    expect_word("SETTLED", NULL, NULL);
    leave();
    const router_event_t *event = router_wait(&router, RECORD_REPORT);
    assert_int_equal(event->record.report.reason, FERRY_REASON_DRAINED);
    /* The line that was begun is not among them. */
    uint64_t returned = event->record.report.number;
    assert_in_range(returned, first, first + 1);
    while (event->record.report.number < MANY)
        event = router_wait(&router, RECORD_REPORT);
    answer_taken(event->number + 1);
    for (uint64_t number = 1; number < returned; number++)
        client_expect_prefix(client, "from eve: xxx");
    client_expect(client, "info accepted 1");
    client_expect_eof(client);
    client_close(&client);
    part(0);
}

/* A broker that gives nodes up soon. */
static int setup_hasty(void **state)
{
    setup_greeting(state);
    router.welcome.welcome.timeout_ms = 300;
    router_join(&router);
    return 0;
}

static void a_broker_that_is_gone_does_not_hold_up_the_end(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    router_stop(&router);
    drain(60000);
    client_expect(client, "info draining");
    expect_word("SETTLED", NULL, NULL);
    zstr_send(worker, "LEAVE");
    client_expect(client, "info accepted 1");
    client_expect_eof(client);
    client_close(&client);
    char *lost = NULL, *ledger = NULL;
    expect_word("DRAINED", &lost, &ledger);
    assert_string_equal(lost, "0");
    zstr_free(&lost);
    zstr_free(&ledger);
}

static void a_link_that_is_lost_while_the_worker_leaves_is_left_on_the_next(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    drain(60000);
    client_expect(client, "info draining");
    expect_word("SETTLED", NULL, NULL);
    zstr_send(worker, "LEAVE");
    router_wait(&router, RECORD_LEAVE);
    router_stop(&router);
    router_return(&router);
    router_resume(&router);
    expect_register("alice", true);
    router_expect(&router, RECORD_REGISTERED);
    router_expect(&router, RECORD_STOPPING);
    router_expect(&router, RECORD_LEAVE);
    router_put_empty(&router, RECORD_LEAVE_OK);
    router_flush(&router);
    client_expect(client, "info accepted 1");
    client_expect_eof(client);
    client_close(&client);
    part(0);
}

static void what_never_settles_is_lost_and_said(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "bob, carol: one");
    router_expect_message(&router, 1, "one");
    drain(600);
    expect_word("SETTLED", NULL, NULL); /* at its deadline */
    zstr_send(worker, "LEAVE");
    char *lost = NULL, *ledger = NULL;
    expect_word("DRAINED", &lost, &ledger);
    assert_string_equal(lost, "2");
    zstr_free(&lost);
    zstr_free(&ledger);
}

#define DRAIN_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        DRAIN_TEST(a_worker_without_sessions_drains_in_order),
        DRAIN_TEST(open_sessions_are_told_what_was_accepted),
        DRAIN_TEST(what_lies_in_the_kernel_is_taken_before_the_end),
        DRAIN_TEST(a_session_that_waits_stops_where_it_is),
        DRAIN_TEST(settling_waits_for_what_is_held),
        DRAIN_TEST(settling_waits_for_no_report_that_comes_later),
        DRAIN_TEST(logins_from_now_on_are_refused),
        DRAIN_TEST(what_a_client_does_not_take_is_returned_in_time),
        cmocka_unit_test_setup_teardown(a_broker_that_is_gone_does_not_hold_up_the_end, setup_hasty, teardown),
        DRAIN_TEST(a_link_that_is_lost_while_the_worker_leaves_is_left_on_the_next),
        DRAIN_TEST(what_never_settles_is_lost_and_said),
    };
    return TEST_RUN(tests);
}
