/* SPDX-License-Identifier: MPL-2.0 */
#include "logins.h"

/* A broker that soon doubts a node, and does not give it up. */
static int setup_patient(void **state)
{
    (void)state;
    assert_int_equal(broker_start((const char *const[]){"link/heartbeat=100ms", NULL}), 0);
    broker_expect_ready();
    return 0;
}

#define BROKER_TEST_PATIENT(function) cmocka_unit_test_setup_teardown(function, setup_patient, teardown)

static void a_name_has_one_owner(void **state)
{
    (void)state;
    pair_open();
    ask(&b, SESSION(1, 3), "alice");
    expect_denied(&b, SESSION(1, 3));
    ask(&a, SESSION(1, 4), "alice");
    expect_denied(&a, SESSION(1, 4));
    assert_int_equal(broker_number("names"), 2);
    alice_sends("alice", "mine");
    dealer_expect_copy(&a, SESSION(1, 1), "alice", "mine");
}

static void confirmed_names_have_rising_serials(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    dealer_join(&a);
    ask(&a, SESSION(1, 1), "one");
    ask(&a, SESSION(1, 2), "two");
    const dealer_event_t first = *dealer_expect(&a, RECORD_CONFIRMED);
    const dealer_event_t *second = dealer_expect(&a, RECORD_CONFIRMED);
    assert_int_equal(first.control.name.term, second->control.name.term);
    assert_true(first.control.name.serial < second->control.name.serial);
}

static void a_name_that_left_is_free(void **state)
{
    (void)state;
    pair_open();
    say_leaving(&b, SESSION(1, 2));
    expect_left(&b, SESSION(1, 2));
    alice_sends("bob", "still there?");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 1, "bob");
    dealer_expect(&a, RECORD_TAKEN);
    dealer_login(&a, SESSION(1, 5), "bob");
    dealer_login(&b, SESSION(2, 2), "bert");
}

static void a_slot_that_is_in_use_cannot_be_used_again(void **state)
{
    (void)state;
    pair_open();
    ask(&b, SESSION(2, 2), "bert");
    dealer_expect_refused(&b, CLOSE_BAD_RECORD);
}

/* A login of a name that may be registered again waits until it is, or is not. */
static void a_resumed_link_keeps_the_names_that_it_registers_again(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&b, SESSION(1, 3), "bert");
    dealer_resume(&b, ENDPOINT, 0);
    ask(&a, SESSION(1, 5), "bob");
    ask(&a, SESSION(1, 6), "bert");
    dealer_login(&a, SESSION(1, 7), "amy"); /* so these were neither confirmed nor denied */
    dealer_put_again(&b, SESSION(1, 2), "bob", 1, 2);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    assert_confirmed(&b, SESSION(1, 2));
    assert_confirmed(&a, SESSION(1, 6));
    expect_denied(&a, SESSION(1, 5));
    alice_sends("bob", "again");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "again");
}

/* The session was closed and its name taken by another client of the same node while there was no link. */
/* The session that goes has a copy on its way, which comes again on the resumed link. */
static void a_name_is_given_to_another_session_when_nothing_comes_for_the_one_before(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "old");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "old");
    dealer_resume(&b, ENDPOINT, 0);
    ask(&b, SESSION(1, 8), "bob");
    dealer_put(&b, &(control_t){.type = RECORD_LEAVING, .name.session = SESSION(1, 2)});
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "old");
    dealer_acknowledge(&b);
    dealer_wait(&b, RECORD_LEFT);
}

static void a_resumed_link_may_have_other_sessions_for_its_names(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&b, SESSION(1, 3), "bert");
    dealer_resume(&b, ENDPOINT, 0);
    ask(&b, SESSION(1, 8), "bob");
    ask(&b, SESSION(2, 3), "barb");
    assert_confirmed(&b, SESSION(2, 3));
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    assert_confirmed(&b, SESSION(1, 8));
    alice_sends("bob", "new");
    dealer_expect_copy(&b, SESSION(1, 8), "alice", "new");
    assert_int_equal(broker_number("names"), 3);
}

/* Two nodes of an earlier instance, which has confirmed bob to both: first at a with this claim, then at b. */
static void register_twice(uint64_t first_term, uint64_t first_serial, uint64_t second_term, uint64_t second_serial)
{
    dealer_open(&a, ENDPOINT, 0xa);
    dealer_join(&a);
    dealer_open(&b, ENDPOINT, 0xb);
    dealer_join(&b);
    dealer_put_again(&a, SESSION(1, 1), "bob", first_term, first_serial);
    dealer_flush(&a);
    assert_confirmed(&a, SESSION(1, 1));
    dealer_put_again(&b, SESSION(1, 2), "bob", second_term, second_serial);
    dealer_flush(&b);
}

static void the_later_login_of_two_keeps_the_name(void **state)
{
    (void)state;
    register_twice(3, 7, 4, 1);
    expect_denied(&a, SESSION(1, 1));
    assert_confirmed(&b, SESSION(1, 2));
    dealer_put_message(&a, SESSION(1, 3), "carol", "bob", "hello");
    dealer_flush(&a);
    dealer_expect_copy(&b, SESSION(1, 2), "carol", "hello");
    say_leaving(&a, SESSION(1, 1));
    expect_left(&a, SESSION(1, 1));
    assert_int_equal(broker_number("names"), 1);
}

static void the_later_login_of_a_term_keeps_the_name(void **state)
{
    (void)state;
    register_twice(3, 7, 3, 8);
    expect_denied(&a, SESSION(1, 1));
    assert_confirmed(&b, SESSION(1, 2));
}

static void the_earlier_login_of_two_loses_the_name(void **state)
{
    (void)state;
    register_twice(4, 1, 3, 7);
    expect_denied(&b, SESSION(1, 2));
    dealer_barrier(&a, 9);
}

/* What was confirmed by this instance is later than what any other confirmed. */
static void a_new_login_keeps_its_name_against_an_old_one(void **state)
{
    (void)state;
    pair_open();
    dealer_put_again(&b, SESSION(1, 3), "alice", 99, 1);
    dealer_flush(&b);
    expect_denied(&b, SESSION(1, 3));
}

/* A node that this instance gave up comes back with a name that was given to another since. */
static void a_node_that_was_given_up_does_not_get_its_name_back(void **state)
{
    (void)state;
    pair_open();
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect_refused(&b, CLOSE_BAD_RECORD);
    dealer_expect(&a, RECORD_GONE);
    dealer_login(&a, SESSION(1, 5), "bob");
    control_t hello = dealer_hello(&b);
    hello.hello.instance = b.instance;
    dealer_reopen(&b, ENDPOINT);
    dealer_put(&b, &hello);
    dealer_flush(&b);
    dealer_expect(&b, RECORD_WELCOME);
    dealer_put_again(&b, SESSION(1, 2), "bob", 1, 2);
    dealer_put_again(&b, SESSION(1, 4), "bert", 1, 3);
    dealer_flush(&b);
    assert_confirmed(&b, SESSION(1, 4));
    expect_denied(&b, SESSION(1, 2));
}

static void a_login_waits_for_a_node_whose_connection_is_gone(void **state)
{
    (void)state;
    pair_open();
    dealer_close(&b);
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (broker_number("counters.congestions") == 0 && !deadline_passed(deadline))
        alice_sends("bob", "anybody?");
    ask(&a, SESSION(1, 5), "bob");
    keep_alive_until_gone();
    const dealer_event_t *answer;
    do
        answer = dealer_next(&a);
    while (answer->type != RECORD_CONFIRMED && answer->type != RECORD_DENIED);
    assert_int_equal(answer->type, RECORD_CONFIRMED);
    assert_int_equal(answer->control.name.session, SESSION(1, 5));
}

static void a_login_waits_for_a_node_that_is_silent_and_is_denied_when_it_speaks(void **state)
{
    (void)state;
    pair_open();
    keep_alive_until_doubtful();
    ask(&a, SESSION(1, 5), "bob");
    dealer_barrier(&a, 9); /* so that was neither confirmed nor denied */
    dealer_flush(&b);
    expect_denied(&a, SESSION(1, 5));
}

/* Names of every small size, looked up twice: the second time the answer may come from the cache. */
static void a_name_is_found_again_and_not_after_it_left(void **state)
{
    (void)state;
    pair_open();
    char name[16] = "";
    for (uint32_t size = 1; size <= 12; size++) {
        name[size - 1] = 'q';
        dealer_login(&b, SESSION(1, 10 + size), name);
        alice_sends(name, "one");
        dealer_expect_copy(&b, SESSION(1, 10 + size), "alice", "one");
        alice_sends(name, "two");
        dealer_expect_copy(&b, SESSION(1, 10 + size), "alice", "two");
        dealer_acknowledge(&b);
        dealer_expect_taken(&a, a.number + 1);
        say_leaving(&b, SESSION(1, 10 + size));
        expect_left(&b, SESSION(1, 10 + size));
        alice_sends(name, "three");
        dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, a.number, name);
        dealer_wait(&a, RECORD_TAKEN);
    }
}

static void many_names_are_registered_in_one_turn(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    pair_open();
    char name[16];
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "n%u", i);
        dealer_put_register(&a, SESSION(1, i + 10), name);
        if (buffer_size(&a.controls) > FRAME_CONTROLS_SIZE / 2)
            dealer_flush(&a);
    }
    dealer_flush(&a);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_confirmed(&a, SESSION(1, i + 10));
    assert_int_equal(broker_number("names"), COUNT + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(a_name_has_one_owner),
        BROKER_TEST(confirmed_names_have_rising_serials),
        BROKER_TEST(a_name_that_left_is_free),
        BROKER_TEST(a_slot_that_is_in_use_cannot_be_used_again),
        BROKER_TEST(a_resumed_link_keeps_the_names_that_it_registers_again),
        BROKER_TEST(a_name_is_given_to_another_session_when_nothing_comes_for_the_one_before),
        BROKER_TEST(a_resumed_link_may_have_other_sessions_for_its_names),
        BROKER_TEST(the_later_login_of_two_keeps_the_name),
        BROKER_TEST(the_later_login_of_a_term_keeps_the_name),
        BROKER_TEST(the_earlier_login_of_two_loses_the_name),
        BROKER_TEST(a_new_login_keeps_its_name_against_an_old_one),
        BROKER_TEST(a_node_that_was_given_up_does_not_get_its_name_back),
        BROKER_TEST_HASTY(a_login_waits_for_a_node_whose_connection_is_gone),
        BROKER_TEST_PATIENT(a_login_waits_for_a_node_that_is_silent_and_is_denied_when_it_speaks),
        BROKER_TEST(a_name_is_found_again_and_not_after_it_left),
        BROKER_TEST(many_names_are_registered_in_one_turn),
    };
    return BROKER_RUN(tests);
}
