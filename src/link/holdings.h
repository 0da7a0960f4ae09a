/* SPDX-License-Identifier: MPL-2.0 */
/* holdings [8]: the copies that a session has taken, in the order in which they came, until their origins were told how
 * they ended. What ends in the turn in which it comes is never told of; other copies are told of as held, and again
 * when they are not (proto/link.md, section 5). A member's part in a group's copy (link/groups.h) stands in the same
 * queue; its share is told of by the group. Embedded in what hands the copies on; its node's thread's.
 *
 *     first ──nothing to tell── told ──to be told as ended── stated ──not told as held── next
 */
#ifndef FERRY_LINK_HOLDINGS_H
#define FERRY_LINK_HOLDINGS_H

#include "link/groups.h"

typedef struct {
    union {
        origin_t *origin; /* a reference; who is told */
        share_t *share;   /* likewise, of one that is shared */
    };
    uint64_t number, session; /* of the message, and of its sender */
    bool is_shared;
} holding_t;

/* All zero is a valid empty one. */
typedef struct {
    holding_t *items; /* ring of `capacity`, a power of two */
    size_t capacity;
    uint64_t first, told, stated, next;    /* copies as drawn above; they count up for ever */
    uint64_t disowned_first, disowned_end; /* copies that were told to their senders as unconfirmed by the broker */
    uint64_t shares, shares_ended;         /* parts of groups' copies in the queue; those below it have ended */
} holdings_t;

/* Whose copies end otherwise than by delivery, and why. */
typedef struct {
    link_t *link;
    uint64_t session; /* that has taken them */
    span_t name;
    int reason;
} holdings_loss_t;

/* Frees; all must have been let go (holdings_forget). */
void holdings_fini(holdings_t *self);

/* A copy came; or a member's part in one. Returns its index. */
uint64_t holdings_add(holdings_t *self, const body_copy_t *copy, origin_t *origin);
uint64_t holdings_add_share(holdings_t *self, const body_copy_t *copy, share_t *share);

/* The group of the copy at that index, empty if it is none's. */
span_t holdings_group(const holdings_t *self, uint64_t index);

/* At the end of a turn: tells the link of copies that are held, and that those below `ended` are not any more; lets go
 * of those below `done`, of which nothing will be reported. */
void holdings_tell(holdings_t *self, link_t *link, uint64_t session, uint64_t ended, uint64_t done);

/* Lets go of copies below `done` without telling anything. */
void holdings_release(holdings_t *self, link_t *link, uint64_t done);

/* On a new link: states all copies anew from `ended` on. */
void holdings_restate(holdings_t *self, link_t *link, uint64_t session, uint64_t ended);

/* The broker has told the senders of all copies that it had not been told to have ended that they are unconfirmed. */
void holdings_disown(holdings_t *self);

/* Tells the sender of the copy at that index how it has ended otherwise than by delivery. */
void holdings_report(const holdings_t *self, uint64_t index, const holdings_loss_t *loss, int error);

/* Lets all go; nobody is told any more. */
void holdings_forget(holdings_t *self, link_t *link);

/* Whether some copy's end must still be told to its origin. */
static inline bool holdings_owe(const holdings_t *self)
{
    return self->told != self->next;
}

#endif
