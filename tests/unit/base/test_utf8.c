/* SPDX-License-Identifier: MPL-2.0 */
/* utf8: decoding is compared with an encoder for every character there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static size_t encode(uint32_t rune, char bytes[4])
{
    if (rune < 0x80) {
        bytes[0] = (char)rune;
        return 1;
    }
    size_t size = rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, rune >>= 6)
        bytes[i] = (char)(0x80 | (rune & 0x3F));
    bytes[0] = (char)(0xF00u >> size | rune);
    return size;
}

static void every_character_is_decoded_and_none_when_cut(void **state)
{
    (void)state;
    for (uint32_t rune = 0; rune <= 0x10FFFF; rune++) {
        if (rune >= 0xD800 && rune <= 0xDFFF)
            continue;
        char bytes[4];
        size_t size = encode(rune, bytes);
        uint32_t found = ~rune;
        if (utf8_decode(span_of(bytes, size), &found) != size || found != rune)
            fail_msg("U+%04X is not decoded", rune);
        if (utf8_decode(span_of(bytes, size - 1), &found) != 0)
            fail_msg("U+%04X is decoded though it is cut", rune);
    }
}

static void what_rfc_3629_forbids_is_not_decoded(void **state)
{
    (void)state;
    static const char *const forbidden[] = {
        "\x80",
        "\xBF", /* a continuation without a start */
        "\xC0\x80",
        "\xC1\xBF",
        "\xE0\x9F\xBF",
        "\xE0\x80\x80", /* overlong */
        "\xF0\x8F\xBF\xBF",
        "\xF0\x80\x80\x80", /* overlong */
        "\xED\xA0\x80",
        "\xED\xBF\xBF", /* surrogates */
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xFF\xFF\xFF\xFF",
        "\xFE\x80\x80\x80", /* above U+10FFFF */
        "\xC3(",
        "\xE2\x82(",
        "\xE2(\xA1",
        "\xF0\x9F\x98(",
        "\xF0(\x8C\xBC", /* a start without its continuation */
        "\xF8\x88\x80\x80\x80",
    };
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
        uint32_t rune;
        if (utf8_decode(span_str(forbidden[i]), &rune) != 0)
            fail_msg("sequence %zu is decoded as U+%04X", i, rune);
    }
}

static void white_space_is_what_unicode_lists(void **state)
{
    (void)state;
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0x09, 0x0D}, {0x20, 0x20}, {0x85, 0x85}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x2000, 0x200A},
        {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};
    size_t at = 0;
    for (uint32_t rune = 0; rune <= 0x10FFFF; rune++) {
        bool inside = at < sizeof ranges / sizeof ranges[0] && rune >= ranges[at].first;
        if (utf8_is_space(rune) != inside)
            fail_msg("U+%04X is white space: %d", rune, !inside);
        if (inside && rune == ranges[at].last)
            at++;
    }
}

/* Puts each byte at each place of a text of each size around the block's, and compares with the rule itself. */
static void plain_bytes_are_told_apart_at_every_place(void **state)
{
    (void)state;
    char text[50];
    for (size_t size = 1; size <= sizeof text; size++)
        for (size_t at = 0; at < size; at++)
            for (int byte = 0; byte < 256; byte++) {
                memset(text, 'x', size);
                text[at] = (char)byte;
                bool plain = byte == '\t' || (byte >= 0x20 && byte < 0x7F);
                size_t skipped = utf8_skip_plain(span_of(text, size));
                bool right = plain ? skipped == size : skipped <= at && skipped + 16 > at;
                if (!right)
                    fail_msg("byte %d at %zu of %zu: %zu skipped", byte, at, size, skipped);
            }
    assert_int_equal(utf8_skip_plain(span_of(NULL, 0)), 0);
}

static void assert_trimmed(const char *text, const char *expected)
{
    span_t trimmed = utf8_trim(span_str(text));
    assert_int_equal(trimmed.size, strlen(expected));
    assert_memory_equal(trimmed.data, expected, trimmed.size);
}

static void white_space_is_trimmed_at_both_ends_only(void **state)
{
    (void)state;
    assert_trimmed("", "");
    assert_trimmed(" \t ", "");
    assert_trimmed("a", "a");
    assert_trimmed("  a b\t", "a b");
    assert_trimmed("\xC2\xA0\xE3\x80\x80\xC3\xA9\xE2\x80\x80z\xC3\xA9\xC2\x85", "\xC3\xA9\xE2\x80\x80z\xC3\xA9");
    assert_int_equal(utf8_trim(span_of(NULL, 0)).size, 0);
}

static void a_text_is_cut_between_characters(void **state)
{
    (void)state;
    span_t text = span_str("a\xE2\x82\xAC\xF0\x9F\x98\x80");
    const size_t sizes[] = {0, 1, 1, 1, 4, 4, 4, 4, 8, 8};
    for (size_t size = 0; size < sizeof sizes / sizeof sizes[0]; size++)
        assert_int_equal(utf8_cut(text, size).size, sizes[size]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_decoded_and_none_when_cut),
        cmocka_unit_test(what_rfc_3629_forbids_is_not_decoded),
        cmocka_unit_test(white_space_is_what_unicode_lists),
        cmocka_unit_test(plain_bytes_are_told_apart_at_every_place),
        cmocka_unit_test(white_space_is_trimmed_at_both_ends_only),
        cmocka_unit_test(a_text_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
