/* SPDX-License-Identifier: MPL-2.0 */
/* The life of a session, as its client and its broker see it. */
#include "worker_rig.h"

/* Little patience with clients that do not read, or with logins. */
static int setup_hasty(void **state)
{
    (void)state;
    start_joined((const char *const[]){"gateway/stall_time=200ms", "gateway/send_buffer=4KiB", NULL});
    return 0;
}

static int setup_strict(void **state)
{
    (void)state;
    start_joined((const char *const[]){"gateway/login_timeout=500ms", NULL});
    return 0;
}

static void put_notice(int error, int reason, uint64_t number, uint64_t session, const char *name, bool taken)
{
    router_put_notice(&router, &(body_notice_t){.error = (uint16_t)error,
                                   .reason = (uint16_t)reason,
                                   .number = number,
                                   .session = session,
                                   .name = span_str(name),
                                   .taken = taken});
    router_flush(&router);
}

static void a_session_says_and_reads_lines(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "bob, carol: hello");
    const router_event_t *event = router_expect_message(&router, 1, "hello");
    assert_int_equal(event->record.message.session, session);
    assert_int_equal(event->record.message.recipient_count, 2);
    assert_true(span_equal(event->record.message.sender, span_str("alice")));
    deliver(1, session, "hello yourself");
    client_expect(client, "from eve: hello yourself");
    router_expect_acknowledged(&router, 1);
    assert_int_equal(ledger_count("delivered", NULL), 1);
    assert_int_equal(ledger_count("pending", NULL), 2);
    answer_taken(2);
    deliver(2, session, "another");
    client_expect(client, "from eve: another");
    assert_int_equal(ledger_count("handed_over", NULL), 2);
    check_balance();
}

static void a_name_is_asked_for_when_the_link_is_up(void **state)
{
    (void)state;
    client_t *client = client_new();
    client_send(client, "alice");
    wait_taken(client_fd);
    router_welcome(&router);
    answer(RECORD_CONFIRMED, expect_register("alice", false));
    client_barrier(client);
}

static void a_name_that_is_taken_closes_the_client(void **state)
{
    (void)state;
    client_t *client = client_new();
    client_send(client, "alice");
    router_put(&router, &(control_t){.type = RECORD_DENIED,
                            .name = {.session = expect_register("alice", false), .error = FERRY_ERROR_NAME_TAKEN}});
    router_flush(&router);
    client_expect(client, "error name-taken alice");
    client_expect_eof(client);
    client_close(&client);
    expect_forgotten();
}

static void refusals_reach_their_sender(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "nobody, bob, carol: hello");
    router_expect(&router, RECORD_MESSAGE);
    put_notice(FERRY_ERROR_NO_SUCH_PEER, 0, 1, session, "nobody", false);
    client_expect(client, "error no-such-peer nobody");
    put_notice(FERRY_ERROR_UNDELIVERED, FERRY_REASON_STALLED, 1, session, "bob", true);
    client_expect(client, "error undelivered bob stalled");
    put_notice(FERRY_ERROR_UNDELIVERED, FERRY_REASON_STALLED, 1, session + 1, "carol", true);
    client_barrier(client);
    assert_int_equal(ledger_count("refused", "no-such-peer"), 1);
    check_balance();
}

static void a_quit_waits_until_everything_is_settled(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "bob: one\nbob: two\n/quit\nbob: not taken");
    router_expect_message(&router, 1, "one");
    router_expect_message(&router, 2, "two");
    router_put_numbers(&router, RECORD_HELD, 2);
    answer_taken(3);
    deliver(1, session, "it has not left yet");
    client_expect(client, "from eve: it has not left yet");
    put_notice(FERRY_ERROR_UNDELIVERED, FERRY_REASON_GONE, 2, UINT64_MAX, "bob", true);
    client_expect(client, "error undelivered bob gone");
    router_put_numbers(&router, RECORD_ENDED, 2);
    router_flush(&router);
    expect_leaving(session);
    deliver(1, session, "it has left, and this was on its way");
    client_expect(client, "from eve: it has left, and this was on its way");
    answer(RECORD_LEFT, session);
    client_expect(client, "ok quit");
    client_expect_eof(client);
    client_close(&client);
    expect_forgotten();
    check_balance();
}

static void the_end_of_input_is_not_answered(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_half_close(client);
    expect_leaving(session);
    answer(RECORD_LEFT, session);
    client_expect_eof(client);
    client_close(&client);
    expect_forgotten();
}

static void a_client_that_is_gone_returns_what_still_comes(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_close(&client);
    expect_leaving(session);
    deliver(7, session, "too late");
    expect_report(7, "alice", FERRY_REASON_GONE);
    answer(RECORD_LEFT, session);
    expect_forgotten();
    assert_int_equal(ledger_count("returned", "gone"), 1);
    check_balance();
}

static void a_client_that_is_gone_before_its_name_is_confirmed_takes_it_back(void **state)
{
    (void)state;
    client_t *client = client_new();
    client_send(client, "alice");
    uint64_t session = expect_register("alice", false);
    client_close(&client);
    answer(RECORD_CONFIRMED, session);
    expect_leaving(session);
    answer(RECORD_LEFT, session);
    expect_forgotten();
}

static void a_copy_for_a_session_that_is_none_is_counted_as_returned(void **state)
{
    (void)state;
    uint64_t session;
    client_open("alice", &session);
    router_put_run(&router, ORIGIN);
    router_put_copy(&router, 1, (uint64_t[]){session + 1, session + (1ull << 32), UINT64_MAX}, 3, "eve", "");
    router_flush(&router);
    router_expect_acknowledged(&router, 1);
    assert_int_equal(ledger_count("returned", "gone"), 3);
    check_balance();
}

static void a_login_that_does_not_come_is_closed(void **state)
{
    (void)state;
    client_t *client = client_new();
    client_expect(client, "error login-timeout");
    client_expect_eof(client);
    client = client_new();
    client_send(client, "alice");
    uint64_t session = expect_register("alice", false);
    client_expect(client, "error login-timeout");
    expect_leaving(session);
    client_expect_eof(client);
    client_close(&client);
    expect_forgotten();
    answer(RECORD_LEFT, session);
    expect_forgotten();
}

static void a_slow_client_is_paused_and_resumed(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    deliver_many(1, 100, session);
    const router_event_t *event = router_wait(&router, RECORD_PAUSE);
    assert_true(span_equal(event->control.name.name, span_str("alice")));
    for (unsigned i = 0; i < 100; i++)
        client_expect_prefix(client, "from eve: xxx");
    event = router_wait(&router, RECORD_RESUME);
    assert_true(span_equal(event->control.name.name, span_str("alice")));
    assert_int_equal(ledger_count("delivered", NULL), 100);
    check_balance();
}

static void a_client_that_takes_nothing_is_closed_and_the_rest_returned(void **state)
{
    (void)state;
    uint64_t session, other;
    client_t *friend = client_open("bob", &other);
    client_open("alice", &session);
    deliver_many(1, 100, session);
    deliver(101, other, "others go on");
    client_expect(friend, "from eve: others go on");
    const router_event_t *event = router_wait(&router, RECORD_REPORT);
    assert_int_equal(event->record.report.reason, FERRY_REASON_STALLED);
    for (uint64_t number = event->number; number < 100; number = event->record.report.number)
        event = router_wait(&router, RECORD_REPORT);
    router_wait(&router, RECORD_LEAVING);
    answer(RECORD_LEFT, session);
    expect_forgotten();
    json_int_t returned = ledger_count("returned", "stalled");
    assert_in_range(returned, 1, 100);
    assert_int_equal(ledger_count("delivered", NULL), 101 - returned);
    check_balance();
}

static void a_refused_connection_gets_its_error_line(void **state)
{
    (void)state;
    int pair[2];
    handoff_t handoff = {.error = FERRY_ERROR_TOO_MANY_SESSIONS, .address = "unix"};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    handoff.fd = pair[0];
    handover_send_bytes(zsock_resolve(door), &handoff, sizeof handoff, 0);
    client_t *client = client_adopt(pair[1]);
    client_expect(client, "error too-many-sessions");
    client_expect_eof(client);
    client_close(&client);
    expect_forgotten();
}

#define SESSION_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
#define EARLY_TEST(function)   cmocka_unit_test_setup_teardown(function, setup_greeting, teardown)
#define SLOW_TEST(function)    cmocka_unit_test_setup_teardown(function, setup_slow, teardown)
#define STRICT_TEST(function)  cmocka_unit_test_setup_teardown(function, setup_strict, teardown)
#define HASTY_TEST(function)   cmocka_unit_test_setup_teardown(function, setup_hasty, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SESSION_TEST(a_session_says_and_reads_lines),
        EARLY_TEST(a_name_is_asked_for_when_the_link_is_up),
        SESSION_TEST(a_name_that_is_taken_closes_the_client),
        SESSION_TEST(refusals_reach_their_sender),
        SESSION_TEST(a_quit_waits_until_everything_is_settled),
        SESSION_TEST(the_end_of_input_is_not_answered),
        SESSION_TEST(a_client_that_is_gone_returns_what_still_comes),
        SESSION_TEST(a_client_that_is_gone_before_its_name_is_confirmed_takes_it_back),
        SESSION_TEST(a_copy_for_a_session_that_is_none_is_counted_as_returned),
        STRICT_TEST(a_login_that_does_not_come_is_closed),
        SLOW_TEST(a_slow_client_is_paused_and_resumed),
        HASTY_TEST(a_client_that_takes_nothing_is_closed_and_the_rest_returned),
        SESSION_TEST(a_refused_connection_gets_its_error_line),
    };
    return TEST_RUN(tests);
}
