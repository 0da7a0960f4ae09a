/* SPDX-License-Identifier: MPL-2.0 */
/* window: which numbers of one sequence have come, so that each is known to come once and in its order. What comes in
 * order costs a comparison; for the rest there is a bit for each number between the first that is missing and the last
 * that has come. A sequence may hold several flows: the numbers that are a multiple of the stride apart are one, and
 * only within a flow there is an order. One thread. */
#ifndef FERRY_FERRY_BENCH_WINDOW_H
#define FERRY_FERRY_BENCH_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

/* Zeros are a window that expects 0 first. */
typedef struct {
    uint64_t base;  /* the first number that is missing */
    uint64_t top;   /* one above the last that has come */
    uint64_t *bits; /* a ring: bit `number` modulo 64 * word_count tells whether it has come; its own */
    uint64_t word_count;
} window_t;

typedef enum {
    WINDOW_NEW,     /* it has come for the first time, in its order */
    WINDOW_LATE,    /* the same, but behind a later one of its flow */
    WINDOW_DOUBLED, /* it had come before */
    WINDOW_ABSURD,  /* it is so far ahead that no sender has got there */
} window_verdict_t;

/* Tells which numbers never come here, because another process gets them. */
typedef bool window_foreign_fn(const void *arg, uint64_t number);

window_verdict_t window_take_slowly(
    window_t *self, uint64_t number, uint64_t stride, window_foreign_fn *foreign, const void *arg);

/* Takes a number that has come. Without `foreign` all numbers are expected. */
static inline window_verdict_t window_take(
    window_t *self, uint64_t number, uint64_t stride, window_foreign_fn *foreign, const void *arg)
{
    if (number == self->base && number == self->top && !foreign) {
        self->base = self->top = number + 1;
        return WINDOW_NEW;
    }
    return window_take_slowly(self, number, stride, foreign, arg);
}

void window_fini(window_t *self);

#endif
