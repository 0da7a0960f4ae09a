/* SPDX-License-Identifier: MPL-2.0 */
/* reported: how copies of one origin have ended that this node took and did not deliver, from the origin's floor on. A
 * copy of these that is sent again is reported again, since the first notice may have ended at a broker
 * (proto/link.md, section 9). Embedded in an origin, and the link's thread's. Nothing fails but by abort. */
#ifndef FERRY_LINK_REPORTED_H
#define FERRY_LINK_REPORTED_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/body.h"

typedef struct {
    uint64_t recipient;   /* the session that the copy was for, be it a group's */
    body_report_t report; /* its name is malloc'd */
} reported_item_t;

/* All zero is a valid empty one. */
typedef struct {
    reported_item_t *items; /* by the number of the message, then by recipient */
    size_t count, capacity;
} reported_t;

void reported_fini(reported_t *self);

/* Notes what was reported of a copy, once for each name. */
void reported_add(reported_t *self, uint64_t recipient, const body_report_t *report);

/* The place of the first item of that copy, and whether the item at a place is of it: of a group there is one for each
 * member. */
size_t reported_find(const reported_t *self, uint64_t number, uint64_t recipient);
bool reported_is(const reported_t *self, size_t at, uint64_t number, uint64_t recipient);

/* Forgets what lies below the origin's floor. */
void reported_cut(reported_t *self, uint64_t floor);

#endif
