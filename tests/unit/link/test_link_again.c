/* SPDX-License-Identifier: MPL-2.0 */
/* What comes a second time from other nodes: copies and notices that were taken before, and those that were not. */
#include "resume_rig.h"

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

/* Nobody states that copy as held, so its end must not be known before its report is. */
static void what_is_reported_without_a_link_comes_before_all_is_stated(void **state)
{
    (void)state;
    for (unsigned resumed = 0; resumed < 2; resumed++) {
        rig_join();
        router_put_origin(&rig.router, ORIGIN, NODE);
        put_copy(false, 3, "three");
        router_flush(&rig.router);
        rig_wait("copy:3:5:eve:three ");
        rig_break(resumed);
        report_copy(3);
        router_hello(&rig.router);
        if (resumed)
            router_put_resumed(&rig.router, 0);
        else
            router_put_welcome(&rig.router);
        router_flush(&rig.router);
        expect_report(1, 3);
        router_expect(&rig.router, RECORD_REGISTERED);
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RIG_TEST(a_copy_that_was_taken_is_not_taken_again),
        RIG_TEST(a_copy_that_was_taken_and_reported_is_reported_again),
        RIG_TEST(what_was_reported_is_forgotten_below_the_floor),
        RIG_TEST(nothing_is_acknowledged_before_the_reports_that_it_rests_on),
        RIG_TEST(what_is_reported_without_a_link_comes_before_all_is_stated),
        RIG_TEST(what_lies_below_the_floor_is_forgotten),
        RIG_TEST(a_notice_that_passes_on_a_report_is_told_once),
        RIG_TEST(a_notice_of_a_report_is_new_for_another_node),
        RIG_TEST(what_was_taken_of_a_node_is_known_until_it_leaves_in_order),
    };
    return TEST_RUN(tests);
}
