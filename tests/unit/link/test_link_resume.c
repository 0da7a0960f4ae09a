/* SPDX-License-Identifier: MPL-2.0 */
/* What becomes of all that was under way when a link is lost: it is resumed, or begun anew with what is not taken. */
#include "link_rig.h"

enum { ORIGIN = 2, NODE = 9 };

/* A body is sent in a turn of its own. */
static void send_batch(uint64_t session, const char *recipients, uint64_t number)
{
    rig_send(session, recipients, "text");
    router_expect_number(&rig.router, RECORD_MESSAGE, number);
}

static void put_notice(int error, bool taken, uint64_t report, uint64_t number, const char *name)
{
    int reason = error != FERRY_ERROR_UNCONFIRMED ? 0 : taken ? FERRY_REASON_GATEWAY_LOST : FERRY_REASON_BROKER_LOST;
    router_put_notice(&rig.router, &(body_notice_t){.error = (uint16_t)error,
                                       .reason = (uint16_t)reason,
                                       .taken = taken,
                                       .number = number,
                                       .session = 1,
                                       .report = report,
                                       .name = span_str(name)});
}

static void put_copy(bool again, uint64_t number, const char *text)
{
    router_put_run_of(&rig.router, &(body_run_t){.handle = ORIGIN, .floor = 1, .again = again});
    router_put_copy(&rig.router, number, &(uint64_t){5}, 1, "eve", text);
}

/* What the broker sent is read. */
static void flush_and_barrier(void)
{
    router_put_session(&rig.router, RECORD_CONFIRMED, 777);
    router_flush(&rig.router);
    rig_wait("confirmed:777 ");
}

/* The link is lost, and the same broker has taken the node's first `acknowledged` batches. */
static void resume_behind(uint64_t acknowledged)
{
    rig_break(true);
    router_hello(&rig.router);
    router_put_resumed(&rig.router, acknowledged);
    router_put_empty(&rig.router, RECORD_SETTLED);
    router_flush(&rig.router);
}

/* The link is lost, and begun anew: by another instance, or by the same one, which has given the node up. */
static void begin_anew(bool given_up)
{
    rig_break(given_up);
    router_welcome(&rig.router);
}

/* The same when there is nothing to be sent again. */
static void join_anew(void)
{
    begin_anew(false);
    router_expect(&rig.router, RECORD_REGISTERED);
}

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
    rig.options.batch_size = 200; /* two messages in each */
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
    router_expect(&rig.router, RECORD_REGISTERED);
    event = router_expect_number(&rig.router, RECORD_REPORT, 3);
    assert_true(span_equal(event->record.report.name, span_str("ann")));
    assert_int_equal(event->header.flags, 0);
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
    router_expect(&rig.router, RECORD_REGISTERED);
    router_expect_number(&rig.router, RECORD_GAP, 3);
    rig_report("joe");
    router_expect_number(&rig.router, RECORD_REPORT, 4);
    router_put_taken(&rig.router, 5);
    router_flush(&rig.router);
    rig_wait("settled:1 ");
    assert_true(link_is_settled(rig.link));
}

static void a_copy_that_was_taken_is_not_taken_again(void **state)
{
    (void)state;
    rig_join();
    router_put_origin(&rig.router, ORIGIN, NODE);
    router_put_run(&rig.router, ORIGIN);
    router_put_copy(&rig.router, 3, (uint64_t[]){5, 6}, 2, "eve", "three");
    router_put_copy(&rig.router, 5, (uint64_t[]){6}, 1, "eve", "five");
    router_flush(&rig.router);
    rig_wait("copy:3:5,6:eve:three copy:5:6:eve:five ");
    join_anew();
    rig_wait("welcome ");
    router_put_origin(&rig.router, 4, NODE); /* the new instance calls it otherwise */
    router_put_run_of(&rig.router, &(body_run_t){.handle = 4, .floor = 2, .again = true});
    router_put_copy(&rig.router, 2, (uint64_t[]){5, 7}, 2, "eve", "two");
    router_put_copy(&rig.router, 3, (uint64_t[]){5, 6, 7}, 3, "eve", "three");
    router_put_copy(&rig.router, 4, (uint64_t[]){5, 6, 7, 8}, 4, "eve", "four");
    router_put_copy(&rig.router, 5, (uint64_t[]){6}, 1, "eve", "five");
    router_put_copy(&rig.router, 4, (uint64_t[]){8}, 1, "eve", "four");
    router_flush(&rig.router);
    router_expect_acknowledged(&rig.router, 1);
    rig_expect_said("copy:2:7:eve:two late:2:5:eve:two " /* 5 has had 3, 7 nothing */
                    "copy:3:7:eve:three "
                    "copy:4:5,7,8:eve:four late:4:6:eve:four ");
    assert_int_equal(rig.ledger.taken_over, 3 + 2 + 1 + 4);
}

/* That copy to bob, whose session is 5, is reported. */
static void report_copy(uint64_t number)
{
    body_report_t report = {.error = FERRY_ERROR_UNDELIVERED,
        .reason = FERRY_REASON_STALLED,
        .session = 1,
        .number = number,
        .name = span_str("bob")};
    memset(report.origin.bytes, NODE, LINK_ID_SIZE);
    link_report(rig.link, 5, &report);
}

/* That report comes, and nothing was acknowledged before on this link (whose HELLO tells of the last one). */
static void expect_report(uint64_t number, uint64_t of_number)
{
    const router_event_t *event = router_expect_number(&rig.router, RECORD_REPORT, number);
    const body_report_t *report = &event->record.report;
    for (size_t i = 1; i < event->arrival; i++)
        assert_int_equal(router_header_at(&rig.router, i)->acknowledged, 0);
    assert_int_equal(report->error, FERRY_ERROR_UNDELIVERED);
    assert_int_equal(report->reason, FERRY_REASON_STALLED);
    assert_int_equal(report->number, of_number);
    assert_int_equal(report->origin.bytes[0], NODE);
    assert_true(span_equal(report->name, span_str("bob")));
}

static void a_copy_that_was_taken_and_reported_is_reported_again(void **state)
{
    (void)state;
    rig_join();
    router_put_origin(&rig.router, ORIGIN, NODE);
    put_copy(false, 3, "three");
    put_copy(false, 4, "four");
    router_flush(&rig.router);
    rig_wait("copy:4:5:eve:four ");
    report_copy(3);
    router_expect_number(&rig.router, RECORD_REPORT, 1);
    router_put_taken(&rig.router, 2);
    flush_and_barrier();
    join_anew();
    rig_wait("welcome ");
    router_put_origin(&rig.router, 4, NODE);
    router_put_run_of(&rig.router, &(body_run_t){.handle = 4, .floor = 3, .again = true});
    router_put_copy(&rig.router, 3, (uint64_t[]){5, 6}, 2, "eve", "three");
    router_put_copy(&rig.router, 4, (uint64_t[]){5}, 1, "eve", "four");
    router_flush(&rig.router);
    expect_report(2, 3);
    router_expect_acknowledged(&rig.router, 1);
    rig_expect_said("copy:3:6:eve:three ");
}

static void what_was_reported_is_forgotten_below_the_floor(void **state)
{
    (void)state;
    rig_join();
    router_put_origin(&rig.router, ORIGIN, NODE);
    put_copy(false, 3, "three");
    router_flush(&rig.router);
    rig_wait("copy:3:5:eve:three ");
    report_copy(3);
    router_put_run_of(&rig.router, &(body_run_t){.handle = ORIGIN, .floor = 3});
    flush_and_barrier();
    assert_int_equal(origins_get(link_origins(rig.link), ORIGIN)->reported.count, 1);
    router_put_run_of(&rig.router, &(body_run_t){.handle = ORIGIN, .floor = 4});
    flush_and_barrier();
    assert_int_equal(origins_get(link_origins(rig.link), ORIGIN)->reported.count, 0);
}

static void nothing_is_acknowledged_before_the_reports_that_it_rests_on(void **state)
{
    (void)state;
    for (unsigned resumed = 0; resumed < 2; resumed++) {
        rig_join();
        router_put_origin(&rig.router, ORIGIN, NODE);
        put_copy(false, 3, "three");
        router_flush(&rig.router);
        rig_wait("copy:3:5:eve:three ");
        report_copy(3);
        router_expect_number(&rig.router, RECORD_REPORT, 1);
        rig_break(resumed);
        router_hello(&rig.router);
        if (resumed)
            router_put_resumed(&rig.router, 0);
        else
            router_put_welcome(&rig.router);
        router_flush(&rig.router);
        expect_report(1, 3);
        assert_int_equal(router_expect(&rig.router, RECORD_REGISTERED)->header.acknowledged, resumed);
        link_destroy(&rig.link);
    }
}

static void what_lies_below_the_floor_is_forgotten(void **state)
{
    (void)state;
    rig_join();
    router_put_origin(&rig.router, ORIGIN, NODE);
    put_copy(false, 3, "three");
    put_copy(false, 4, "four");
    router_put_run_of(&rig.router, &(body_run_t){.handle = ORIGIN, .floor = 4});
    router_flush(&rig.router);
    rig_wait("copy:4:5:eve:four ");
    assert_int_equal(taken_log_count(&origins_get(link_origins(rig.link), ORIGIN)->log), 1);
}

static void a_notice_that_passes_on_a_report_is_told_once(void **state)
{
    (void)state;
    rig_join();
    send_batch(1, "bob,zoe", 1);
    router_put_taken(&rig.router, 2);
    router_put_origin(&rig.router, ORIGIN, NODE);
    router_put_run(&rig.router, ORIGIN);
    put_notice(FERRY_ERROR_UNDELIVERED, true, 12, 1, "bob");
    router_flush(&rig.router);
    rig_wait("notice:undelivered:bob:1 ");
    join_anew();
    rig_wait("welcome ");
    router_put_origin(&rig.router, ORIGIN, NODE);
    router_put_run_of(&rig.router, &(body_run_t){.handle = ORIGIN, .floor = 11, .again = true});
    put_notice(FERRY_ERROR_UNDELIVERED, true, 11, 1, "zoe"); /* lower than what came, but not late */
    put_notice(FERRY_ERROR_UNDELIVERED, true, 12, 1, "bob");
    put_notice(FERRY_ERROR_UNDELIVERED, true, 11, 1, "zoe");
    router_flush(&rig.router);
    router_expect_acknowledged(&rig.router, 1);
    rig_wait("notice:undelivered:zoe:1 ");
    rig_expect_said("");
}

static void a_notice_of_a_report_is_new_for_another_node(void **state)
{
    (void)state;
    rig_join();
    router_put_origin(&rig.router, ORIGIN, NODE);
    router_put_origin(&rig.router, 3, 8);
    router_put_run(&rig.router, ORIGIN);
    put_notice(FERRY_ERROR_UNDELIVERED, true, 12, 1, "bob");
    router_put_run_of(&rig.router, &(body_run_t){.handle = 3, .floor = 1, .again = true});
    put_notice(FERRY_ERROR_UNDELIVERED, true, 12, 1, "zoe");
    router_flush(&rig.router);
    rig_wait("notice:undelivered:bob:1 notice:undelivered:zoe:1 ");
}

/* What has happened to the node of a copy that was taken, when it comes again. */
static const struct {
    const char *what;
    bool gone, orderly, another_instance, known;
} returns[] = {
    {"it was always there", .known = true},
    {"it was given up", .gone = true, .known = true},
    {"it has left with BYE", .gone = true, .orderly = true, .known = false},
    {"another instance tells of it", .another_instance = true, .known = true},
    {"it was given up, and another instance tells of it", .gone = true, .another_instance = true, .known = true},
};

static void what_was_taken_of_a_node_is_known_until_it_leaves_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof returns / sizeof *returns; i++) {
        rig_join();
        router_put_origin(&rig.router, ORIGIN, NODE);
        put_copy(false, 1, "text");
        if (returns[i].gone)
            router_put_gone(&rig.router, ORIGIN, returns[i].orderly);
        flush_and_barrier();
        if (returns[i].another_instance)
            join_anew();
        rig.said[0] = '\0';
        router_put_origin(&rig.router, 33, NODE);
        router_put_run_of(&rig.router, &(body_run_t){.handle = 33, .floor = 1, .again = true});
        router_put_copy(&rig.router, 1, &(uint64_t){5}, 1, "eve", "text");
        flush_and_barrier();
        if ((rig.ledger.taken_over == 1) != returns[i].known)
            fail_msg("%s", returns[i].what);
        link_destroy(&rig.link);
    }
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
        RIG_TEST(a_copy_that_was_taken_is_not_taken_again),
        RIG_TEST(a_copy_that_was_taken_and_reported_is_reported_again),
        RIG_TEST(what_was_reported_is_forgotten_below_the_floor),
        RIG_TEST(nothing_is_acknowledged_before_the_reports_that_it_rests_on),
        RIG_TEST(what_lies_below_the_floor_is_forgotten),
        RIG_TEST(a_notice_that_passes_on_a_report_is_told_once),
        RIG_TEST(a_notice_of_a_report_is_new_for_another_node),
        RIG_TEST(what_was_taken_of_a_node_is_known_until_it_leaves_in_order),
        RIG_TEST(nodes_that_have_not_come_are_named_until_the_broker_has_settled),
        RIG_TEST(nodes_that_the_broker_waits_for_are_named_by_those_who_have_not_met_them),
        RIG_TEST(nothing_is_settled_before_the_broker_has_stated_what_is_held),
        RIG_TEST(a_copy_that_ended_is_counted_where_a_ledger_lives),
    };
    return TEST_RUN(tests);
}
