/* SPDX-License-Identifier: MPL-2.0 */
#include "worker_rig.h"

static client_t *bob;

/* bob serves @mill, whose session is returned. */
static uint64_t open_mill(const char *credit)
{
    uint64_t session;
    bob = client_open("bob", &session);
    client_sendf(bob, "/serve @mill%s", credit);
    uint64_t mill = expect_register("@mill", false);
    router_expect(&router, RECORD_CREDIT);
    answer(RECORD_CONFIRMED, mill);
    client_expect(bob, "ok serve @mill");
    return mill;
}

/* A copy with that flag, whose text begins with a label if there is one. */
static void deliver_flagged(uint64_t number, uint64_t session, unsigned flags, const char *text)
{
    router.copy_flags = flags;
    deliver(number, session, text);
    router.copy_flags = 0;
}

static void a_job_is_read_with_a_number_and_ends_with_done(void **state)
{
    (void)state;
    uint64_t mill = open_mill(" 2");
    deliver(1, mill, "rye");
    client_expect(bob, "from eve @mill 1: rye");
    deliver(2, mill, "oats");
    client_expect(bob, "from eve @mill 2: oats");
    assert_int_equal(ledger_count("pending", NULL), 2);
    client_send(bob, "/done 2");
    assert_int_equal(router_wait(&router, RECORD_DONE)->control.held.count, 1);
    client_send(bob, "/done 2");
    client_expect(bob, "error no-such-job 2");
    client_send(bob, "/done 1");
    assert_int_equal(router_wait(&router, RECORD_DONE)->control.held.count, 0);
    assert_int_equal(ledger_count("delivered", NULL), 2);
    check_balance();
}

static void the_answer_to_a_request_goes_to_who_asked(void **state)
{
    (void)state;
    uint64_t mill = open_mill("");
    deliver_flagged(1, mill, BODY_FLAG_REQUEST, "\2r1how much?");
    client_expect(bob, "from eve @mill 1: how much?");
    client_send(bob, "/reply 1: three");
    const router_event_t *event = router_wait(&router, RECORD_MESSAGE);
    const body_message_t *message = &event->record.message;
    span_t rest = message->recipients;
    assert_int_equal(message->flags, BODY_FLAG_REPLY);
    assert_true(span_equal(body_name_next(&rest), span_str("eve")));
    assert_true(span_equal(message->text, span_str("\2r1three")));
    router_wait(&router, RECORD_DONE); /* behind the answer */
    client_send(bob, "/reply 1: four");
    client_expect(bob, "error no-such-job 1");
}

static void a_reply_that_nobody_wants_is_done(void **state)
{
    (void)state;
    uint64_t mill = open_mill("");
    deliver(1, mill, "rye");
    client_expect(bob, "from eve @mill 1: rye");
    client_send(bob, "/reply 1: flour");
    router_wait(&router, RECORD_DONE);
    client_barrier(bob);
    assert_int_equal(ledger_count("accepted", NULL), 0);
    assert_int_equal(ledger_count("delivered", NULL), 1);
}

static void the_jobs_of_who_goes_are_returned(void **state)
{
    (void)state;
    uint64_t mill = open_mill(" 2");
    deliver(1, mill, "rye");
    client_expect(bob, "from eve @mill 1: rye");
    client_send(bob, "/quit");
    expect_report(1, "@mill", FERRY_REASON_GONE);
    assert_int_equal(ledger_count("returned", "gone"), 1);
    check_balance();
}

static void jobs_go_on_when_the_service_is_ended(void **state)
{
    (void)state;
    uint64_t mill = open_mill(" 2");
    deliver(1, mill, "rye");
    client_expect(bob, "from eve @mill 1: rye");
    client_send(bob, "/unserve @mill");
    client_expect(bob, "ok unserve @mill");
    assert_int_equal(router_wait(&router, RECORD_LEAVING)->control.name.session, mill);
    deliver(2, mill, "late");
    expect_report(2, "@mill", FERRY_REASON_GONE);
    client_send(bob, "/done 1");
    router_wait(&router, RECORD_DONE);
    client_send(bob, "/unserve @mill");
    client_expect(bob, "ok unserve @mill");
}

static void what_is_no_line_is_no_job(void **state)
{
    (void)state;
    uint64_t mill = open_mill(" 2");
    deliver_flagged(1, mill, BODY_FLAG_OPAQUE, "blob");
    expect_report(1, "@mill", FERRY_REASON_NOT_A_LINE);
    deliver_flagged(2, mill, BODY_FLAG_REQUEST, "\x7f");
    expect_report(2, "@mill", FERRY_REASON_NOT_A_LINE);
    client_barrier(bob);
}

static void nobody_may_serve_more_services_than_allowed(void **state)
{
    (void)state;
    uint64_t mill = open_mill("");
    client_send(bob, "/serve @other");
    client_expect(bob, "error too-many-services @other");
    client_send(bob, "/serve @mill 5");
    client_expect(bob, "ok serve @mill");
    const control_t *record = &router_wait(&router, RECORD_CREDIT)->control;
    assert_int_equal(record->held.session, mill);
    assert_int_equal(record->held.count, 5);
}

/* Whoever drains reads no more, and could not hear that a job is done. */
static void a_drain_returns_the_jobs_at_once(void **state)
{
    (void)state;
    uint64_t mill = open_mill("");
    deliver(1, mill, "rye");
    client_expect(bob, "from eve @mill 1: rye");
    zstr_sendx(worker, "DRAIN", "20000", NULL);
    expect_report(1, "@mill", FERRY_REASON_DRAINED);
    client_expect(bob, "info draining");
}

static int setup_one(void **state)
{
    (void)state;
    start_joined((const char *const[]){"gateway/max_services=1", NULL});
    return 0;
}

static void who_reads_slowly_is_given_no_more_jobs_meanwhile(void **state)
{
    (void)state;
    deliver_many(1, 100, open_mill(" 200"));
    assert_int_equal(router_wait(&router, RECORD_CREDIT)->control.held.count, 0);
    for (unsigned i = 0; i < 100; i++)
        client_expect_prefix(bob, "from eve @mill ");
    assert_int_equal(router_wait(&router, RECORD_CREDIT)->control.held.count, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_job_is_read_with_a_number_and_ends_with_done, setup, teardown),
        cmocka_unit_test_setup_teardown(the_answer_to_a_request_goes_to_who_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reply_that_nobody_wants_is_done, setup, teardown),
        cmocka_unit_test_setup_teardown(the_jobs_of_who_goes_are_returned, setup, teardown),
        cmocka_unit_test_setup_teardown(jobs_go_on_when_the_service_is_ended, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_line_is_no_job, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_may_serve_more_services_than_allowed, setup_one, teardown),
        cmocka_unit_test_setup_teardown(who_reads_slowly_is_given_no_more_jobs_meanwhile, setup_slow, teardown),
        cmocka_unit_test_setup_teardown(a_drain_returns_the_jobs_at_once, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
