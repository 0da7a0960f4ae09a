/* SPDX-License-Identifier: MPL-2.0 */
/* loans: copies that are held by a node which lives and dies with its broker (proto/link.md, section 6): should that
 * end, nobody knows what became of them. Few, so a list. Embedded in custody, and the link's thread's. */
#ifndef FERRY_LINK_LOANS_H
#define FERRY_LINK_LOANS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

typedef struct {
    uint64_t number;   /* of the message */
    uint8_t name_size; /* of the recipient */
    char name[UINT8_MAX];
} loan_t;

typedef struct {
    loan_t *items; /* those in doubt first; else in the order in which they were lent */
    size_t count, capacity;
    size_t doubted; /* so many were known before the link that is up; some of them may have ended, some stand twice */
} loans_t;

void loans_fini(loans_t *self);

/* The copy of that message for that name is held there; or is not any more, of which nothing need be known. */
void loans_add(loans_t *self, uint64_t number, span_t name);
void loans_end(loans_t *self, uint64_t number, span_t name);

/* Another link is up: all are in doubt until they are added again, or ended; each is there once. */
void loans_doubt(loans_t *self);

/* What is in doubt has ended. */
void loans_settle(loans_t *self);

/* Forgets all. */
void loans_clear(loans_t *self);

static inline span_t loan_name(const loan_t *self)
{
    return span_of(self->name, self->name_size);
}

#endif
