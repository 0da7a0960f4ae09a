/* SPDX-License-Identifier: MPL-2.0 */
#include "fixture.h"

static void say_leaving(dealer_t *dealer, uint64_t session)
{
    dealer_put(dealer, &(control_t){.type = RECORD_LEAVING, .name.session = session});
    dealer_flush(dealer);
}

static void expect_left(dealer_t *dealer, uint64_t session)
{
    assert_int_equal(dealer_expect(dealer, RECORD_LEFT)->control.name.session, session);
}

static void ask(dealer_t *dealer, uint64_t session, const char *name)
{
    dealer_put_register(dealer, session, name);
    dealer_flush(dealer);
}

static void expect_denied(dealer_t *dealer, uint64_t session)
{
    const dealer_event_t *denied = dealer_expect(dealer, RECORD_DENIED);
    assert_int_equal(denied->control.name.session, session);
    assert_int_equal(denied->control.name.error, FERRY_ERROR_NAME_TAKEN);
}

static void assert_confirmed(dealer_t *dealer, uint64_t session)
{
    assert_int_equal(dealer_expect(dealer, RECORD_CONFIRMED)->control.name.session, session);
}

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

static void a_name_leaves_when_what_was_sent_before_is_acknowledged(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "before");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "before");
    say_leaving(&b, SESSION(1, 2));
    dealer_login(&b, SESSION(1, 9), "other"); /* so LEFT was not said */
    alice_sends("bob", "after");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 2, "bob");
    dealer_acknowledge(&b);
    expect_left(&b, SESSION(1, 2));
}

static void a_login_waits_for_the_name_that_leaves_and_the_next_are_denied(void **state)
{
    (void)state;
    pair_open();
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
    alice_sends("bob", "before");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "before");
    say_leaving(&b, SESSION(1, 2));
    dealer_barrier(&a, 9);
    ask(&c, SESSION(1, 3), "bob");
    dealer_login(&c, SESSION(1, 4), "carol"); /* so that was neither confirmed nor denied */
    ask(&a, SESSION(1, 5), "bob");
    ask(&b, SESSION(1, 6), "bob");
    dealer_login(&a, SESSION(1, 7), "amy");
    dealer_login(&b, SESSION(1, 7), "ben");
    dealer_acknowledge(&b);
    expect_left(&b, SESSION(1, 2));
    expect_denied(&b, SESSION(1, 6));
    assert_confirmed(&c, SESSION(1, 3));
    expect_denied(&a, SESSION(1, 5));
    dealer_wait(&a, RECORD_TAKEN);
    alice_sends("bob", "after");
    dealer_expect_copy(&c, SESSION(1, 3), "alice", "after");
}

static void a_login_that_waits_can_be_taken_back(void **state)
{
    (void)state;
    pair_open();
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
    alice_sends("bob", "before");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "before");
    say_leaving(&b, SESSION(1, 2));
    dealer_barrier(&a, 9);
    ask(&c, SESSION(1, 3), "bob");
    say_leaving(&c, SESSION(1, 3));
    expect_left(&c, SESSION(1, 3));
    ask(&a, SESSION(1, 5), "bob");
    dealer_acknowledge(&b);
    expect_left(&b, SESSION(1, 2));
    dealer_wait(&a, RECORD_CONFIRMED);
    dealer_barrier(&c, 9);
}

static void every_leaving_is_answered_once(void **state)
{
    (void)state;
    pair_open();
    ask(&b, SESSION(1, 3), "alice");
    say_leaving(&b, SESSION(1, 3));
    expect_denied(&b, SESSION(1, 3));
    expect_left(&b, SESSION(1, 3));
    dealer_barrier(&b, 9);
}

static void a_slot_that_is_in_use_cannot_be_used_again(void **state)
{
    (void)state;
    pair_open();
    ask(&b, SESSION(2, 2), "bert");
    dealer_expect_refused(&b, CLOSE_BAD_RECORD);
}

static void leave_takes_all_names_away_and_waits_for_what_was_sent(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&b, SESSION(1, 3), "bert");
    alice_sends("bob", "before");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "before");
    dealer_put_empty(&b, RECORD_LEAVE);
    dealer_flush(&b);
    ask(&a, SESSION(1, 5), "bert");
    alice_sends("bert", "after");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 2, "bert");
    dealer_acknowledge(&b);
    dealer_expect(&b, RECORD_LEAVE_OK);
    dealer_wait(&a, RECORD_CONFIRMED);
    dealer_put(&b, &(control_t){.type = RECORD_BYE, .number = 0});
    dealer_flush(&b);
    dealer_expect(&b, RECORD_BYE_OK);
    assert_int_equal(broker_number("counters.links_closed.reason.orderly"), 1);
}

static void leave_of_an_idle_node_is_answered_at_once(void **state)
{
    (void)state;
    pair_open();
    dealer_put_empty(&b, RECORD_LEAVE);
    dealer_flush(&b);
    dealer_expect(&b, RECORD_LEAVE_OK);
    assert_int_equal(broker_number("names"), 1);
}

static void a_new_link_keeps_the_names_that_it_registers_again(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&b, SESSION(1, 3), "bert");
    dealer_reopen(&b, ENDPOINT);
    dealer_greet(&b);
    ask(&a, SESSION(1, 5), "bob");
    expect_denied(&a, SESSION(1, 5));
    dealer_put(&b, &(control_t){.type = RECORD_REGISTER,
                       .name = {.session = SESSION(1, 2), .again = true, .name = span_str("bob")}});
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    assert_confirmed(&b, SESSION(1, 2));
    ask(&a, SESSION(1, 6), "bert");
    assert_confirmed(&a, SESSION(1, 6));
    alice_sends("bob", "again");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "again");
}

/* The session was closed and its name taken by another client of the same node while there was no link. */
static void a_new_link_may_have_other_sessions_for_its_names(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&b, SESSION(1, 3), "bert");
    dealer_reopen(&b, ENDPOINT);
    dealer_greet(&b);
    ask(&b, SESSION(1, 8), "bob");
    ask(&b, SESSION(2, 3), "barb");
    assert_confirmed(&b, SESSION(1, 8));
    assert_confirmed(&b, SESSION(2, 3));
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    alice_sends("bob", "new");
    dealer_expect_copy(&b, SESSION(1, 8), "alice", "new");
    assert_int_equal(broker_number("names"), 3);
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
        BROKER_TEST(a_name_leaves_when_what_was_sent_before_is_acknowledged),
        BROKER_TEST(a_login_waits_for_the_name_that_leaves_and_the_next_are_denied),
        BROKER_TEST(a_login_that_waits_can_be_taken_back),
        BROKER_TEST(every_leaving_is_answered_once),
        BROKER_TEST(a_slot_that_is_in_use_cannot_be_used_again),
        BROKER_TEST(leave_takes_all_names_away_and_waits_for_what_was_sent),
        BROKER_TEST(leave_of_an_idle_node_is_answered_at_once),
        BROKER_TEST(a_new_link_keeps_the_names_that_it_registers_again),
        BROKER_TEST(a_new_link_may_have_other_sessions_for_its_names),
        BROKER_TEST(a_name_is_found_again_and_not_after_it_left),
        BROKER_TEST(many_names_are_registered_in_one_turn),
    };
    return BROKER_RUN(tests);
}
