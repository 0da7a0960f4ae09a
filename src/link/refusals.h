/* SPDX-License-Identifier: MPL-2.0 */
/* refusals: which copies of messages that are not taken yet were refused, so that a notice that comes twice counts
 * once, and the loss of a message does not name a refused copy again. Embedded in custody, and the link's thread's. */
#ifndef FERRY_LINK_REFUSALS_H
#define FERRY_LINK_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t number;    /* of the message */
    uint32_t recipient; /* position in the record */
} refusal_t;

typedef struct {
    refusal_t *items; /* sorted by number, then by recipient */
    size_t count, capacity;
    size_t tidy_count; /* it is time to forget taken messages when there are more than these */
} refusals_t;

void refusals_fini(refusals_t *self);

bool refusals_has(const refusals_t *self, uint64_t number, uint32_t recipient);

/* Notes a refusal; false if it was noted before. */
bool refusals_add(refusals_t *self, uint64_t number, uint32_t recipient);

/* Now and then, by itself, forgets the messages that `is_taken`: call it when some were. */
void refusals_tidy(refusals_t *self, bool (*is_taken)(const void *arg, uint64_t number), const void *arg);

#endif
