/* SPDX-License-Identifier: MPL-2.0 */
/* bob's groups, services, requests and receipts, as his carrier has them at a broker that the test plays. */
#include "carrier_rig.h"

/* The broker is asked for that name; bob waits for the answer, which is taken from the next turns. */
static uint64_t grant(const char *name)
{
    const control_t *record = &router_wait(&router, RECORD_REGISTER)->control;
    assert_true(span_equal(record->name.name, span_str(name)));
    uint64_t id = record->name.session;
    router_put_session(&router, RECORD_CONFIRMED, id);
    router_flush(&router);
    return id;
}

static uint64_t join_room(void)
{
    assert_int_equal(ferry_join(bob, "#room", 0), -FERRY_E_TIMEOUT);
    uint64_t room = grant("#room");
    assert_int_equal(ferry_join(bob, "#room", wait_ms()), 0);
    return room;
}

static uint64_t serve_mill(int credit)
{
    assert_int_equal(ferry_serve(bob, "@mill", credit, 0), -FERRY_E_TIMEOUT);
    uint64_t mill = grant("@mill");
    assert_int_equal(ferry_serve(bob, "@mill", credit, wait_ms()), 0);
    return mill;
}

static void deliver_to(uint64_t number, uint64_t id, unsigned flags, const char *text)
{
    router.copy_flags = flags;
    router_put_run(&router, ORIGIN);
    router_put_copy(&router, number, &id, 1, "eve", text);
    router_flush(&router);
    router.copy_flags = 0;
}

static ferry_msg_t *expect_kind(int kind)
{
    ferry_msg_t *msg = ferry_recv(bob, wait_ms());
    assert_non_null(msg);
    assert_int_equal(ferry_msg_kind(msg), kind);
    return msg;
}

static void expect_job(int64_t job, const char *text)
{
    ferry_msg_t *msg = expect_kind(FERRY_JOB);
    assert_int_equal(ferry_msg_job(msg), job);
    assert_string_equal(ferry_msg_service(msg), "@mill");
    assert_string_equal(ferry_msg_sender(msg), "eve");
    assert_string_equal(ferry_msg_data(msg), text);
    ferry_msg_destroy(&msg);
}

static void a_members_copy_is_held_until_it_has_been_received(void **state)
{
    (void)state;
    uint64_t room = join_room();
    deliver_to(1, room, 0, "hello");
    const control_t *record = &router_wait(&router, RECORD_HOLD)->control;
    assert_int_equal(record->held.session, room);
    ferry_msg_t *msg = expect_kind(FERRY_MESSAGE);
    assert_string_equal(ferry_msg_group(msg), "#room");
    assert_string_equal(ferry_msg_sender(msg), "eve");
    assert_string_equal(ferry_msg_data(msg), "hello");
    ferry_msg_destroy(&msg);
    record = &router_wait(&router, RECORD_END)->control;
    assert_int_equal(record->held.session, room);
    assert_int_equal(record->held.count, 1);
    assert_int_equal(ferry_leave(bob, "#room"), 0);
    assert_int_equal(router_wait(&router, RECORD_LEAVING)->control.name.session, room);
}

static void a_job_ends_with_done_behind_what_was_sent_before(void **state)
{
    (void)state;
    uint64_t mill = serve_mill(2);
    deliver_to(1, mill, 0, "rye");
    deliver_to(2, mill, 0, "oats");
    expect_job(1, "rye");
    expect_job(2, "oats");
    answer_pause(RECORD_PAUSE, "carol");
    assert_int_equal(ferry_settle(bob, 0), 0);
    say("dave", "a barrier");
    expect_message(1, "a barrier");
    assert_int_equal(say("carol", "flour"), 2);
    assert_int_equal(ferry_done(bob, 2), 0);
    assert_int_equal(ferry_done(bob, 2), -FERRY_E_NO_SUCH_JOB);
    assert_int_equal(ferry_done(bob, 3), -FERRY_E_NO_SUCH_JOB);
    assert_int_equal(ferry_done(bob, -1), -FERRY_E_NO_SUCH_JOB);
    answer_pause(RECORD_RESUME, "carol");
    expect_message(2, "flour");
    assert_int_equal(router_wait(&router, RECORD_DONE)->control.held.count, 1);
}

static void the_answer_goes_to_who_has_asked_and_settles_as_a_message_does(void **state)
{
    (void)state;
    uint64_t mill = serve_mill(2);
    deliver_to(1, mill, BODY_FLAG_REQUEST, "\2r1how much?");
    deliver_to(2, mill, 0, "rye");
    expect_job(1, "how much?");
    expect_job(2, "rye");
    assert_int_equal(ferry_reply(bob, 1, "three", 5, 0), 1);
    const body_message_t *message = &expect_message(1, "\2r1three")->record.message;
    span_t rest = message->recipients;
    assert_true(span_equal(body_name_next(&rest), span_str("eve")));
    assert_int_equal(message->flags, BODY_FLAG_REPLY);
    assert_int_equal(ferry_reply(bob, 2, "nobody asked", 12, 0), 2);
    assert_int_equal(router_wait(&router, RECORD_DONE)->control.held.count, 0);
    answer_taken(2);
    assert_int_equal(ferry_settle(bob, wait_ms()), 0);
    assert_int_equal(ferry_reply(bob, 1, "again", 5, 0), -FERRY_E_NO_SUCH_JOB);
}

static void a_request_is_answered_or_its_time_is_over(void **state)
{
    (void)state;
    assert_int_equal(ferry_request(bob, "@mill", "?", 1, 60000, 0), 1);
    assert_int_equal(expect_message(1, "\1"
                                       "1?")
                         ->record.message.flags,
        BODY_FLAG_REQUEST);
    assert_int_equal(ferry_request(bob, "@mill", "!", 1, 20, 0), 2);
    expect_event(FERRY_FAILURE, 2, "@mill", FERRY_E_TIMEOUT, "");
    deliver_to(1, session, BODY_FLAG_REPLY,
        "\1"
        "1four");
    ferry_msg_t *msg = expect_kind(FERRY_REPLY);
    assert_int_equal(ferry_msg_number(msg), 1);
    assert_string_equal(ferry_msg_data(msg), "four");
    ferry_msg_destroy(&msg);
    deliver_to(2, session, BODY_FLAG_REPLY,
        "\1"
        "2late");
    expect_report(2, FERRY_REASON_EXPIRED);
    assert_int_equal(ferry_request(bob, "@mill", "x", 1, 60000, 0), 3);
    expect_message(4, /* 3 is the report */ "\1"
                                            "3x");
    answer_notice(4, "@mill", FERRY_ERROR_NO_SUCH_PEER, 0);
    expect_event(FERRY_FAILURE, 3, "@mill", FERRY_E_NO_SUCH_PEER, "");
    answer_taken(5);
    assert_int_equal(ferry_settle(bob, wait_ms()), 0);
}

static void arguments_that_are_none_are_refused(void **state)
{
    (void)state;
    assert_int_equal(ferry_join(bob, "room", 0), -FERRY_E_BAD_NAME);
    assert_int_equal(ferry_join(bob, "@room", 0), -FERRY_E_BAD_NAME);
    assert_int_equal(ferry_join(bob, NULL, 0), -FERRY_E_BAD_NAME);
    assert_int_equal(ferry_leave(bob, "#"), -FERRY_E_BAD_NAME);
    assert_int_equal(ferry_serve(bob, "#mill", 1, 0), -FERRY_E_BAD_NAME);
    assert_int_equal(ferry_serve(bob, "@mill", 0, 0), -FERRY_E_INVALID);
    assert_int_equal(ferry_serve(bob, "@mill", 10001, 0), -FERRY_E_INVALID);
    assert_int_equal(ferry_unserve(bob, "@a b"), -FERRY_E_BAD_NAME);
    assert_int_equal(ferry_request(bob, "carol", "x", 1, 1000, 0), -FERRY_E_BAD_NAME);
    assert_int_equal(ferry_request(bob, "@a,@b", "x", 1, 1000, 0), -FERRY_E_BAD_NAME);
    assert_int_equal(ferry_request(bob, "@mill", "x", 1, 0, 0), -FERRY_E_INVALID);
    assert_int_equal(ferry_request(bob, "@mill", "x", 1, 3600001, 0), -FERRY_E_INVALID);
    assert_int_equal(ferry_request(bob, "@mill", NULL, 1, 1000, 0), -FERRY_E_INVALID);
    assert_int_equal(ferry_done(bob, 1), -FERRY_E_NO_SUCH_JOB);
}

static void a_receipt_comes_when_nothing_is_held_any_more(void **state)
{
    (void)state;
    assert_int_equal(ferry_send_receipt(bob, "carol", "x", 1, 0), 1);
    assert_int_equal(expect_message(1, "x")->record.message.flags, BODY_FLAG_RECEIPT);
    assert_int_equal(ferry_send_receipt(bob, "dave", "y", 1, 0), 2);
    expect_message(2, "y");
    answer_notice(2, "dave", FERRY_ERROR_NO_SUCH_PEER, 0);
    answer_taken(3);
    expect_event(FERRY_FAILURE, 2, "dave", FERRY_E_NO_SUCH_PEER, "");
    expect_event(FERRY_RECEIPT, 1, "", 0, "");
    say("carol", "without");
    expect_message(3, "without");
    answer_taken(4);
    assert_int_equal(ferry_settle(bob, wait_ms()), 0);
    expect_nothing();
}

static void what_is_not_done_goes_back_when_the_program_ends(void **state)
{
    (void)state;
    uint64_t mill = serve_mill(2);
    deliver_to(1, mill, 0, "rye");
    deliver_to(2, mill, 0, "oats");
    expect_job(1, "rye");
    expect_job(2, "oats");
    assert_int_equal(ferry_done(bob, 1), 0);
    assert_int_equal(ferry_destroy(&bob, 300), 0); /* the broker does not answer */
    assert_int_equal(router_wait(&router, RECORD_DONE)->control.held.count, 0);
    const body_report_t *report = &router_wait(&router, RECORD_REPORT)->record.report;
    assert_int_equal(report->number, 2);
    assert_int_equal(report->reason, FERRY_REASON_GONE);
    assert_true(span_equal(report->name, span_str("@mill")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARRIER_TEST(a_members_copy_is_held_until_it_has_been_received),
        CARRIER_TEST(a_job_ends_with_done_behind_what_was_sent_before),
        CARRIER_TEST(the_answer_goes_to_who_has_asked_and_settles_as_a_message_does),
        CARRIER_TEST(a_request_is_answered_or_its_time_is_over),
        CARRIER_TEST(arguments_that_are_none_are_refused),
        CARRIER_TEST(a_receipt_comes_when_nothing_is_held_any_more),
        CARRIER_TEST(what_is_not_done_goes_back_when_the_program_ends),
    };
    return TEST_RUN(tests);
}
