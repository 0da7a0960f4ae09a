/* SPDX-License-Identifier: MPL-2.0 */
/* backoff: how long to wait before the next attempt, so that many clients of one gateway do not all come back at once.
 */
#ifndef FERRY_FERRY_BACKOFF_H
#define FERRY_FERRY_BACKOFF_H

enum { BACKOFF_LEAST_MS = 50, BACKOFF_MOST_MS = 2000 };

/* Zeros are a fresh start. */
typedef struct {
    unsigned span_ms; /* the last delay was drawn from the upper half of this */
} backoff_t;

/* Milliseconds until the next attempt: a random part, one half at least, of a span that doubles from BACKOFF_LEAST_MS
 * to BACKOFF_MOST_MS. */
unsigned backoff_next(backoff_t *self);

#endif
