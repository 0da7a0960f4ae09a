/* SPDX-License-Identifier: MPL-2.0 */
#include "writer_rig.h"

static void lines_are_written_as_they_came(void **state)
{
    (void)state;
    put_copy(1, "hello");
    put_line("a");
    put_copy(2, "");
    put_line("");
    assert_int_equal(writer_pending(&writer), 2);
    assert_int_equal(writer_write(&writer, server), 2);
    expect_read("from eve: hello\ninfo a\nfrom eve: \ninfo \n");
    assert_true(writer_is_empty(&writer));
    assert_int_equal(writer_queued(&writer), 0);
    assert_int_equal(writer_write(&writer, server), 0);
}

static void a_copy_that_is_written_in_its_turn_is_never_told(void **state)
{
    (void)state;
    put_copy(1, "hello");
    assert_true(writer_owes(&writer));
    writer_write(&writer, server);
    tell();
    assert_false(writer_owes(&writer));
    expect_nothing_told();
}

static void what_the_socket_does_not_take_is_held_until_it_does(void **state)
{
    (void)state;
    size_t size;
    put_long(1, 100);
    int written = writer_write(&writer, server);
    assert_in_range(written, 1, 50);
    assert_true(writer.blocked);
    assert_int_equal(writer_queued(&writer), 100 - written);
    tell();
    expect_hold((uint64_t)written + 1, 100, false);
    unsigned rest = write_all(&size);
    assert_int_equal(written + rest, 100);
    assert_int_equal(size, 100 * long_line_size());
    assert_false(writer.blocked);
    tell();
    expect_end(rest);
    assert_false(writer_owes(&writer));
}

static void a_copy_leaves_when_it_is_delivered_and_nothing_is_to_be_told(void **state)
{
    (void)state;
    put_copy(1, "told first");
    put_copy(2, "delivered first");
    writer_write(&writer, server);
    assert_int_equal(writer_pending(&writer), 2);
    assert_int_equal(acknowledge(), 2);
    assert_int_equal(acknowledge(), 0);
    assert_int_equal(writer_pending(&writer), 0);
    assert_int_equal(origin->references, 3);
    tell();
    assert_int_equal(origin->references, 1);
    put_copy(3, "told first");
    writer_write(&writer, server);
    tell();
    assert_int_equal(origin->references, 2);
    assert_int_equal(acknowledge(), 1);
    assert_int_equal(origin->references, 1);
}

static void memory_is_given_back_when_nothing_waits(void **state)
{
    (void)state;
    size_t size;
    put_long(1, 1000);
    assert_true(writer_memory(&writer) >= 1000 * (long_line_size() + sizeof(queued_copy_t)));
    write_all(&size);
    tell();
    writer_rest(&writer);
    assert_true(writer_memory(&writer) >= 1000 * sizeof(queued_copy_t));
    assert_int_equal(acknowledge(), 1000);
    writer_rest(&writer);
    assert_int_equal(writer_memory(&writer), 0);
    assert_true(writer_is_at_rest(&writer));
    put_copy(1001, "a small burst");
    writer_write(&writer, server);
    tell();
    acknowledge();
    const void *output = writer.output.data, *queue = writer.queue;
    put_copy(1002, "and one more need no new memory");
    assert_ptr_equal(writer.output.data, output);
    assert_ptr_equal(writer.queue, queue);
    writer_rest(&writer);
    assert_false(writer_is_at_rest(&writer));
    assert_int_equal(writer_queued(&writer), 1);
}

static void a_copy_that_comes_after_a_rest_ends_like_any_other(void **state)
{
    (void)state;
    for (uint64_t number = 1; number <= 3; number++) {
        put_copy(number, "hello");
        assert_int_equal(writer_pending(&writer), 1);
        assert_int_equal(writer_write(&writer, server), 1);
        tell();
        assert_int_equal(acknowledge(), 1);
        writer_rest(&writer);
        assert_true(writer_is_at_rest(&writer));
        assert_false(writer_owes(&writer) || writer_pending(&writer) || writer_must_look(&writer));
    }
}

static void held_copies_end_in_steps_while_new_ones_come(void **state)
{
    (void)state;
    size_t size;
    put_long(1, 50);
    uint64_t first = (uint64_t)writer_write(&writer, server) + 1;
    tell();
    expect_hold(first, 50, false);
    char text[CLIENT_READ_SIZE];
    client_read(text);
    int written = writer_write(&writer, server);
    assert_in_range(written, 1, 49);
    put_long(51, 60);
    tell();
    expect_end((uint32_t)written);
    expect_hold(51, 60, false);
    unsigned rest = write_all(&size);
    tell();
    expect_end(rest);
    assert_false(writer_owes(&writer));
}

static void the_end_of_a_copy_is_told_to_a_broker_that_drains(void **state)
{
    (void)state;
    size_t size;
    put_long(1, 20);
    uint64_t first = (uint64_t)writer_write(&writer, server) + 1;
    tell();
    expect_hold(first, 20, false);
    router_put_empty(&rig.router, RECORD_DRAIN);
    router_flush(&rig.router);
    rig_wait("state:broker-drains ");
    router_expect(&rig.router, RECORD_DRAINED);
    unsigned rest = write_all(&size);
    tell();
    expect_end(rest);
    assert_false(writer_owes(&writer));
}

static void what_was_written_while_there_was_no_link_is_not_stated_on_the_next(void **state)
{
    (void)state;
    char text[CLIENT_READ_SIZE];
    size_t size;
    put_long(1, 40);
    uint64_t first = (uint64_t)writer_write(&writer, server) + 1;
    tell();
    expect_hold(first, 40, false);
    router_stop(&rig.router);
    rig_wait("state:down ");
    client_read(text);
    int written = writer_write(&writer, server);
    assert_in_range(written, 1, 40 - first);
    tell();
    router_return(&rig.router);
    router_resume(&rig.router);
    router_expect(&rig.router, RECORD_REGISTERED);
    writer_restate(&writer, rig.link, SESSION);
    router_expect(&rig.router, RECORD_ORIGIN);
    expect_hold(first + (unsigned)written, 40, true);
    unsigned rest = write_all(&size);
    tell();
    expect_end(rest);
    expect_nothing_told();
}

static void what_is_disowned_is_written_or_dropped_and_not_told_of(void **state)
{
    (void)state;
    size_t size;
    for (uint64_t number = 1; number <= 200; number += 100) {
        put_long(number, number + 39);
        uint64_t first = number + (uint64_t)writer_write(&writer, server);
        tell();
        expect_hold(first, number + 39, false);
        writer_disown(&writer);
        writer_restate(&writer, rig.link, SESSION);
        put_copy(number + 40, "another");
        tell();
        expect_hold(number + 40, number + 40, false);
        if (number == 1)
            assert_int_equal(write_all(&size), number + 41 - first);
        else
            assert_int_equal(lose(FERRY_REASON_GONE), number + 41 - first);
        tell();
        if (number > 1)
            expect_report(number + 40, FERRY_REASON_GONE);
        expect_end(1);
        expect_nothing_told();
    }
}

static void what_comes_while_there_is_no_link_is_stated_on_the_next(void **state)
{
    (void)state;
    put_long(1, 20);
    uint64_t first = (uint64_t)writer_write(&writer, server) + 1;
    router_stop(&rig.router);
    rig_wait("state:down ");
    tell();
    router_start(&rig.router);
    router_join(&rig.router);
    writer_restate(&writer, rig.link, SESSION);
    router_expect(&rig.router, RECORD_ORIGIN);
    expect_hold(first, 20, true);
    tell();
    expect_nothing_told();
}

static void returned_copies_are_reported_before_they_end(void **state)
{
    (void)state;
    put_long(1, 20);
    uint64_t first = (uint64_t)writer_write(&writer, server) + 1;
    tell();
    expect_hold(first, 20, false);
    put_copy(21, "never told");
    put_line("dropped");
    assert_int_equal(lose(FERRY_REASON_STALLED), 21 - first + 1);
    assert_true(writer_is_empty(&writer));
    assert_int_equal(writer_pending(&writer), 0);
    tell();
    for (uint64_t number = first; number <= 21; number++)
        expect_report(number, FERRY_REASON_STALLED);
    expect_end((uint32_t)(20 - first + 1));
    assert_false(writer_owes(&writer));
    expect_nothing_told();
}

static void a_line_whose_beginning_was_written_is_kept_if_asked(void **state)
{
    (void)state;
    size_t size;
    put_long(1, 20);
    uint64_t first = (uint64_t)writer_write(&writer, server) + 1;
    assert_true(writer.mid_line);
    assert_int_equal(give_back(FERRY_REASON_DRAINED), 20 - first);
    assert_int_equal(writer_queued(&writer), 1);
    put_line("last");
    assert_int_equal(write_all(&size), 1);
    assert_int_equal(size, first * long_line_size() + strlen("info last\n"));
    assert_int_equal(acknowledge(), first);
    assert_int_equal(writer_pending(&writer), 0);
    tell();
    for (uint64_t number = first + 1; number <= 20; number++)
        expect_report(number, FERRY_REASON_DRAINED);
    assert_false(writer_owes(&writer));
}

static void between_two_lines_nothing_is_kept(void **state)
{
    (void)state;
    put_copy(1, "hello");
    writer_write(&writer, server);
    assert_false(writer.mid_line);
    put_copy(2, "dropped");
    assert_int_equal(give_back(FERRY_REASON_DRAINED), 1);
    assert_true(writer_is_empty(&writer));
    assert_int_equal(give_back(FERRY_REASON_DRAINED), 0);
    expect_read("from eve: hello\n");
}

static void a_copy_is_returned_once(void **state)
{
    (void)state;
    put_long(1, 20);
    uint64_t first = (uint64_t)writer_write(&writer, server) + 1;
    assert_int_equal(give_back(FERRY_REASON_DRAINED), 20 - first);
    put_line("last");
    assert_int_equal(give_back(FERRY_REASON_DRAINED), 0);
    assert_int_equal(lose(FERRY_REASON_GONE), 1);
    assert_int_equal(lose(FERRY_REASON_GONE), 0);
    assert_int_equal(writer_pending(&writer), 0);
    tell();
    for (uint64_t number = first + 1; number <= 20; number++)
        expect_report(number, FERRY_REASON_DRAINED);
    expect_report(first, FERRY_REASON_GONE);
    assert_false(writer_owes(&writer));
    expect_nothing_told();
}

static void a_returned_copy_that_is_not_ended_is_held_under_its_number(void **state)
{
    (void)state;
    put_long(1, 20);
    uint64_t first = (uint64_t)writer_write(&writer, server) + 1;
    give_back(FERRY_REASON_DRAINED);
    tell();
    for (uint64_t number = first + 1; number <= 20; number++)
        expect_report(number, FERRY_REASON_DRAINED);
    expect_hold(first, 20, false);
    lose(FERRY_REASON_DRAINED);
    tell();
    expect_report(first, FERRY_REASON_DRAINED);
    expect_end((uint32_t)(20 - first + 1));
}

static void a_client_that_is_gone_fails_the_write(void **state)
{
    (void)state;
    close(client);
    client = -1;
    put_copy(1, "hello");
    assert_int_equal(writer_write(&writer, server), -1);
    assert_int_equal(writer_pending(&writer), 1);
    assert_int_equal(lose(FERRY_REASON_GONE), 1);
}

static void any_sequence_of_writes_and_returns_accounts_for_every_copy(void **state)
{
    (void)state;
    enum { STEPS = 3000 };
    uint64_t random = 1, number = 0, delivered = 0, returned = 0, held = 0, ended = 0;
    char text[CLIENT_READ_SIZE];
    for (unsigned step = 0; step < STEPS; step++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        unsigned choice = (unsigned)(random >> 40) % 16;
        if (choice < 8) {
            put_long(number + 1, number + choice);
            number += choice;
        } else if (choice < 12) {
            assert_true(writer_write(&writer, server) >= 0);
            delivered += acknowledge();
        } else if (choice < 14) {
            client_read(text);
        } else if (choice == 14) {
            tell();
            assert_true(writer.queue->stated == writer.queue->next);
        } else if (random >> 60 == 0) {
            returned += (random >> 59) % 2 ? give_back(FERRY_REASON_STALLED) : lose(FERRY_REASON_STALLED);
        }
        assert_int_equal(delivered + returned + writer_pending(&writer), number);
        if (step % 50 == 0)
            rig_turn(NULL);
    }
    returned += lose(FERRY_REASON_STALLED);
    tell();
    assert_int_equal(delivered + returned, number);
    assert_false(writer_owes(&writer));
    assert_int_equal(origin->references, 1);
    link_end(rig.link, 1, 4711);
    for (const router_event_t *event = NULL;
         !event || event->type != RECORD_END || event->control.held.count != 4711;) {
        event = router_next(&rig.router);
        held += event->type == RECORD_HOLD ? control_numbers_count(&event->control.held.numbers) : 0;
        ended += event->type == RECORD_END && event->control.held.count != 4711 ? event->control.held.count : 0;
        assert_true(ended <= held);
    }
    assert_int_equal(ended, held);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WRITER_TEST(lines_are_written_as_they_came),
        WRITER_TEST(a_copy_that_is_written_in_its_turn_is_never_told),
        WRITER_TEST(what_the_socket_does_not_take_is_held_until_it_does),
        WRITER_TEST(a_copy_leaves_when_it_is_delivered_and_nothing_is_to_be_told),
        WRITER_TEST(memory_is_given_back_when_nothing_waits),
        WRITER_TEST(a_copy_that_comes_after_a_rest_ends_like_any_other),
        WRITER_TEST(held_copies_end_in_steps_while_new_ones_come),
        WRITER_TEST(the_end_of_a_copy_is_told_to_a_broker_that_drains),
        WRITER_TEST(what_was_written_while_there_was_no_link_is_not_stated_on_the_next),
        WRITER_TEST(what_is_disowned_is_written_or_dropped_and_not_told_of),
        WRITER_TEST(what_comes_while_there_is_no_link_is_stated_on_the_next),
        WRITER_TEST(returned_copies_are_reported_before_they_end),
        WRITER_TEST(a_line_whose_beginning_was_written_is_kept_if_asked),
        WRITER_TEST(between_two_lines_nothing_is_kept),
        WRITER_TEST(a_copy_is_returned_once),
        WRITER_TEST(a_returned_copy_that_is_not_ended_is_held_under_its_number),
        WRITER_TEST(a_client_that_is_gone_fails_the_write),
        WRITER_TEST(any_sequence_of_writes_and_returns_accounts_for_every_copy),
    };
    return TEST_RUN(tests);
}
