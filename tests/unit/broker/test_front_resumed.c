/* SPDX-License-Identifier: MPL-2.0 */
/* What a broker says on a resumed link, and when: nothing overtakes what the node restates. */
#include "settling.h"

static void bob_registers_again(void)
{
    dealer_put_again(&b, SESSION(1, 2), "bob", 1, 2);
    dealer_flush(&b);
    assert_int_equal(dealer_expect(&b, RECORD_CONFIRMED)->control.name.session, SESSION(1, 2));
}

static void say_registered(dealer_t *dealer)
{
    dealer_put_empty(dealer, RECORD_REGISTERED);
    dealer_flush(dealer);
}

/* carol's node comes. */
static void carol_comes(void)
{
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
}

static void carol_leaves(void)
{
    dealer_put(&c, &(control_t){.type = RECORD_BYE, .number = c.sequence});
    dealer_flush(&c);
    dealer_expect(&c, RECORD_BYE_OK);
}

/* Node b resumes its link and hears all from now on. There are for it: a batch that it has not taken, a message of its
 * own that was taken and that alice holds, and a node that has left. */
static void resume_with_everything(void)
{
    pair_open();
    dealer_put_message(&b, SESSION(1, 2), "bob", "alice", "one");
    dealer_flush(&b);
    uint32_t handle = dealer_expect_copy(&a, SESSION(1, 1), "bob", "one")->run.handle;
    dealer_put(&a,
        &(control_t){.type = RECORD_HOLD, .held = {.session = SESSION(1, 1), .handle = handle, .numbers.first = 1}});
    dealer_acknowledge(&a);
    dealer_expect(&b, RECORD_HELD);
    dealer_expect_taken(&b, 2);
    alice_sends("bob", "two");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "two");
    carol_comes();
    carol_leaves();
    dealer_expect(&b, RECORD_GONE);
    dealer_resume(&b, ENDPOINT, 0);
    b.hears_settled = true;
    b.is_resumed = false;
}

static void expect_everything(void)
{
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "two");
    const dealer_event_t *held = dealer_expect(&b, RECORD_HELD);
    assert_true(held->control.held.again);
    dealer_expect_numbers(held, (const uint64_t[]){1}, 1);
    dealer_expect(&b, RECORD_SETTLED);
    dealer_expect(&b, RECORD_GONE);
    assert_int_equal(dealer_expect(&b, RECORD_TAKEN)->control.taken.below, 2);
}

static void all_that_a_resumed_link_hears_has_its_order(void **state)
{
    (void)state;
    resume_with_everything();
    dealer_put_again(&b, SESSION(1, 2), "bob", 1, 2);
    dealer_put_register(&b, SESSION(1, 3), "alice");
    dealer_put(&b, &(control_t){.type = RECORD_LEAVING, .name.session = SESSION(1, 4)});
    say_registered(&b);
    assert_int_equal(dealer_expect(&b, RECORD_CONFIRMED)->control.name.session, SESSION(1, 2));
    assert_int_equal(dealer_expect(&b, RECORD_DENIED)->control.name.session, SESSION(1, 3));
    const dealer_event_t *left = dealer_expect(&b, RECORD_LEFT);
    assert_int_equal(left->control.name.session, SESSION(1, 4));
    assert_int_equal(left->header.sequence, 0); /* and so it is handled before the body that follows */
    expect_everything();
}

static void a_resumed_link_hears_nothing_else_until_all_is_restated(void **state)
{
    (void)state;
    resume_with_everything();
    bob_registers_again();
    dealer_login(&b, SESSION(1, 8), "one turn");
    dealer_login(&b, SESSION(1, 9), "another turn");
    say_registered(&b);
    expect_everything();
}

static void a_name_is_confirmed_before_copies_that_came_since(void **state)
{
    (void)state;
    pair_open();
    dealer_resume(&b, ENDPOINT, 0);
    bob_registers_again();
    alice_sends("bob", "new");
    broker_wait_number("counters.copies", 1);
    dealer_login(&b, SESSION(1, 8), "other"); /* so the copy was not sent */
    say_registered(&b);
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "new");
}

/* A batch that is sent again has a copy of the node that goes. */
static void who_goes_meanwhile_is_gone_behind_the_batches(void **state)
{
    (void)state;
    pair_open();
    carol_comes();
    dealer_put_message(&c, SESSION(1, 3), "carol", "bob", "farewell");
    dealer_flush(&c);
    uint32_t handle = dealer_expect_copy(&b, SESSION(1, 2), "carol", "farewell")->run.handle;
    dealer_resume(&b, ENDPOINT, 0);
    carol_leaves();
    bob_registers_again();
    say_registered(&b);
    dealer_expect_copy(&b, SESSION(1, 2), "carol", "farewell");
    assert_int_equal(dealer_expect(&b, RECORD_GONE)->control.origin.handle, handle);
    dealer_expect(&a, RECORD_GONE);
    dealer_barrier(&a, 9);
}

/* GONE was not said on the second link, however long that was there. */
static void who_went_is_told_when_a_link_is_lost_before_all_is_restated(void **state)
{
    (void)state;
    dealer_open(&b, ENDPOINT, 0xb);
    dealer_join(&b);
    carol_comes();
    carol_leaves();
    dealer_expect(&b, RECORD_GONE);
    dealer_resume(&b, ENDPOINT, 0);
    int64_t until_ms = deadline_now_ms() + 2 * config_number(config, "link/timeout");
    while (deadline_now_ms() < until_ms) {
        dealer_flush(&b);
        zmq_pollitem_t item = {.socket = b.socket, .events = ZMQ_POLLIN};
        zmq_poll(&item, 1, 20);
    }
    dealer_resume(&b, ENDPOINT, 0);
    say_registered(&b);
    dealer_expect(&b, RECORD_GONE);
}

/* No other record goes with them. */
static void batches_go_when_registered_comes_alone(void **state)
{
    (void)state;
    alice_comes_back();
    alice_sends("alice", "one");
    dealer_expect_copy(&a, SESSION(1, 1), "alice", "one");
    dealer_resume(&a, ENDPOINT, 0);
    dealer_put_again(&a, SESSION(1, 1), "alice", 1, 1);
    dealer_flush(&a);
    dealer_expect(&a, RECORD_CONFIRMED);
    say_registered(&a);
    dealer_expect_copy(&a, SESSION(1, 1), "alice", "one");
}

/* Node b comes back with bob, who holds message 5 of node a: that was the last that was waited for. */
static void the_settling_ends(void)
{
    come_back(&b, 0xb, 0);
    b.hears_settled = true;
    dealer_put_again(&b, SESSION(1, 2), "bob", 1, 2);
    dealer_put(&b, &(control_t){.type = RECORD_ORIGIN, .origin = {.handle = 1, .node = a.id}});
    dealer_put(&b, &(control_t){.type = RECORD_HOLD,
                       .held = {.session = SESSION(1, 2), .handle = 1, .again = true, .numbers.first = 5}});
    say_registered(&b);
    dealer_wait(&b, RECORD_SETTLED);
}

static void a_node_that_restates_when_the_settling_ends_hears_settled_with_registered(void **state)
{
    (void)state;
    alice_comes_back();
    dealer_resume(&a, ENDPOINT, 0);
    a.hears_settled = true;
    the_settling_ends();
    dealer_login(&a, SESSION(1, 8), "other"); /* so nothing was said of what is held */
    say_registered(&a);
    const dealer_event_t *held = dealer_expect(&a, RECORD_HELD);
    assert_true(held->control.held.again);
    dealer_expect_numbers(held, (const uint64_t[]){5}, 1);
    dealer_expect(&a, RECORD_SETTLED);
}

static void a_node_that_has_restated_hears_settled_when_the_settling_ends(void **state)
{
    (void)state;
    alice_comes_back();
    dealer_resume(&a, ENDPOINT, 0);
    a.hears_settled = true;
    say_registered(&a);
    dealer_put_again(&a, SESSION(1, 1), "alice", 1, 1);
    dealer_flush(&a);
    dealer_expect(&a, RECORD_CONFIRMED); /* so nothing was said of what is held */
    the_settling_ends();
    dealer_expect(&a, RECORD_HELD);
    dealer_expect(&a, RECORD_SETTLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(all_that_a_resumed_link_hears_has_its_order),
        BROKER_TEST(a_resumed_link_hears_nothing_else_until_all_is_restated),
        BROKER_TEST(a_name_is_confirmed_before_copies_that_came_since),
        BROKER_TEST(who_goes_meanwhile_is_gone_behind_the_batches),
        BROKER_TEST_HASTY(who_went_is_told_when_a_link_is_lost_before_all_is_restated),
        BROKER_TEST(batches_go_when_registered_comes_alone),
        BROKER_TEST(a_node_that_restates_when_the_settling_ends_hears_settled_with_registered),
        BROKER_TEST(a_node_that_has_restated_hears_settled_when_the_settling_ends),
    };
    return BROKER_RUN(tests);
}
