/* SPDX-License-Identifier: MPL-2.0 */
#include "worker_rig.h"

static client_t *alice;
static uint64_t session;

/* alice asks @mill, and has the message with that number. */
static void ask(const char *label, const char *time, uint64_t number)
{
    client_sendf(alice, "/request %s %s @mill: how much?", label, time);
    const router_event_t *event = router_wait(&router, RECORD_MESSAGE);
    assert_int_equal(event->number, number);
    assert_int_equal(event->record.message.flags, BODY_FLAG_REQUEST);
    assert_int_equal(event->record.message.text.data[0], strlen(label));
}

static void reply(uint64_t number, const char *text)
{
    router.copy_flags = BODY_FLAG_REPLY;
    deliver(number, session, text);
    router.copy_flags = 0;
}

static void notify(uint64_t number, int error, int reason)
{
    router_put_notice(&router, &(body_notice_t){.error = (uint16_t)error,
                                   .reason = (uint16_t)reason,
                                   .taken = error != FERRY_ERROR_NO_SUCH_PEER,
                                   .number = number,
                                   .session = session,
                                   .name = span_str("@mill")});
    router_put_taken(&router, number + 1);
    router_flush(&router);
}

static void the_first_reply_answers_and_a_second_goes_back(void **state)
{
    (void)state;
    alice = client_open("alice", &session);
    ask("r1", "60s", 1);
    ask("r2", "60s", 2);
    reply(1, "\2r2four");
    client_expect(alice, "ok r2 four");
    reply(2, "\2r1");
    client_expect(alice, "ok r1");
    reply(3, "\2r1again");
    expect_report(3, "alice", FERRY_REASON_EXPIRED);
    reply(4, "\2r");
    expect_report(4, "alice", FERRY_REASON_EXPIRED);
    client_barrier(alice);
    check_balance();
}

static void a_request_whose_time_is_over_is_told_so_once(void **state)
{
    (void)state;
    alice = client_open("alice", &session);
    ask("r1", "20ms", 1);
    client_expect(alice, "error timeout @mill r1");
    reply(1, "\2r1late");
    expect_report(1, "alice", FERRY_REASON_EXPIRED);
    notify(1, FERRY_ERROR_UNDELIVERED, FERRY_REASON_GONE); /* and it is not sent again */
    client_barrier(alice);
}

static void a_request_that_nobody_serves_ends_at_once(void **state)
{
    (void)state;
    alice = client_open("alice", &session);
    ask("r1", "60s", 1);
    notify(1, FERRY_ERROR_NO_SUCH_PEER, 0);
    client_expect(alice, "error no-such-peer @mill r1");
    client_send(alice, "/quit");
    router_wait(&router, RECORD_LEAVING); /* which waits for nothing any more */
}

static void a_client_that_quits_waits_for_its_answers(void **state)
{
    (void)state;
    alice = client_open("alice", &session);
    ask("r1", "60s", 1);
    answer_taken(2);
    client_send(alice, "/quit");
    wait_taken(client_fd);
    reply(1, "\2r1four");
    client_expect(alice, "ok r1 four");
    expect_leaving(session);
}

static void a_request_whose_server_goes_is_sent_again(void **state)
{
    (void)state;
    alice = client_open("alice", &session);
    ask("r1", "60s", 1);
    notify(1, FERRY_ERROR_UNDELIVERED, FERRY_REASON_GONE);
    const router_event_t *event = router_wait(&router, RECORD_MESSAGE);
    assert_int_equal(event->number, 2);
    assert_int_equal(event->record.message.flags, BODY_FLAG_REQUEST);
    assert_true(span_equal(event->record.message.text, span_str("\2r1how much?")));
    reply(1, "\2r1four");
    client_expect(alice, "ok r1 four");
    client_barrier(alice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_reply_answers_and_a_second_goes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_whose_time_is_over_is_told_so_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_that_nobody_serves_ends_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_client_that_quits_waits_for_its_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_whose_server_goes_is_sent_again, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
