/* SPDX-License-Identifier: MPL-2.0 */
/* holdings on a real link to a broker that the test plays. Shares are tested with their groups, and what hands the
 * copies on with plain/peer_writer and client/carrier. */
#include "link_rig.h"

#include "link/holdings.h"

enum { SESSION = 5, ORIGIN = 2 };

static holdings_t holdings;
static origin_t *origin;

static int open_holdings(void **state)
{
    link_id_t node = {{7}};
    rig_open(state);
    rig_join();
    origins_put(link_origins(rig.link), ORIGIN, &node);
    origin = origins_get(link_origins(rig.link), ORIGIN);
    holdings = (holdings_t){0};
    return 0;
}

static int close_holdings(void **state)
{
    holdings_forget(&holdings, rig.link);
    assert_false(holdings_owe(&holdings));
    holdings_fini(&holdings);
    return rig_close(state);
}

/* Copies with these numbers. */
static void add(uint64_t first, uint64_t last)
{
    for (uint64_t number = first; number <= last; number++)
        holdings_add(&holdings, &(body_copy_t){.number = number, .session = number + 1000}, origin);
}

/* Copies below that index have ended, and nothing will be reported of them. */
static void tell(uint64_t ended)
{
    holdings_tell(&holdings, rig.link, SESSION, ended, ended);
}

static void expect_held(uint64_t first, uint64_t last, bool again)
{
    const control_t *record = &router_expect(&rig.router, RECORD_HOLD)->control;
    assert_int_equal(record->held.session, SESSION);
    assert_int_equal(record->held.again, again);
    assert_int_equal(control_numbers_count(&record->held.numbers), last - first + 1);
    assert_int_equal(control_numbers_at(&record->held.numbers, 0), first);
}

static void expect_ended(uint32_t count)
{
    assert_int_equal(router_expect(&rig.router, RECORD_END)->control.held.count, count);
}

static void what_ends_in_its_turn_is_never_told_of(void **state)
{
    (void)state;
    add(1, 40); /* more than the ring has at first */
    tell(40);
    assert_false(holdings_owe(&holdings));
    assert_int_equal(holdings.first, 40);
    link_end(rig.link, SESSION, 4711);
    expect_ended(4711);
}

static void what_does_not_is_told_as_held_and_then_as_ended(void **state)
{
    (void)state;
    add(1, 3);
    tell(1);
    expect_held(2, 3, false);
    add(4, 4);
    tell(2);
    expect_ended(1);
    expect_held(4, 4, false);
    tell(4);
    expect_ended(2);
    assert_false(holdings_owe(&holdings));
}

static void what_may_still_be_reported_is_kept(void **state)
{
    (void)state;
    add(1, 2);
    holdings_tell(&holdings, rig.link, SESSION, 2, 1);
    assert_int_equal(holdings.first, 1);
    holdings_report(&holdings, 1,
        &(holdings_loss_t){.link = rig.link, .session = SESSION, .name = span_str("bob"), .reason = FERRY_REASON_GONE},
        FERRY_ERROR_UNCONFIRMED);
    const body_report_t *report = &router_expect(&rig.router, RECORD_REPORT)->record.report;
    assert_int_equal(report->number, 2);
    assert_int_equal(report->session, 1002);
    assert_int_equal(report->error, FERRY_ERROR_UNCONFIRMED);
    assert_true(report->settled);
    holdings_release(&holdings, rig.link, 2);
    assert_int_equal(holdings.first, 2);
}

static void a_new_link_is_told_what_is_held_still(void **state)
{
    (void)state;
    add(1, 3);
    tell(0);
    expect_held(1, 3, false);
    holdings_restate(&holdings, rig.link, SESSION, 1);
    const router_event_t *event = router_wait(&rig.router, RECORD_HOLD);
    assert_true(event->control.held.again);
    assert_int_equal(control_numbers_at(&event->control.held.numbers, 0), 2);
}

static void what_was_disowned_is_not_told_of_any_more(void **state)
{
    (void)state;
    add(1, 2);
    tell(0);
    expect_held(1, 2, false);
    holdings_disown(&holdings);
    holdings_report(&holdings, 0,
        &(holdings_loss_t){.link = rig.link, .session = SESSION, .name = span_str("bob"), .reason = FERRY_REASON_GONE},
        FERRY_ERROR_UNDELIVERED);
    tell(2);
    link_end(rig.link, SESSION, 4711);
    expect_ended(4711);
}

#define HOLDINGS_TEST(function) cmocka_unit_test_setup_teardown(function, open_holdings, close_holdings)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOLDINGS_TEST(what_ends_in_its_turn_is_never_told_of),
        HOLDINGS_TEST(what_does_not_is_told_as_held_and_then_as_ended),
        HOLDINGS_TEST(what_may_still_be_reported_is_kept),
        HOLDINGS_TEST(a_new_link_is_told_what_is_held_still),
        HOLDINGS_TEST(what_was_disowned_is_not_told_of_any_more),
    };
    return TEST_RUN(tests);
}
