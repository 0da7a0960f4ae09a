/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include <stdio.h>

#include "link/reported.h"

enum { MANY = 500 };

/* The first report of that copy, or NULL. */
static const body_report_t *find(const reported_t *reported, uint64_t number, uint64_t recipient)
{
    size_t at = reported_find(reported, number, recipient);
    return reported_is(reported, at, number, recipient) ? &reported->items[at].report : NULL;
}

static void add(reported_t *reported, uint64_t number, uint64_t recipient, const char *name)
{
    reported_add(reported, recipient, &(body_report_t){.error = 7, .number = number, .name = span_str(name)});
}

static void what_was_reported_is_known_by_message_and_recipient(void **state)
{
    (void)state;
    reported_t reported = {0};
    char name[] = "bob";
    assert_null(find(&reported, 3, 5));
    reported_add(&reported, 5,
        &(body_report_t){.error = 7, .reason = 8, .session = 9, .number = 3, .origin = {{4}}, .name = span_str(name)});
    name[0] = 'x'; /* the name is its own */
    const body_report_t *report = find(&reported, 3, 5);
    assert_non_null(report);
    assert_int_equal(report->error, 7);
    assert_int_equal(report->reason, 8);
    assert_int_equal(report->session, 9);
    assert_int_equal(report->origin.bytes[0], 4);
    assert_true(span_equal(report->name, span_str("bob")));
    assert_null(find(&reported, 3, 6));
    assert_null(find(&reported, 3, 4));
    assert_null(find(&reported, 2, 5));
    assert_null(find(&reported, 4, 5));
    reported_fini(&reported);
    assert_null(find(&reported, 3, 5));
}

static void the_first_report_of_a_copy_counts_for_each_name(void **state)
{
    (void)state;
    reported_t reported = {0};
    add(&reported, 3, 5, "first");
    add(&reported, 3, 5, "first");
    add(&reported, 3, 5, "second");
    add(&reported, 3, 6, "first");
    add(&reported, 3, 5, "second");
    assert_int_equal(reported.count, 3);
    size_t at = reported_find(&reported, 3, 5);
    assert_true(span_equal(reported.items[at].report.name, span_str("first")));
    assert_true(span_equal(reported.items[at + 1].report.name, span_str("second")));
    assert_true(reported_is(&reported, at + 1, 3, 5));
    assert_false(reported_is(&reported, at + 2, 3, 5));
    reported_fini(&reported);
}

static void many_are_found_in_whatever_order_they_came_and_cut_by_number(void **state)
{
    (void)state;
    reported_t reported = {0};
    char name[16];
    reported_cut(&reported, 10);
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t number = 1 + i * 7 % MANY;
        snprintf(name, sizeof name, "n%u", (unsigned)number);
        add(&reported, number, 5 + i % 2, name);
        add(&reported, number, 6 - i % 2, name);
    }
    for (uint64_t floor = 1; floor <= MANY + 2; floor += 50) {
        reported_cut(&reported, floor);
        for (uint64_t number = 1; number <= MANY; number++)
            for (uint64_t recipient = 5; recipient <= 6; recipient++) {
                const body_report_t *report = find(&reported, number, recipient);
                snprintf(name, sizeof name, "n%u", (unsigned)number);
                if ((report && span_equal(report->name, span_str(name))) != (number >= floor))
                    fail_msg("%u below %u", (unsigned)number, (unsigned)floor);
            }
    }
    reported_cut(&reported, MANY + 1);
    assert_int_equal(reported.count, 0);
    reported_fini(&reported);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(what_was_reported_is_known_by_message_and_recipient),
        TEST(the_first_report_of_a_copy_counts_for_each_name),
        TEST(many_are_found_in_whatever_order_they_came_and_cut_by_number),
    };
    return TEST_RUN(tests);
}
