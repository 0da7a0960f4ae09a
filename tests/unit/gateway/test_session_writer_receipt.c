/* SPDX-License-Identifier: MPL-2.0 */
/* What a session writer tells of copies with a receipt: they are held until the client's kernel has them. */
#include "writer_rig.h"

static void put_receipt(uint64_t number)
{
    body_copy_t copy = {.number = number,
        .session = number + 1000,
        .flags = BODY_FLAG_RECEIPT,
        .sender = span_str("eve"),
        .text = span_str("receipt")};
    writer_copy(&writer, &copy, origin);
}

static void write_out(void)
{
    size_t size;
    write_all(&size);
}

static void a_copy_with_a_receipt_is_held_until_it_is_acknowledged(void **state)
{
    (void)state;
    put_copy(1, "before");
    put_receipt(2);
    put_copy(3, "behind");
    write_out();
    assert_true(writer_owes_receipt(&writer));
    tell();
    expect_hold(2, 3, false);
    assert_int_equal(acknowledge(), 3);
    assert_false(writer_owes_receipt(&writer));
    tell();
    expect_end(2);
    assert_false(writer_owes(&writer));
}

static void one_that_is_acknowledged_at_once_is_not_told_of(void **state)
{
    (void)state;
    put_receipt(1);
    write_out();
    assert_int_equal(acknowledge(), 1);
    tell();
    expect_nothing_told();
}

static void one_that_is_not_written_is_owed_no_look(void **state)
{
    (void)state;
    put_receipt(1);
    assert_false(writer_owes_receipt(&writer));
    write_out();
    assert_true(writer_owes_receipt(&writer));
}

static void a_new_link_is_told_of_what_is_not_acknowledged(void **state)
{
    (void)state;
    put_copy(1, "before");
    put_receipt(2);
    write_out();
    writer_restate(&writer, rig.link, SESSION);
    router_expect(&rig.router, RECORD_ORIGIN);
    expect_hold(2, 2, true);
    assert_int_equal(acknowledge(), 2);
    tell();
    expect_end(1);
}

static void a_lost_client_leaves_no_receipt_open(void **state)
{
    (void)state;
    put_receipt(1);
    write_out();
    put_receipt(2);
    tell();
    expect_hold(1, 2, false);
    writer_loss_t loss = loss_of(FERRY_REASON_GONE);
    assert_int_equal(writer_doubt(&writer, &loss), 1); /* nobody has asked the kernel */
    assert_int_equal(writer_lose(&writer, &loss), 1);
    assert_int_equal(writer_queue(&writer)->receipts, 0);
    tell();
    link_flush(rig.link);
    expect_report_of(FERRY_ERROR_UNCONFIRMED, 1, FERRY_REASON_GONE);
    expect_report(2, FERRY_REASON_GONE);
    expect_end(2);
}

static void a_copy_that_is_returned_holds_up_nobody(void **state)
{
    (void)state;
    put_receipt(1);
    tell();
    expect_hold(1, 1, false);
    assert_int_equal(give_back(FERRY_REASON_STALLED), 1);
    tell();
    expect_report(1, FERRY_REASON_STALLED);
    expect_end(1);
    assert_int_equal(writer_queue(&writer)->receipts, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WRITER_TEST(a_copy_with_a_receipt_is_held_until_it_is_acknowledged),
        WRITER_TEST(one_that_is_acknowledged_at_once_is_not_told_of),
        WRITER_TEST(one_that_is_not_written_is_owed_no_look),
        WRITER_TEST(a_new_link_is_told_of_what_is_not_acknowledged),
        WRITER_TEST(a_lost_client_leaves_no_receipt_open),
        WRITER_TEST(a_copy_that_is_returned_holds_up_nobody),
    };
    return TEST_RUN(tests);
}
