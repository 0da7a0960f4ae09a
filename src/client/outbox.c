/* SPDX-License-Identifier: MPL-2.0 */
/* outbox: a ring of ZeroMQ's messages, which are moved in and closed where they are. Nothing fails but by abort. Owner:
 * the carrier's thread. */
#include "client/outbox.h"

#include <stdlib.h>

#include "base/handover.h"

static zmq_msg_t *outbox_at(const outbox_t *self, size_t index)
{
    return &self->frames[(self->first + index) & (self->capacity - 1)];
}

/* N.B. a ZeroMQ message that holds its own bytes may not be copied as memory, only moved. */
static void outbox_grow(outbox_t *self)
{
    outbox_t grown = {.capacity = self->capacity ? 2 * self->capacity : 16, .count = self->count};
    grown.frames = malloc(grown.capacity * sizeof *grown.frames);
    if (!grown.frames)
        abort();
    for (size_t i = 0; i < self->count; i++) {
        zmq_msg_init(outbox_at(&grown, i));
        zmq_msg_move(outbox_at(&grown, i), outbox_at(self, i));
    }
    free(self->frames);
    *self = grown;
}

void outbox_fini(outbox_t *self)
{
    while (self->count)
        outbox_drop(self);
    free(self->frames);
    *self = (outbox_t){0};
}

void outbox_add(outbox_t *self, zmq_msg_t *frame)
{
    if (self->count == self->capacity)
        outbox_grow(self);
    zmq_msg_t *place = outbox_at(self, self->count++);
    zmq_msg_init(place);
    zmq_msg_move(place, frame);
}

zmq_msg_t *outbox_first(const outbox_t *self)
{
    return self->count ? outbox_at(self, 0) : NULL;
}

void outbox_drop(outbox_t *self)
{
    handover_close(outbox_at(self, 0));
    self->first = (self->first + 1) & (self->capacity - 1);
    self->count--;
}
