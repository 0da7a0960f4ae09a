/* SPDX-License-Identifier: MPL-2.0 */
/* walk: one list of fields is counted, written and read back, and read from too few bytes. */
#include "lib/test.h"

#include <string.h>

#include "wire/walk.h"

typedef struct {
    uint16_t small;
    uint32_t middle;
    uint64_t large;
    bool flag;
    uint8_t raw[3];
    span_t name, rest;
} fields_t;

enum { FIELDS_SIZE = 2 + 4 + 8 + 4 + 2 + 3 + (1 + 2) + 4 };

static const fields_t sample = {0x0102, 0x03040506, 0x0708090a0b0c0d0e, true, "raw", {"ab", 2}, {"rest", 4}};

static void fields_walk(walk_t *self, fields_t *fields)
{
    walk_16(self, &fields->small);
    walk_32(self, &fields->middle);
    walk_64(self, &fields->large);
    walk_flag(self, &fields->flag, 4);
    walk_zero(self, 2);
    walk_raw(self, fields->raw, sizeof fields->raw);
    walk_name(self, &fields->name);
    walk_rest(self, &fields->rest, 2);
}

static void sample_write(uint8_t bytes[FIELDS_SIZE])
{
    fields_t fields = sample;
    walk_t walk = {.mode = WALK_WRITE, .to = bytes};
    fields_walk(&walk, &fields);
    assert_ptr_equal(walk.to, bytes + FIELDS_SIZE);
}

static bool is_good(const uint8_t *bytes, size_t size)
{
    fields_t fields = {0};
    walk_t walk = {.mode = WALK_READ, .from = bytes, .size = size};
    fields_walk(&walk, &fields);
    return !walk.bad && walk.size == 0;
}

static void counting_gives_the_size_of_what_is_written(void **state)
{
    (void)state;
    fields_t fields = sample;
    walk_t walk = {.mode = WALK_COUNT, .size = 100};
    fields_walk(&walk, &fields);
    assert_int_equal(walk.size, 100 + FIELDS_SIZE);
    assert_false(walk.bad);
}

static void fields_are_written_in_order_with_their_lowest_byte_first(void **state)
{
    (void)state;
    uint8_t bytes[FIELDS_SIZE];
    sample_write(bytes);
    static const char expected[] = "\x02\x01"
                                   "\x06\x05\x04\x03"
                                   "\x0e\x0d\x0c\x0b\x0a\x09\x08\x07"
                                   "\x01\0\0\0"
                                   "\0\0"
                                   "raw"
                                   "\x02"
                                   "abrest";
    assert_memory_equal(bytes, expected, FIELDS_SIZE);
}

static void what_was_written_is_read_back(void **state)
{
    (void)state;
    uint8_t bytes[FIELDS_SIZE];
    sample_write(bytes);
    fields_t fields = {0};
    walk_t walk = {.mode = WALK_READ, .from = bytes, .size = FIELDS_SIZE};
    fields_walk(&walk, &fields);
    assert_false(walk.bad);
    assert_int_equal(walk.size, 0);
    assert_int_equal(fields.small, sample.small);
    assert_int_equal(fields.middle, sample.middle);
    assert_int_equal(fields.large, sample.large);
    assert_true(fields.flag);
    assert_memory_equal(fields.raw, sample.raw, sizeof sample.raw);
    assert_true(span_equal(fields.name, sample.name));
    assert_true(span_equal(fields.rest, sample.rest));
    assert_ptr_equal(fields.rest.data, bytes + FIELDS_SIZE - 4);
}

static void too_few_bytes_are_bad(void **state)
{
    (void)state;
    uint8_t bytes[FIELDS_SIZE];
    sample_write(bytes);
    for (size_t size = 0; size < FIELDS_SIZE - 4; size++)
        assert_false(is_good(bytes, size));
    assert_true(is_good(bytes, FIELDS_SIZE - 4));
}

static void a_rest_of_broken_units_is_bad(void **state)
{
    (void)state;
    uint8_t bytes[FIELDS_SIZE];
    sample_write(bytes);
    assert_false(is_good(bytes, FIELDS_SIZE - 3));
    assert_true(is_good(bytes, FIELDS_SIZE - 2));
}

static void flags_zeros_and_names_are_checked(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        uint8_t value;
    } changes[] = {{14, 2}, {15, 1}, {17, 0x80}, {18, 1}, {19, 1}, {23, 0}, {23, 7}};
    for (size_t index = 0; index < sizeof changes / sizeof *changes; index++) {
        uint8_t bytes[FIELDS_SIZE];
        sample_write(bytes);
        bytes[changes[index].offset] = changes[index].value;
        assert_false(is_good(bytes, FIELDS_SIZE));
    }
}

/* Two flags in a byte, and whether it was bad. */
static const struct {
    uint8_t byte;
    bool first, second, bad;
} pairs[] = {{0, false, false, false}, {1, true, false, false}, {2, false, true, false}, {3, true, true, false},
    {4, .bad = true}, {5, .bad = true}, {7, .bad = true}, {0x80, .bad = true}};

static void each_flag_has_its_bit(void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof pairs / sizeof *pairs; index++) {
        bool first = false, second = false;
        walk_t walk = {.mode = WALK_READ, .from = &pairs[index].byte, .size = 1};
        walk_flags(&walk, (bool *const[]){&first, &second}, 2, 1);
        assert_int_equal(walk.bad, pairs[index].bad);
        if (walk.bad)
            continue;
        assert_int_equal(first, pairs[index].first);
        assert_int_equal(second, pairs[index].second);
        uint8_t byte = 0xff;
        walk = (walk_t){.mode = WALK_WRITE, .to = &byte};
        walk_flags(&walk, (bool *const[]){&first, &second}, 2, 1);
        assert_int_equal(byte, pairs[index].byte);
        assert_ptr_equal(walk.to, &byte + 1);
    }
}

static void two_flags_are_as_wide_as_is_said(void **state)
{
    (void)state;
    bool first = true, second = true;
    uint8_t bytes[4] = {0xff, 0xff, 0xff, 0xff};
    walk_t walk = {.mode = WALK_WRITE, .to = bytes};
    walk_flags(&walk, (bool *const[]){&first, &second}, 2, sizeof bytes);
    assert_memory_equal(bytes, "\x03\0\0\0", sizeof bytes);
    walk = (walk_t){.mode = WALK_READ, .from = bytes, .size = 3};
    walk_flags(&walk, (bool *const[]){&first, &second}, 2, sizeof bytes);
    assert_true(walk.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counting_gives_the_size_of_what_is_written),
        cmocka_unit_test(fields_are_written_in_order_with_their_lowest_byte_first),
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(too_few_bytes_are_bad),
        cmocka_unit_test(a_rest_of_broken_units_is_bad),
        cmocka_unit_test(flags_zeros_and_names_are_checked),
        cmocka_unit_test(each_flag_has_its_bit),
        cmocka_unit_test(two_flags_are_as_wide_as_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
