/* SPDX-License-Identifier: MPL-2.0 */
/* carrier: how the program's messages leave, what they wait for, and what waits for the program. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "carrier_rig.h"

#define IDLE_MS (500 * (int)deadline_patience()) /* in which nothing moves, so that nothing will */

static char kilobyte[1025];

static void messages_go_to_the_broker_in_order(void **state)
{
    (void)state;
    assert_int_equal(say("alice, carol", "one"), 1);
    assert_int_equal(say("alice", "two"), 2);
    const router_event_t *event = expect_message(1, "one");
    assert_int_equal(event->record.message.recipient_count, 2);
    assert_int_equal(event->record.message.flags, 0);
    assert_true(span_equal(event->record.message.sender, span_str("bob")));
    expect_message(2, "two");
    assert_int_equal(ferry_send(bob, "alice", "\n", 1, 0), 3);
    assert_int_equal(expect_message(3, "\n")->record.message.flags, BODY_FLAG_OPAQUE);
}

static void what_is_sent_is_settled_when_it_is_taken_and_not_held(void **state)
{
    (void)state;
    say("alice", "one");
    say("alice", "two");
    expect_message(2, "two");
    assert_int_equal(ferry_unsettled(bob), 2);
    assert_int_equal(ferry_settle(bob, 0), -FERRY_E_TIMEOUT);
    router_put_origin(&router, ORIGIN, 9);
    router_put_numbers(&router, RECORD_HELD, 1);
    answer_taken(3);
    while (ferry_unsettled(bob) != 1)
        poll(NULL, 0, 1);
    router_put_numbers(&router, RECORD_ENDED, 1);
    router_flush(&router);
    assert_int_equal(ferry_settle(bob, wait_ms()), 0);
    assert_int_equal(ferry_unsettled(bob), 0);
}

static void settled_messages_are_told_of_if_that_is_wanted(void **state)
{
    (void)state;
    assert_int_equal(ferry_set_settled(bob, true), 0);
    join();
    assert_int_equal(ferry_set_settled(bob, false), -FERRY_E_INVALID);
    say("alice", "one");
    say("carol", "two");
    expect_message(2, "two");
    answer_notice(1, "alice", FERRY_ERROR_NO_SUCH_PEER, 0);
    answer_taken(3);
    expect_event(FERRY_FAILURE, 1, "alice", FERRY_E_NO_SUCH_PEER, "");
    expect_event(FERRY_SETTLED, 1, "", 0, "");
    expect_event(FERRY_SETTLED, 2, "", 0, "");
    assert_int_equal(ferry_unsettled(bob), 0);
    expect_nothing();
}

/* Sends until no message is accepted any more. Returns the last one's number. */
static int64_t fill(const char *recipient)
{
    int64_t number, last = 0;
    while ((number = ferry_send(bob, recipient, kilobyte, 1024, IDLE_MS)) > 0)
        last = number;
    assert_int_equal(number, -FERRY_E_TIMEOUT);
    return last;
}

static void sending_blocks_while_the_window_is_full_and_goes_on_when_it_opens(void **state)
{
    (void)state;
    ferry_set_queue(bob, 64 * 1024);
    assert_in_range(fill("alice"), 256 * 9 / 10 + 64 * 9 / 10, 256 + 64); /* the window and the queue */
    assert_int_equal(ferry_send(bob, "alice", kilobyte, 1024, 10), -FERRY_E_TIMEOUT);
    expect_message(1, kilobyte);
    answer_taken(2);
    assert_true(ferry_send(bob, "alice", kilobyte, 1024, wait_ms()) > 0);
}

static void a_message_to_a_paused_name_waits_with_those_behind_it(void **state)
{
    (void)state;
    answer_pause(RECORD_PAUSE, "alice");
    router_put_origin(&router, ORIGIN, 9);
    deliver(1, "the pause was read");
    receive("the pause was read");
    say("alice", "one");
    say("carol", "two");
    assert_int_equal(ferry_settle(bob, 50), -FERRY_E_TIMEOUT);
    answer_pause(RECORD_RESUME, "alice");
    expect_message(1, "one");
    expect_message(2, "two");
}

/* Whether the broker reads PAUSE or RESUME of bob next. */
static void expect_pause(record_type_t type)
{
    assert_true(span_equal(router_wait(&router, type)->control.name.name, span_str("bob")));
}

static void a_program_that_does_not_receive_has_its_name_paused(void **state)
{
    (void)state;
    assert_int_equal(ferry_set_marks(bob, 10000, 2000), 0);
    join();
    assert_int_equal(ferry_set_marks(bob, 10000, 2000), -FERRY_E_INVALID);
    for (uint64_t number = 1; number <= 12; number++)
        put_copy(number, kilobyte);
    router_flush(&router);
    expect_pause(RECORD_PAUSE);
    for (int i = 0; i < 12; i++)
        receive(kilobyte);
    expect_pause(RECORD_RESUME);
}

static void a_pause_of_the_own_name_is_stated_to_the_next_broker(void **state)
{
    (void)state;
    assert_int_equal(ferry_set_marks(bob, 1024, 0), 0);
    join();
    deliver(1, kilobyte);
    expect_pause(RECORD_PAUSE);
    replace_broker();
    assert_true(router_wait(&router, RECORD_REGISTER)->control.name.paused);
}

static void what_the_program_does_not_receive_holds_up_its_own_messages(void **state)
{
    (void)state;
    assert_int_equal(ferry_set_marks(bob, 1024, 512), 0);
    join();
    deliver(1, kilobyte);
    expect_pause(RECORD_PAUSE);
    say("alice", "behind");
    assert_int_equal(ferry_settle(bob, 50), -FERRY_E_TIMEOUT);
    receive(kilobyte);
    router_wait(&router, RECORD_MESSAGE);
}

static void a_message_that_is_too_large_for_a_broker_that_came_later_fails(void **state)
{
    (void)state;
    answer_pause(RECORD_PAUSE, "alice");
    deliver(1, "the pause was read");
    receive("the pause was read");
    assert_int_equal(ferry_send(bob, "alice", kilobyte, 1024, 0), 1);
    router.welcome.welcome.batch_size = 1024;
    replace_broker();
    expect_event(FERRY_FAILURE, 1, "", FERRY_E_TOO_LARGE, "");
    assert_int_equal(ferry_settle(bob, wait_ms()), 0);
    assert_int_equal(ferry_send(bob, "alice", kilobyte, 1024, 0), -FERRY_E_TOO_LARGE);
}

int main(void)
{
    memset(kilobyte, 'x', sizeof kilobyte - 1);
    const struct CMUnitTest tests[] = {
        CARRIER_TEST(messages_go_to_the_broker_in_order),
        CARRIER_TEST(what_is_sent_is_settled_when_it_is_taken_and_not_held),
        NEW_TEST(settled_messages_are_told_of_if_that_is_wanted),
        CARRIER_TEST(sending_blocks_while_the_window_is_full_and_goes_on_when_it_opens),
        CARRIER_TEST(a_message_to_a_paused_name_waits_with_those_behind_it),
        NEW_TEST(a_program_that_does_not_receive_has_its_name_paused),
        NEW_TEST(a_pause_of_the_own_name_is_stated_to_the_next_broker),
        NEW_TEST(what_the_program_does_not_receive_holds_up_its_own_messages),
        CARRIER_TEST(a_message_that_is_too_large_for_a_broker_that_came_later_fails),
    };
    return TEST_RUN(tests);
}
