/* SPDX-License-Identifier: MPL-2.0 */
/* The orderly ends of a link: a broker that drains, a node that leaves, BYEs that cross. */
#include "link_rig.h"

static void a_draining_broker_gets_what_there_is_and_no_more(void **state)
{
    (void)state;
    rig_join();
    rig_send(1, "bob", "text");
    rig_report("zoe");
    router_put_empty(&rig.router, RECORD_DRAIN);
    router_flush(&rig.router);
    rig_wait("state:broker-drains ");
    assert_false(link_has_room(rig.link));
    assert_true(link_can_end(rig.link)); /* ENDs still go */
    assert_false(link_is_up(rig.link));
    assert_int_equal(link_state(rig.link), LINK_UP);
    router_expect_message(&rig.router, 1, "text");
    router_expect(&rig.router, RECORD_REPORT);
    assert_int_equal(router_expect(&rig.router, RECORD_DRAINED)->control.number, 2);
    rig_report("ann"); /* reports still go */
    router_expect(&rig.router, RECORD_REPORT);
    router_put_taken(&rig.router, 4);
    router_put(&rig.router, &(control_t){.type = RECORD_BYE, .number = 0});
    router_flush(&rig.router);
    rig_wait("settled:1 ");
    assert_int_equal(router_expect(&rig.router, RECORD_BYE_OK)->control.number, 0);
    rig_expect_loss(CLOSE_ORDERLY);
    rig_check_ledger();
    router_stop(&rig.router);
    router_start(&rig.router);
    router_join(&rig.router);
    rig_wait("room ");
    rig_send(1, "bob", "after");
    router_expect_message(&rig.router, 4, "after");
}

static void who_is_about_to_leave_says_so_on_every_link(void **state)
{
    (void)state;
    rig_join();
    link_stop(rig.link);
    router_expect(&rig.router, RECORD_STOPPING);
    router_stop(&rig.router);
    router_start(&rig.router);
    router_join(&rig.router);
    router_expect(&rig.router, RECORD_STOPPING);
}

static void bye_of_the_broker_is_answered_with_what_was_taken(void **state)
{
    (void)state;
    rig_join();
    router_put(&rig.router, &(control_t){.type = RECORD_ORIGIN, .origin.handle = 2});
    for (unsigned i = 1; i <= 3; i++) {
        router_put_run(&rig.router, 2);
        router_put_copy(&rig.router, i, &(uint64_t){5}, 1, "eve", "");
        if (i == 3)
            router_put(&rig.router, &(control_t){.type = RECORD_BYE, .number = 3});
        router_flush(&rig.router);
    }
    const router_event_t *event = router_expect(&rig.router, RECORD_BYE_OK);
    assert_int_equal(event->control.number, 3);
    assert_int_equal(event->header.acknowledged, 3);
    rig_expect_loss(CLOSE_ORDERLY);
}

static void what_an_orderly_broker_knew_to_be_held_is_not_settled_by_its_end(void **state)
{
    (void)state;
    rig_join();
    rig_send(1, "bob", "text");
    router_expect(&rig.router, RECORD_MESSAGE);
    router_put_numbers(&rig.router, RECORD_HELD, 1);
    router_put_taken(&rig.router, 2);
    router_put_empty(&rig.router, RECORD_DRAIN);
    router_put(&rig.router, &(control_t){.type = RECORD_BYE, .number = 0});
    router_flush(&rig.router);
    router_wait(&rig.router, RECORD_BYE_OK);
    rig_expect_loss(CLOSE_ORDERLY);
    assert_false(link_is_settled(rig.link));
    router_stop(&rig.router);
    router_start(&rig.router);
    router_hello(&rig.router);
    router_put_welcome(&rig.router);
    router_put_held_again(&rig.router, 1);
    router_put_empty(&rig.router, RECORD_SETTLED);
    router_put_session(&rig.router, RECORD_CONFIRMED, 5);
    router_flush(&rig.router);
    rig_wait("confirmed:5 ");
    assert_false(link_is_settled(rig.link));
    router_put_numbers(&rig.router, RECORD_ENDED, 1);
    router_flush(&rig.router);
    rig_wait("settled:1 ");
}

static void a_node_leaves_reports_and_says_bye(void **state)
{
    (void)state;
    rig_join();
    rig_send(1, "bob", "text");
    router_expect(&rig.router, RECORD_MESSAGE);
    router_put_taken(&rig.router, 2);
    router_flush(&rig.router);
    rig_wait("settled:1 ");
    link_leave(rig.link);
    rig_wait("state:leaving ");
    router_expect(&rig.router, RECORD_LEAVE);
    router_put_empty(&rig.router, RECORD_LEAVE_OK);
    router_flush(&rig.router);
    rig_wait("state:left ");
    rig_report("zoe");
    link_part(rig.link);
    assert_int_equal(router_expect(&rig.router, RECORD_REPORT)->number, 2);
    rig_expect_said(""); /* no BYE before the report is taken */
    router_put_taken(&rig.router, 3);
    router_flush(&rig.router);
    assert_int_equal(router_expect(&rig.router, RECORD_BYE)->control.number, 2);
    rig_wait("state:parting ");
    router_put(&rig.router, &(control_t){.type = RECORD_BYE_OK, .number = 2});
    router_flush(&rig.router);
    rig_wait("state:closed ");
    assert_string_equal(close_code(link_loss(rig.link)), "orderly");
    assert_true(link_is_settled(rig.link));
    rig_check_ledger();
}

/* Up to the BYE of a node that has nothing to say. */
static void part(void)
{
    link_leave(rig.link);
    router_expect(&rig.router, RECORD_LEAVE);
    router_put_empty(&rig.router, RECORD_LEAVE_OK);
    router_flush(&rig.router);
    rig_wait("state:left ");
    link_part(rig.link);
}

static void byes_that_cross_are_both_answered(void **state)
{
    (void)state;
    rig_join();
    part();
    router_expect(&rig.router, RECORD_BYE);
    router_put(&rig.router, &(control_t){.type = RECORD_BYE, .number = 0});
    router_flush(&rig.router);
    assert_int_equal(router_expect(&rig.router, RECORD_BYE_OK)->control.number, 0);
    rig_wait("state:closed ");
    assert_string_equal(close_code(link_loss(rig.link)), "orderly");
}

static void a_bye_before_the_nodes_own_is_answered_alone(void **state)
{
    (void)state;
    rig_join();
    link_leave(rig.link);
    router_expect(&rig.router, RECORD_LEAVE);
    router_put_empty(&rig.router, RECORD_LEAVE_OK);
    router_put(&rig.router, &(control_t){.type = RECORD_BYE, .number = 0});
    router_flush(&rig.router);
    router_expect(&rig.router, RECORD_BYE_OK);
    rig_wait("state:closed ");
}

static void a_bye_ok_with_another_number_is_not_believed(void **state)
{
    (void)state;
    rig_join();
    part();
    router_expect(&rig.router, RECORD_BYE);
    router_put(&rig.router, &(control_t){.type = RECORD_BYE_OK, .number = 1});
    router_flush(&rig.router);
    rig_expect_loss(CLOSE_BAD_SEQUENCE);
}

static void a_link_that_never_was_up_leaves_at_once(void **state)
{
    (void)state;
    for (unsigned step = 0; step < 3; step++) {
        rig_link();
        if (step == 1)
            rig_wait("state:connecting ");
        if (step == 2)
            router_hello(&rig.router);
        link_leave(rig.link);
        rig_wait("state:closed ");
        assert_int_equal(link_state(rig.link), LINK_CLOSED);
        link_destroy(&rig.link);
    }
}

static void a_link_that_ended_in_order_leaves_at_once(void **state)
{
    (void)state;
    rig_join();
    router_put(&rig.router, &(control_t){.type = RECORD_BYE, .number = 0});
    router_flush(&rig.router);
    router_expect(&rig.router, RECORD_BYE_OK);
    rig_expect_loss(CLOSE_ORDERLY);
    router_stop(&rig.router);
    link_leave(rig.link);
    assert_int_equal(link_state(rig.link), LINK_CLOSED);
}

static void a_link_that_is_down_leaves_when_its_broker_must_have_given_it_up(void **state)
{
    (void)state;
    enum { TIMEOUT_MS = 300 };
    rig.router.welcome.welcome.timeout_ms = TIMEOUT_MS;
    rig_join();
    int64_t before_ms = deadline_now_ms();
    router_stop(&rig.router);
    rig_wait("state:down ");
    link_leave(rig.link);
    assert_int_not_equal(link_state(rig.link), LINK_CLOSED);
    rig_wait("state:closed ");
    assert_true(deadline_now_ms() - before_ms >= TIMEOUT_MS);
}

static void a_link_that_is_down_and_not_settled_waits_for_its_broker(void **state)
{
    (void)state;
    rig.router.welcome.welcome.timeout_ms = 200;
    rig_join();
    rig_send(1, "bob", "text");
    router_expect(&rig.router, RECORD_MESSAGE);
    router_stop(&rig.router);
    rig_wait("state:down ");
    link_leave(rig.link);
    for (unsigned i = 0; i < 20; i++)
        rig_wait("state:down ");
    router_start(&rig.router);
    router_welcome(&rig.router);
    router_expect_message(&rig.router, 1, "text");
    router_expect(&rig.router, RECORD_REGISTERED);
    router_expect(&rig.router, RECORD_LEAVE);
}

/* The steps of leaving that a link may be lost at, and then taken up again. */
typedef enum { LOST_LEAVING, LOST_LEFT, LOST_PARTING, LOST_STEPS } lost_t;

static void leave_until(lost_t step)
{
    if (step == LOST_LEAVING) {
        link_leave(rig.link);
        router_expect(&rig.router, RECORD_LEAVE);
        return;
    }
    part();
    if (step == LOST_PARTING)
        router_expect(&rig.router, RECORD_BYE);
}

/* How the broker answers HELLO. */
static void come_again(bool resumed)
{
    if (resumed)
        router_resume(&rig.router);
    else
        router_welcome(&rig.router);
    router_expect(&rig.router, RECORD_REGISTERED);
}

static void a_link_that_is_lost_while_it_leaves_leaves_on_the_next_one(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * LOST_STEPS; i++) {
        bool resumed = i % 2;
        rig_join();
        leave_until(i / 2);
        rig_break(resumed);
        come_again(resumed);
        router_expect(&rig.router, RECORD_LEAVE);
        router_put_empty(&rig.router, RECORD_LEAVE_OK);
        router_flush(&rig.router);
        rig_wait("state:left ");
        link_part(rig.link);
        router_expect(&rig.router, RECORD_BYE);
        router_put(&rig.router, &(control_t){.type = RECORD_BYE_OK, .number = 0});
        router_flush(&rig.router);
        rig_wait("state:closed ");
        assert_string_equal(close_code(link_loss(rig.link)), "orderly");
        link_destroy(&rig.link);
    }
}

static void a_report_of_the_last_moment_is_said_again_before_bye(void **state)
{
    (void)state;
    rig_join();
    link_leave(rig.link);
    router_expect(&rig.router, RECORD_LEAVE);
    router_put_empty(&rig.router, RECORD_LEAVE_OK);
    router_flush(&rig.router);
    rig_wait("state:left ");
    rig_report("zoe");
    link_part(rig.link);
    router_expect(&rig.router, RECORD_REPORT);
    rig_break(true);
    router_hello(&rig.router);
    router_put_resumed(&rig.router, 0);
    router_put_empty(&rig.router, RECORD_SETTLED);
    router_put_empty(&rig.router, RECORD_LEAVE_OK);
    router_flush(&rig.router);
    router_expect_number(&rig.router, RECORD_REPORT, 1);
    router_expect(&rig.router, RECORD_REGISTERED);
    router_expect(&rig.router, RECORD_LEAVE);
    router_put_taken(&rig.router, 2);
    router_put_empty(&rig.router, RECORD_LEAVE_OK);
    router_flush(&rig.router);
    assert_int_equal(router_expect(&rig.router, RECORD_BYE)->control.number, 1);
}

static void a_node_may_ask_to_part_before_its_leave_is_answered(void **state)
{
    (void)state;
    rig_join();
    link_leave(rig.link);
    link_part(rig.link);
    router_expect(&rig.router, RECORD_LEAVE);
    router_put_empty(&rig.router, RECORD_LEAVE_OK);
    router_flush(&rig.router);
    router_expect(&rig.router, RECORD_BYE);
    router_put(&rig.router, &(control_t){.type = RECORD_BYE_OK, .number = 0});
    router_flush(&rig.router);
    rig_wait("state:closed ");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RIG_TEST(a_draining_broker_gets_what_there_is_and_no_more),
        RIG_TEST(who_is_about_to_leave_says_so_on_every_link),
        RIG_TEST(bye_of_the_broker_is_answered_with_what_was_taken),
        RIG_TEST(what_an_orderly_broker_knew_to_be_held_is_not_settled_by_its_end),
        RIG_TEST(a_node_leaves_reports_and_says_bye),
        RIG_TEST(byes_that_cross_are_both_answered),
        RIG_TEST(a_bye_before_the_nodes_own_is_answered_alone),
        RIG_TEST(a_bye_ok_with_another_number_is_not_believed),
        RIG_TEST(a_link_that_never_was_up_leaves_at_once),
        RIG_TEST(a_link_that_ended_in_order_leaves_at_once),
        RIG_TEST(a_link_that_is_down_leaves_when_its_broker_must_have_given_it_up),
        RIG_TEST(a_link_that_is_down_and_not_settled_waits_for_its_broker),
        RIG_TEST(a_link_that_is_lost_while_it_leaves_leaves_on_the_next_one),
        RIG_TEST(a_report_of_the_last_moment_is_said_again_before_bye),
        RIG_TEST(a_node_may_ask_to_part_before_its_leave_is_answered),
    };
    return TEST_RUN(tests);
}
