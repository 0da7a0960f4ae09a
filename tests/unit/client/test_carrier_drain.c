/* SPDX-License-Identifier: MPL-2.0 */
/* carrier_drain: the end of a ferry_t, which blocks its program; a thread of the test waits for it meanwhile. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "carrier_rig.h"

static int deadline_ms;

static void *destroy(void *arg)
{
    static int unsettled;
    (void)arg;
    unsettled = ferry_destroy(&bob, deadline_ms);
    return &unsettled;
}

static pthread_t destroy_begin(int within_ms)
{
    pthread_t thread;
    deadline_ms = within_ms;
    assert_int_equal(pthread_create(&thread, NULL, destroy, NULL), 0);
    return thread;
}

/* Returns how many messages were not settled. */
static int destroy_end(pthread_t thread)
{
    void *unsettled;
    assert_int_equal(pthread_join(thread, &unsettled), 0);
    assert_null(bob);
    return *(int *)unsettled;
}

static void expect_leave(void)
{
    router_wait(&router, RECORD_LEAVE);
    router_put_empty(&router, RECORD_LEAVE_OK);
    router_flush(&router);
}

static void expect_bye(void)
{
    uint64_t number = router_wait(&router, RECORD_BYE)->control.number;
    router_put(&router, &(control_t){.type = RECORD_BYE_OK, .number = number});
    router_flush(&router);
}

static void all_is_settled_before_the_name_goes(void **state)
{
    (void)state;
    say("alice", "one");
    pthread_t thread = destroy_begin(wait_ms());
    router_wait(&router, RECORD_MESSAGE);
    router_wait(&router, RECORD_STOPPING);
    answer_taken(2);
    expect_leave();
    expect_bye();
    assert_int_equal(destroy_end(thread), 0);
}

static void what_was_not_received_is_returned_and_so_is_what_still_comes(void **state)
{
    (void)state;
    put_copy(1, "received");
    put_copy(2, "not received");
    router_flush(&router);
    receive("received");
    pthread_t thread = destroy_begin(wait_ms());
    expect_report(2, FERRY_REASON_GONE);
    deliver(3, "too late");
    expect_report(3, FERRY_REASON_GONE);
    answer_taken(3);
    expect_leave();
    expect_bye();
    assert_int_equal(destroy_end(thread), 0);
}

static void the_end_comes_at_the_deadline_whatever_is_missing(void **state)
{
    (void)state;
    say("alice", "one");
    say("alice", "two");
    expect_message(2, "two");
    answer_taken(2);
    pthread_t thread = destroy_begin(300);
    assert_int_equal(destroy_end(thread), 1);
    router_wait(&router, RECORD_LEAVE);
}

static void without_a_broker_there_is_nothing_to_wait_for(void **state)
{
    (void)state;
    router_stop(&router);
    assert_int_equal(ferry_login(bob, 0), -FERRY_E_TIMEOUT);
    assert_int_equal(ferry_destroy(&bob, -1), 0);
    router_start(&router);
}

static void a_broker_that_is_replaced_meanwhile_hears_the_leave_too(void **state)
{
    (void)state;
    say("alice", "one");
    expect_message(1, "one");
    pthread_t thread = destroy_begin(wait_ms());
    router_wait(&router, RECORD_STOPPING);
    replace_broker();
    expect_register(true);
    router_wait(&router, RECORD_MESSAGE);
    answer_taken(2);
    expect_leave();
    expect_bye();
    assert_int_equal(destroy_end(thread), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARRIER_TEST(all_is_settled_before_the_name_goes),
        CARRIER_TEST(what_was_not_received_is_returned_and_so_is_what_still_comes),
        CARRIER_TEST(the_end_comes_at_the_deadline_whatever_is_missing),
        NEW_TEST(without_a_broker_there_is_nothing_to_wait_for),
        CARRIER_TEST(a_broker_that_is_replaced_meanwhile_hears_the_leave_too),
    };
    return TEST_RUN(tests);
}
