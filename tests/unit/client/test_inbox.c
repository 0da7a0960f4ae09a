/* SPDX-License-Identifier: MPL-2.0 */
/* inbox: what the broker hears of copies that the program has, and has not, received. */
#include "unit/link/link_rig.h"

#include "client/inbox.h"

enum { SESSION = 5, ORIGIN = 2 };

static inbox_t inbox;
static origin_t *origin;

static int inbox_open(void **state)
{
    link_id_t node = {{7}};
    rig_open(state);
    rig_join();
    origins_put(link_origins(rig.link), ORIGIN, &node);
    origin = origins_get(link_origins(rig.link), ORIGIN);
    inbox = (inbox_t){0};
    return 0;
}

static int inbox_close(void **state)
{
    inbox_forget(&inbox, rig.link);
    inbox_fini(&inbox);
    return rig_close(state);
}

/* Copies with the numbers from first to last. */
static void put(uint64_t first, uint64_t last)
{
    for (uint64_t number = first; number <= last; number++) {
        body_copy_t copy = {.number = number, .session = number + 1000};
        inbox_add(&inbox, &copy, origin);
    }
}

static void tell(void)
{
    inbox_tell(&inbox, rig.link, SESSION);
}

static void expect_end(uint32_t count)
{
    const control_t *record = &router_expect(&rig.router, RECORD_END)->control;
    assert_int_equal(record->held.session, SESSION);
    assert_int_equal(record->held.count, count);
}

static void expect_hold(uint64_t first, uint64_t last, bool again)
{
    const control_t *record = &router_expect(&rig.router, RECORD_HOLD)->control;
    assert_int_equal(record->held.session, SESSION);
    assert_int_equal(record->held.again, again);
    assert_int_equal(record->held.handle, again ? 1 : ORIGIN);
    assert_int_equal(record->held.numbers.first, first);
    assert_int_equal(control_numbers_count(&record->held.numbers), last - first + 1);
}

static void expect_report(uint64_t number, bool settled)
{
    const body_report_t *report = &router_expect(&rig.router, RECORD_REPORT)->record.report;
    assert_int_equal(report->error, FERRY_ERROR_UNDELIVERED);
    assert_int_equal(report->reason, FERRY_REASON_GONE);
    assert_int_equal(report->number, number);
    assert_int_equal(report->session, number + 1000);
    assert_int_equal(report->settled, settled);
    assert_true(span_equal(report->name, span_str("bob")));
}

/* Nothing was told to the broker: an END that is, is the next thing that it hears. */
static void expect_nothing_told(void)
{
    link_end(rig.link, SESSION, 4711);
    expect_end(4711);
}

static void what_is_not_received_is_held_until_it_is(void **state)
{
    (void)state;
    put(1, 3);
    tell();
    expect_hold(1, 3, false);
    tell();
    expect_nothing_told();
    inbox_take(&inbox, 2);
    tell();
    expect_end(2);
    inbox_take(&inbox, 1);
    tell();
    expect_end(1);
}

static void what_is_received_in_the_same_turn_is_not_told_of(void **state)
{
    (void)state;
    put(1, 3);
    inbox_take(&inbox, 3);
    tell();
    expect_nothing_told();
    put(4, 5);
    inbox_take(&inbox, 1);
    tell();
    expect_hold(5, 5, false);
}

static void a_long_queue_keeps_its_order(void **state)
{
    (void)state;
    for (uint64_t number = 1; number <= 1000; number += 10) {
        put(number, number + 9);
        inbox_take(&inbox, 7);
    }
    inbox_return(&inbox, rig.link, SESSION, span_str("bob"));
    for (uint64_t number = 701; number <= 1000; number++)
        expect_report(number, false);
}

/* As when another link is up: what was told on the one before is stated anew. */
static void what_is_not_received_is_stated_again_on_a_new_link(void **state)
{
    (void)state;
    put(1, 4);
    tell();
    expect_hold(1, 4, false);
    inbox_take(&inbox, 1);
    inbox_restate(&inbox, rig.link, SESSION);
    router_expect(&rig.router, RECORD_ORIGIN);
    expect_hold(2, 4, true);
    inbox_take(&inbox, 3);
    tell();
    expect_end(3);
}

static void what_the_senders_were_told_of_is_neither_held_nor_reported(void **state)
{
    (void)state;
    put(1, 2);
    tell();
    expect_hold(1, 2, false);
    inbox_disown(&inbox);
    inbox_restate(&inbox, rig.link, SESSION);
    put(3, 3);
    tell();
    expect_hold(3, 3, false);
    inbox_return(&inbox, rig.link, SESSION, span_str("bob"));
    expect_report(3, false);
    tell();
    expect_end(1);
}

static void what_is_returned_is_reported_before_it_ends(void **state)
{
    (void)state;
    put(1, 3);
    tell();
    expect_hold(1, 3, false);
    inbox_take(&inbox, 1);
    inbox_return(&inbox, rig.link, SESSION, span_str("bob"));
    tell();
    expect_report(2, false);
    expect_report(3, false);
    expect_end(3);
    inbox_return(&inbox, rig.link, SESSION, span_str("bob"));
    expect_nothing_told();
}

#define INBOX_TEST(function) cmocka_unit_test_setup_teardown(function, inbox_open, inbox_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        INBOX_TEST(what_is_not_received_is_held_until_it_is),
        INBOX_TEST(what_is_received_in_the_same_turn_is_not_told_of),
        INBOX_TEST(a_long_queue_keeps_its_order),
        INBOX_TEST(what_is_not_received_is_stated_again_on_a_new_link),
        INBOX_TEST(what_the_senders_were_told_of_is_neither_held_nor_reported),
        INBOX_TEST(what_is_returned_is_reported_before_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
