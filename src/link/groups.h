/* SPDX-License-Identifier: MPL-2.0 */
/* groups: the groups that have members at a node. The node registers a group once, gets one copy of what is sent to it,
 * and makes one for each member (proto/link.md, section 3). Embedded in a node; its thread's.
 *
 *     group:  ASKED ──CONFIRMED──▶ OPEN ──the last member leaves──▶ LEAVING ──LEFT──▶ gone
 *               └────────────────the last member leaves────────────────▲
 *
 * A *share* is what the members have of one copy: the broker is told that it is held until the last of them has it. */
#ifndef FERRY_LINK_GROUPS_H
#define FERRY_LINK_GROUPS_H

#include "base/list.h"
#include "base/table.h"
#include "link/slots.h"
#include "link/uplinks.h"

typedef struct group group_t;
typedef struct share share_t;

/* A session of this node in a group. */
typedef struct {
    group_t *group;        /* borrowed */
    uint64_t session;      /* the node's number of it */
    void *arg;             /* the owner's, as is the next */
    uint32_t asked;        /* answers that are due to the member */
    bool joined;           /* the owner was told that it is a member */
    bool paused;           /* it takes no more at the moment */
    list_node_t in_group;  /* of the group's members */
    list_node_t in_member; /* for the owner */
} membership_t;

/* What groups tell their owner, from within the loop. */
typedef struct {
    /* What is sent to the group from now on reaches that member. */
    void (*on_joined)(void *owner, membership_t *membership);
    /* A copy for a member, counted as made. Returns 0 if it takes it, with a share_take; else the FERRY_REASON_… for
     * which its sender is told that it is returned. `name` is the member's then, borrowed. */
    int (*on_share)(void *owner, membership_t *membership, const body_copy_t *copy, share_t *share, span_t *name);
} groups_owner_t;

typedef struct {
    slots_t *slots; /* borrowed, as are the others */
    uplinks_t *uplinks;
    ledger_t *ledger; /* gets made, and returned */
    link_id_t node;
    const groups_owner_t *callbacks;
    void *owner;
    table_t *names; /* group_t: those with members */
    list_t all;     /* of these, and those that are leaving */
    list_t dirty;   /* those with something to tell */
} groups_t;

void groups_init(groups_t *self, slots_t *slots, uplinks_t *uplinks, ledger_t *ledger, const link_id_t *node,
    const groups_owner_t *callbacks, void *owner);

/* Every membership must have ended, and every share been released. */
void groups_fini(groups_t *self);

/* A session becomes a member of a group, `#` and a name; on_joined tells when it is one, perhaps at once. It must not
 * be one. The owner ends it with groups_leave. */
membership_t *groups_join(groups_t *self, span_t name, uint64_t session, void *arg, bool paused);
void groups_leave(membership_t **membership_p);

/* A member takes no more at the moment, so that whoever sends to the group must wait; or it does again. */
void groups_pause(membership_t *membership, bool paused);

/* The name of the group that a membership, or a share, is of. */
span_t membership_group(const membership_t *self);
span_t share_group(const share_t *self);

/* What the links say (link_owner_t), of sessions for which link_session_is_group. */
void groups_up(groups_t *self, link_t *link, bool given_up);
void groups_unlink(groups_t *self, const link_t *link);
void groups_confirmed(groups_t *self, uint64_t id, link_claim_t claim);
void groups_left(groups_t *self, uint64_t id);
void groups_copy(groups_t *self, link_t *link, uint64_t id, const body_copy_t *copy, origin_t *origin);
void groups_late(groups_t *self, link_t *link, uint64_t id, const body_copy_t *copy, origin_t *origin);

/* The end of a turn, after the write pass and before link_flush: tells of copies that are held, and of those that are
 * not any more. */
void groups_tell(groups_t *self);

/* A member has queued the copy. It ends, as far as the origin is told, when it was written, or with a receipt when the
 * client's kernel has it; and is released when nothing will be reported of it any more. */
share_t *share_take(share_t *self);
void share_end(share_t *self);
void share_release(share_t *self);

/* Tells the origin how a member's copy has ended otherwise than by delivery; `settled`: after share_end. */
void share_report(const share_t *self, span_t member, int error, int reason, bool settled);

#endif
