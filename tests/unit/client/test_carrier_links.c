/* SPDX-License-Identifier: MPL-2.0 */
/* carrier_links: what becomes of the name and of copies, whatever the broker says. */
#include <errno.h>
#include <string.h>

#include "carrier_rig.h"

static void a_login_that_is_denied_may_be_tried_again(void **state)
{
    (void)state;
    assert_int_equal(ferry_login(bob, 0), -FERRY_E_TIMEOUT);
    router_welcome(&router);
    expect_register(false);
    uint64_t first = session;
    router_put(
        &router, &(control_t){.type = RECORD_DENIED, .name = {.session = session, .error = FERRY_ERROR_NAME_TAKEN}});
    router_flush(&router);
    assert_int_equal(ferry_login(bob, wait_ms()), -FERRY_E_NAME_TAKEN);
    assert_int_equal(ferry_login(bob, 0), -FERRY_E_TIMEOUT);
    expect_register(false);
    assert_int_not_equal(session, first);
    answer(RECORD_CONFIRMED);
    assert_int_equal(ferry_login(bob, wait_ms()), 0);
    assert_int_equal(ferry_login(bob, 0), 0);
}

static void the_name_is_registered_again_on_a_new_link_and_the_program_notices_nothing(void **state)
{
    (void)state;
    say("alice", "before");
    expect_message(1, "before");
    replace_broker();
    uint64_t before = session;
    expect_register(true);
    assert_int_equal(session, before);
    assert_int_equal(router_wait(&router, RECORD_MESSAGE)->header.flags, FRAME_FLAG_AGAIN);
    confirm();
    deliver(1, "after");
    receive("after");
    expect_nothing();
}

/* Somebody else has the name. */
static void lose_name(void)
{
    replace_broker();
    expect_register(true);
    router_put(
        &router, &(control_t){.type = RECORD_DENIED, .name = {.session = session, .error = FERRY_ERROR_NAME_TAKEN}});
    router_flush(&router);
}

static void a_name_that_is_lost_is_told_behind_what_had_come(void **state)
{
    (void)state;
    deliver(1, "hello");
    router_wait(&router, RECORD_HOLD);
    lose_name();
    receive("hello");
    expect_event(FERRY_CLOSED, 0, "", FERRY_E_NAME_TAKEN, "");
    assert_null(ferry_recv(bob, -1));
    assert_int_equal(errno, ENOTCONN);
    assert_int_equal(say("alice", "x"), -FERRY_E_NAME_TAKEN);
    assert_int_equal(ferry_login(bob, -1), -FERRY_E_NAME_TAKEN);
    expect_end(1);
}

static void what_did_not_leave_before_the_name_was_lost_fails(void **state)
{
    (void)state;
    answer_pause(RECORD_PAUSE, "alice");
    deliver(1, "the pause was read");
    receive("the pause was read");
    assert_int_equal(say("carol", "zero"), 1);
    router_wait(&router, RECORD_MESSAGE);
    answer_taken(2);
    assert_int_equal(ferry_settle(bob, wait_ms()), 0);
    router_stop(&router);
    assert_int_equal(say("alice", "one"), 2);
    assert_int_equal(say("alice", "two"), 3);
    router.welcome.welcome.window_size = 1;
    router_start(&router);
    router_welcome(&router);
    expect_register(true);
    router_put(
        &router, &(control_t){.type = RECORD_DENIED, .name = {.session = session, .error = FERRY_ERROR_NAME_TAKEN}});
    router_flush(&router);
    expect_event(FERRY_FAILURE, 3, "", FERRY_E_NAME_TAKEN, ""); /* the other one had left to try the pause */
    expect_event(FERRY_CLOSED, 0, "", FERRY_E_NAME_TAKEN, "");
    assert_int_equal(ferry_unsettled(bob), 1);
}

static void a_copy_that_comes_again_too_late_is_returned(void **state)
{
    (void)state;
    deliver(5, "five");
    receive("five");
    router_put_run_of(&router, &(body_run_t){.handle = ORIGIN, .floor = 4, .again = true});
    for (uint64_t number = 4; number <= 6; number++)
        router_put_copy(&router, number, &session, 1, "eve", "again");
    router_flush(&router);
    receive("again"); /* number 6 */
    expect_report(4, FERRY_REASON_LATE);
    expect_nothing();
}

static void failures_are_told_with_the_reason(void **state)
{
    (void)state;
    say("alice, carol", "one");
    expect_message(1, "one");
    answer_notice(1, "alice", FERRY_ERROR_UNCONFIRMED, FERRY_REASON_GATEWAY_LOST);
    expect_event(FERRY_FAILURE, 1, "alice", FERRY_E_UNCONFIRMED, "gateway-lost");
    answer_taken(2);
    assert_int_equal(ferry_settle(bob, wait_ms()), 0);
}

/* A copy that had been taken turns out not to have been delivered. */
static void a_failure_of_a_message_that_is_settled_has_no_number(void **state)
{
    (void)state;
    say("alice", "one");
    expect_message(1, "one");
    answer_taken(2);
    assert_int_equal(ferry_settle(bob, wait_ms()), 0);
    router_put_run(&router, ORIGIN);
    router_put_notice(&router, &(body_notice_t){.error = FERRY_ERROR_UNCONFIRMED,
                                   .reason = FERRY_REASON_GONE,
                                   .taken = true,
                                   .number = 1,
                                   .report = 1,
                                   .session = session,
                                   .name = span_str("alice")});
    router_flush(&router);
    expect_event(FERRY_FAILURE, 0, "alice", FERRY_E_UNCONFIRMED, "gone");
}

static void what_was_given_up_is_still_received_and_not_told_of(void **state)
{
    (void)state;
    deliver(1, "one");
    router_wait(&router, RECORD_HOLD);
    router_stop(&router);
    router_return(&router);
    router_welcome(&router); /* the same instance, and the link is fresh */
    expect_register(true);
    router_expect(&router, RECORD_REGISTERED); /* and no HOLD */
    confirm();
    receive("one");
    deliver(2, "two");
    router_wait(&router, RECORD_HOLD);
    receive("two");
    expect_end(1);
}

static void copies_for_others_are_returned(void **state)
{
    (void)state;
    uint64_t stranger = session + 1;
    router_put_run(&router, ORIGIN);
    router_put_copy(&router, 1, &stranger, 1, "eve", "for nobody");
    router_flush(&router);
    expect_report(1, FERRY_REASON_GONE);
    expect_nothing();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NEW_TEST(a_login_that_is_denied_may_be_tried_again),
        CARRIER_TEST(the_name_is_registered_again_on_a_new_link_and_the_program_notices_nothing),
        CARRIER_TEST(a_name_that_is_lost_is_told_behind_what_had_come),
        CARRIER_TEST(what_did_not_leave_before_the_name_was_lost_fails),
        CARRIER_TEST(a_copy_that_comes_again_too_late_is_returned),
        CARRIER_TEST(failures_are_told_with_the_reason),
        CARRIER_TEST(a_failure_of_a_message_that_is_settled_has_no_number),
        CARRIER_TEST(what_was_given_up_is_still_received_and_not_told_of),
        CARRIER_TEST(copies_for_others_are_returned),
    };
    return TEST_RUN(tests);
}
