/* SPDX-License-Identifier: MPL-2.0 */
/* walk: the fields of a control record's payload, in order, where one list of calls reads, writes or counts them. All
 * values are in and out: reading sets them, writing and counting leave them as they are. Pure; any thread. */
#ifndef FERRY_WIRE_WALK_H
#define FERRY_WIRE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

typedef enum { WALK_READ, WALK_WRITE, WALK_COUNT } walk_mode_t;

typedef struct {
    walk_mode_t mode;
    const uint8_t *from; /* READ: the next byte */
    uint8_t *to;         /* WRITE: the next byte; there must be room for all */
    size_t size;         /* READ: bytes left; COUNT: bytes so far */
    bool bad;            /* READ: the payload was too small, or a field is not what it may be; values mean nothing */
} walk_t;

/* Little-endian integers. */
void walk_16(walk_t *self, uint16_t *value);
void walk_32(walk_t *self, uint32_t *value);
void walk_64(walk_t *self, uint64_t *value);

/* Flags in an integer of `size` bytes, of which only bit 0 is known. */
void walk_flag(walk_t *self, bool *flag, size_t size);

/* The same with the bits from 0 on, one for each of the `count` flags. */
void walk_flags(walk_t *self, bool *const *flags, unsigned count, size_t size);

/* An integer of `size` bytes, at most 8, that is 0. */
void walk_zero(walk_t *self, size_t size);

/* `size` bytes as they are. */
void walk_raw(walk_t *self, uint8_t *bytes, size_t size);

/* A name: u8 size, from 1, and that many bytes. Reading borrows it. */
void walk_name(walk_t *self, span_t *name);

/* The rest of the payload, whole units of `unit` bytes. Reading borrows it. */
void walk_rest(walk_t *self, span_t *rest, size_t unit);

#endif
