/* SPDX-License-Identifier: MPL-2.0 */
#include "ferry/bench/stamp.h"
#include "lib/test.h"

static void eight_digits_hold_48_bits(void **state)
{
    (void)state;
    for (uint64_t value = 0; value <= STAMP_TIME_MAX; value = value * 3 + 1) {
        char digits[STAMP_SIZE];
        uint64_t read;
        stamp_write(digits, value);
        assert_true(stamp_read(digits, &read));
        assert_true(read == value);
    }
}

static void a_digit_is_a_character_between_0_and_o(void **state)
{
    (void)state;
    char digits[STAMP_SIZE + 1] = {0};
    stamp_write(digits, 0);
    assert_string_equal(digits, "00000000");
    stamp_write(digits, 63);
    assert_string_equal(digits, "0000000o");
    stamp_write(digits, 64);
    assert_string_equal(digits, "00000010");
    stamp_write(digits, stamp_of(1, 0));
    assert_string_equal(digits, "00100000");
    stamp_write(digits, STAMP_TIME_MAX);
    assert_string_equal(digits, "oooooooo");
}

static void other_characters_are_no_digits(void **state)
{
    (void)state;
    uint64_t value;
    for (unsigned place = 0; place < STAMP_SIZE; place++)
        for (unsigned byte = 0; byte < 256; byte++) {
            char digits[STAMP_SIZE];
            memset(digits, '0', sizeof digits);
            digits[place] = (char)byte;
            assert_int_equal(stamp_read(digits, &value), byte >= '0' && byte <= 'o');
        }
}

static void a_number_is_the_nearest_one_with_its_low_bits(void **state)
{
    (void)state;
    const uint64_t turn = UINT64_C(1) << STAMP_NUMBER_BITS;
    assert_int_equal(stamp_number(stamp_of(7, 5), 5), 5);
    assert_int_equal(stamp_number(stamp_of(7, 5), 9), 5);
    assert_int_equal(stamp_number(stamp_of(7, turn + 3), turn - 1), turn + 3);
    assert_int_equal(stamp_number(stamp_of(7, turn - 1), turn + 3), turn - 1);
    assert_true(stamp_number(stamp_of(7, turn - 1), 0) < 0);
    assert_int_equal(stamp_sender(stamp_of(STAMP_SENDER_MAX, 9)), STAMP_SENDER_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_digits_hold_48_bits),
        cmocka_unit_test(a_digit_is_a_character_between_0_and_o),
        cmocka_unit_test(other_characters_are_no_digits),
        cmocka_unit_test(a_number_is_the_nearest_one_with_its_low_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
