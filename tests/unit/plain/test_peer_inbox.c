/* SPDX-License-Identifier: MPL-2.0 */
/* peer_inbox: what waits, what is open, and what was refused. */
#include "lib/test.h"

#include "plain/peer_inbox.h"

enum { WINDOW = 1000 };

static peer_inbox_t inbox;
static const int marks[2];
#define LINK(index) ((const link_t *)(const void *)&marks[index]) /* only compared */

static int teardown(void **state)
{
    (void)state;
    peer_inbox_fini(&inbox);
    return 0;
}

static void put(const char *destination, const char *payload)
{
    peer_inbox_put(
        &inbox, ++inbox.said, (const span_t[]){span_str("SEND"), span_str(destination), span_str(payload)}, 3);
}

static void put_ping(void)
{
    peer_inbox_put(&inbox, 0, (const span_t[]){span_str("PING"), span_str("token")}, 2);
}

static void letters_come_out_as_they_went_in(void **state)
{
    (void)state;
    put("bob", "one");
    put("carol", "");
    put_ping();
    assert_int_equal(inbox.first->frame_count, 3);
    assert_true(span_equal(inbox.first->frames[1], span_str("bob")));
    assert_true(span_equal(inbox.first->frames[2], span_str("one")));
    peer_inbox_pop(&inbox);
    assert_true(span_equal(inbox.first->frames[1], span_str("carol")));
    assert_int_equal(inbox.first->number, 2);
    peer_inbox_pop(&inbox);
    assert_true(span_equal(inbox.first->frames[0], span_str("PING")));
    peer_inbox_pop(&inbox);
    assert_null(inbox.first);
    assert_int_equal(inbox.waiting_size, 0);
    put("bob", "again");
    assert_ptr_equal(inbox.first, inbox.last);
}

static void the_window_counts_what_waits_and_what_is_open(void **state)
{
    (void)state;
    assert_true(peer_inbox_has_room(&inbox, 1));
    put("bob", "text");
    assert_int_equal(inbox.waiting_size, 4 + 3 + 4 + INBOX_LETTER_SIZE);
    peer_inbox_open(&inbox, LINK(0), 1, 2 * INBOX_LETTER_SIZE);
    assert_true(peer_inbox_has_room(&inbox, WINDOW));
    peer_inbox_open(&inbox, LINK(0), 2, INBOX_LETTER_SIZE);
    assert_false(peer_inbox_has_room(&inbox, WINDOW));
    peer_inbox_settle(&inbox, LINK(0), 1);
    assert_true(peer_inbox_has_room(&inbox, WINDOW));
}

static void one_may_always_be_open_however_large(void **state)
{
    (void)state;
    assert_true(peer_inbox_has_room(&inbox, WINDOW));
    peer_inbox_open(&inbox, LINK(0), 1, 100 * WINDOW);
    assert_false(peer_inbox_has_room(&inbox, WINDOW));
    assert_true(peer_inbox_has_ping_room(&inbox, WINDOW));
}

static void pings_have_room_for_a_while_when_messages_have_not(void **state)
{
    (void)state;
    while (peer_inbox_has_ping_room(&inbox, WINDOW))
        put_ping();
    assert_in_range(inbox.waiting_size, 2 * WINDOW, 3 * WINDOW);
}

static void messages_settle_in_any_order_and_once(void **state)
{
    (void)state;
    for (uint64_t number = 1; number <= 100; number++)
        peer_inbox_open(&inbox, LINK(number % 2), number, number);
    peer_inbox_settle(&inbox, LINK(0), 50);
    peer_inbox_settle(&inbox, LINK(0), 50);
    peer_inbox_settle(&inbox, LINK(1), 50);
    assert_int_equal(inbox.open_size, 5050 - 50);
    for (uint64_t number = 100; number > 0; number--)
        peer_inbox_settle(&inbox, LINK(number % 2), number);
    assert_int_equal(inbox.open_size, 0);
    assert_int_equal(inbox.open_count, 0);
}

static void refused_messages_are_told_as_ranges(void **state)
{
    (void)state;
    assert_true(peer_inbox_refuse(&inbox, 7));
    assert_true(peer_inbox_refuse(&inbox, 8));
    assert_false(peer_inbox_refuse(&inbox, 10));
    assert_int_equal(inbox.refused_first, 7);
    assert_int_equal(inbox.refused_last, 8);
}

static void what_was_taken_ends_before_what_waits_and_what_was_refused(void **state)
{
    (void)state;
    inbox.said = 5;
    assert_int_equal(peer_inbox_taken(&inbox), 5);
    put_ping();
    put("bob", "text");
    put("bob", "text");
    assert_int_equal(peer_inbox_taken(&inbox), 5);
    peer_inbox_drop(&inbox);
    assert_int_equal(peer_inbox_taken(&inbox), 7);
    peer_inbox_refuse(&inbox, ++inbox.said);
    assert_int_equal(peer_inbox_taken(&inbox), 7);
}

#define INBOX_TEST(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        INBOX_TEST(letters_come_out_as_they_went_in),
        INBOX_TEST(the_window_counts_what_waits_and_what_is_open),
        INBOX_TEST(one_may_always_be_open_however_large),
        INBOX_TEST(pings_have_room_for_a_while_when_messages_have_not),
        INBOX_TEST(messages_settle_in_any_order_and_once),
        INBOX_TEST(refused_messages_are_told_as_ranges),
        INBOX_TEST(what_was_taken_ends_before_what_waits_and_what_was_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
