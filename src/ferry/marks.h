/* SPDX-License-Identifier: MPL-2.0 */
/* marks: the pings among the lines that a caller says, whose answers tell how far the gateway has come. Embedded in a
 * client; its thread. */
#ifndef FERRY_FERRY_MARKS_H
#define FERRY_FERRY_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeros are no marks. Marks are numbered from 0. */
typedef struct {
    uint64_t *said;         /* what the caller had said before each mark that is not answered, in order */
    size_t count;           /* of these */
    size_t capacity;        /* for these */
    uint64_t answered;      /* marks that were */
    uint64_t answered_said; /* lines of the caller before the last of them */
} marks_t;

void marks_fini(marks_t *self);

/* Sets a mark behind `said` lines of the caller's, which must not be fewer than before the last one. Returns its
 * number. */
uint64_t marks_add(marks_t *self, uint64_t said);

/* Mark `number` was answered. False unless it is the next one: answers come in order. */
bool marks_answer(marks_t *self, uint64_t number);

/* How many of the first `lines` lines, marks included, are the caller's. */
uint64_t marks_said_among(const marks_t *self, uint64_t lines);

#endif
