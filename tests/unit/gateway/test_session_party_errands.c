/* SPDX-License-Identifier: MPL-2.0 */
/* alice writes to @mill and @shop, through a worker; the table alone is tested where that shows nothing. */
#include "worker_rig.h"

static client_t *alice;
static uint64_t session;

static void notify(uint64_t number, const char *service, int error, int reason)
{
    router_put_notice(&router, &(body_notice_t){.error = (uint16_t)error,
                                   .reason = (uint16_t)reason,
                                   .taken = error != FERRY_ERROR_NO_SUCH_PEER,
                                   .number = number,
                                   .session = session,
                                   .name = span_str(service)});
    router_put_taken(&router, number + 1);
    router_flush(&router);
}

/* Only to that service, with the same text, under that number. */
static void expect_again(uint64_t number, const char *service)
{
    const router_event_t *event = router_wait(&router, RECORD_MESSAGE);
    span_t rest = event->record.message.recipients;
    assert_int_equal(event->number, number);
    assert_int_equal(event->record.message.recipient_count, 1);
    assert_true(span_equal(body_name_next(&rest), span_str(service)));
    assert_true(span_equal(event->record.message.text, span_str("grind")));
    assert_true(span_equal(event->record.message.sender, span_str("alice")));
}

static void what_a_server_did_not_do_is_sent_to_its_service_again(void **state)
{
    (void)state;
    static const struct {
        int error, reason;
    } ends[] = {{FERRY_ERROR_UNDELIVERED, FERRY_REASON_GONE}, {FERRY_ERROR_UNDELIVERED, FERRY_REASON_DRAINED},
        {FERRY_ERROR_UNDELIVERED, FERRY_REASON_LATE}, {FERRY_ERROR_UNCONFIRMED, FERRY_REASON_GATEWAY_LOST}};
    alice = client_open("alice", &session);
    client_send(alice, "@shop, @mill: grind");
    router_expect_message(&router, 1, "grind");
    for (uint64_t i = 0; i < 4; i++) {
        notify(1 + i, "@mill", ends[i].error, ends[i].reason);
        expect_again(2 + i, "@mill");
    }
    client_barrier(alice); /* and she is told nothing */
}

static void what_nobody_can_do_is_told(void **state)
{
    (void)state;
    alice = client_open("alice", &session);
    client_send(alice, "/send l1 @mill: grind");
    router_expect_message(&router, 1, "grind");
    notify(1, "@mill", FERRY_ERROR_UNDELIVERED, FERRY_REASON_GONE);
    expect_again(2, "@mill");
    notify(2, "@mill", FERRY_ERROR_NO_SUCH_PEER, 0);
    client_expect(alice, "error no-such-peer @mill l1");
    client_send(alice, "@mill: blob");
    router_expect_message(&router, 3, "blob");
    notify(3, "@mill", FERRY_ERROR_UNDELIVERED, FERRY_REASON_NOT_A_LINE);
    client_expect(alice, "error undelivered @mill not-a-line");
    client_barrier(alice);
}

static void a_receipt_is_due_when_the_last_attempt_is_settled(void **state)
{
    (void)state;
    alice = client_open("alice", &session);
    client_send(alice, "/send l1 @mill: grind");
    router_expect_message(&router, 1, "grind");
    notify(1, "@mill", FERRY_ERROR_UNDELIVERED, FERRY_REASON_GONE);
    expect_again(2, "@mill");
    client_barrier(alice); /* no receipt, though number 1 is taken */
    answer_taken(3);
    client_expect(alice, "ok l1");
}

static void attempts_are_numbered_and_few(void **state)
{
    (void)state;
    alice = client_open("alice", &session);
    client_send(alice, "@mill: grind");
    router_expect_message(&router, 1, "grind");
    for (uint64_t number = 1; number < 16; number++) {
        notify(number, "@mill", FERRY_ERROR_UNDELIVERED, FERRY_REASON_GONE);
        expect_again(number + 1, "@mill");
    }
    notify(16, "@mill", FERRY_ERROR_UNDELIVERED, FERRY_REASON_GONE);
    client_expect(alice, "error undelivered @mill gone");
}

static void a_service_that_was_lost_with_its_broker_is_waited_for(void **state)
{
    (void)state;
    alice = client_open("alice", &session);
    client_send(alice, "@mill: grind");
    router_expect_message(&router, 1, "grind");
    notify(1, "@mill", FERRY_ERROR_UNCONFIRMED, FERRY_REASON_BROKER_LOST);
    expect_again(2, "@mill");
    for (uint64_t number = 2; number < 5; number++) {
        notify(number, "@mill", FERRY_ERROR_NO_SUCH_PEER, 0);
        expect_again(number + 1, "@mill");
    }
    notify(5, "@mill", FERRY_ERROR_UNDELIVERED, FERRY_REASON_NOT_A_LINE);
    client_expect(alice, "error undelivered @mill not-a-line");
}

static void who_has_gone_leaves_its_errands_to_be_done(void **state)
{
    (void)state;
    alice = client_open("alice", &session);
    client_send(alice, "@mill: grind");
    router_expect_message(&router, 1, "grind");
    client_close(&alice);
    deliver(1, session, "it cannot be written");
    router_wait(&router, RECORD_LEAVING);
    answer(RECORD_LEFT, session);
    expect_forgotten();
    notify(1, "@mill", FERRY_ERROR_UNDELIVERED, FERRY_REASON_GONE);
    expect_again(3, "@mill"); /* 2 is the report of that copy */
}

static void a_drain_tells_at_its_deadline_what_nobody_has_done(void **state)
{
    (void)state;
    alice = client_open("alice", &session);
    client_send(alice, "@mill: grind");
    client_send(alice, "/request r1 60s @mill: how much?");
    router_expect_message(&router, 1, "grind");
    client_barrier(alice);
    zstr_sendx(worker, "DRAIN", "600", NULL);
    client_expect(alice, "info draining");
    unsigned told = 0; /* of both, in any order */
    for (int i = 0; i < 2; i++)
        told |= strstr(client_expect_prefix(alice, "error unconfirmed @mill drained"), " r1") ? 2 : 1;
    assert_int_equal(told, 3);
}

static void errands_are_found_by_message_and_service(void **state)
{
    (void)state;
    errands_t errands;
    errand_message_t message = {.session = 7, .sender = span_str("alice"), .text = span_str("grind")};
    errands_init(&errands);
    message.service = span_str("@mill");
    errands_add(&errands, 1, 5, &message);
    message.service = span_str("@shop");
    errands_add(&errands, 1, 5, &message);
    errands_add(&errands, 0, 6, &message);
    assert_true(
        span_equal(errand_message(errands_find(&errands, 1, 5, span_str("@shop")))->service, span_str("@shop")));
    assert_true(span_equal(errand_message(errands_find(&errands, 1, 5, span_str("@mill")))->text, span_str("grind")));
    assert_null(errands_find(&errands, 0, 5, span_str("@mill")));
    assert_null(errands_find(&errands, 0, 6, span_str("@mill")));
    errands_settle(&errands, 1, 5);
    assert_null(errands_find(&errands, 1, 5, span_str("@mill")));
    assert_null(errands_find(&errands, 1, 5, span_str("@shop")));
    errands_settle(&errands, 0, 6);
    assert_int_equal(errands.size, 0);
    errands_add(&errands, 0, 7, &message); /* freed with the rest */
    errands_fini(&errands);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_server_did_not_do_is_sent_to_its_service_again, setup, teardown),
        cmocka_unit_test_setup_teardown(what_nobody_can_do_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_receipt_is_due_when_the_last_attempt_is_settled, setup, teardown),
        cmocka_unit_test_setup_teardown(attempts_are_numbered_and_few, setup, teardown),
        cmocka_unit_test_setup_teardown(a_service_that_was_lost_with_its_broker_is_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(who_has_gone_leaves_its_errands_to_be_done, setup, teardown),
        cmocka_unit_test_setup_teardown(a_drain_tells_at_its_deadline_what_nobody_has_done, setup, teardown),
        cmocka_unit_test(errands_are_found_by_message_and_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
