/* SPDX-License-Identifier: MPL-2.0 */
/* walk: every field first steps over its bytes, and then moves them unless it only counts. Once a payload was too small
 * or a field bad, nothing more is read. Pure; any thread. */
#include "wire/walk.h"

#include <assert.h>

/* Steps over `size` bytes. True if the caller has bytes to move: while reading, those at the old `from`, and while
 * writing those at the old `to`. */
static bool walk_step(walk_t *self, size_t size)
{
    if (self->mode == WALK_READ) {
        self->bad = self->bad || self->size < size;
        if (self->bad)
            return false;
        self->from += size;
        self->size -= size;
    } else if (self->mode == WALK_WRITE) {
        self->to += size;
    } else {
        self->size += size;
    }
    return self->mode != WALK_COUNT;
}

/* An integer of `size` bytes. Returns what was read, or `value`. */
static uint64_t walk_uint(walk_t *self, uint64_t value, size_t size)
{
    if (!walk_step(self, size))
        return value;
    if (self->mode == WALK_WRITE) {
        for (size_t index = 0; index < size; index++)
            *(self->to - size + index) = (uint8_t)(value >> 8 * index);
        return value;
    }
    value = 0;
    for (size_t back = 1; back <= size; back++)
        value = value << 8 | *(self->from - back);
    return value;
}

void walk_16(walk_t *self, uint16_t *value)
{
    *value = (uint16_t)walk_uint(self, *value, 2);
}

void walk_32(walk_t *self, uint32_t *value)
{
    *value = (uint32_t)walk_uint(self, *value, 4);
}

void walk_64(walk_t *self, uint64_t *value)
{
    *value = walk_uint(self, *value, 8);
}

void walk_flag(walk_t *self, bool *flag, size_t size)
{
    uint64_t flags = walk_uint(self, *flag, size);
    self->bad = self->bad || flags > 1;
    *flag = flags == 1;
}

void walk_flags(walk_t *self, bool *const *flags, unsigned count, size_t size)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < count; i++)
        bits |= (uint64_t)*flags[i] << i;
    bits = walk_uint(self, bits, size);
    self->bad = self->bad || bits >> count != 0;
    for (unsigned i = 0; i < count; i++)
        *flags[i] = bits >> i & 1;
}

void walk_zero(walk_t *self, size_t size)
{
    uint64_t value = walk_uint(self, 0, size);
    self->bad = self->bad || value != 0;
}

void walk_raw(walk_t *self, uint8_t *bytes, size_t size)
{
    if (!walk_step(self, size))
        return;
    if (self->mode == WALK_WRITE)
        memcpy(self->to - size, bytes, size);
    else
        memcpy(bytes, self->from - size, size);
}

static void walk_span(walk_t *self, span_t *span, size_t size)
{
    if (!walk_step(self, size))
        return;
    if (self->mode == WALK_READ)
        *span = span_of((const char *)self->from - size, size);
    else if (size)
        memcpy(self->to - size, span->data, size);
}

void walk_name(walk_t *self, span_t *name)
{
    assert(self->mode == WALK_READ || (name->size >= 1 && name->size <= UINT8_MAX));
    size_t size = walk_uint(self, name->size, 1);
    self->bad = self->bad || size == 0;
    walk_span(self, name, size);
}

void walk_rest(walk_t *self, span_t *rest, size_t unit)
{
    size_t size = self->mode == WALK_READ ? self->size : rest->size;
    self->bad = self->bad || size % unit != 0;
    walk_span(self, rest, size);
}
