/* SPDX-License-Identifier: MPL-2.0 */
/* unsettled: messages that are taken, but not settled, because nodes hold copies of them for slow clients, or because
 * a broker that the node has just come to has not said yet which are held. Embedded in custody, and the link's
 * thread's.
 */
#ifndef FERRY_LINK_UNSETTLED_H
#define FERRY_LINK_UNSETTLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t number, session; /* of the message and its sender */
    uint32_t held;            /* copies */
    uint32_t stated;          /* copies, as far as the broker has stated them anew */
    bool settled;             /* it waits for the list to be tidied */
} unsettled_message_t;

typedef struct {
    unsettled_message_t *items; /* sorted by number */
    size_t count, capacity;
    size_t settled; /* items that are */
} unsettled_t;

void unsettled_fini(unsettled_t *self);

/* Adds a message. */
void unsettled_add(unsettled_t *self, const unsettled_message_t *message);

/* The message with that number, NULL if it is not here. Borrowed until the next change. */
unsettled_message_t *unsettled_find(const unsettled_t *self, uint64_t number);

/* A message of unsettled_find is settled. */
void unsettled_settle(unsettled_t *self, unsettled_message_t *message);

/* Lets go of settled messages once they are the larger part. */
void unsettled_tidy(unsettled_t *self);

static inline bool unsettled_is_empty(const unsettled_t *self)
{
    return self->count == self->settled;
}

#endif
