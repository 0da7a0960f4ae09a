/* SPDX-License-Identifier: MPL-2.0 */
#include "node_rig.h"

static offer_t *mill;
static uint64_t service; /* the session of @mill */

/* "ann" serves @mill with that credit. */
static void open_mill(uint32_t credit)
{
    mill = offers_add(&offers, span_str("@mill"), credit, (void *)"ann");
    service = expect_record(RECORD_REGISTER)->name.session;
    assert_true(link_session_is_service(service));
    const control_t *record = expect_record(RECORD_CREDIT);
    assert_int_equal(record->held.session, service);
    assert_int_equal(record->held.count, credit);
    expect_said("");
    confirm(service);
    wait_said(" ann-serves:@mill");
}

/* Jobs 1 to `count` are there, and told of as held. */
static void open_jobs(unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        deliver(i, service, "grind");
        wait_said(" ann-job:grind");
        expect_hold(service, i, false);
    }
}

static void expect_done(uint32_t place)
{
    const control_t *record = &router_wait(&router, RECORD_DONE)->control;
    assert_int_equal(record->held.session, service);
    assert_int_equal(record->held.count, place);
}

static void a_job_is_held_until_it_is_done_in_whatever_order(void **state)
{
    (void)state;
    open_mill(3);
    open_jobs(3);
    assert_int_equal(offers.jobs, 3);
    job_done(&jobs[1]);
    expect_done(1);
    job_done(&jobs[2]);
    expect_done(1);
    job_done(&jobs[0]);
    expect_done(0);
    assert_null(jobs[0]);
    assert_int_equal(ledger.delivered, 3);
    assert_int_equal(offers.jobs, 0);
    offer_withdraw(&mill, FERRY_REASON_GONE);
    assert_null(mill);
    router_wait(&router, RECORD_LEAVING);
}

static void a_job_that_is_returned_is_reported_before_it_ends(void **state)
{
    (void)state;
    open_mill(1);
    open_jobs(1);
    job_return(&jobs[0], FERRY_REASON_STALLED);
    expect_report(1, "@mill", FERRY_REASON_STALLED);
    expect_done(0);
    assert_int_equal(ledger.returned[FERRY_REASON_STALLED], 1);
    offer_withdraw(&mill, FERRY_REASON_GONE);
}

static void the_credit_can_be_changed(void **state)
{
    (void)state;
    open_mill(1);
    offer_set_credit(mill, 7);
    assert_int_equal(expect_record(RECORD_CREDIT)->held.count, 7);
    replace_broker();
    assert_int_equal(router_wait(&router, RECORD_CREDIT)->control.held.count, 7);
    offer_withdraw(&mill, FERRY_REASON_GONE);
}

static void who_takes_no_more_has_no_credit_meanwhile(void **state)
{
    (void)state;
    open_mill(5);
    offer_pause(mill, true);
    assert_int_equal(expect_record(RECORD_CREDIT)->held.count, 0);
    offer_pause(mill, true);
    offer_set_credit(mill, 7);
    assert_int_equal(expect_record(RECORD_CREDIT)->held.count, 0);
    replace_broker();
    assert_int_equal(router_wait(&router, RECORD_CREDIT)->control.held.count, 0);
    offer_pause(mill, false);
    assert_int_equal(router_wait(&router, RECORD_CREDIT)->control.held.count, 7);
    offer_withdraw(&mill, FERRY_REASON_GONE);
}

static void a_job_that_comes_with_the_confirmation_comes_behind_it(void **state)
{
    (void)state;
    mill = offers_add(&offers, span_str("@mill"), 1, (void *)"ann");
    service = expect_record(RECORD_REGISTER)->name.session;
    router_put_session(&router, RECORD_CONFIRMED, service);
    deliver(1, service, "grind");
    wait_said(" ann-serves:@mill ann-job:grind");
    job_done(&jobs[0]);
    offer_withdraw(&mill, FERRY_REASON_GONE);
}

static void what_comes_behind_the_end_is_returned_and_jobs_go_on(void **state)
{
    (void)state;
    open_mill(2);
    open_jobs(1);
    offer_withdraw(&mill, FERRY_REASON_DRAINED);
    router_wait(&router, RECORD_LEAVING);
    deliver(2, service, "more");
    expect_report(2, "@mill", FERRY_REASON_DRAINED);
    router_put_session(&router, RECORD_LEFT, service);
    router_flush(&router);
    router_expect_acknowledged(&router, 2);
    expect_said("");
    job_done(&jobs[0]);
    expect_done(0);
}

static void lose_link(void)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    router_stop(&router);
    for (; link_state(uplinks.items[0].link) == LINK_UP; turn(NULL))
        assert_false(deadline_passed(deadline));
}

/* The first of three is done, the second while there is no link, the third is held still. */
static void a_new_broker_is_told_what_is_held_and_what_was_taken(void **state)
{
    (void)state;
    open_mill(3);
    open_jobs(3);
    job_done(&jobs[0]);
    expect_done(0);
    lose_link();
    job_done(&jobs[1]);
    router_start(&router);
    router_welcome(&router);
    for (uint64_t number = 1; number <= 2; number++) {
        const control_t *record = &router_wait(&router, RECORD_HOLD)->control;
        assert_true(record->held.over && record->held.again);
        assert_int_equal(record->held.session, service);
        assert_int_equal(record->held.numbers.first, number);
    }
    assert_true(router_wait(&router, RECORD_REGISTER)->control.name.again);
    router_wait(&router, RECORD_CREDIT);
    expect_hold(service, 3, true);
    router_wait(&router, RECORD_REGISTERED);
    job_done(&jobs[2]);
    expect_done(0);
    offer_withdraw(&mill, FERRY_REASON_GONE);
}

/* Who has sent it keeps it for another program, until the broker has said what is held. */
static void a_job_that_is_returned_without_a_link_is_reported_before_all_is_stated(void **state)
{
    (void)state;
    open_mill(1);
    open_jobs(1);
    lose_link();
    job_return(&jobs[0], FERRY_REASON_GONE);
    offer_withdraw(&mill, FERRY_REASON_GONE);
    router_start(&router);
    router_welcome(&router);
    assert_true(router_wait(&router, RECORD_HOLD)->control.held.over);
    expect_report(1, "@mill", FERRY_REASON_GONE);
    router_wait(&router, RECORD_REGISTERED);
}

static void a_service_that_is_no_more_still_claims_what_it_has_taken(void **state)
{
    (void)state;
    open_mill(1);
    open_jobs(1);
    job_done(&jobs[0]);
    offer_withdraw(&mill, FERRY_REASON_GONE);
    router_wait(&router, RECORD_LEAVING);
    router_put_session(&router, RECORD_LEFT, service);
    router_flush(&router);
    router_expect_acknowledged(&router, 1);
    replace_broker();
    const control_t *record = &router_wait(&router, RECORD_HOLD)->control;
    assert_true(record->held.over);
    assert_int_equal(record->held.session, service);
    router_wait(&router, RECORD_REGISTERED);
}

static void a_node_that_was_given_up_tells_nothing_of_its_jobs(void **state)
{
    (void)state;
    open_mill(2);
    open_jobs(2);
    router_stop(&router);
    router_return(&router);
    router_welcome(&router);
    router_wait(&router, RECORD_REGISTER);
    assert_int_equal(router_next(&router)->type, RECORD_CREDIT);
    assert_int_equal(router_next(&router)->type, RECORD_REGISTERED);
    job_return(&jobs[0], FERRY_REASON_GONE);
    job_done(&jobs[1]);
    offer_withdraw(&mill, FERRY_REASON_GONE);
    turn(NULL);
    assert_int_equal(router_next(&router)->type, RECORD_LEAVING);
}

static void a_copy_that_comes_too_late_is_returned(void **state)
{
    (void)state;
    open_mill(2);
    deliver(5, service, "five");
    wait_said(" ann-job:five");
    router_put_run_of(&router, &(body_run_t){.handle = OTHER, .floor = 4, .again = true});
    router_put_copy(&router, 4, &service, 1, "eve", "four");
    router_put_copy(&router, 5, &service, 1, "eve", "five");
    router_flush(&router);
    expect_report(4, "@mill", FERRY_REASON_LATE);
    expect_said("");
    job_done(&jobs[0]);
    offer_withdraw(&mill, FERRY_REASON_GONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(a_job_is_held_until_it_is_done_in_whatever_order),
        NODE_TEST(a_job_that_is_returned_is_reported_before_it_ends),
        NODE_TEST(the_credit_can_be_changed),
        NODE_TEST(who_takes_no_more_has_no_credit_meanwhile),
        NODE_TEST(a_job_that_comes_with_the_confirmation_comes_behind_it),
        NODE_TEST(what_comes_behind_the_end_is_returned_and_jobs_go_on),
        NODE_TEST(a_new_broker_is_told_what_is_held_and_what_was_taken),
        NODE_TEST(a_job_that_is_returned_without_a_link_is_reported_before_all_is_stated),
        NODE_TEST(a_service_that_is_no_more_still_claims_what_it_has_taken),
        NODE_TEST(a_node_that_was_given_up_tells_nothing_of_its_jobs),
        NODE_TEST(a_copy_that_comes_too_late_is_returned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
