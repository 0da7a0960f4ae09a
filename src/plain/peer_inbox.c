/* SPDX-License-Identifier: MPL-2.0 */
/* [1] peer_inbox: letters are a list of copies; open messages an array in the order in which they were accepted, which
 * is about the order in which they settle. Nothing can fail but for memory, which aborts. Owner: the peers actor's
 * thread.
 */
#include "plain/peer_inbox.h"

#include <stdlib.h>

void peer_inbox_fini(peer_inbox_t *self)
{
    peer_inbox_drop(self);
    free(self->open);
    *self = (peer_inbox_t){0};
}

bool peer_inbox_has_room(const peer_inbox_t *self, size_t window_size)
{
    return self->open_size + self->waiting_size < window_size;
}

bool peer_inbox_has_ping_room(const peer_inbox_t *self, size_t window_size)
{
    return self->waiting_size < 2 * window_size;
}

/* Copies bytes to `to` and makes the span point there. Returns where the next go. */
static char *letter_copy(char *to, span_t bytes, span_t *span)
{
    *span = span_of(to, bytes.size);
    if (bytes.size)
        memcpy(to, bytes.data, bytes.size);
    return to + bytes.size;
}

void peer_inbox_put(peer_inbox_t *self, uint64_t number, const span_t *frames, size_t frame_count)
{
    size_t size = 0;
    for (size_t i = 0; i < frame_count; i++)
        size += frames[i].size;
    letter_t *letter = malloc(sizeof *letter + size);
    if (!letter)
        abort();
    *letter = (letter_t){.number = number, .size = size + INBOX_LETTER_SIZE, .frame_count = frame_count};
    char *to = letter->bytes;
    for (size_t i = 0; i < frame_count; i++)
        to = letter_copy(to, frames[i], &letter->frames[i]);
    if (self->last)
        self->last->next = letter;
    else
        self->first = letter;
    self->last = letter;
    self->waiting_size += letter->size;
}

void peer_inbox_pop(peer_inbox_t *self)
{
    letter_t *letter = self->first;
    self->first = letter->next;
    if (!self->first)
        self->last = NULL;
    self->waiting_size -= letter->size;
    free(letter);
}

void peer_inbox_drop(peer_inbox_t *self)
{
    while (self->first)
        peer_inbox_pop(self);
}

uint64_t peer_inbox_taken(const peer_inbox_t *self)
{
    const letter_t *letter = self->first;
    while (letter && !letter->number)
        letter = letter->next;
    uint64_t taken = letter ? letter->number - 1 : self->said;
    return self->refused_last && self->refused_first <= taken ? self->refused_first - 1 : taken;
}

void peer_inbox_open(peer_inbox_t *self, const link_t *link, uint64_t number, size_t size)
{
    if (self->open_count == self->open_capacity) {
        self->open_capacity = self->open_capacity ? 2 * self->open_capacity : 16;
        self->open = realloc(self->open, self->open_capacity * sizeof *self->open);
        if (!self->open)
            abort();
    }
    self->open[self->open_count++] = (open_message_t){.link = link, .number = number, .size = size};
    self->open_size += size;
}

void peer_inbox_settle(peer_inbox_t *self, const link_t *link, uint64_t number)
{
    size_t i = 0;
    while (i < self->open_count && (self->open[i].link != link || self->open[i].number != number))
        i++;
    if (i == self->open_count)
        return;
    self->open_size -= self->open[i].size;
    self->open_count--;
    memmove(&self->open[i], &self->open[i + 1], (self->open_count - i) * sizeof *self->open);
}

bool peer_inbox_refuse(peer_inbox_t *self, uint64_t number)
{
    if (self->refused_last && self->refused_last + 1 != number)
        return false;
    if (!self->refused_last)
        self->refused_first = number;
    self->refused_last = number;
    return true;
}

size_t peer_inbox_memory(const peer_inbox_t *self)
{
    return self->waiting_size + self->open_capacity * sizeof *self->open;
}
