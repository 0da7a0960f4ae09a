/* SPDX-License-Identifier: MPL-2.0 */
/* What a session writer does with copies that have numbers. */
#include "writer_rig.h"

static void write_out(void)
{
    assert_true(writer_write(&writer, server) >= 0);
    assert_true(writer_is_empty(&writer));
}

static void a_numbered_copy_is_held_until_its_client_has_said_so(void **state)
{
    (void)state;
    char text[CLIENT_READ_SIZE];
    put_copy(1, "before");
    writer_number(&writer, 1);
    writer_number(&writer, 77); /* it is on already */
    put_copy(2, "one");
    put_copy(3, "two");
    assert_false(writer_confirm(&writer, 1)); /* it is not written */
    write_out();
    client_read(text);
    assert_string_equal(text, "from eve: before\n1 from eve: one\n2 from eve: two\n");
    assert_int_equal(acknowledge(), 1);
    tell();
    expect_hold(2, 3, false);
    assert_false(writer_confirm(&writer, 3));
    assert_true(writer_confirm(&writer, 1));
    assert_true(writer_confirm(&writer, 1));
    assert_int_equal(acknowledge(), 1);
    tell();
    expect_end(1);
    put_copy(4, "three");
    write_out();
    client_read(text);
    assert_string_equal(text, "3 from eve: three\n");
    assert_true(writer_confirm(&writer, 3));
    assert_int_equal(acknowledge(), 2);
    assert_int_equal(writer_unacked_size(&writer), 0);
}

static void what_was_not_acknowledged_can_be_given_on(void **state)
{
    (void)state;
    numbered_copy_t copy;
    writer_number(&writer, 9);
    put_copy(1, "a: b");
    write_out();
    tell();
    expect_hold(1, 1, false);
    writer_suspend(&writer);
    put_copy(2, "while away");
    assert_true(writer_is_empty(&writer));
    assert_true(writer_numbered_at(&writer, 0, 0, &copy));
    assert_int_equal(copy.number, 9);
    assert_true(span_equal(copy.sender, span_str("eve")));
    assert_int_equal(copy.group.size, 0);
    assert_true(span_equal(copy.text, span_str("a: b")));
    assert_true(writer_numbered_at(&writer, 1, writer_line_size(&writer, 0), &copy));
    assert_int_equal(copy.number, 10);
    assert_true(span_equal(copy.text, span_str("while away")));
    tell();
    expect_hold(2, 2, false);
    writer_pass_on(&writer, 1); /* in any order */
    assert_int_equal(writer_pending(&writer), 2);
    writer_pass_on(&writer, 0);
    assert_int_equal(writer_pending(&writer), 0);
    tell();
    expect_end(2);
    assert_false(writer_owes(&writer));
}

static void what_nobody_comes_back_for_is_reported(void **state)
{
    (void)state;
    uint64_t doubted = 0, returned = 0;
    writer_loss_t loss = {.link = rig.link, .session = SESSION, .name = span_str("bob"), .reason = FERRY_REASON_GONE};
    writer_number(&writer, 1);
    put_copy(1, "written");
    write_out();
    writer_suspend(&writer);
    put_copy(2, "not written");
    writer_abandon(&writer, &loss, &doubted, &returned);
    assert_int_equal(doubted, 1);
    assert_int_equal(returned, 1);
    const body_report_t *report = &router_wait(&rig.router, RECORD_REPORT)->record.report;
    assert_int_equal(report->number, 1);
    assert_int_equal(report->error, FERRY_ERROR_UNCONFIRMED);
    report = &router_wait(&rig.router, RECORD_REPORT)->record.report;
    assert_int_equal(report->number, 2);
    assert_int_equal(report->error, FERRY_ERROR_UNDELIVERED);
    assert_int_equal(writer_pending(&writer), 0);
}

static void a_forward_keeps_its_number_and_its_group(void **state)
{
    (void)state;
    char text[CLIENT_READ_SIZE];
    body_copy_t copy = {.number = 1, .session = 1001, .sender = span_str("eve"), .text = span_str("old")};
    writer_number(&writer, 1);
    writer_forwarded(&writer, &copy, origin, 17, span_str("#room"));
    put_copy(2, "new");
    write_out();
    client_read(text);
    assert_string_equal(text, "17 from eve #room: old\n18 from eve: new\n");
    assert_false(writer_confirm(&writer, 19));
    assert_true(writer_confirm(&writer, 18));
    assert_int_equal(acknowledge(), 2);
}

static void who_acknowledges_nothing_is_paused_at_the_high_mark(void **state)
{
    (void)state;
    static const writer_limits_t limits = {
        .high_mark = 5000, .low_mark = 1000, .stall_time_ms = 1000, .stall_rate = 1, .share = SIZE_MAX};
    char text[CLIENT_READ_SIZE];
    writer_number(&writer, 1);
    put_long(1, 4);
    write_out();
    client_read(text);
    assert_false(writer_became_paused(&writer, &limits));
    put_long(5, 6);
    write_out();
    client_read(text);
    assert_true(writer_became_paused(&writer, &limits));
    assert_true(writer_confirm(&writer, 5));
    acknowledge();
    assert_false(writer_became_resumed(&writer, &limits));
    assert_true(writer_confirm(&writer, 6));
    acknowledge();
    assert_true(writer_became_resumed(&writer, &limits));
}

#define WRITER_TEST(function) cmocka_unit_test_setup_teardown(function, writer_open, writer_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WRITER_TEST(a_numbered_copy_is_held_until_its_client_has_said_so),
        WRITER_TEST(what_was_not_acknowledged_can_be_given_on),
        WRITER_TEST(what_nobody_comes_back_for_is_reported),
        WRITER_TEST(a_forward_keeps_its_number_and_its_group),
        WRITER_TEST(who_acknowledges_nothing_is_paused_at_the_high_mark),
    };
    return TEST_RUN(tests);
}
