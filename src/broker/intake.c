/* SPDX-License-Identifier: MPL-2.0 */
/* intake: batches wait in the order in which they came; each counts for every message the copies that are not
 * acknowledged. TAKEN is found by a walk from the oldest: what is taken is passed, what is old and not taken becomes an
 * exception, and the first young one ends it. In the healthy flow that is the first batch. Nothing fails but by abort.
 * Owner: the router's thread. */
#include "broker/intake.h"

#include <assert.h>
#include <stdlib.h>

#include "wire/bytes.h"

#define RANGE_SIZE 16 /* u64 first, u64 count */

void intake_init(intake_t *self, uint64_t next_number, void (*on_change)(void *arg, bool is_prompt), void *arg)
{
    *self = (intake_t){.below = next_number, .told = next_number, .on_change = on_change, .arg = arg};
}

static void inbatch_leave(inbatch_t *self)
{
    self->intake = NULL;
    if (self->untaken == 0)
        free(self);
}

void intake_fini(intake_t *self)
{
    for (inbatch_t *batch = self->first, *next; batch; batch = next) {
        next = batch->next;
        inbatch_leave(batch);
    }
    self->first = self->last = NULL;
    buffer_fini(&self->ranges);
}

static void intake_change(intake_t *self)
{
    bool is_prompt = self->is_prompt || self->taken_size >= self->prompt_size;
    if (self->changed && is_prompt == self->is_prompt)
        return;
    self->changed = true;
    self->is_prompt = is_prompt;
    self->on_change(self->arg, is_prompt);
}

/* All of a batch is taken. */
static void intake_take(intake_t *self, const inbatch_t *batch)
{
    self->taken_size += batch->is_awaited ? self->prompt_size : batch->size;
}

inbatch_t *intake_open(intake_t *self, uint32_t count, uint64_t now_ms)
{
    inbatch_t *batch = calloc(1, sizeof *batch + count * sizeof *batch->outstanding);
    if (!batch)
        abort();
    batch->intake = self;
    batch->first_number = self->below;
    batch->since_ms = now_ms;
    batch->count = count;
    self->below += count;
    if (self->last)
        self->last->next = batch;
    else
        self->first = batch;
    self->last = batch;
    intake_change(self);
    return batch;
}

void inbatch_expect(inbatch_t *self, uint32_t index, uint32_t copies)
{
    assert(index < self->count);
    self->untaken += copies > 0 && self->outstanding[index] == 0;
    self->outstanding[index] += copies;
    self->intake->open += copies;
}

void inbatch_take(inbatch_t *self, uint32_t index, uint32_t count, uint32_t copies)
{
    uint32_t taken = 0;
    for (uint32_t i = index; i < index + count; i++) {
        assert(self->outstanding[i] >= copies);
        self->outstanding[i] -= copies;
        taken += self->outstanding[i] == 0;
    }
    self->untaken -= taken;
    if (self->intake)
        self->intake->open -= (uint64_t)copies * count;
    if (self->intake && self->untaken == 0)
        intake_take(self->intake, self);
    if (self->intake && taken)
        intake_change(self->intake);
    else if (!self->intake && self->untaken == 0)
        free(self);
}

/* A number that is an exception joins the last range if it follows it. False when there are too many ranges. */
static bool ranges_add(buffer_t *ranges, uint64_t number)
{
    size_t size = buffer_size(ranges);
    uint8_t *last = size ? ranges->data + ranges->start + size - RANGE_SIZE : NULL;
    if (last && bytes_get64(last) + bytes_get64(last + 8) == number) {
        bytes_put64(last + 8, bytes_get64(last + 8) + 1);
        return true;
    }
    if (size == (size_t)INTAKE_RANGES_MAX * RANGE_SIZE)
        return false;
    uint8_t *range = buffer_reserve(ranges, RANGE_SIZE);
    bytes_put64(range, number);
    bytes_put64(range + 8, 1);
    buffer_commit(ranges, RANGE_SIZE);
    return true;
}

/* Adds the exceptions of a batch; false when `below` must end at *number. */
static bool inbatch_exceptions(const inbatch_t *self, bool is_old, buffer_t *ranges, uint64_t *number)
{
    for (uint32_t index = 0; index < self->count; index++)
        if (self->outstanding[index] && (!is_old || !ranges_add(ranges, self->first_number + index))) {
            *number = self->first_number + index;
            return false;
        }
    return true;
}

/* Takes out the batch behind `before`, or the first: all of it is taken. Returns the one that follows it. */
static inbatch_t *intake_drop(intake_t *self, inbatch_t *before)
{
    inbatch_t **at = before ? &before->next : &self->first, *batch = *at;
    *at = batch->next;
    if (!batch->next)
        self->last = before;
    free(batch);
    return *at;
}

/* The `below` of TAKEN; the exceptions under it are added to `ranges`. What is taken is let go on the way, so that one
 * that waits for long does not make the walk long. */
static uint64_t intake_walk(intake_t *self, uint64_t now_ms, buffer_t *ranges, uint64_t *due_ms)
{
    uint64_t below = self->below;
    inbatch_t *before = NULL, *batch = self->first;
    while (batch) {
        bool is_old = now_ms - batch->since_ms >= INTAKE_GRACE_MS;
        if (batch->untaken == 0) {
            batch = intake_drop(self, before);
            continue;
        }
        if (!inbatch_exceptions(batch, is_old, ranges, &below)) {
            if (!is_old)
                *due_ms = batch->since_ms + INTAKE_GRACE_MS;
            break;
        }
        before = batch;
        batch = batch->next;
    }
    return below;
}

/* An exception at the very end says nothing that a lower `below` does not. */
static uint64_t ranges_trim(buffer_t *ranges, uint64_t below)
{
    size_t size = buffer_size(ranges);
    if (size == 0)
        return below;
    const uint8_t *last = ranges->data + ranges->start + size - RANGE_SIZE;
    if (bytes_get64(last) + bytes_get64(last + 8) != below)
        return below;
    below = bytes_get64(last);
    ranges->end -= RANGE_SIZE;
    return below;
}

bool intake_taken(intake_t *self, uint64_t now_ms, uint64_t *due_ms)
{
    *due_ms = 0;
    self->changed = self->is_prompt = false;
    self->taken_size = 0;
    buffer_t ranges = {0};
    uint64_t below = ranges_trim(&ranges, intake_walk(self, now_ms, &ranges, due_ms));
    bool is_news = below != self->told || !span_equal(buffer_span(&ranges), buffer_span(&self->ranges));
    self->told = below;
    buffer_fini(&self->ranges);
    self->ranges = ranges;
    self->is_young = *due_ms != 0;
    return is_news;
}

void intake_tell_again(intake_t *self)
{
    self->told = 0;
    buffer_clear(&self->ranges);
    intake_change(self);
}

bool intake_is_settled(const intake_t *self)
{
    return self->open == self->kept && !self->changed && !self->is_young;
}
