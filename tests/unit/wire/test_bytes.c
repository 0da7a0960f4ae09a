/* SPDX-License-Identifier: MPL-2.0 */
/* bytes: the order of the bytes, at places that are not aligned. */
#include "lib/test.h"

#include "wire/bytes.h"

static void integers_are_written_with_their_lowest_byte_first(void **state)
{
    (void)state;
    uint8_t bytes[16] = {0};
    bytes_put16(bytes + 1, 0x1122);
    bytes_put32(bytes + 3, 0x33445566);
    bytes_put64(bytes + 7, 0x778899aabbccddee);
    static const uint8_t expected[16] = {
        0, 0x22, 0x11, 0x66, 0x55, 0x44, 0x33, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88, 0x77, 0};
    assert_memory_equal(bytes, expected, sizeof expected);
}

static void integers_are_read_with_their_lowest_byte_first(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0, 1, 2, 3, 4, 5, 6, 7, 0xf8};
    assert_int_equal(bytes_get16(bytes + 1), 0x0201);
    assert_int_equal(bytes_get32(bytes + 1), 0x04030201);
    assert_int_equal(bytes_get64(bytes + 1), 0xf807060504030201);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_written_with_their_lowest_byte_first),
        cmocka_unit_test(integers_are_read_with_their_lowest_byte_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
