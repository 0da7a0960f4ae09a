/* SPDX-License-Identifier: MPL-2.0 */
/* When a session writer pauses its name, and when its client is stalled. */
#include "writer_rig.h"

static const writer_limits_t limits = {
    .high_mark = 1000, .low_mark = 100, .stall_time_ms = 10000, .stall_rate = 256, .share = SIZE_MAX};

static void the_high_mark_pauses_once_and_the_low_mark_resumes_once(void **state)
{
    (void)state;
    size_t size;
    char text[CLIENT_READ_SIZE];
    put_line("short");
    assert_false(writer_became_paused(&writer, &limits));
    assert_false(writer_became_resumed(&writer, &limits));
    put_long(1, 50);
    assert_true(writer_became_paused(&writer, &limits));
    assert_false(writer_became_paused(&writer, &limits));
    writer_write(&writer, server);
    client_read(text);
    assert_false(writer_became_resumed(&writer, &limits));
    write_all(&size);
    assert_true(writer_became_resumed(&writer, &limits));
    assert_false(writer_became_resumed(&writer, &limits));
    put_long(51, 51);
    assert_true(writer_became_paused(&writer, &limits));
}

static void the_marks_are_where_they_say(void **state)
{
    (void)state;
    writer_limits_t exact = {.high_mark = 12, .low_mark = 11, .share = SIZE_MAX};
    put_line("12345");
    assert_false(writer_became_paused(&writer, &exact));
    put_line("");
    put_line("");
    assert_true(writer_became_paused(&writer, &exact));
    writer.output.end = writer.output.start + 12;
    assert_false(writer_became_resumed(&writer, &exact));
    writer.output.end = writer.output.start + 11;
    assert_true(writer_became_resumed(&writer, &exact));
}

/* A share is of memory: each copy counts with its place in the queue. */
static void a_share_that_is_used_up_pauses_and_a_quarter_of_it_resumes(void **state)
{
    (void)state;
    size_t size;
    writer_limits_t shared = limits;
    shared.high_mark = shared.low_mark = 1000 * 1000;
    put_long(1, 2);
    size = writer_waiting(&writer);
    assert_int_equal(size, buffer_size(&writer.output) + 2 * WRITER_COPY_SIZE);
    shared.share = size + 1;
    assert_false(writer_became_paused(&writer, &shared));
    shared.share = size;
    assert_true(writer_became_paused(&writer, &shared));
    shared.share = 4 * size - 1;
    assert_false(writer_became_resumed(&writer, &shared));
    shared.share = 4 * size;
    assert_true(writer_became_resumed(&writer, &shared));
    write_all(&size);
    writer_acknowledge(&writer, rig.link, server);
    assert_int_equal(writer_waiting(&writer), 0);
}

static void a_client_that_takes_nothing_for_the_stall_time_is_stalled(void **state)
{
    (void)state;
    put_long(1, 50);
    writer_write(&writer, server);
    assert_false(writer_is_stalled(&writer, &limits, 5000));
    assert_false(writer_is_stalled(&writer, &limits, 14999));
    assert_true(writer_is_stalled(&writer, &limits, 15000));
}

/* Takes that many bytes off the output, as a slow client's socket would. */
static void drip(size_t size)
{
    buffer_consume(&writer.output, size);
}

static void a_client_that_takes_less_than_the_rate_is_stalled_too(void **state)
{
    (void)state;
    put_long(1, 50);
    assert_false(writer_is_stalled(&writer, &limits, 5000));
    for (uint64_t now = 6000; now < 15000; now += 1000) {
        drip(1);
        assert_false(writer_is_stalled(&writer, &limits, now));
    }
    drip(2550 - 9);
    assert_true(writer_is_stalled(&writer, &limits, 15000));
}

static void a_client_that_takes_as_much_as_the_rate_is_not_stalled(void **state)
{
    (void)state;
    put_long(1, 50);
    for (uint64_t now = 5000; now < 100000; now += 10000) {
        assert_false(writer_is_stalled(&writer, &limits, now));
        drip(2560);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WRITER_TEST(the_high_mark_pauses_once_and_the_low_mark_resumes_once),
        WRITER_TEST(the_marks_are_where_they_say),
        WRITER_TEST(a_share_that_is_used_up_pauses_and_a_quarter_of_it_resumes),
        WRITER_TEST(a_client_that_takes_nothing_for_the_stall_time_is_stalled),
        WRITER_TEST(a_client_that_takes_less_than_the_rate_is_stalled_too),
        WRITER_TEST(a_client_that_takes_as_much_as_the_rate_is_not_stalled),
    };
    return TEST_RUN(tests);
}
