/* SPDX-License-Identifier: MPL-2.0 */
/* stamp: what a message of the benchmark carries at the beginning of its text: who sent it and its number, and, where
 * latency is measured, when it was due. A digit is one of the 64 characters from '0' to 'o', so that eight of them hold
 * 48 bits, and are made and read as one word. Pure. */
#ifndef FERRY_FERRY_BENCH_STAMP_H
#define FERRY_FERRY_BENCH_STAMP_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    STAMP_SIZE = 8,        /* bytes: three digits of sender, five of number; the same for the time behind it */
    STAMP_NUMBER_BITS = 30 /* of the number, which begins again at 0 after 2^30; the sender has 18 */
};

#define STAMP_NUMBER_MASK ((UINT64_C(1) << STAMP_NUMBER_BITS) - 1)
#define STAMP_SENDER_MAX  ((1u << 18) - 1)
#define STAMP_TIME_MAX    ((UINT64_C(1) << 48) - 1)

/* Writes the low 48 bits of `value` as eight digits: halves, quarters and eighths of the word drift apart. */
static inline void stamp_write(char *to, uint64_t value)
{
    uint64_t word = (value & UINT64_C(0xFFFFFF000000)) << 8 | (value & UINT64_C(0xFFFFFF));
    word = (word & UINT64_C(0x00FFF00000FFF000)) << 4 | (word & UINT64_C(0x00000FFF00000FFF));
    word = (word & UINT64_C(0x0FC00FC00FC00FC0)) << 2 | (word & UINT64_C(0x003F003F003F003F));
    word = htobe64(word + UINT64_C(0x3030303030303030));
    memcpy(to, &word, sizeof word);
}

/* Reads eight digits; false if they are none. */
static inline bool stamp_read(const char *from, uint64_t *value)
{
    uint64_t word;
    memcpy(&word, from, sizeof word);
    word = be64toh(word);
    /* Each byte is a digit if it does not borrow from its neighbour and stays below 64. */
    uint64_t digits = word - UINT64_C(0x3030303030303030);
    if (digits & UINT64_C(0xC0C0C0C0C0C0C0C0))
        return false;
    digits = (digits >> 2 & UINT64_C(0x0FC00FC00FC00FC0)) | (digits & UINT64_C(0x003F003F003F003F));
    digits = (digits >> 4 & UINT64_C(0x00FFF00000FFF000)) | (digits & UINT64_C(0x00000FFF00000FFF));
    *value = (digits >> 8 & UINT64_C(0xFFFFFF000000)) | (digits & UINT64_C(0xFFFFFF));
    return true;
}

static inline uint64_t stamp_of(unsigned sender, uint64_t number)
{
    return (uint64_t)sender << STAMP_NUMBER_BITS | (number & STAMP_NUMBER_MASK);
}

static inline unsigned stamp_sender(uint64_t stamp)
{
    return (unsigned)(stamp >> STAMP_NUMBER_BITS);
}

/* The whole number of which a stamp carries the low bits: the one that is nearest to `near`, which is what should come
 * next. Negative: none that is so near. */
static inline int64_t stamp_number(uint64_t stamp, uint64_t near)
{
    uint64_t ahead = (stamp - near) & STAMP_NUMBER_MASK;
    int64_t whole = (int64_t)(near + ahead);
    return ahead >> (STAMP_NUMBER_BITS - 1) ? whole - (INT64_C(1) << STAMP_NUMBER_BITS) : whole;
}

#endif
