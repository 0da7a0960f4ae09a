/* SPDX-License-Identifier: MPL-2.0 */
/* window: a ring of bits that grows with the distance between the first missing number and the last that has come. */
#include "ferry/bench/window.h"

#include <czmq.h>

#define SPAN_MAX (UINT64_C(1) << 28) /* numbers; more cannot be under way */

static uint64_t *word_at(const window_t *self, uint64_t number)
{
    return &self->bits[number / 64 & (self->word_count - 1)];
}

static bool has_come(const window_t *self, uint64_t number)
{
    return *word_at(self, number) >> number % 64 & 1;
}

/* Makes room for `number`. The ring is a power of two of words, with one to spare, so that its ends never share one. */
static void grow(window_t *self, uint64_t number)
{
    uint64_t needed = (number - self->base) / 64 + 2;
    if (needed <= self->word_count)
        return;
    window_t larger = *self;
    larger.word_count = self->word_count ? self->word_count : 1;
    while (larger.word_count < needed)
        larger.word_count *= 2;
    larger.bits = zmalloc(larger.word_count * sizeof *larger.bits);
    for (uint64_t at = self->base / 64; self->bits && at <= self->top / 64; at++)
        *word_at(&larger, at * 64) = *word_at(self, at * 64);
    free(self->bits);
    *self = larger;
}

/* Passes over what has come, or never comes, and gives its bits back. */
static void advance(window_t *self, window_foreign_fn *foreign, const void *arg)
{
    while (self->base < self->top) {
        if (has_come(self, self->base))
            *word_at(self, self->base) &= ~(UINT64_C(1) << self->base % 64);
        else if (!foreign || !foreign(arg, self->base))
            break;
        self->base++;
    }
}

static bool is_overtaken(const window_t *self, uint64_t number, uint64_t stride)
{
    for (uint64_t later = number + stride; later < self->top; later += stride)
        if (has_come(self, later))
            return true;
    return false;
}

window_verdict_t window_take_slowly(
    window_t *self, uint64_t number, uint64_t stride, window_foreign_fn *foreign, const void *arg)
{
    if (number < self->base)
        return WINDOW_DOUBLED;
    if (number - self->base >= SPAN_MAX)
        return WINDOW_ABSURD;
    grow(self, number);
    if (has_come(self, number))
        return WINDOW_DOUBLED;
    window_verdict_t verdict = is_overtaken(self, number, stride) ? WINDOW_LATE : WINDOW_NEW;
    *word_at(self, number) |= UINT64_C(1) << number % 64;
    if (number >= self->top)
        self->top = number + 1;
    if (number == self->base || foreign)
        advance(self, foreign, arg);
    return verdict;
}

void window_fini(window_t *self)
{
    free(self->bits);
    *self = (window_t){0};
}
