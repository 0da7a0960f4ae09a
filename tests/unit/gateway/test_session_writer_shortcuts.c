/* SPDX-License-Identifier: MPL-2.0 */
/* What a session writer does with copies that came by a shortcut: they end in the order of the queue, and the broker is
 * told nothing of them. */
#include "writer_rig.h"

#include "gateway/worker.h"

static worker_t worker; /* whose sessions are all gone */

static int open_shortcuts(void **state)
{
    worker = (worker_t){0};
    shortcuts_init(&worker.shortcuts, &worker, true);
    int rc = writer_open(state);
    worker.reactor = rig.reactor;
    return rc;
}

static int close_shortcuts(void **state)
{
    int rc = writer_close(state);
    assert_int_equal(worker.shortcuts.open, 0);
    shortcuts_fini(&worker.shortcuts);
    return rc;
}

/* Copies of senders with those ids, one each. */
static void put_by_shortcut(uint64_t first_sender, uint64_t last_sender)
{
    char text[TEXT_SIZE + 1];
    memset(text, 'x', TEXT_SIZE);
    text[TEXT_SIZE] = '\0';
    for (uint64_t sender = first_sender; sender <= last_sender; sender++) {
        body_copy_t copy = {.session = sender, .sender = span_str("eve"), .text = span_str(text)};
        writer_shortcut(&writer, &copy, &worker.shortcuts);
        worker.shortcuts.open++;
    }
}

static void what_is_written_has_ended_and_the_broker_is_told_nothing(void **state)
{
    size_t size;
    (void)state;
    put_by_shortcut(1, 1);
    put_by_shortcut(1, 3);
    assert_int_equal(write_all(&size), 4);
    assert_int_equal(size, 4 * long_line_size());
    tell();
    assert_int_equal(worker.shortcuts.open, 0);
    assert_int_equal(writer_pending(&writer), 4);
    assert_int_equal(acknowledge(), 4);
    assert_false(writer_owes(&writer));
    expect_nothing_told();
}

static void what_waits_is_not_told_of_as_held_among_others_that_are(void **state)
{
    size_t size;
    (void)state;
    put_by_shortcut(1, 2);
    put_copy(1, "by the broker");
    put_by_shortcut(3, 30);
    put_copy(2, "by the broker, too");
    assert_true(writer_write(&writer, server) < 30); /* the socket takes a few */
    tell();
    assert_in_range(worker.shortcuts.open, 1, 30);
    const control_t *record = &router_expect(&rig.router, RECORD_HOLD)->control;
    uint64_t held = control_numbers_count(&record->held.numbers);
    assert_int_equal(control_numbers_at(&record->held.numbers, held - 1), 2);
    assert_in_range(held, 1, 2);
    write_all(&size);
    tell();
    assert_int_equal(worker.shortcuts.open, 0);
    expect_end((uint32_t)held);
    acknowledge();
    assert_false(writer_owes(&writer));
}

static void a_new_link_is_told_of_others_alone(void **state)
{
    size_t size;
    (void)state;
    put_by_shortcut(1, 2);
    put_copy(1, "by the broker");
    put_by_shortcut(3, 4);
    writer_restate(&writer, rig.link, SESSION);
    router_expect(&rig.router, RECORD_ORIGIN);
    expect_hold(1, 1, true);
    assert_int_equal(worker.shortcuts.open, 4);
    write_all(&size);
    tell();
    expect_end(1);
    assert_int_equal(worker.shortcuts.open, 0);
}

static void the_end_is_told_when_the_broker_has_disowned_the_others(void **state)
{
    size_t size;
    (void)state;
    put_by_shortcut(1, 2);
    put_copy(1, "by the broker");
    writer_disown(&writer);
    assert_int_equal(worker.shortcuts.open, 2);
    write_all(&size);
    tell();
    assert_int_equal(worker.shortcuts.open, 0);
    expect_nothing_told();
}

static void what_is_returned_has_ended_at_once_and_only_once(void **state)
{
    (void)state;
    put_by_shortcut(1, 30);
    unsigned written = (unsigned)writer_write(&writer, server);
    writer_loss_t loss = loss_of(FERRY_REASON_STALLED);
    unsigned returned = writer_return(&writer, &loss);
    assert_in_range(returned, 1, 30 - written);
    assert_int_equal(worker.shortcuts.open, 30); /* until it is told of */
    assert_true(shortcuts_tell(&worker.shortcuts));
    assert_int_equal(worker.shortcuts.open, 30 - returned);
    assert_int_equal(writer_doubt(&writer, &loss), written);
    tell();
    shortcuts_tell(&worker.shortcuts);
    assert_int_equal(worker.shortcuts.open, 30 - returned - written); /* of which a part was written */
    writer_lose(&writer, &loss);
    shortcuts_tell(&worker.shortcuts);
    assert_int_equal(worker.shortcuts.open, 0);
    tell();
    expect_nothing_told();
}

static void nothing_is_left_open_by_a_writer_that_forgets(void **state)
{
    (void)state;
    put_by_shortcut(1, 30);
    writer_write(&writer, server);
    writer_forget(&writer, rig.link);
    assert_int_equal(worker.shortcuts.open, 0);
}

#define SHORTCUT_TEST(function) cmocka_unit_test_setup_teardown(function, open_shortcuts, close_shortcuts)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SHORTCUT_TEST(what_is_written_has_ended_and_the_broker_is_told_nothing),
        SHORTCUT_TEST(what_waits_is_not_told_of_as_held_among_others_that_are),
        SHORTCUT_TEST(a_new_link_is_told_of_others_alone),
        SHORTCUT_TEST(the_end_is_told_when_the_broker_has_disowned_the_others),
        SHORTCUT_TEST(what_is_returned_has_ended_at_once_and_only_once),
        SHORTCUT_TEST(nothing_is_left_open_by_a_writer_that_forgets),
    };
    return TEST_RUN(tests);
}
