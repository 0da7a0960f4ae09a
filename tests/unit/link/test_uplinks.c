/* SPDX-License-Identifier: MPL-2.0 */
/* Links to two brokers that the test plays, and waiters that stand for sessions. */
#include "lib/test.h"

#include <czmq.h>

#include "base/log.h"
#include "lib/deadline.h"
#include "lib/router.h"
#include "link/uplinks.h"

enum { WINDOW = 1000 };

static reactor_t *reactor;
static uv_timer_t timer;
static config_t *config;
static ledger_t ledger;
static histogram_t records, bytes;
static router_t routers[2];
static uplinks_t uplinks;
static unsigned rooms[2];  /* on_room, by uplink */
static span_t names[2][2]; /* two names of each broker */
static list_node_t waiters[3];
static list_t woken;

static void ignore_up(void *owner, link_t *link, bool given_up)
{
    (void)owner, (void)link, (void)given_up;
}

static void ignore_state(void *owner, link_t *link)
{
    (void)owner, (void)link;
}

static void ignore_message(void *owner, link_t *link, uint64_t session, uint64_t number, uint32_t count)
{
    (void)owner, (void)link, (void)session, (void)number, (void)count;
}

static void on_room(void *owner, link_t *link)
{
    (void)owner;
    rooms[uplinks_of_link(&uplinks, link) - uplinks.items]++;
}

static const link_owner_t owner = {
    .on_up = ignore_up, .on_state = ignore_state, .on_settled = ignore_message, .on_room = on_room};

static void on_turn(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < uplinks.count; i++)
        link_flush(uplinks.items[i].link);
}

static void on_timer(uv_timer_t *handle)
{
    (void)handle;
}

static void turn(void *arg)
{
    (void)arg;
    uv_run(reactor_loop(reactor), UV_RUN_ONCE);
}

static void find_names(void)
{
    static const span_t candidates[] = {{"ann", 3}, {"bob", 3}, {"cat", 3}, {"dan", 3}, {"eve", 3}, {"fay", 3},
        {"gus", 3}, {"hal", 3}, {"ida", 3}, {"joe", 3}, {"kim", 3}, {"lea", 3}};
    size_t found[2] = {0};
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        size_t owner_index = (size_t)(uplinks_of_name(&uplinks, candidates[i]) - uplinks.items);
        if (found[owner_index] < 2)
            names[owner_index][found[owner_index]++] = candidates[i];
    }
    assert_int_equal(found[0] + found[1], 4);
}

static int open_uplinks(void **state)
{
    (void)state;
    char *broker_names[2] = {(char *)"first", (char *)"second"};
    brokers_t brokers = {.count = 2, .names = broker_names, .endpoints = calloc(2, sizeof(char *))};
    zsys_init();
    zsys_handler_set(NULL);
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
    config = config_new(NULL, NULL, 0, stderr);
    reactor = reactor_new(on_turn, NULL);
    uv_timer_init(reactor_loop(reactor), &timer);
    uv_timer_start(&timer, on_timer, 1, 1);
    histogram_init(&records, 8);
    histogram_init(&bytes, 8);
    ledger = (ledger_t){0};
    for (size_t i = 0; i < 2; i++) {
        router_open(&routers[i], "tcp://127.0.0.1:*");
        routers[i].turn = turn;
        routers[i].welcome.welcome.window_size = WINDOW;
        brokers.endpoints[i] = routers[i].endpoint;
        rooms[i] = 0;
    }
    link_options_t common = {.ledger = &ledger, .batch_records = &records, .batch_bytes = &bytes};
    uplinks_init(&uplinks, reactor, config, &brokers, &common, &owner, NULL);
    free(brokers.endpoints);
    router_join(&routers[0]);
    router_join(&routers[1]);
    find_names();
    memset(waiters, 0, sizeof waiters);
    return 0;
}

static int close_uplinks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof waiters / sizeof *waiters; i++)
        list_remove(&waiters[i]);
    uplinks_fini(&uplinks);
    for (size_t i = 0; i < 2; i++)
        router_close(&routers[i]);
    uv_close((uv_handle_t *)&timer, NULL);
    reactor_destroy(&reactor);
    config_destroy(&config);
    return 0;
}

static int say(const span_t *recipients, unsigned count, span_t text, list_node_t *waiter)
{
    span_t copies[8];
    memcpy(copies, recipients, count * sizeof *recipients);
    line_t line = {.kind = LINE_MESSAGE, .text = text, .recipient_count = count, .recipients = copies};
    return uplinks_send(&uplinks, 5, 0, span_str("zoe"), &line, waiter);
}

static int say_short(span_t recipient, list_node_t *waiter)
{
    return say(&recipient, 1, span_str("text"), waiter);
}

/* Says a line that has that head. */
static void say_like(uint64_t session, uint64_t head, span_t recipient, const char *text)
{
    line_t line = {
        .kind = LINE_MESSAGE, .head = head, .text = span_str(text), .recipient_count = 1, .recipients = &recipient};
    assert_int_equal(uplinks_send(&uplinks, session, 0, span_str("zoe"), &line, &waiters[0]), 1);
}

/* The first broker hears of a message from that session to that recipient, as MORE or not. */
static void expect_like(uint64_t number, uint64_t session, span_t recipient, const char *text, bool more)
{
    const router_event_t *event = router_expect_message(&routers[0], number, text);
    span_t recipients = event->record.message.recipients;
    assert_int_equal(event->record.message.session, session);
    assert_true(span_equal(body_name_next(&recipients), recipient));
    assert_int_equal(event->record.message.more, more);
}

static void a_line_goes_on_only_from_the_last_one_of_its_session_with_its_head(void **state)
{
    (void)state;
    span_t ann = names[0][0], bob = names[0][1];
    say_like(5, 7, ann, "one");
    say_like(5, 7, ann, "two");
    say_like(6, 7, ann, "three");
    say_like(5, 7, ann, "four");
    say_like(5, 8, bob, "five");
    link_send(uplinks.items[0].link, 5, 0, span_str("zoe"), &ann, 1, span_str("six")); /* past uplinks_send */
    say_like(5, 8, bob, "seven");
    say_like(5, 0, ann, "eight"); /* no head was kept of it */
    say_like(5, 8, bob, "nine");
    expect_like(1, 5, ann, "one", false);
    expect_like(2, 5, ann, "two", true);
    expect_like(3, 6, ann, "three", false);
    expect_like(4, 5, ann, "four", false);
    expect_like(5, 5, bob, "five", false);
    expect_like(6, 5, ann, "six", false);
    expect_like(7, 5, bob, "seven", false);
    expect_like(8, 5, ann, "eight", false);
    expect_like(9, 5, bob, "nine", false);
}

/* Fills the window of the broker of that name. */
static void fill_window(span_t recipient)
{
    static const char text[WINDOW];
    assert_int_equal(say(&recipient, 1, span_of(text, WINDOW), &waiters[0]), 1);
}

static void pause_name(size_t uplink, span_t name, bool paused)
{
    paused_names_set(&uplinks.items[uplink].pauses, name, paused, &woken);
}

static void expect_woken(list_node_t *first, list_node_t *second)
{
    list_node_t *expected[] = {first, second};
    for (size_t i = 0; i < 2 && expected[i]; i++) {
        assert_ptr_equal(list_first(&woken), expected[i]);
        list_remove(expected[i]);
    }
    assert_true(list_is_empty(&woken));
}

static void expect_message(size_t router, uint64_t number, const span_t *recipients, unsigned count)
{
    const router_event_t *event = router_expect_message(&routers[router], number, "text");
    assert_int_equal(event->record.message.session, 5);
    assert_int_equal(event->record.message.recipient_count, count);
    span_t rest = event->record.message.recipients;
    for (unsigned i = 0; i < count; i++)
        assert_true(span_equal(body_name_next(&rest), recipients[i]));
}

static void a_line_goes_to_the_broker_of_its_recipient(void **state)
{
    (void)state;
    assert_int_equal(say_short(names[0][0], &waiters[0]), 1);
    assert_int_equal(say_short(names[1][0], &waiters[0]), 1);
    expect_message(0, 1, &names[0][0], 1);
    expect_message(1, 1, &names[1][0], 1);
    assert_false(list_has(&waiters[0]));
    assert_int_equal(ledger.accepted, 2);
}

static void a_line_to_names_of_two_brokers_is_a_message_to_each(void **state)
{
    (void)state;
    const span_t recipients[] = {names[1][0], names[0][0], names[0][1], names[1][1]};
    assert_int_equal(say(recipients, 4, span_str("text"), &waiters[0]), 2);
    expect_message(0, 1, (const span_t[]){names[0][0], names[0][1]}, 2);
    expect_message(1, 1, (const span_t[]){names[1][0], names[1][1]}, 2);
    assert_int_equal(ledger.accepted, 4);
}

static void both_links_tell_the_digest_of_the_same_list(void **state)
{
    (void)state;
    const span_t list[] = {span_str("second"), span_str("first")};
    rendezvous_t *rendezvous = rendezvous_new(list, 2);
    router_stop(&routers[0]);
    router_start(&routers[0]);
    const router_event_t *event = router_hello(&routers[0]);
    assert_true(span_equal(event->control.hello.broker, span_str("first")));
    assert_memory_equal(event->control.hello.digest.bytes, rendezvous_digest(rendezvous), LINK_ID_SIZE);
    rendezvous_destroy(&rendezvous);
}

static void without_room_on_one_link_nothing_is_sent_on_any(void **state)
{
    (void)state;
    const span_t recipients[] = {names[0][0], names[1][0]};
    fill_window(names[1][1]);
    uint64_t accepted = ledger.accepted;
    assert_int_equal(say(recipients, 2, span_str("text"), &waiters[1]), 0);
    assert_true(list_has(&waiters[1]));
    assert_int_equal(ledger.accepted, accepted);
    assert_ptr_equal(list_first(&uplinks.items[1].waiting), &waiters[1]);
    router_expect(&routers[1], RECORD_MESSAGE);
    unsigned rooms_before = rooms[1];
    router_put_taken(&routers[1], 2);
    router_flush(&routers[1]);
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (rooms[1] == rooms_before && !deadline_passed(deadline))
        turn(NULL);
    assert_int_equal(rooms[1], rooms_before + 1);
    list_remove(&waiters[1]);
    assert_int_equal(say(recipients, 2, span_str("text"), &waiters[1]), 2);
}

static void a_line_that_is_larger_than_a_batch_is_refused(void **state)
{
    (void)state;
    static const char text[1000];
    const span_t recipients[] = {names[0][0], names[1][0]};
    size_t size = body_message_size(span_str("zoe"), recipients, 2, span_of(text, sizeof text));
    router_stop(&routers[1]);
    router_start(&routers[1]);
    routers[1].welcome.welcome.batch_size = (uint32_t)size + BODY_UP_HEADER_SIZE - 1;
    router_join(&routers[1]);
    assert_int_equal(say(recipients, 2, span_of(text, sizeof text), &waiters[0]), -FERRY_ERROR_LINE_TOO_LONG);
    assert_int_equal(ledger.accepted, 0);
    assert_false(list_has(&waiters[0]));
    assert_int_equal(say(recipients, 2, span_of(text, sizeof text - 1), &waiters[0]), 2);
}

static void a_line_to_a_paused_name_waits_and_others_do_not(void **state)
{
    (void)state;
    pause_name(0, names[0][0], true);
    expect_woken(NULL, NULL);
    assert_int_equal(say_short(names[0][0], &waiters[0]), 0);
    assert_int_equal(say((const span_t[]){names[1][0], names[0][0]}, 2, span_str("text"), &waiters[1]), 0);
    assert_int_equal(say_short(names[0][1], &waiters[2]), 1);
    assert_int_equal(say_short(names[1][0], &waiters[2]), 1);
    assert_false(list_has(&waiters[2]));
    pause_name(0, names[0][0], false);
    expect_woken(&waiters[0], &waiters[1]);
    assert_int_equal(say_short(names[0][0], &waiters[0]), 1);
}

static void a_pause_that_is_told_twice_ends_once(void **state)
{
    (void)state;
    pause_name(0, names[0][0], true);
    assert_int_equal(say_short(names[0][0], &waiters[0]), 0);
    pause_name(0, names[0][0], true);
    expect_woken(NULL, NULL);
    pause_name(0, names[0][0], false);
    expect_woken(&waiters[0], NULL);
    pause_name(0, names[0][0], false);
    expect_woken(NULL, NULL);
    assert_int_equal(say_short(names[0][0], &waiters[0]), 1);
}

static void a_waiter_that_is_gone_is_not_woken(void **state)
{
    (void)state;
    pause_name(0, names[0][0], true);
    say_short(names[0][0], &waiters[0]);
    say_short(names[0][0], &waiters[1]);
    list_remove(&waiters[0]);
    pause_name(0, names[0][0], false);
    expect_woken(&waiters[1], NULL);
}

static void all_pauses_of_a_link_are_forgotten_together(void **state)
{
    (void)state;
    pause_name(0, names[0][0], true);
    pause_name(0, names[0][1], true);
    pause_name(1, names[1][0], true);
    say_short(names[0][0], &waiters[0]);
    say_short(names[0][1], &waiters[1]);
    say_short(names[1][0], &waiters[2]);
    paused_names_forget(&uplinks.items[0].pauses, &woken);
    assert_true(list_has(&waiters[0]) && list_has(&waiters[1]));
    list_remove(&waiters[0]);
    list_remove(&waiters[1]);
    assert_true(list_is_empty(&woken));
    assert_int_equal(say_short(names[0][0], &waiters[0]), 1);
    assert_int_equal(say_short(names[0][1], &waiters[0]), 1);
    assert_true(list_has(&waiters[2]));
    paused_names_forget(&uplinks.items[1].pauses, &woken);
    expect_woken(&waiters[2], NULL);
}

static void check_pauses(void)
{
    paused_names_check(&uplinks.items[0].pauses, uplinks.items[0].link, &woken);
}

/* The name is paused, and two wait for it, when the link is lost. */
static void doubt(void)
{
    pause_name(0, names[0][0], true);
    assert_int_equal(say_short(names[0][0], &waiters[0]), 0);
    assert_int_equal(say_short(names[0][0], &waiters[1]), 0);
    paused_names_doubt(&uplinks.items[0].pauses);
    check_pauses();
    expect_woken(&waiters[0], NULL);
}

static void a_doubtful_name_takes_one_message_until_that_is_taken(void **state)
{
    (void)state;
    doubt();
    assert_int_equal(say_short(names[0][0], &waiters[0]), 1);
    assert_int_equal(say_short(names[0][0], &waiters[0]), 0);
    check_pauses();
    assert_true(list_is_empty(&woken));
    expect_message(0, 1, &names[0][0], 1);
    router_put_taken(&routers[0], 2);
    router_flush(&routers[0]);
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    for (check_pauses(); list_is_empty(&woken); check_pauses()) {
        assert_false(deadline_passed(deadline));
        turn(NULL);
    }
    expect_woken(&waiters[1], &waiters[0]);
    assert_int_equal(say_short(names[0][0], &waiters[0]), 1);
}

static void a_doubtful_pause_that_is_told_again_lasts(void **state)
{
    (void)state;
    doubt();
    assert_int_equal(say_short(names[0][0], &waiters[0]), 1);
    expect_message(0, 1, &names[0][0], 1);
    pause_name(0, names[0][0], true);
    router_put_taken(&routers[0], 2);
    router_flush(&routers[0]);
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (!link_is_taken(uplinks.items[0].link, 1)) {
        assert_false(deadline_passed(deadline));
        turn(NULL);
    }
    check_pauses();
    assert_true(list_is_empty(&woken));
    assert_int_equal(say_short(names[0][0], &waiters[0]), 0);
    pause_name(0, names[0][0], false);
    expect_woken(&waiters[1], &waiters[0]);
}

static void one_after_the_other_is_woken_for_a_doubtful_name_until_one_sends(void **state)
{
    (void)state;
    doubt();
    check_pauses();
    expect_woken(&waiters[1], NULL);
    check_pauses();
    assert_true(list_is_empty(&woken));
    pause_name(0, names[0][0], false);
    assert_true(list_is_empty(&woken));
    assert_int_equal(say_short(names[0][0], &waiters[0]), 1);
    assert_int_equal(say_short(names[0][0], &waiters[0]), 1);
}

/* Two links were lost since anybody wrote to it. */
static void a_doubtful_pause_that_concerns_nobody_is_forgotten(void **state)
{
    (void)state;
    pause_name(0, names[0][0], true);
    paused_names_doubt(&uplinks.items[0].pauses);
    assert_int_equal(table_count(uplinks.items[0].pauses.names), 1);
    paused_names_doubt(&uplinks.items[0].pauses);
    assert_int_equal(table_count(uplinks.items[0].pauses.names), 0);
}

static void a_link_that_is_lost_has_no_room(void **state)
{
    (void)state;
    router_stop(&routers[0]);
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (link_is_up(uplinks.items[0].link) && !deadline_passed(deadline))
        turn(NULL);
    assert_int_equal(say_short(names[0][0], &waiters[0]), 0);
    assert_int_equal(say_short(names[1][0], &waiters[1]), 1);
    assert_true(list_has(&waiters[0]));
}

static void the_list_of_brokers_comes_from_the_configuration(void **state)
{
    (void)state;
    const char *overrides[] = {"gateway/broker=a=tcp://127.0.0.1:7410", "gateway/broker=b=tcp://127.0.0.1:7411"};
    config_t *two = config_new(NULL, overrides, 2, stderr);
    assert_non_null(two);
    brokers_t *brokers = brokers_new(two, NULL);
    assert_int_equal(brokers->count, 2);
    assert_string_equal(brokers->names[0], "a");
    assert_string_equal(brokers->endpoints[1], "tcp://127.0.0.1:7411");
    brokers_destroy(&brokers);
    assert_null(brokers);
    brokers = brokers_new(two, "b");
    assert_string_equal(brokers->endpoints[0], "tcp://127.0.0.1:7410");
    assert_string_equal(brokers->endpoints[1], "inproc://ferrymq-broker-b");
    brokers_destroy(&brokers);
    config_destroy(&two);
}

static void a_process_with_its_own_broker_needs_no_list(void **state)
{
    (void)state;
    config_t *defaults = config_new(NULL, NULL, 0, stderr);
    brokers_t *brokers = brokers_new(defaults, "main");
    assert_int_equal(brokers->count, 1);
    assert_string_equal(brokers->names[0], "main");
    assert_string_equal(brokers->endpoints[0], "inproc://ferrymq-broker-main");
    brokers_destroy(&brokers);
    brokers = brokers_new(defaults, NULL);
    assert_int_equal(brokers->count, 1);
    assert_string_equal(brokers->endpoints[0], "tcp://127.0.0.1:7410");
    brokers_destroy(&brokers);
    config_destroy(&defaults);
}

#define UPLINKS_TEST(function) cmocka_unit_test_setup_teardown(function, open_uplinks, close_uplinks)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UPLINKS_TEST(a_line_goes_to_the_broker_of_its_recipient),
        UPLINKS_TEST(a_line_to_names_of_two_brokers_is_a_message_to_each),
        UPLINKS_TEST(a_line_goes_on_only_from_the_last_one_of_its_session_with_its_head),
        UPLINKS_TEST(both_links_tell_the_digest_of_the_same_list),
        UPLINKS_TEST(without_room_on_one_link_nothing_is_sent_on_any),
        UPLINKS_TEST(a_line_that_is_larger_than_a_batch_is_refused),
        UPLINKS_TEST(a_line_to_a_paused_name_waits_and_others_do_not),
        UPLINKS_TEST(a_pause_that_is_told_twice_ends_once),
        UPLINKS_TEST(a_waiter_that_is_gone_is_not_woken),
        UPLINKS_TEST(all_pauses_of_a_link_are_forgotten_together),
        UPLINKS_TEST(a_doubtful_name_takes_one_message_until_that_is_taken),
        UPLINKS_TEST(a_doubtful_pause_that_is_told_again_lasts),
        UPLINKS_TEST(one_after_the_other_is_woken_for_a_doubtful_name_until_one_sends),
        UPLINKS_TEST(a_doubtful_pause_that_concerns_nobody_is_forgotten),
        UPLINKS_TEST(a_link_that_is_lost_has_no_room),
        TEST(the_list_of_brokers_comes_from_the_configuration),
        TEST(a_process_with_its_own_broker_needs_no_list),
    };
    return TEST_RUN(tests);
}
