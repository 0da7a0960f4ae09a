/* SPDX-License-Identifier: MPL-2.0 */
/* utf8: characters in bytes. Nearly all of what is routed is ASCII, and is looked at 16 bytes at a time; what is not is
 * decoded character by character. What is malformed decodes to nothing. Any thread. */
#include "base/utf8.h"

typedef signed char utf8_block_t __attribute__((vector_size(16)));
typedef uint64_t utf8_words_t __attribute__((vector_size(16)));

static inline bool utf8_is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Puts the continuation bytes 1 to size-1 behind the bits of the first byte; 0 if one of them is something else. */
static size_t utf8_join(const char *data, size_t size, uint32_t *rune)
{
    for (size_t i = 1; i < size; i++) {
        if (!utf8_is_continuation(data[i]))
            return 0;
        *rune = *rune << 6 | ((unsigned char)data[i] & 0x3F);
    }
    return size;
}

size_t utf8_decode(span_t text, uint32_t *rune)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (text.size == 0)
        return 0;
    unsigned char first = (unsigned char)text.data[0];
    if (first < 0x80) {
        *rune = first;
        return 1;
    }
    size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || size > text.size)
        return 0;
    *rune = first & (0x7Fu >> size);
    if (utf8_join(text.data, size, rune) == 0)
        return 0;
    bool surrogate = *rune >= 0xD800 && *rune <= 0xDFFF;
    return *rune < least[size] || surrogate || *rune > 0x10FFFF ? 0 : size;
}

/* As signed numbers all bytes from 0x80 on are below the space too. */
static inline bool utf8_block_is_plain(utf8_block_t block)
{
    utf8_block_t odd = ((block < 0x20) & (block != '\t')) | (block == 0x7F);
    utf8_words_t words = (utf8_words_t)odd;
    return (words[0] | words[1]) == 0;
}

/* The last bytes of a text, from `at` on, are fewer than a block: a block is made that overlaps what is before them,
 * or, in a text shorter than a block, of two halves that overlap each other. */
static size_t utf8_skip_plain_end(span_t text, size_t at)
{
    utf8_block_t block;
    enum { HALF = sizeof block / 2 };
    if (text.size >= sizeof block)
        memcpy(&block, text.data + text.size - sizeof block, sizeof block);
    else {
        memcpy(&block, text.data, HALF);
        memcpy((char *)&block + HALF, text.data + text.size - HALF, HALF);
    }
    return utf8_block_is_plain(block) ? text.size : at;
}

size_t utf8_skip_plain(span_t text)
{
    utf8_block_t block;
    size_t at = 0;
    for (; text.size - at >= sizeof block; at += sizeof block) {
        memcpy(&block, text.data + at, sizeof block);
        if (!utf8_block_is_plain(block))
            return at;
    }
    if (at == text.size)
        return at;
    if (text.size >= sizeof block / 2)
        return utf8_skip_plain_end(text, at);
    for (; at < text.size; at++) {
        signed char byte = (signed char)text.data[at];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7F)
            break;
    }
    return at;
}

bool utf8_is_space(uint32_t rune)
{
    if (rune < 0x80)
        return rune == 0x20 || (rune >= 0x09 && rune <= 0x0D);
    switch (rune) {
    case 0x0085:
    case 0x00A0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202F:
    case 0x205F:
    case 0x3000:
        return true;
    default:
        return rune >= 0x2000 && rune <= 0x200A;
    }
}

static span_t utf8_trim_start(span_t text)
{
    uint32_t rune;
    size_t size;
    while ((size = utf8_decode(text, &rune)) > 0 && utf8_is_space(rune))
        text = span_of(text.data + size, text.size - size);
    return text;
}

static span_t utf8_trim_end(span_t text)
{
    while (text.size > 0) {
        size_t at = text.size - 1;
        while (at > 0 && utf8_is_continuation(text.data[at]))
            at--;
        uint32_t rune;
        if (utf8_decode(span_of(text.data + at, text.size - at), &rune) == 0 || !utf8_is_space(rune))
            break;
        text.size = at;
    }
    return text;
}

/* Above the space and below 0x80 nothing is white space: the common case needs no decoding. */
static inline bool utf8_is_dark(char byte)
{
    return (signed char)byte > ' ';
}

span_t utf8_trim(span_t text)
{
    if (text.size > 0 && text.data[0] == ' ')
        text = span_of(text.data + 1, text.size - 1);
    if (text.size > 0 && utf8_is_dark(text.data[0]) && utf8_is_dark(text.data[text.size - 1]))
        return text;
    return utf8_trim_end(utf8_trim_start(text));
}

span_t utf8_cut(span_t text, size_t size)
{
    if (text.size <= size)
        return text;
    while (size > 0 && utf8_is_continuation(text.data[size]))
        size--;
    return span_of(text.data, size);
}
