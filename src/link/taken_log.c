/* SPDX-License-Identifier: MPL-2.0 */
/* taken_log: in the healthy flow an item is put at one end of a ring and dropped at the other, and nobody asks. When a
 * copy comes that is sent again an index is made of all items, and of the highest number of each session, and kept
 * until that is over. Numbers of an origin rise but for what was sent again, so an item may outlive the floor until the
 * one before it is dropped. Nothing fails but by abort. Owner: the link's thread. */
#include "link/taken_log.h"

#include <stdlib.h>

#define ITEMS_FIRST 16
#define ITEMS_KEPT  (1u << 16) /* that are not given back when none is in use */

/* Two sorts of keys share the index: (number, session) of an item, and (0, session) whose value is the highest number
 * that was taken for that session. Numbers begin at 1. */
typedef struct {
    uint64_t number, session;
    uint64_t highest; /* 0: the place is free */
} place_t;

struct taken_index {
    place_t *places;
    size_t count, capacity; /* a power of two */
};

static taken_t *taken_log_at(const taken_log_t *self, uint64_t at)
{
    return &self->items[at & (self->capacity - 1)];
}

static place_t *index_find(const taken_index_t *self, uint64_t number, uint64_t session)
{
    uint64_t mixed = (number ^ session * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd6e8feb86659fd93);
    size_t at = (mixed ^ mixed >> 32) & (self->capacity - 1);
    while (self->places[at].highest && (self->places[at].number != number || self->places[at].session != session))
        at = (at + 1) & (self->capacity - 1);
    return &self->places[at];
}

static void index_put(taken_index_t *self, uint64_t number, uint64_t session, uint64_t highest)
{
    place_t *place = index_find(self, number, session);
    if (!place->highest)
        self->count++;
    if (highest > place->highest)
        *place = (place_t){number, session, highest};
}

static void index_destroy(taken_index_t **self_p)
{
    if (!*self_p)
        return;
    free((*self_p)->places);
    free(*self_p);
    *self_p = NULL;
}

static void index_add(taken_index_t *self, uint64_t number, uint64_t session)
{
    index_put(self, number, session, number);
    index_put(self, 0, session, number);
}

/* An index of all items, with room for as many again. */
static taken_index_t *index_new(const taken_log_t *log)
{
    taken_index_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->capacity = ITEMS_FIRST;
    while (self->capacity < 8 * taken_log_count(log))
        self->capacity *= 2;
    self->places = calloc(self->capacity, sizeof *self->places);
    if (!self->places)
        abort();
    for (uint64_t at = log->first; at < log->next; at++)
        index_add(self, taken_log_at(log, at)->number, taken_log_at(log, at)->session);
    return self;
}

void taken_log_fini(taken_log_t *self)
{
    index_destroy(&self->index);
    free(self->items);
    *self = (taken_log_t){0};
}

void taken_log_cut(taken_log_t *self, uint64_t floor, bool again)
{
    if (!again)
        index_destroy(&self->index);
    while (self->first < self->next && taken_log_at(self, self->first)->number < floor)
        self->first++;
    if (self->first < self->next || self->capacity <= ITEMS_KEPT)
        return;
    free(self->items);
    self->items = NULL;
    self->capacity = 0;
}

static void taken_log_grow(taken_log_t *self)
{
    size_t capacity = self->capacity ? 2 * self->capacity : ITEMS_FIRST;
    taken_t *items = malloc(capacity * sizeof *items);
    if (!items)
        abort();
    for (uint64_t at = self->first; at < self->next; at++)
        items[at & (capacity - 1)] = *taken_log_at(self, at);
    free(self->items);
    self->items = items;
    self->capacity = capacity;
}

void taken_log_add(taken_log_t *self, uint64_t number, uint64_t session)
{
    if (taken_log_count(self) == self->capacity)
        taken_log_grow(self);
    *taken_log_at(self, self->next++) = (taken_t){number, session};
    if (!self->index)
        return;
    index_add(self->index, number, session);
    if (2 * self->index->count > self->index->capacity)
        index_destroy(&self->index);
}

taken_log_answer_t taken_log_ask(taken_log_t *self, uint64_t number, uint64_t session)
{
    if (!self->index)
        self->index = index_new(self);
    if (index_find(self->index, number, session)->highest)
        return TAKEN_LOG_KNOWN;
    return index_find(self->index, 0, session)->highest > number ? TAKEN_LOG_LATE : TAKEN_LOG_NEW;
}
