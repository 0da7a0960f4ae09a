/* SPDX-License-Identifier: MPL-2.0 */
/* buffer: what is appended comes out in order, whatever is moved, grown or given away meanwhile. */
#include "lib/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

enum { STEPS = 5000, CAPACITY_FIRST = 256 };

static void append_text(buffer_t *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

static void assert_text(const buffer_t *buffer, const char *expected)
{
    assert_int_equal(buffer_size(buffer), strlen(expected));
    assert_true(span_equal(buffer_span(buffer), span_str(expected)));
}

/* Appends `count` bytes, each one more than the last, and returns the one behind them. */
static uint8_t append_series(buffer_t *buffer, uint8_t next, size_t count)
{
    uint8_t *to = buffer_reserve(buffer, count);
    for (size_t index = 0; index < count; index++)
        to[index] = next++;
    buffer_commit(buffer, count);
    return next;
}

/* Takes `count` bytes, which must be such a series, and returns the one behind them. */
static uint8_t consume_series(buffer_t *buffer, uint8_t next, size_t count)
{
    span_t bytes = buffer_span(buffer);
    for (size_t index = 0; index < count; index++)
        assert_int_equal((uint8_t)bytes.data[index], next++);
    buffer_consume(buffer, count);
    return next;
}

static void an_empty_buffer_owns_nothing(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    assert_int_equal(buffer_size(&buffer), 0);
    assert_int_equal(buffer_span(&buffer).size, 0);
    buffer_append(&buffer, NULL, 0);
    assert_null(buffer.data);
    assert_null(buffer_release(&buffer));
    buffer_shrink(&buffer, 0);
    buffer_fini(&buffer);
    assert_null(buffer.data);
}

static void what_is_appended_is_there_in_order(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    append_text(&buffer, "ferry");
    append_text(&buffer, "");
    append_text(&buffer, "mq");
    assert_text(&buffer, "ferrymq");
    buffer_fini(&buffer);
    assert_int_equal(buffer_size(&buffer), 0);
}

static void what_is_taken_from_the_front_is_gone(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    append_text(&buffer, "ferrymq");
    buffer_consume(&buffer, 0);
    buffer_consume(&buffer, 5);
    assert_text(&buffer, "mq");
    append_text(&buffer, "!");
    assert_text(&buffer, "mq!");
    buffer_fini(&buffer);
}

static void an_emptied_buffer_begins_at_the_front_again(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    append_text(&buffer, "ferrymq");
    buffer_consume(&buffer, 7);
    assert_int_equal(buffer.end, 0);
    append_text(&buffer, "x");
    buffer_clear(&buffer);
    assert_text(&buffer, "");
    append_text(&buffer, "again");
    assert_text(&buffer, "again");
    buffer_fini(&buffer);
}

static void reserved_room_counts_only_when_committed(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    memset(buffer_reserve(&buffer, 1000), 'x', 1000);
    assert_text(&buffer, "");
    memcpy(buffer_reserve(&buffer, 1000), "two", 3);
    buffer_commit(&buffer, 3);
    assert_text(&buffer, "two");
    buffer_fini(&buffer);
}

static void growing_doubles_and_keeps_the_bytes(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    append_series(&buffer, 0, 1);
    assert_int_equal(buffer.capacity, CAPACITY_FIRST);
    append_series(&buffer, 1, CAPACITY_FIRST);
    assert_int_equal(buffer.capacity, 2 * CAPACITY_FIRST);
    append_series(&buffer, 1, 10 * CAPACITY_FIRST);
    assert_int_equal(buffer.capacity, 16 * CAPACITY_FIRST);
    consume_series(&buffer, 0, 11 * CAPACITY_FIRST + 1);
    assert_int_equal(buffer_size(&buffer), 0);
    buffer_fini(&buffer);
}

static void room_at_the_front_is_used_before_growing(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    append_series(&buffer, 0, CAPACITY_FIRST);
    consume_series(&buffer, 0, CAPACITY_FIRST - 10);
    append_series(&buffer, 0, CAPACITY_FIRST - 10);
    assert_int_equal(buffer.capacity, CAPACITY_FIRST);
    consume_series(&buffer, (uint8_t)-10, CAPACITY_FIRST);
    buffer_fini(&buffer);
}

static void little_room_at_the_front_is_not_worth_moving_much(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    append_series(&buffer, 0, CAPACITY_FIRST);
    consume_series(&buffer, 0, 10);
    append_series(&buffer, 0, 5);
    assert_int_equal(buffer.capacity, 2 * CAPACITY_FIRST);
    consume_series(&buffer, 10, CAPACITY_FIRST - 10 + 5);
    buffer_fini(&buffer);
}

static void bytes_stay_in_order_through_any_mix_of_sizes(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    uint8_t appended = 0, consumed = 0;
    uint32_t random = 1;
    for (size_t step = 0; step < STEPS; step++) {
        random = random * 1664525 + 1013904223;
        appended = append_series(&buffer, appended, 1 + (random >> 16 & 1023));
        size_t count = (random >> 8 & 2047) % (buffer_size(&buffer) + 1);
        consumed = consume_series(&buffer, consumed, count);
    }
    consume_series(&buffer, consumed, buffer_size(&buffer));
    buffer_fini(&buffer);
}

static void released_memory_is_the_callers(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    append_text(&buffer, "mine");
    uint8_t *data = buffer_release(&buffer);
    assert_memory_equal(data, "mine", 4);
    assert_null(buffer.data);
    append_text(&buffer, "new");
    assert_ptr_not_equal(buffer.data, data);
    assert_text(&buffer, "new");
    free(data);
    buffer_fini(&buffer);
}

static void only_the_memory_of_a_large_empty_buffer_is_given_back(void **state)
{
    (void)state;
    buffer_t buffer = {0};
    append_series(&buffer, 0, CAPACITY_FIRST + 1);
    buffer_shrink(&buffer, CAPACITY_FIRST);
    assert_int_equal(buffer_size(&buffer), CAPACITY_FIRST + 1);
    buffer_clear(&buffer);
    buffer_shrink(&buffer, 2 * CAPACITY_FIRST);
    assert_non_null(buffer.data);
    buffer_shrink(&buffer, CAPACITY_FIRST);
    assert_null(buffer.data);
    assert_int_equal(buffer.capacity, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_owns_nothing),
        cmocka_unit_test(what_is_appended_is_there_in_order),
        cmocka_unit_test(what_is_taken_from_the_front_is_gone),
        cmocka_unit_test(an_emptied_buffer_begins_at_the_front_again),
        cmocka_unit_test(reserved_room_counts_only_when_committed),
        cmocka_unit_test(growing_doubles_and_keeps_the_bytes),
        cmocka_unit_test(room_at_the_front_is_used_before_growing),
        cmocka_unit_test(little_room_at_the_front_is_not_worth_moving_much),
        cmocka_unit_test(bytes_stay_in_order_through_any_mix_of_sizes),
        cmocka_unit_test(released_memory_is_the_callers),
        cmocka_unit_test(only_the_memory_of_a_large_empty_buffer_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
