/* SPDX-License-Identifier: MPL-2.0 */
/* buffer: bytes that grow at their end and are taken from their front. Embedded in its owner, and its owner's thread's.
 * Memory that runs out aborts, so whoever fills a buffer bounds it first. */
#ifndef FERRY_BASE_BUFFER_H
#define FERRY_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/span.h"

typedef struct {
    uint8_t *data;   /* malloc'd, or NULL; the contents are [start, end) */
    size_t start;    /* bytes already taken from the front */
    size_t end;      /* bytes written */
    size_t capacity; /* bytes allocated */
} buffer_t;

/* Frees the memory and makes the buffer empty. An all-zero buffer is a valid empty one. */
void buffer_fini(buffer_t *self);

/* Makes room for `size` more bytes, moving or growing as needed; the slow path of buffer_reserve. */
void buffer_grow(buffer_t *self, size_t size);

static inline size_t buffer_size(const buffer_t *self)
{
    return self->end - self->start;
}

/* The contents; data is NULL as long as nothing was ever written. */
static inline span_t buffer_span(const buffer_t *self)
{
    const uint8_t *data = self->data ? self->data + self->start : NULL;
    return span_of((const char *)data, buffer_size(self));
}

/* Room for `size` bytes, from 1, at the end, valid until the next call; buffer_commit says how many were written. */
static inline uint8_t *buffer_reserve(buffer_t *self, size_t size)
{
    if (self->capacity - self->end < size)
        buffer_grow(self, size);
    return self->data + self->end;
}

static inline void buffer_commit(buffer_t *self, size_t size)
{
    self->end += size;
}

static inline void buffer_append(buffer_t *self, const void *data, size_t size)
{
    if (size == 0)
        return;
    memcpy(buffer_reserve(self, size), data, size);
    self->end += size;
}

/* Takes `size` bytes, at most all, from the front. */
static inline void buffer_consume(buffer_t *self, size_t size)
{
    self->start += size;
    if (self->start == self->end)
        self->start = self->end = 0;
}

static inline void buffer_clear(buffer_t *self)
{
    self->start = self->end = 0;
}

/* Hands the memory over: returns it (the caller frees it) and leaves the buffer empty. Nothing may have been taken from
 * the front. */
uint8_t *buffer_release(buffer_t *self);

/* Gives back the memory of an empty buffer that has grown over `size` bytes. */
void buffer_shrink(buffer_t *self, size_t size);

#endif
