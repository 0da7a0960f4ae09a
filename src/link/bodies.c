/* SPDX-License-Identifier: MPL-2.0 */
/* bodies: a ring that grows by doubling. A number is found by bisection, at once when it is in the same body as the one
 * before. Nothing can fail. Owner: the link's thread. */
#include "link/bodies.h"

#include <assert.h>
#include <stdlib.h>

#include "base/handover.h"

struct kept_body {
    zmq_msg_t message;
    uint64_t first;
    uint32_t count;
    uint32_t open; /* numbers not taken */
};

static kept_body_t *bodies_at(const bodies_t *self, uint64_t index)
{
    return &self->items[index & (self->capacity - 1)];
}

void bodies_fini(bodies_t *self)
{
    for (uint64_t i = self->first; i < self->next; i++)
        handover_close(&bodies_at(self, i)->message);
    free(self->items);
    *self = (bodies_t){0};
}

static void bodies_grow(bodies_t *self)
{
    size_t capacity = self->capacity ? 2 * self->capacity : 64;
    kept_body_t *items = malloc(capacity * sizeof *items);
    if (!items)
        abort();
    for (uint64_t i = self->first; i < self->next; i++)
        items[i & (capacity - 1)] = *bodies_at(self, i);
    free(self->items);
    self->items = items;
    self->capacity = capacity;
}

void bodies_keep(bodies_t *self, uint64_t first_number, uint32_t count, zmq_msg_t *body)
{
    if (self->next - self->first == self->capacity)
        bodies_grow(self);
    kept_body_t *kept = bodies_at(self, self->next++);
    kept->first = first_number;
    kept->count = kept->open = count;
    self->size += zmq_msg_size(body);
    zmq_msg_init(&kept->message);
    zmq_msg_move(&kept->message, body);
}

void bodies_send_next(bodies_t *self, zmq_msg_t *body)
{
    assert(bodies_has_unsent(self));
    zmq_msg_init(body);
    zmq_msg_copy(body, &bodies_at(self, self->unsent++)->message);
}

uint64_t bodies_sent_end(const bodies_t *self, uint64_t end)
{
    return bodies_has_unsent(self) ? bodies_at(self, self->unsent)->first : end;
}

/* The index of the kept body that holds that number. */
static uint64_t bodies_find(bodies_t *self, uint64_t number)
{
    if (self->hint >= self->first && self->hint < self->next) {
        const kept_body_t *kept = bodies_at(self, self->hint);
        if (number - kept->first < kept->count)
            return self->hint;
    }
    uint64_t low = self->first, high = self->next;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (bodies_at(self, middle)->first <= number)
            low = middle;
        else
            high = middle;
    }
    return self->hint = low;
}

/* Gives the memory of a body back, whose place stays. */
static void bodies_release(bodies_t *self, uint64_t index)
{
    zmq_msg_t *message = &bodies_at(self, index)->message;
    self->size -= zmq_msg_size(message);
    handover_close(message);
    zmq_msg_init(message);
    if (self->cursor_body == index)
        self->cursor = (body_t){0};
}

void bodies_take(bodies_t *self, uint64_t number, uint32_t count)
{
    while (count > 0) {
        uint64_t index = bodies_find(self, number);
        kept_body_t *kept = bodies_at(self, index);
        uint64_t left = kept->first + kept->count - number;
        uint32_t part = count < left ? count : (uint32_t)left;
        kept->open -= part;
        if (kept->open == 0 && index < self->unsent)
            bodies_release(self, index);
        number += part;
        count -= part;
    }
}

void bodies_drop_taken(bodies_t *self)
{
    for (; self->first < self->unsent && bodies_at(self, self->first)->open == 0; self->first++)
        bodies_release(self, self->first);
}

size_t bodies_memory(const bodies_t *self)
{
    return self->size + self->capacity * sizeof *self->items;
}

uint64_t bodies_first_number(const bodies_t *self, uint64_t end)
{
    return self->first < self->next ? bodies_at(self, self->first)->first : end;
}

void bodies_rewind(bodies_t *self, uint64_t count)
{
    assert(count <= self->unsent - self->first);
    self->unsent -= count;
}

void bodies_replace(bodies_t *self, uint64_t index, zmq_msg_t *body)
{
    zmq_msg_t *kept = &bodies_at(self, index)->message;
    self->size += zmq_msg_size(body) - zmq_msg_size(kept);
    handover_close(kept);
    zmq_msg_init(kept);
    zmq_msg_move(kept, body);
    self->cursor = (body_t){0};
}

uint64_t bodies_numbers(const bodies_t *self, uint64_t index, uint32_t *count)
{
    *count = bodies_at(self, index)->count;
    return bodies_at(self, index)->first;
}

span_t bodies_frame(const bodies_t *self, uint64_t index)
{
    zmq_msg_t *message = &bodies_at(self, index)->message;
    return span_of(zmq_msg_data(message), zmq_msg_size(message));
}

static void bodies_open(const bodies_t *self, uint64_t index, body_t *body)
{
    int rc = body_open_up(body, bodies_frame(self, index));
    assert(rc == 0);
    (void)rc;
}

void bodies_read(bodies_t *self, uint64_t number, body_record_t *record)
{
    uint64_t index = bodies_find(self, number);
    if (self->cursor_body != index || !self->cursor.at || self->cursor.number > number) {
        self->cursor_body = index;
        bodies_open(self, index, &self->cursor);
    }
    int rc = 1;
    while (rc == 1 && self->cursor.number != number)
        rc = body_next_up(&self->cursor, &self->record);
    assert(rc == 1);
    *record = self->record;
}
