/* SPDX-License-Identifier: MPL-2.0 */
/* buffer: growing doubles the memory; before that, what was taken from the front is reused if it is the larger part.
 * Nothing fails but by abort. Owner: whoever embeds it. */
#include "base/buffer.h"

#include <assert.h>
#include <stdlib.h>

#define BUFFER_SIZE_FIRST 256

void buffer_fini(buffer_t *self)
{
    free(self->data);
    *self = (buffer_t){0};
}

void buffer_grow(buffer_t *self, size_t size)
{
    size_t used = buffer_size(self);
    if (self->start >= used && self->capacity - used >= size) {
        memcpy(self->data, self->data + self->start, used);
    } else {
        size_t capacity = self->capacity ? 2 * self->capacity : BUFFER_SIZE_FIRST;
        while (capacity - used < size)
            capacity *= 2;
        uint8_t *data = malloc(capacity);
        if (!data)
            abort();
        if (used)
            memcpy(data, self->data + self->start, used);
        free(self->data);
        self->data = data;
        self->capacity = capacity;
    }
    self->start = 0;
    self->end = used;
}

uint8_t *buffer_release(buffer_t *self)
{
    assert(self->start == 0);
    uint8_t *data = self->data;
    *self = (buffer_t){0};
    return data;
}

void buffer_shrink(buffer_t *self, size_t size)
{
    if (buffer_size(self) == 0 && self->capacity > size)
        buffer_fini(self);
}
