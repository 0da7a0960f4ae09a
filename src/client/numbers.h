/* SPDX-License-Identifier: MPL-2.0 */
/* numbers: what is to be known by a number that only rises, until that is over, such as a program's jobs. Numbers come
 * in order and go in any. Embedded in its owner, whose thread's it is. */
#ifndef FERRY_CLIENT_NUMBERS_H
#define FERRY_CLIENT_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t number;
    uint64_t value; /* 0: it is over, and waits for the list to be tidied */
} number_t;

typedef struct {
    number_t *items; /* sorted by number */
    size_t count, capacity;
    size_t over; /* items that are */
} numbers_t;

void numbers_fini(numbers_t *self);

/* Adds a number above all others, with a value that is not 0. */
void numbers_add(numbers_t *self, uint64_t number, uint64_t value);

/* The item with that number, NULL if it is not here or over. Borrowed until the next change. */
number_t *numbers_find(const numbers_t *self, uint64_t number);

/* An item of numbers_find is over. */
void numbers_end(numbers_t *self, number_t *item);

#endif
