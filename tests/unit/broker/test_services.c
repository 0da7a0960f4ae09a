/* SPDX-License-Identifier: MPL-2.0 */
/* Services at the broker: alice of node a writes to @mill, which programs at nodes b and c serve. */
#include "settling.h"

#define SERVICE(slot) (LINK_SESSION_SERVICE | SESSION(1, slot))

static void say_credit(dealer_t *dealer, uint32_t slot, uint32_t count)
{
    dealer_put(dealer, &(control_t){.type = RECORD_CREDIT, .held = {.session = SERVICE(slot), .count = count}});
    dealer_flush(dealer);
}

static void serve(dealer_t *dealer, uint32_t slot, uint32_t credit)
{
    dealer_login(dealer, SERVICE(slot), "@mill");
    say_credit(dealer, slot, credit);
}

/* b and c have links; alice is at a, bob at b. */
static void trio_open(void)
{
    pair_open();
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
}

/* The node has that copy for its session in `slot`, holds it, and acknowledges. */
static void take(dealer_t *dealer, uint32_t slot, const char *text)
{
    const dealer_event_t *event = dealer_expect_copy(dealer, SERVICE(slot), "alice", text);
    dealer_put(dealer,
        &(control_t){.type = RECORD_HOLD,
            .held = {
                .session = SERVICE(slot), .handle = event->run.handle, .numbers.first = event->record.copy.number}});
    dealer_acknowledge(dealer);
}

static void done(dealer_t *dealer, uint32_t slot, uint32_t place)
{
    dealer_put(dealer, &(control_t){.type = RECORD_DONE, .held = {.session = SERVICE(slot), .count = place}});
    dealer_flush(dealer);
}

/* The next record of the dealer but TAKEN, WAITS and what lies around bodies. */
static const dealer_event_t *next_word(dealer_t *dealer)
{
    const dealer_event_t *event = dealer_next(dealer);
    while (event->type == RECORD_TAKEN || event->type == RECORD_RUN || event->type == RECORD_ORIGIN ||
           event->type == RECORD_HELD || event->type == RECORD_ENDED || event->type == RECORD_WAITS)
        event = dealer_next(dealer);
    return event;
}

static void a_service_that_nobody_serves_is_refused(void **state)
{
    (void)state;
    pair_open();
    alice_sends("@mill", "rye");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 1, "@mill");
}

static void a_copy_goes_to_one_only_and_to_the_one_with_the_fewest(void **state)
{
    (void)state;
    trio_open();
    serve(&b, 3, 10);
    serve(&c, 3, 10);
    dealer_barrier(&c, 9);
    alice_sends("@mill", "one");
    take(&b, 3, "one");
    dealer_wait(&a, RECORD_HELD);
    alice_sends("@mill", "two");
    take(&c, 3, "two");
    dealer_wait(&a, RECORD_HELD);
    done(&c, 3, 0);
    dealer_wait(&a, RECORD_ENDED);
    alice_sends("@mill", "three"); /* b still has one */
    take(&c, 3, "three");
    dealer_wait(&a, RECORD_HELD);
    assert_int_equal(broker_number("counters.copies"), 3);
    broker_assert_balance();
}

static void what_no_credit_is_left_for_waits_in_order_and_its_sender_is_paused(void **state)
{
    (void)state;
    trio_open();
    serve(&b, 3, 1);
    dealer_barrier(&b, 9);
    alice_sends("@mill", "one");
    take(&b, 3, "one");
    alice_sends("@mill", "two");
    alice_sends("@mill", "three");
    assert_int_equal(next_word(&a)->type, RECORD_PAUSE);
    broker_wait_number("counters.messages", 3);
    assert_int_equal(broker_number("counters.copies"), 1);
    done(&b, 3, 0);
    take(&b, 3, "two");
    done(&b, 3, 0);
    take(&b, 3, "three");
    done(&b, 3, 0);
    const dealer_event_t *event = next_word(&a);
    assert_int_equal(event->type, RECORD_RESUME);
    assert_true(span_equal(event->control.name.name, span_str("@mill")));
}

static void done_names_a_place_among_what_is_held(void **state)
{
    (void)state;
    pair_open();
    serve(&b, 3, 3);
    dealer_barrier(&b, 9);
    for (unsigned i = 1; i <= 3; i++) {
        alice_sends("@mill", "x");
        take(&b, 3, "x");
    }
    done(&b, 3, 1);
    dealer_expect_numbers(dealer_wait(&a, RECORD_ENDED), (uint64_t[]){2}, 1);
    done(&b, 3, 1);
    dealer_expect_numbers(dealer_wait(&a, RECORD_ENDED), (uint64_t[]){3}, 1);
    done(&b, 3, 0);
    dealer_expect_numbers(dealer_wait(&a, RECORD_ENDED), (uint64_t[]){1}, 1);
    done(&b, 3, 0);
    dealer_expect_refused(&b, CLOSE_BAD_RECORD);
}

static void nothing_is_given_before_a_credit_is_said(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&b, SERVICE(3), "@mill");
    alice_sends("@mill", "rye");
    assert_int_equal(next_word(&a)->type, RECORD_PAUSE);
    say_credit(&b, 3, 1);
    dealer_expect_copy(&b, SERVICE(3), "alice", "rye");
}

static void a_credit_of_none_lets_what_comes_wait(void **state)
{
    (void)state;
    trio_open();
    serve(&b, 3, 2);
    say_credit(&b, 3, 0);
    dealer_barrier(&b, 9);
    alice_sends("@mill", "rye");
    assert_int_equal(dealer_wait(&a, RECORD_PAUSE)->type, RECORD_PAUSE);
    assert_int_equal(dealer_expect(&a, RECORD_WAITS)->control.number, 1);
    say_credit(&b, 3, 2);
    take(&b, 3, "rye");
    dealer_wait(&a, RECORD_RESUME);
}

static void who_comes_later_gets_what_waits(void **state)
{
    (void)state;
    trio_open();
    serve(&b, 3, 1);
    dealer_barrier(&b, 9);
    alice_sends("@mill", "one");
    take(&b, 3, "one");
    alice_sends("@mill", "two");
    assert_int_equal(next_word(&a)->type, RECORD_PAUSE);
    serve(&c, 4, 1);
    take(&c, 4, "two");
}

static void what_waits_for_the_last_who_goes_is_refused(void **state)
{
    (void)state;
    pair_open();
    serve(&b, 3, 1);
    dealer_barrier(&b, 9);
    alice_sends("@mill", "one");
    take(&b, 3, "one");
    alice_sends("@mill", "two");
    assert_int_equal(next_word(&a)->type, RECORD_PAUSE);
    dealer_put(&b, &(control_t){.type = RECORD_LEAVING, .name.session = SERVICE(3)});
    dealer_flush(&b);
    dealer_expect(&b, RECORD_LEFT);
    const dealer_event_t *event = next_word(&a);
    const dealer_event_t *other = next_word(&a);
    const dealer_event_t *notice = event->type == RECORD_NOTICE ? event : other;
    assert_int_equal(notice->record.notice.error, FERRY_ERROR_NO_SUCH_PEER);
    assert_int_equal(notice->record.notice.number, 2);
    assert_int_equal((event == notice ? other : event)->type, RECORD_RESUME);
    broker_assert_balance();
}

/* Node b is back with its service, of which it has taken number 2, and has done or still holds it. */
static void mill_comes_back(bool over)
{
    come_back(&b, 0xb, 0);
    dealer_put_again(&b, SERVICE(3), "@mill", 1, 1);
    dealer_put(&b, &(control_t){.type = RECORD_CREDIT, .held = {.session = SERVICE(3), .count = 1}});
    dealer_put(&b, &(control_t){.type = RECORD_ORIGIN, .origin = {.handle = 1, .node = a.id}});
    dealer_put(&b, &(control_t){.type = RECORD_HOLD,
                       .held = {.session = SERVICE(3), .handle = 1, .again = true, .over = over, .numbers.first = 2}});
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
}

/* What c serves too would go there, if it were not known who has taken it. */
static void a_message_that_is_sent_again_goes_to_who_has_taken_it(void **state)
{
    (void)state;
    alice_comes_back();
    alice_sends_again("alice", "one");
    alice_sends_again("@mill", "two");
    dealer_wait(&a, RECORD_COPY);
    mill_comes_back(true);
    const dealer_event_t *event = dealer_expect_copy(&b, SERVICE(3), "alice", "two");
    assert_true(event->run.again);
    assert_int_equal(event->record.copy.number, 2);
}

static void one_that_is_held_still_goes_there_though_no_credit_is_left(void **state)
{
    (void)state;
    alice_comes_back();
    alice_sends_again("alice", "one");
    alice_sends_again("@mill", "two");
    alice_sends_again("@mill", "three");
    dealer_wait(&a, RECORD_COPY);
    mill_comes_back(false);
    dealer_expect_copy(&b, SERVICE(3), "alice", "two");
    dealer_acknowledge(&b);
    done(&b, 3, 0);
    dealer_expect(&b, RECORD_CONFIRMED);
    dealer_expect_copy(&b, SERVICE(3), "alice", "three");
}

static void what_nobody_claims_is_given_to_anybody_when_all_are_known(void **state)
{
    (void)state;
    alice_comes_back();
    alice_sends_again("@mill", "one");
    alice_sends_again("@void", "two");
    come_back(&b, 0xb, 0);
    dealer_put_again(&b, SERVICE(3), "@mill", 1, 1);
    dealer_put(&b, &(control_t){.type = RECORD_CREDIT, .held = {.session = SERVICE(3), .count = 1}});
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect_copy(&b, SERVICE(3), "alice", "one");
    dealer_expect_notice(&a, FERRY_ERROR_UNCONFIRMED, FERRY_REASON_BROKER_LOST, 2, "@void");
}

static void a_program_of_a_lost_node_is_given_nothing_more(void **state)
{
    (void)state;
    trio_open();
    serve(&b, 3, 5);
    dealer_barrier(&b, 9);
    alice_sends("@mill", "one");
    dealer_expect_copy(&b, SERVICE(3), "alice", "one");
    serve(&c, 3, 5);
    dealer_put(&b, &(control_t){.type = RECORD_BYE, .number = 1}); /* of a batch that it never sent */
    dealer_flush(&b);
    const body_notice_t *notice = &dealer_wait(&a, RECORD_NOTICE)->record.notice;
    assert_int_equal(notice->reason, FERRY_REASON_GATEWAY_LOST);
    assert_true(span_equal(notice->name, span_str("@mill")));
    alice_sends("@mill", "two");
    assert_true(span_equal(dealer_wait(&c, RECORD_COPY)->record.copy.text, span_str("two")));
    broker_assert_balance();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(a_service_that_nobody_serves_is_refused),
        BROKER_TEST(a_copy_goes_to_one_only_and_to_the_one_with_the_fewest),
        BROKER_TEST(what_no_credit_is_left_for_waits_in_order_and_its_sender_is_paused),
        BROKER_TEST(done_names_a_place_among_what_is_held),
        BROKER_TEST(nothing_is_given_before_a_credit_is_said),
        BROKER_TEST(a_credit_of_none_lets_what_comes_wait),
        BROKER_TEST(who_comes_later_gets_what_waits),
        BROKER_TEST(what_waits_for_the_last_who_goes_is_refused),
        BROKER_TEST(a_message_that_is_sent_again_goes_to_who_has_taken_it),
        BROKER_TEST(one_that_is_held_still_goes_there_though_no_credit_is_left),
        BROKER_TEST(what_nobody_claims_is_given_to_anybody_when_all_are_known),
        BROKER_TEST(a_program_of_a_lost_node_is_given_nothing_more),
    };
    return BROKER_RUN(tests);
}
