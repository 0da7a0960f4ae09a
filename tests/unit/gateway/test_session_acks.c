/* SPDX-License-Identifier: MPL-2.0 */
/* bob acknowledges what he gets, at a worker whose broker the test plays. */
#include "worker_rig.h"

static client_t *bob;
static uint64_t session;

static void expect_yield(bool is_away)
{
    const control_t *record = &router_wait(&router, RECORD_YIELD)->control;
    assert_int_equal(record->name.session, session);
    assert_int_equal(record->name.is_on, is_away);
}

static void open_bob(void)
{
    bob = client_open("bob", &session);
    client_send(bob, "/ack on");
    client_expect(bob, "ok ack on");
    expect_yield(false);
}

/* Bob has copies 1 and 2, written, and 3 came when he was away. */
static void lose_bob(void)
{
    open_bob();
    deliver(1, session, "one");
    client_expect(bob, "1 from eve: one");
    deliver(2, session, "two");
    client_expect(bob, "2 from eve: two");
    client_close(&bob);
    expect_yield(true);
    deliver(3, session, "three");
}

/* A forward to bob under that message number; text and place as he had them. */
static void expect_forward(uint64_t message, uint64_t number, const char *sender, const char *place, const char *text)
{
    const router_event_t *event = router_wait(&router, RECORD_MESSAGE);
    const body_message_t *forward = &event->record.message;
    span_t rest = forward->recipients, found_place, found_text;
    uint64_t found;
    assert_int_equal(event->number, message);
    assert_true(body_is_forward(forward->flags));
    assert_true(span_equal(body_name_next(&rest), span_str("bob")));
    assert_true(span_equal(forward->sender, span_str(sender)));
    assert_true(body_forward_get(forward->text, &found, &found_place, &found_text));
    assert_int_equal(found, number);
    assert_true(span_equal(found_place, span_str(place)));
    assert_true(span_equal(found_text, span_str(text)));
}

static void deny(void)
{
    router_put(
        &router, &(control_t){.type = RECORD_DENIED, .name = {.session = session, .error = FERRY_ERROR_NAME_TAKEN}});
    router_flush(&router);
}

static void what_is_acknowledged_is_delivered_and_not_before(void **state)
{
    (void)state;
    open_bob();
    deliver(1, session, "one");
    client_expect(bob, "1 from eve: one");
    assert_int_equal(router_wait(&router, RECORD_HOLD)->control.held.numbers.first, 1);
    client_send(bob, "/ack 2");
    client_expect(bob, "error bad-line 2");
    assert_int_equal(ledger_count("delivered", NULL), 0);
    client_send(bob, "/ack 1");
    assert_int_equal(router_wait(&router, RECORD_END)->control.held.count, 1);
    assert_int_equal(ledger_count("delivered", NULL), 1);
    check_balance();
}

static void who_has_the_name_next_is_given_the_rest_in_order(void **state)
{
    (void)state;
    lose_bob();
    deny();
    expect_forward(1, 1, "eve", "bob", "one");
    expect_forward(2, 2, "eve", "bob", "two");
    expect_forward(3, 3, "eve", "bob", "three");
    expect_forward(4, 4, "bob", BODY_FORWARD_MARK, "");
    assert_true(span_equal(router_wait(&router, RECORD_YIELDED)->control.name.name, span_str("bob")));
    assert_int_equal(ledger_count("delivered", NULL), 0);
    router_put_notice(&router, &(body_notice_t){.error = FERRY_ERROR_UNDELIVERED,
                                   .reason = FERRY_REASON_STALLED,
                                   .taken = true,
                                   .number = 2,
                                   .session = session,
                                   .name = span_str("bob")});
    answer_taken(5);
    expect_report(2, "bob", FERRY_REASON_STALLED);
    expect_forgotten();
    assert_int_equal(ledger_count("delivered", NULL), 2);
    assert_int_equal(ledger_count("returned", "stalled"), 1);
}

static void who_does_not_come_back_in_time_is_gone(void **state)
{
    (void)state;
    lose_bob();
    const body_report_t *report = &router_wait(&router, RECORD_REPORT)->record.report;
    assert_int_equal(report->number, 1);
    assert_int_equal(report->error, FERRY_ERROR_UNCONFIRMED);
    report = &router_wait(&router, RECORD_REPORT)->record.report;
    assert_int_equal(report->number, 2);
    expect_report(3, "bob", FERRY_REASON_GONE);
    router_wait(&router, RECORD_LEAVING);
    answer(RECORD_LEFT, session);
    expect_forgotten();
    check_balance();
}

static void who_comes_back_goes_on_with_the_numbers(void **state)
{
    (void)state;
    bob = client_new();
    client_send(bob, "bob");
    session = expect_register("bob", false);
    router_put(&router,
        &(control_t){.type = RECORD_CONFIRMED, .name = {.session = session, .term = 1, .serial = 1, .resumes = true}});
    router_flush(&router);
    client_expect(bob, "info resumed");
    expect_yield(false);
    buffer_t text = {0};
    router.copy_flags = BODY_FORWARD | BODY_FLAG_RECEIPT;
    body_forward_put(&text, 17, span_str("#room"), span_str("old"));
    buffer_append(&text, "", 1);
    router_put_run(&router, ORIGIN);
    body_message_t message = {.session = 1,
        .flags = router.copy_flags,
        .sender = span_str("eve"),
        .text = span_of((const char *)text.data, buffer_size(&text) - 1)};
    router_put_copy_of(&router, &message, 1, session);
    buffer_clear(&text);
    body_forward_put(&text, 18, span_str(BODY_FORWARD_MARK), span_of("", 0));
    message.text = buffer_span(&text);
    router_put_copy_of(&router, &message, 2, session);
    router_flush(&router);
    router.copy_flags = 0;
    deliver(3, session, "new");
    client_expect(bob, "17 from eve #room: old");
    client_expect(bob, "18 from eve: new");
    client_send(bob, "/ack 18");
    assert_int_equal(router_wait(&router, RECORD_END)->control.held.count, 2);
    assert_int_equal(ledger_count("delivered", NULL), 3);
    buffer_fini(&text);
}

static void the_end_of_input_is_no_quit(void **state)
{
    (void)state;
    open_bob();
    client_half_close(bob);
    expect_yield(true);
    client_expect_eof(bob);
}

static void who_quits_gives_up_what_he_has_not_acknowledged(void **state)
{
    (void)state;
    open_bob();
    deliver(1, session, "one");
    client_expect(bob, "1 from eve: one");
    client_send(bob, "/quit");
    assert_int_equal(router_wait(&router, RECORD_LEAVING)->control.name.session, session);
    answer(RECORD_LEFT, session);
    client_expect(bob, "ok quit");
    client_expect_eof(bob);
    client_close(&bob);
    expect_forgotten();
    assert_int_equal(ledger_count("delivered", NULL), 1);
    check_balance();
}

static void a_drain_waits_for_nobody_who_is_away(void **state)
{
    (void)state;
    lose_bob();
    router_wait(&router, RECORD_HOLD);
    zstr_sendx(worker, "DRAIN", "60000", NULL);
    for (uint64_t number = 1; number < 3; number++)
        assert_int_equal(router_wait(&router, RECORD_REPORT)->record.report.number, number);
    expect_report(3, "bob", FERRY_REASON_DRAINED);
}

static int setup_hasty(void **state)
{
    (void)state;
    start_joined((const char *const[]){"gateway/resume_time=300ms", NULL});
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_acknowledged_is_delivered_and_not_before, setup, teardown),
        cmocka_unit_test_setup_teardown(who_has_the_name_next_is_given_the_rest_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(who_does_not_come_back_in_time_is_gone, setup_hasty, teardown),
        cmocka_unit_test_setup_teardown(who_comes_back_goes_on_with_the_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_of_input_is_no_quit, setup, teardown),
        cmocka_unit_test_setup_teardown(who_quits_gives_up_what_he_has_not_acknowledged, setup, teardown),
        cmocka_unit_test_setup_teardown(a_drain_waits_for_nobody_who_is_away, setup, teardown),
    };
    return TEST_RUN(tests);
}
