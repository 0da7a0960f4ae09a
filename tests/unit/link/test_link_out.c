/* SPDX-License-Identifier: MPL-2.0 */
/* What a node says: batches, control records, acknowledgements, and their order. */
#include "link_rig.h"

enum { MANY_NAMES = 3000 };

static void register_many(link_t *link)
{
    for (unsigned i = 0; i < MANY_NAMES; i++) {
        char name[32];
        snprintf(name, sizeof name, "a-rather-long-name-%u", i);
        link_register(link, i, span_str(name), (link_claim_t){.term = 1, .serial = i}, false);
    }
}

static void a_turn_is_one_batch(void **state)
{
    (void)state;
    rig_join();
    rig_send(5, "bob", "one");
    rig_send(6, "bob,zoe", "two");
    const router_event_t *event = router_expect_message(&rig.router, 1, "one");
    assert_int_equal(event->header.sequence, 1);
    assert_int_equal(event->record.message.session, 5);
    assert_int_equal(event->record.message.recipient_count, 1);
    event = router_expect_message(&rig.router, 2, "two");
    assert_int_equal(event->header.sequence, 1);
    assert_int_equal(event->record.message.recipient_count, 2);
    rig_send(5, "bob", "three");
    assert_int_equal(router_expect_message(&rig.router, 3, "three")->header.sequence, 2);
    assert_int_equal(rig.ledger.accepted, 4);
    rig_check_ledger();
}

static void what_differs_from_the_message_before_in_its_text_alone_is_short(void **state)
{
    (void)state;
    rig_join();
    rig_send(5, "bob", "one");
    rig_send(5, "bob", "two");
    rig_send(6, "bob", "three");
    rig_send(6, "zoe", "four");
    rig_send(6, "zoe,bob", "five");
    rig_send(6, "zoe,bob", "six");
    assert_false(router_expect_message(&rig.router, 1, "one")->record.message.more);
    assert_true(router_expect_message(&rig.router, 2, "two")->record.message.more);
    assert_false(router_expect_message(&rig.router, 3, "three")->record.message.more);
    assert_false(router_expect_message(&rig.router, 4, "four")->record.message.more);
    assert_false(router_expect_message(&rig.router, 5, "five")->record.message.more);
    const router_event_t *event = router_expect_message(&rig.router, 6, "six");
    assert_true(event->record.message.more);
    assert_int_equal(event->record.message.recipient_count, 2);
    rig_send(6, "zoe,bob", "seven");
    assert_false(router_expect_message(&rig.router, 7, "seven")->record.message.more); /* in another batch */
    rig_check_ledger();
}

/* So that it may be sent again with messages in the place of MOREs. */
static void a_batch_is_closed_where_its_messages_would_pass_the_largest(void **state)
{
    (void)state;
    rig.router.welcome.welcome.batch_size = 1000;
    rig_join();
    for (unsigned i = 0; i < 60; i++)
        rig_send(5, "bob", "");
    uint64_t sequence = router_expect_message(&rig.router, 1, "")->header.sequence;
    unsigned in_first = 1;
    for (unsigned i = 1; i < 60; i++)
        in_first += router_expect_message(&rig.router, i + 1, "")->header.sequence == sequence;
    size_t size = body_message_size(span_str("eve"), &(span_t){"bob", 3}, 1, span_str(""));
    assert_in_range(in_first, 2, (1000 - BODY_UP_HEADER_SIZE) / size);
}

static void a_batch_is_closed_where_it_would_pass_the_largest(void **state)
{
    (void)state;
    char text[301];
    memset(text, 'x', 300);
    text[300] = '\0';
    rig.router.welcome.welcome.batch_size = 1000;
    rig_join();
    for (unsigned i = 0; i < 7; i++)
        rig_send(5, "bob", text);
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(router_expect_message(&rig.router, i + 1, text)->header.sequence, i / 3 + 1);
}

static void a_full_batch_goes_at_once(void **state)
{
    (void)state;
    rig.router.welcome.welcome.batch_size = 200;
    rig_join();
    rig.router.turn = NULL; /* no turn of the loop from here on */
    for (unsigned i = 0; i < 20; i++)
        rig_send(5, "bob", "a text of some forty bytes, more or less");
    router_expect_message(&rig.router, 1, "a text of some forty bytes, more or less");
}

static void the_node_may_close_batches_earlier_than_the_broker_asks(void **state)
{
    (void)state;
    rig.options.batch_size = 100;
    rig_join();
    rig_send(5, "bob", "a text of some forty bytes, more or less");
    rig_send(5, "bob", "a text of some forty bytes, more or less");
    router_expect_message(&rig.router, 1, "a text of some forty bytes, more or less");
    assert_int_equal(router_expect(&rig.router, RECORD_MESSAGE)->header.sequence, 2);
}

static void a_record_that_is_larger_than_a_batch_goes_alone(void **state)
{
    (void)state;
    static char text[100001];
    memset(text, 'x', sizeof text - 1);
    rig.options.batch_size = 5000;
    rig_join();
    rig_send(5, "bob", "small");
    rig_send(5, "bob", text);
    rig_send(5, "bob", "small");
    assert_int_equal(router_expect_message(&rig.router, 1, "small")->header.sequence, 1);
    assert_int_equal(router_expect_message(&rig.router, 2, text)->header.sequence, 2);
    assert_int_equal(router_expect_message(&rig.router, 3, "small")->header.sequence, 3);
}

static void what_fits_into_the_largest_batch_is_known(void **state)
{
    (void)state;
    rig.router.welcome.welcome.batch_size = 1000;
    rig_link();
    assert_true(link_fits(rig.link, 1001)); /* no broker has said anything else */
    router_join(&rig.router);
    assert_int_equal(link_largest(rig.link), 1000 - BODY_UP_HEADER_SIZE);
    assert_true(link_fits(rig.link, 1000 - BODY_UP_HEADER_SIZE));
    assert_false(link_fits(rig.link, 1001 - BODY_UP_HEADER_SIZE));
    assert_false(link_fits(rig.link, SIZE_MAX));
}

/* What is closed early for others' sake need not be small alone. */
static void a_message_that_is_larger_than_a_batch_fits_if_the_broker_takes_it(void **state)
{
    (void)state;
    rig.options.batch_size = 1000;
    rig.router.welcome.welcome.batch_size = 9000;
    rig_join();
    assert_true(link_fits(rig.link, 9000 - BODY_UP_HEADER_SIZE));
    assert_false(link_fits(rig.link, 9001 - BODY_UP_HEADER_SIZE));
}

static void the_window_closes_and_opens(void **state)
{
    (void)state;
    char text[401];
    memset(text, 'x', 400);
    text[400] = '\0';
    rig.router.welcome.welcome.window_size = 1000;
    rig_join();
    rig_wait("room ");
    for (unsigned i = 0; i < 3; i++)
        rig_send(5, "bob", text);
    assert_false(link_has_room(rig.link));
    for (unsigned i = 0; i < 3; i++)
        router_expect(&rig.router, RECORD_MESSAGE);
    rig_expect_said("");
    router_put_taken(&rig.router, 2);
    router_flush(&rig.router);
    rig_wait("room ");
    assert_true(link_has_room(rig.link));
    router_put_taken(&rig.router, 3);
    router_flush(&rig.router);
    rig_wait("settled:5 ");
    assert_int_equal(strstr(rig.said, "room ") != NULL, 0); /* nobody was waiting */
}

static void one_message_may_always_be_open(void **state)
{
    (void)state;
    rig.router.welcome.welcome.window_size = 1;
    rig_join();
    rig_send(5, "bob", "much more than the window");
    assert_false(link_has_room(rig.link));
    router_expect(&rig.router, RECORD_MESSAGE);
    router_put_taken(&rig.router, 2);
    router_flush(&rig.router);
    rig_wait("settled:5 ");
    assert_true(link_has_room(rig.link));
}

static void reports_are_outside_the_window(void **state)
{
    (void)state;
    rig.router.welcome.welcome.window_size = 1;
    rig_join();
    for (unsigned i = 0; i < 100; i++)
        rig_report("bob");
    rig_send(5, "bob", "text");
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(router_expect(&rig.router, RECORD_REPORT)->number, i + 1);
    router_expect_message(&rig.router, 101, "text");
}

static void many_control_records_are_divided_among_frames(void **state)
{
    (void)state;
    rig.on_up = register_many;
    rig_link();
    router_welcome(&rig.router);
    const router_event_t *event = NULL;
    for (unsigned i = 0; i < MANY_NAMES; i++) {
        event = router_expect(&rig.router, RECORD_REGISTER);
        assert_int_equal(event->control.name.session, i);
        assert_true(event->control.name.again);
        assert_int_equal(event->control.name.serial, i);
    }
    assert_in_range(event->arrival, 2, 10); /* HELLO is the first */
    router_expect(&rig.router, RECORD_REGISTERED);
}

static void pause_many(link_t *link, const body_copy_t *copy, origin_t *origin)
{
    (void)copy, (void)origin;
    for (unsigned i = 0; i < MANY_NAMES; i++)
        link_pause(link, span_str("a-name-that-is-rather-long-for-a-name"), i % 2 == 0);
}

static void the_acknowledgement_comes_with_the_last_of_the_control_records(void **state)
{
    (void)state;
    rig.on_copy = pause_many;
    rig_join();
    size_t before = router_arrivals(&rig.router);
    router_put(&rig.router, &(control_t){.type = RECORD_ORIGIN, .origin.handle = 2});
    router_put_run(&rig.router, 2);
    router_put_copy(&rig.router, 1, &(uint64_t){5}, 1, "eve", "hello");
    router_flush(&rig.router);
    router_expect_acknowledged(&rig.router, 1);
    size_t last = router_arrivals(&rig.router) - 1;
    assert_true(last > before);
    for (size_t i = before; i < last; i++)
        assert_int_equal(router_header_at(&rig.router, i)->acknowledged, 0);
    for (unsigned i = 0; i < MANY_NAMES; i++)
        assert_true(router_expect(&rig.router, i % 2 ? RECORD_RESUME : RECORD_PAUSE)->arrival <= last);
}

static void batches_wait_until_all_names_are_stated(void **state)
{
    (void)state;
    rig.on_up = register_many;
    rig_link();
    rig_report("bob"); /* before the link is up */
    router_welcome(&rig.router);
    size_t names = 0;
    for (unsigned i = 0; i < MANY_NAMES; i++)
        names = router_expect(&rig.router, RECORD_REGISTER)->arrival;
    size_t report = router_expect(&rig.router, RECORD_REPORT)->arrival;
    assert_true(report > names);
    assert_true(router_expect(&rig.router, RECORD_REGISTERED)->arrival > report);
}

static void what_a_control_record_rests_on_goes_before_it(void **state)
{
    (void)state;
    rig.options.batch_size = 100;
    rig_link();
    for (unsigned i = 0; i < 10; i++)
        rig_report("bob");
    router_welcome(&rig.router);
    router_put_empty(&rig.router, RECORD_DRAIN);
    router_flush(&rig.router);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(router_expect(&rig.router, RECORD_REPORT)->number, i + 1);
    router_expect(&rig.router, RECORD_REGISTERED);
    assert_int_equal(router_expect(&rig.router, RECORD_DRAINED)->control.number, 10);
}

/* Takes two copies of each of two origins, and tells of them as held. */
static void hold(link_t *link, const body_copy_t *copy, origin_t *origin)
{
    link_hold(link, body_session_at(copy, 0), origin, copy->number, false);
}

static void held_copies_in_a_row_are_one_record(void **state)
{
    (void)state;
    rig.on_copy = hold;
    rig_join();
    router_put(&rig.router, &(control_t){.type = RECORD_ORIGIN, .origin.handle = 2});
    router_put(&rig.router, &(control_t){.type = RECORD_ORIGIN, .origin = {.handle = 3, .node = {{9}}}});
    router_put_run(&rig.router, 2);
    router_put_copy(&rig.router, 10, &(uint64_t){5}, 1, "eve", "");
    router_put_copy(&rig.router, 11, &(uint64_t){5}, 1, "eve", "");
    router_put_copy(&rig.router, 900, &(uint64_t){5}, 1, "eve", "");
    router_put_copy(&rig.router, 12, &(uint64_t){5}, 1, "eve", ""); /* not rising */
    router_put_copy(&rig.router, 13, &(uint64_t){6}, 1, "eve", "");
    router_put_run(&rig.router, 3);
    router_put_copy(&rig.router, 14, &(uint64_t){6}, 1, "eve", "");
    router_put_copy(&rig.router, 14 + (1ull << 32), &(uint64_t){6}, 1, "eve", ""); /* too far for an offset */
    router_flush(&rig.router);
    static const struct {
        uint64_t session, first;
        uint32_t handle;
        size_t count;
    } expected[] = {{5, 10, 2, 3}, {5, 12, 2, 1}, {6, 13, 2, 1}, {6, 14, 3, 1}, {6, 14 + (1ull << 32), 3, 1}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const control_t *record = &router_expect(&rig.router, RECORD_HOLD)->control;
        assert_int_equal(record->held.session, expected[i].session);
        assert_int_equal(record->held.handle, expected[i].handle);
        assert_int_equal(record->held.numbers.first, expected[i].first);
        assert_int_equal(control_numbers_count(&record->held.numbers), expected[i].count);
        assert_false(record->held.again);
        if (i == 0)
            assert_int_equal(control_numbers_at(&record->held.numbers, 2), 900);
    }
}

static void held_copies_are_not_joined_across_another_record(void **state)
{
    (void)state;
    rig_join();
    origin_t origin = {.handle = 2};
    link_hold(rig.link, 5, &origin, 1, false);
    link_end(rig.link, 5, 1);
    link_hold(rig.link, 5, &origin, 2, false);
    router_expect(&rig.router, RECORD_HOLD);
    const control_t *record = &router_expect(&rig.router, RECORD_END)->control;
    assert_int_equal(record->held.session, 5);
    assert_int_equal(record->held.count, 1);
    assert_int_equal(router_expect(&rig.router, RECORD_HOLD)->control.held.numbers.first, 2);
    link_hold(rig.link, 5, &origin, 3, false); /* and not across turns */
    assert_int_equal(router_expect(&rig.router, RECORD_HOLD)->control.held.numbers.first, 3);
}

static void very_many_held_copies_fit_into_frames(void **state)
{
    (void)state;
    enum { MANY = 50000 };
    rig_join();
    origin_t origin = {.handle = 2};
    for (uint64_t number = 1; number <= MANY; number++)
        link_hold(rig.link, 5, &origin, number, false);
    uint64_t next = 1;
    while (next <= MANY) {
        const control_t *record = &router_expect(&rig.router, RECORD_HOLD)->control;
        for (size_t i = 0; i < control_numbers_count(&record->held.numbers); i++)
            assert_int_equal(control_numbers_at(&record->held.numbers, i), next++);
    }
}

static origin_t earlier[2] = {{.node = {{1}}}, {.node = {{2}}}};

static void hold_again(link_t *link)
{
    for (unsigned i = 0; i < 4; i++)
        link_hold(link, 5 + i / 2, &earlier[i % 2], i + 1, true);
}

static void copies_held_from_before_name_origins_that_the_node_states(void **state)
{
    (void)state;
    earlier[0].stated_epoch = earlier[1].stated_epoch = 0;
    rig.on_up = hold_again;
    rig_link();
    router_welcome(&rig.router);
    for (unsigned i = 0; i < 4; i++) {
        if (i < 2) {
            const control_t *stated = &router_expect(&rig.router, RECORD_ORIGIN)->control;
            assert_int_equal(stated->origin.handle, i + 1);
            assert_true(link_id_equal(&stated->origin.node, &earlier[i].node));
        }
        const control_t *record = &router_expect(&rig.router, RECORD_HOLD)->control;
        assert_true(record->held.again);
        assert_int_equal(record->held.session, 5 + i / 2);
        assert_int_equal(record->held.handle, 1 + i % 2);
        assert_int_equal(record->held.numbers.first, i + 1);
    }
    router_expect(&rig.router, RECORD_REGISTERED);
}

static void a_quiet_link_says_every_heartbeat_that_it_lives(void **state)
{
    (void)state;
    rig.router.welcome.welcome.heartbeat_ms = 20;
    rig_join();
    size_t before = router_arrivals(&rig.router);
    int64_t start_ms = deadline_now_ms();
    router_expect_arrivals(&rig.router, before + 5);
    assert_true(deadline_now_ms() - start_ms >= 4 * 20 / 2);
    for (size_t i = before; i < before + 5; i++)
        assert_int_equal(router_header_at(&rig.router, i)->sequence, 0);
}

static void names_come_and_go(void **state)
{
    (void)state;
    rig_join();
    link_register(rig.link, 5, span_str("bob"), (link_claim_t){0}, false);
    const control_t *record = &router_expect(&rig.router, RECORD_REGISTER)->control;
    assert_int_equal(record->name.session, 5);
    assert_true(span_equal(record->name.name, span_str("bob")));
    assert_false(record->name.again);
    link_leaving(rig.link, 5);
    assert_int_equal(router_expect(&rig.router, RECORD_LEAVING)->control.name.session, 5);
}

static void what_is_asked_while_there_is_no_link_is_dropped(void **state)
{
    (void)state;
    rig_link();
    origin_t origin = {.handle = 2};
    link_register(rig.link, 5, span_str("bob"), (link_claim_t){0}, false);
    link_leaving(rig.link, 5);
    link_pause(rig.link, span_str("bob"), true);
    link_hold(rig.link, 5, &origin, 1, false);
    assert_false(link_has_room(rig.link));
    assert_false(link_can_end(rig.link));
    router_welcome(&rig.router);
    router_expect(&rig.router, RECORD_REGISTERED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RIG_TEST(what_differs_from_the_message_before_in_its_text_alone_is_short),
        RIG_TEST(a_turn_is_one_batch),
        RIG_TEST(a_batch_is_closed_where_its_messages_would_pass_the_largest),
        RIG_TEST(a_batch_is_closed_where_it_would_pass_the_largest),
        RIG_TEST(a_full_batch_goes_at_once),
        RIG_TEST(the_node_may_close_batches_earlier_than_the_broker_asks),
        RIG_TEST(a_record_that_is_larger_than_a_batch_goes_alone),
        RIG_TEST(what_fits_into_the_largest_batch_is_known),
        RIG_TEST(a_message_that_is_larger_than_a_batch_fits_if_the_broker_takes_it),
        RIG_TEST(the_window_closes_and_opens),
        RIG_TEST(one_message_may_always_be_open),
        RIG_TEST(reports_are_outside_the_window),
        RIG_TEST(many_control_records_are_divided_among_frames),
        RIG_TEST(the_acknowledgement_comes_with_the_last_of_the_control_records),
        RIG_TEST(batches_wait_until_all_names_are_stated),
        RIG_TEST(what_a_control_record_rests_on_goes_before_it),
        RIG_TEST(held_copies_in_a_row_are_one_record),
        RIG_TEST(held_copies_are_not_joined_across_another_record),
        RIG_TEST(very_many_held_copies_fit_into_frames),
        RIG_TEST(copies_held_from_before_name_origins_that_the_node_states),
        RIG_TEST(a_quiet_link_says_every_heartbeat_that_it_lives),
        RIG_TEST(names_come_and_go),
        RIG_TEST(what_is_asked_while_there_is_no_link_is_dropped),
    };
    return TEST_RUN(tests);
}
