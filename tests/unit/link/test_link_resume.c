/* SPDX-License-Identifier: MPL-2.0 */
/* What becomes of all that was under way when a link is lost: it is resumed, or begun anew with what is not taken. What
 * comes from other nodes then is in test_link_again.c. */
#include "resume_rig.h"

static const char *recipients_text(const body_message_t *message)
{
    static char text[256];
    span_t rest = message->recipients;
    text[0] = '\0';
    for (unsigned i = 0; i < message->recipient_count; i++) {
        span_t name = body_name_next(&rest);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.*s", i ? "," : "", (int)name.size, name.data);
    }
    return text;
}

/* A message of that number comes in a batch with or without the flag. */
static void expect_message(bool again, uint64_t number, const char *recipients)
{
    const router_event_t *event = router_expect_number(&rig.router, RECORD_MESSAGE, number);
    assert_int_equal(event->header.flags, again ? FRAME_FLAG_AGAIN : 0);
    assert_string_equal(recipients_text(&event->record.message), recipients);
}

static void hello_tells_where_a_link_may_be_resumed(void **state)
{
    (void)state;
    rig_join();
    send_batch(1, "bob", 1);
    send_batch(1, "bob", 2);
    router_put_origin(&rig.router, ORIGIN, NODE);
    router_put_origin(&rig.router, 3, 8);
    router_put_gone(&rig.router, 3, false);
    put_copy(false, 7, "hello");
    router_put(&rig.router, &(control_t){.type = RECORD_CONFIRMED, .name = {.session = 777, .term = 50, .serial = 1}});
    router_put_taken(&rig.router, 2);
    router_flush(&rig.router);
    rig_wait("confirmed:777 settled:1 ");
    rig_break(true);
    const router_event_t *event = router_hello(&rig.router);
    assert_int_equal(event->header.acknowledged, 1);
    assert_int_equal(event->header.floor, 2);
    assert_int_equal(event->control.hello.first, 2);
    assert_int_equal(event->control.hello.term, 50);
    assert_true(link_id_equal(&event->control.hello.instance, &rig.router.welcome.welcome.instance));
    assert_int_equal(event->control.hello.nodes.size, LINK_ID_SIZE);
    assert_int_equal(event->control.hello.nodes.data[0], NODE);
}

static void a_resumed_link_sends_again_what_the_broker_has_not_taken(void **state)
{
    (void)state;
    for (uint64_t acknowledged = 0; acknowledged <= 3; acknowledged++) {
        rig_join();
        for (uint64_t number = 1; number <= 3; number++)
            send_batch(number, "bob,zoe", number);
        put_notice(FERRY_ERROR_NO_SUCH_PEER, false, 0, 2, "zoe");
        flush_and_barrier();
        resume_behind(acknowledged);
        for (uint64_t number = acknowledged + 1; number <= 3; number++)
            expect_message(false, number, "bob,zoe"); /* unchanged, whatever was told since */
        router_expect(&rig.router, RECORD_REGISTERED);
        rig_send(4, "ann", "new");
        assert_int_equal(router_expect_message(&rig.router, 4, "new")->header.sequence, 4);
        rig_check_ledger();
        link_destroy(&rig.link);
        router_stop(&rig.router);
        router_start(&rig.router);
    }
}

static void a_resumed_link_takes_nothing_twice(void **state)
{
    (void)state;
    rig_join();
    router_put_origin(&rig.router, ORIGIN, NODE);
    put_copy(false, 1, "one");
    router_flush(&rig.router);
    rig_wait("copy:1:5:eve:one ");
    rig_break(true);
    router_resume(&rig.router);
    assert_int_equal(router_expect(&rig.router, RECORD_REGISTERED)->header.acknowledged, 1);
    rig_wait("state:up welcome ");
    put_copy(false, 2, "two"); /* its handle stays */
    router_flush(&rig.router);
    rig_expect_next("copy:2:5:eve:two ");
    router_expect_acknowledged(&rig.router, 2);
    rig.router.sequence = 1; /* what is acknowledged already is out of order */
    put_copy(false, 2, "two");
    router_flush(&rig.router);
    rig_expect_next("state:down ");
    assert_string_equal(close_code(link_loss(rig.link)), "bad-sequence");
}

static void a_broker_that_has_taken_too_little_or_too_much_cannot_resume(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        rig_join();
        send_batch(1, "bob", 1);
        send_batch(1, "bob", 2);
        router_put_taken(&rig.router, 2);
        flush_and_barrier();
        rig_break(true);
        router_hello(&rig.router);
        router_put_resumed(&rig.router, 2);
        rig.router.header.acknowledged = i ? 3 : 0; /* batch 1 is taken, and batch 3 was not sent */
        rig.said[0] = '\0';                         /* it may have tried more than once to connect */
        router_flush(&rig.router);
        rig_expect_loss(CLOSE_BAD_SEQUENCE);
        router_welcome(&rig.router); /* it is not lost for good */
        expect_message(true, 2, "bob");
        link_destroy(&rig.link);
    }
}

static void a_fresh_link_sends_again_what_is_not_taken(void **state)
{
    (void)state;
    rig.options.batch_size = 140; /* two messages in each */
    rig_join();
    for (unsigned i = 1; i <= 6; i++)
        rig_send(1, "bob,zoe,ann", "a text of some forty bytes, more or less");
    for (unsigned i = 1; i <= 6; i++)
        router_expect_number(&rig.router, RECORD_MESSAGE, i);
    put_notice(FERRY_ERROR_NO_SUCH_PEER, false, 0, 3, "zoe");
    put_notice(FERRY_ERROR_NO_SUCH_PEER, false, 0, 5, "zoe");
    put_notice(FERRY_ERROR_NO_SUCH_PEER, false, 0, 5, "bob");
    put_notice(FERRY_ERROR_UNCONFIRMED, false, 0, 5, "ann");
    uint8_t exception[16] = {3, [8] = 1};
    router_put(&rig.router,
        &(control_t){.type = RECORD_TAKEN, .taken = {.below = 5, .exceptions = span_of((const char *)exception, 16)}});
    flush_and_barrier();
    rig_break(false);
    assert_int_equal(router_hello(&rig.router)->control.hello.first, 3);
    router_put_welcome(&rig.router);
    router_flush(&rig.router);
    expect_message(true, 3, "bob,ann");
    router_expect_number(&rig.router, RECORD_GAP, 4);
    assert_int_equal(router_expect_number(&rig.router, RECORD_GAP, 5)->header.sequence, 2);
    expect_message(true, 6, "bob,zoe,ann");
    router_expect(&rig.router, RECORD_REGISTERED);
    rig_send(1, "bob", "new");
    expect_message(false, 7, "bob");
    assert_int_equal(link_open_copies(rig.link), 2 + 3 + 1);
    rig_check_ledger();
}

static void several_losses_in_a_row_lose_nothing(void **state)
{
    (void)state;
    rig_join();
    for (uint64_t number = 1; number <= 3; number++)
        send_batch(1, "bob", number);
    rig_break(false);
    for (unsigned i = 0; i < 3; i++) {
        router_hello(&rig.router);
        router_put_welcome(&rig.router);
        router_put(&rig.router, &(control_t){.type = RECORD_REFUSE, .refuse.close = CLOSE_UNKNOWN_LINK});
        rig.said[0] = '\0';
        router_flush(&rig.router);
        rig_expect_loss(CLOSE_UNKNOWN_LINK);
    }
    router_welcome(&rig.router);
    for (uint64_t number = 1; number <= 3; number++)
        expect_message(true, number, "bob");
    router_expect(&rig.router, RECORD_REGISTERED);
    rig_send(1, "bob", "new");
    expect_message(false, 4, "bob");
    rig_check_ledger();
}

static void a_link_that_began_anew_is_resumed_with_the_flag(void **state)
{
    (void)state;
    rig_join();
    send_batch(1, "bob", 1);
    begin_anew(false);
    expect_message(true, 1, "bob");
    router_expect(&rig.router, RECORD_REGISTERED);
    send_batch(1, "bob", 2);
    resume_behind(0);
    expect_message(true, 1, "bob");
    expect_message(false, 2, "bob");
    router_expect(&rig.router, RECORD_REGISTERED);
}

static void reports_keep_their_numbers_for_another_instance(void **state)
{
    (void)state;
    rig_join();
    rig_report("bob");
    rig_report("zoe");
    router_expect(&rig.router, RECORD_REPORT);
    router_expect(&rig.router, RECORD_REPORT);
    router_put_taken(&rig.router, 2);
    flush_and_barrier();
    rig_break(false);
    rig_report("ann");
    router_welcome(&rig.router);
    router_expect_number(&rig.router, RECORD_GAP, 1);
    const router_event_t *event = router_expect_number(&rig.router, RECORD_REPORT, 2);
    assert_true(span_equal(event->record.report.name, span_str("zoe")));
    assert_int_equal(event->header.flags, FRAME_FLAG_AGAIN);
    event = router_expect_number(&rig.router, RECORD_REPORT, 3);
    assert_true(span_equal(event->record.report.name, span_str("ann")));
    assert_int_equal(event->header.flags, 0);
    router_expect(&rig.router, RECORD_REGISTERED);
}

static void a_node_that_was_given_up_reports_nothing_of_before(void **state)
{
    (void)state;
    rig_join();
    rig_report("bob");
    rig_send(1, "ann", "text");
    router_expect(&rig.router, RECORD_REPORT);
    router_expect(&rig.router, RECORD_MESSAGE);
    rig_wait("welcome ");
    rig_break(true);
    rig_report("zoe"); /* not sent yet, and of before, too */
    router_welcome(&rig.router);
    rig_wait("state:up given-up ");
    router_expect_number(&rig.router, RECORD_GAP, 1);
    expect_message(true, 2, "ann");
    router_expect_number(&rig.router, RECORD_GAP, 3);
    router_expect(&rig.router, RECORD_REGISTERED);
    rig_report("joe");
    router_expect_number(&rig.router, RECORD_REPORT, 4);
    router_put_taken(&rig.router, 5);
    router_flush(&rig.router);
    rig_wait("settled:1 ");
    assert_true(link_is_settled(rig.link));
}

static void nodes_that_have_not_come_are_named_until_the_broker_has_settled(void **state)
{
    (void)state;
    rig_join();
    router_put_origin(&rig.router, ORIGIN, NODE);
    flush_and_barrier();
    for (unsigned round = 0; round < 3; round++) {
        rig_break(false);
        const router_event_t *event = router_hello(&rig.router);
        assert_int_equal(event->control.hello.nodes.size, round < 2 ? LINK_ID_SIZE : 0);
        router_put_welcome(&rig.router);
        if (round == 1)
            router_put_empty(&rig.router, RECORD_SETTLED);
        flush_and_barrier();
    }
}

static void nodes_that_the_broker_waits_for_are_named_by_those_who_have_not_met_them(void **state)
{
    (void)state;
    uint8_t ids[3 * LINK_ID_SIZE];
    for (size_t i = 0; i < sizeof ids; i++)
        ids[i] = (uint8_t)(1 + i / LINK_ID_SIZE);
    rig.router.welcome.welcome.nodes = span_of((const char *)ids, sizeof ids);
    rig_link();
    router_hello(&rig.router);
    router_put_welcome(&rig.router);
    router_put_origin(&rig.router, ORIGIN, 2);
    flush_and_barrier();
    rig_break(false);
    assert_int_equal(router_hello(&rig.router)->control.hello.nodes.size, sizeof ids);
    router_put_welcome(&rig.router);
    router_put_origin(&rig.router, ORIGIN, 2);
    router_put_empty(&rig.router, RECORD_SETTLED);
    flush_and_barrier();
    rig_break(false);
    const router_event_t *event = router_hello(&rig.router); /* those that have not come until it had settled */
    assert_int_equal(event->control.hello.nodes.size, LINK_ID_SIZE);
    assert_int_equal(event->control.hello.nodes.data[0], 2);
}

static void nothing_is_settled_before_the_broker_has_stated_what_is_held(void **state)
{
    (void)state;
    for (unsigned resumed = 0; resumed < 2; resumed++) {
        rig_join();
        for (uint64_t number = 1; number <= 4; number++)
            send_batch(number, "bob", number);
        router_put_numbers(&rig.router, RECORD_HELD, 1);
        router_put_numbers(&rig.router, RECORD_HELD, 2);
        router_put_taken(&rig.router, 3);
        flush_and_barrier();
        rig_break(resumed);
        router_hello(&rig.router);
        if (resumed)
            router_put_resumed(&rig.router, 4);
        else
            router_put_welcome(&rig.router);
        flush_and_barrier();
        for (uint64_t number = 3; number <= 4 && !resumed; number++)
            router_wait(&rig.router, RECORD_MESSAGE);
        router_put_held_again(&rig.router, 2); /* message 1's copy has ended meanwhile */
        router_put_held_again(&rig.router, 4);
        router_put_taken(&rig.router, 5);
        router_flush(&rig.router);
        flush_and_barrier();
        assert_false(link_is_settled(rig.link));
        rig_expect_said("");
        router_put_empty(&rig.router, RECORD_SETTLED);
        router_flush(&rig.router);
        rig_expect_next("settled:1 settled:3 ");
        router_put_numbers(&rig.router, RECORD_ENDED, 4);
        router_put_numbers(&rig.router, RECORD_ENDED, 2);
        router_flush(&rig.router);
        rig_expect_next("settled:4 settled:2 ");
        assert_true(link_is_settled(rig.link));
        rig_check_ledger();
        link_destroy(&rig.link);
    }
}

/* Where a copy is counted whose end was told before its message is taken on the next link. */
static const struct {
    const char *what;
    bool taken, reported, same;
    unsigned unconfirmed, handed_over;
} lost_copies[] = {
    {"refused by a broker that lives", .same = true, .unconfirmed = 1},
    {"refused by a broker that does not", .unconfirmed = 1},
    {"lost with its node, told by a broker that lives", .taken = true, .same = true, .handed_over = 1},
    {"lost with its node, told by a broker that does not", .taken = true, .unconfirmed = 1},
    {"reported to a broker that lives", .taken = true, .reported = true, .same = true, .handed_over = 1},
    {"reported to a broker that does not", .taken = true, .reported = true, .handed_over = 1},
};

static uint64_t unconfirmed_count(void)
{
    uint64_t count = 0;
    for (size_t i = 0; i < LEDGER_REASONS; i++)
        count += rig.ledger.unconfirmed[i];
    return count;
}

static void a_copy_that_ended_is_counted_where_a_ledger_lives(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lost_copies / sizeof *lost_copies; i++) {
        rig_join();
        send_batch(1, "bob,zoe", 1);
        router_put_origin(&rig.router, ORIGIN, NODE);
        router_put_run(&rig.router, ORIGIN);
        put_notice(FERRY_ERROR_UNCONFIRMED, lost_copies[i].taken, lost_copies[i].reported, 1, "bob");
        router_flush(&rig.router);
        rig_wait("notice:unconfirmed:bob:1 ");
        rig_check_ledger();
        begin_anew(lost_copies[i].same);
        rig_check_ledger();
        expect_message(true, 1, "zoe");
        router_put_taken(&rig.router, 2);
        router_flush(&rig.router);
        rig_wait("settled:1 ");
        if (unconfirmed_count() != lost_copies[i].unconfirmed ||
            rig.ledger.handed_over != 1 + lost_copies[i].handed_over)
            fail_msg("%s: %u unconfirmed, %u handed over", lost_copies[i].what, (unsigned)unconfirmed_count(),
                (unsigned)rig.ledger.handed_over);
        rig_check_ledger();
        link_destroy(&rig.link);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RIG_TEST(hello_tells_where_a_link_may_be_resumed),
        RIG_TEST(a_resumed_link_sends_again_what_the_broker_has_not_taken),
        RIG_TEST(a_resumed_link_takes_nothing_twice),
        RIG_TEST(a_broker_that_has_taken_too_little_or_too_much_cannot_resume),
        RIG_TEST(a_fresh_link_sends_again_what_is_not_taken),
        RIG_TEST(several_losses_in_a_row_lose_nothing),
        RIG_TEST(a_link_that_began_anew_is_resumed_with_the_flag),
        RIG_TEST(reports_keep_their_numbers_for_another_instance),
        RIG_TEST(a_node_that_was_given_up_reports_nothing_of_before),
        RIG_TEST(nodes_that_have_not_come_are_named_until_the_broker_has_settled),
        RIG_TEST(nodes_that_the_broker_waits_for_are_named_by_those_who_have_not_met_them),
        RIG_TEST(nothing_is_settled_before_the_broker_has_stated_what_is_held),
        RIG_TEST(a_copy_that_ended_is_counted_where_a_ledger_lives),
    };
    return TEST_RUN(tests);
}
