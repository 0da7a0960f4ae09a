/* SPDX-License-Identifier: MPL-2.0 */
/* endings: which copies of messages that are not taken yet have ended, as far as this node was told, so that a notice
 * that comes twice counts once, and what is sent again leaves these copies out. Embedded in custody, and the link's
 * thread's. */
#ifndef FERRY_LINK_ENDINGS_H
#define FERRY_LINK_ENDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    ENDING_HERE,   /* refused: counted in this node's ledger */
    ENDING_NODE,   /* reported by a node that had taken it over, whose ledger has counted it */
    ENDING_BROKER, /* lost with its node: in the ledger of the broker, as long as that lives */
} ending_place_t;

#define ENDING_MEMBER (UINT64_C(1) << 63) /* in `recipient` of a member of a group, with a hash of its name */
#define ENDING_NOBODY UINT64_MAX          /* no recipient */

typedef struct {
    uint64_t number;    /* of the message */
    uint64_t recipient; /* position in the record, or of ENDING_MEMBER */
    ending_place_t place;
} ending_t;

typedef struct {
    ending_t *items; /* sorted by number, then by recipient */
    size_t count, capacity;
    size_t tidy_count; /* it is time to forget taken messages when there are more than these */
} endings_t;

void endings_fini(endings_t *self);

/* The ending of that copy, or NULL. Borrowed until the next change. */
const ending_t *endings_find(const endings_t *self, uint64_t number, uint64_t recipient);

/* Notes an ending; false if that copy's was noted before. */
bool endings_add(endings_t *self, const ending_t *ending);

/* Whether some copy of that message has ended. */
bool endings_concern(const endings_t *self, uint64_t number);

/* Now and then, by itself, forgets the messages that `is_taken`: call it when some were. */
void endings_tidy(endings_t *self, bool (*is_taken)(const void *arg, uint64_t number), const void *arg);

/* Messages are to be sent again without the copies that have ended, so that the others change their positions: forgets
 * all but members of groups, of which the nodes that get the message again tell again. */
void endings_forget_positions(endings_t *self);

#endif
