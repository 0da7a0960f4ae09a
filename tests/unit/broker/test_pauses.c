/* SPDX-License-Identifier: MPL-2.0 */
#include "fixture.h"

#include "broker/pauses.h"

static void bob_says(record_type_t type)
{
    dealer_put(&b, &(control_t){.type = type, .name.name = span_str("bob")});
    dealer_flush(&b);
}

/* The broker has handled it when this returns. */
static void bob_pauses(void)
{
    bob_says(RECORD_PAUSE);
    dealer_barrier(&b, 9);
}

static void expect_about(dealer_t *dealer, record_type_t type, const char *name)
{
    assert_true(span_equal(dealer_expect(dealer, type)->control.name.name, span_str(name)));
}

static void a_sender_hears_of_a_pause_with_its_first_copy_and_of_its_end(void **state)
{
    (void)state;
    pair_open();
    bob_pauses();
    dealer_barrier(&a, 9);
    alice_sends("bob", "one");
    expect_about(&a, RECORD_PAUSE, "bob");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    alice_sends("bob", "two");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "two");
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 3);
    bob_says(RECORD_RESUME);
    expect_about(&a, RECORD_RESUME, "bob");
    alice_sends("bob", "three");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "three");
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 4);
}

static void who_does_not_send_hears_nothing(void **state)
{
    (void)state;
    pair_open();
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
    bob_pauses();
    alice_sends("bob", "one");
    expect_about(&a, RECORD_PAUSE, "bob");
    bob_says(RECORD_RESUME);
    expect_about(&a, RECORD_RESUME, "bob");
    dealer_barrier(&c, 9);
}

static void only_its_own_node_pauses_a_name(void **state)
{
    (void)state;
    pair_open();
    dealer_put(&a, &(control_t){.type = RECORD_PAUSE, .name.name = span_str("bob")});
    dealer_put(&a, &(control_t){.type = RECORD_PAUSE, .name.name = span_str("nobody")});
    alice_sends("bob", "one");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    dealer_barrier(&a, 9);
}

static void a_name_that_goes_ends_its_pause(void **state)
{
    (void)state;
    pair_open();
    bob_pauses();
    alice_sends("bob", "one");
    expect_about(&a, RECORD_PAUSE, "bob");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    dealer_put(&b, &(control_t){.type = RECORD_LEAVING, .name.session = SESSION(1, 2)});
    dealer_flush(&b);
    expect_about(&a, RECORD_RESUME, "bob");
}

static void a_new_link_of_the_paused_node_ends_its_pauses(void **state)
{
    (void)state;
    pair_open();
    bob_pauses();
    alice_sends("bob", "one");
    expect_about(&a, RECORD_PAUSE, "bob");
    dealer_reopen(&b, ENDPOINT);
    dealer_greet(&b);
    dealer_wait(&a, RECORD_RESUME);
}

static void bob_registers_again(bool paused)
{
    dealer_put(&b, &(control_t){.type = RECORD_REGISTER,
                       .name = {.session = SESSION(1, 2),
                           .again = true,
                           .paused = paused,
                           .term = 1,
                           .serial = 1,
                           .name = span_str("bob")}});
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_wait(&b, RECORD_CONFIRMED);
}

static void a_resumed_link_of_the_paused_node_says_whether_its_pauses_last(void **state)
{
    (void)state;
    pair_open();
    bob_pauses();
    alice_sends("bob", "one");
    expect_about(&a, RECORD_PAUSE, "bob");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    dealer_acknowledge(&b);
    dealer_resume(&b, ENDPOINT, 1);
    bob_registers_again(true);
    dealer_expect_taken(&a, 2);
    dealer_barrier(&a, 9); /* and no RESUME */
    dealer_resume(&b, ENDPOINT, 1);
    bob_registers_again(false);
    expect_about(&a, RECORD_RESUME, "bob");
}

static void a_name_that_is_registered_as_paused_is_paused_for_the_first_copy(void **state)
{
    (void)state;
    pair_open();
    dealer_put(&b, &(control_t){.type = RECORD_REGISTER,
                       .name = {.session = SESSION(1, 5), .paused = true, .name = span_str("ben")}});
    dealer_flush(&b);
    dealer_wait(&b, RECORD_CONFIRMED);
    alice_sends("ben", "one");
    expect_about(&a, RECORD_PAUSE, "ben");
    dealer_expect_copy(&b, SESSION(1, 5), "alice", "one");
}

static void a_new_link_of_the_sender_is_told_again(void **state)
{
    (void)state;
    pair_open();
    bob_pauses();
    alice_sends("bob", "one");
    expect_about(&a, RECORD_PAUSE, "bob");
    dealer_reopen(&a, ENDPOINT);
    dealer_join(&a);
    alice_sends("bob", "two");
    expect_about(&a, RECORD_PAUSE, "bob");
    bob_says(RECORD_RESUME);
    expect_about(&a, RECORD_RESUME, "bob");
}

/* The index of the node that went is used again by one that was told nothing. */
static void a_sender_that_went_is_not_told(void **state)
{
    (void)state;
    pair_open();
    bob_pauses();
    alice_sends("bob", "one");
    expect_about(&a, RECORD_PAUSE, "bob");
    dealer_put(&a, &(control_t){.type = RECORD_BYE, .number = 1});
    dealer_flush(&a);
    dealer_wait(&a, RECORD_BYE_OK);
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
    bob_says(RECORD_RESUME);
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    dealer_expect(&b, RECORD_GONE);
    dealer_barrier(&b, 10);
    dealer_barrier(&c, 9);
}

/* Until the node has four windows open. Returns how many messages that took. */
static unsigned congest(void)
{
    static char text[32000];
    memset(text, 'x', sizeof text - 1);
    size_t open = 0, mark = (size_t)PAUSES_WINDOWS * (size_t)config_number(config, "link/window");
    unsigned count = 0;
    for (; open <= mark; open += sizeof text, count++)
        alice_sends("bob", text);
    return count;
}

static void a_node_over_its_windows_is_paused_until_half_of_that_is_acknowledged(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&b, SESSION(1, 3), "bert");
    unsigned count = congest();
    broker_wait_number("counters.messages", count);
    alice_sends("bert", "you too");
    expect_about(&a, RECORD_PAUSE, "bert");
    for (unsigned i = 0; i < count / 4; i++)
        dealer_expect(&b, RECORD_COPY);
    dealer_acknowledge(&b);
    while (dealer_expect(&a, RECORD_TAKEN)->control.taken.below <= count / 4)
        ; /* and no RESUME */
    assert_int_equal(broker_number("counters.congestions"), 1);
    for (unsigned i = count / 4; i < count; i++)
        dealer_expect(&b, RECORD_COPY);
    dealer_acknowledge(&b);
    const dealer_event_t *event = dealer_wait(&a, RECORD_RESUME);
    assert_true(span_equal(event->control.name.name, span_str("bert")));
    dealer_expect_copy(&b, SESSION(1, 3), "alice", "you too");
    alice_sends("bert", "again");
    dealer_expect_copy(&b, SESSION(1, 3), "alice", "again");
    dealer_barrier(&a, 9);
}

static void a_node_that_is_silent_with_batches_open_is_paused(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "one");
    broker_wait_number("counters.congestions", 1);
    alice_sends("bob", "two");
    expect_about(&a, RECORD_PAUSE, "bob");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "two");
    dealer_acknowledge(&b);
    dealer_wait(&a, RECORD_RESUME);
}

static void the_end_of_a_congestion_does_not_end_the_pause_of_a_name(void **state)
{
    (void)state;
    pair_open();
    bob_pauses();
    alice_sends("bob", "one");
    expect_about(&a, RECORD_PAUSE, "bob");
    broker_wait_number("counters.congestions", 1);
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 2);
    dealer_barrier(&a, 9);
    bob_says(RECORD_RESUME);
    expect_about(&a, RECORD_RESUME, "bob");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(a_sender_hears_of_a_pause_with_its_first_copy_and_of_its_end),
        BROKER_TEST(who_does_not_send_hears_nothing),
        BROKER_TEST(only_its_own_node_pauses_a_name),
        BROKER_TEST(a_name_that_goes_ends_its_pause),
        BROKER_TEST(a_new_link_of_the_paused_node_ends_its_pauses),
        BROKER_TEST(a_resumed_link_of_the_paused_node_says_whether_its_pauses_last),
        BROKER_TEST(a_name_that_is_registered_as_paused_is_paused_for_the_first_copy),
        BROKER_TEST(a_new_link_of_the_sender_is_told_again),
        BROKER_TEST(a_sender_that_went_is_not_told),
        BROKER_TEST(a_node_over_its_windows_is_paused_until_half_of_that_is_acknowledged),
        BROKER_TEST(a_node_that_is_silent_with_batches_open_is_paused),
        BROKER_TEST(the_end_of_a_congestion_does_not_end_the_pause_of_a_name),
    };
    return BROKER_RUN(tests);
}
