/* SPDX-License-Identifier: MPL-2.0 */
/* groups: a copy becomes a share with a place in its group's queue, and each member has a part in it. A share whose
 * parts were all written in the turn in which it came is never told of; of others HOLD and END are said in the order of
 * the queue, so that one that a slow member still has holds up the word on those behind it, and nothing else. A group
 * that is lost with its last member takes what still comes for it, and returns it. Groups, members and shares are one
 * account, which is why this has more than 500 lines. Owner: the node's thread. */
#include "link/groups.h"

#include <stdlib.h>

#include "base/log.h"
#include "wire/error.h"
#include "wire/reason.h"

typedef enum { GROUP_ASKED, GROUP_OPEN, GROUP_LEAVING } group_state_t;

struct group {
    table_item_t item;  /* by name, in groups_t.names unless it is LEAVING */
    list_node_t in_all; /* in groups_t.all, or in no list once it is gone */
    list_node_t dirty;
    groups_t *groups; /* borrowed */
    uint64_t id;      /* of the group's session at this node */
    uplink_t *uplink; /* to its broker; borrowed */
    group_state_t state;
    link_claim_t claim; /* of the last confirmation */
    bool asked;         /* its broker may know it: REGISTER was said, and no LEFT has come */
    list_t members;
    uint32_t member_count, paused_count;
    uint64_t only;   /* as the broker was told on this link: the session of the only member, or 0 */
    list_t stated;   /* shares that were told of as held, oldest first */
    list_t fresh;    /* shares behind them that were not yet */
    uint32_t shares; /* that are not released */
    char name[];
};

struct share {
    list_node_t in_group; /* in `stated` or `fresh`, until its end is told */
    group_t *group;       /* borrowed; it is kept for its shares */
    origin_t *origin;     /* a reference */
    uint64_t number;      /* of the message */
    uint64_t session;     /* of its sender */
    uint32_t open;        /* parts that have not ended */
    uint32_t references;  /* parts that are not released, and one while it is in a list */
    bool is_disowned;     /* its sender was told that it is unconfirmed */
};

void groups_init(groups_t *self, slots_t *slots, uplinks_t *uplinks, ledger_t *ledger, const link_id_t *node,
    const groups_owner_t *callbacks, void *owner)
{
    *self = (groups_t){.slots = slots,
        .uplinks = uplinks,
        .ledger = ledger,
        .node = *node,
        .callbacks = callbacks,
        .owner = owner,
        .names = table_new()};
    list_init(&self->all);
    list_init(&self->dirty);
}

static link_t *group_link(const group_t *self)
{
    return self->uplink->link;
}

span_t membership_group(const membership_t *self)
{
    return self->group->item.key;
}

span_t share_group(const share_t *self)
{
    return self->group->item.key;
}

static void group_touch(group_t *self)
{
    if (!list_has(&self->dirty))
        list_append(&self->groups->dirty, &self->dirty);
}

static void group_free_unused(group_t *self)
{
    if (!list_has(&self->in_all) && self->shares == 0)
        free(self);
}

share_t *share_take(share_t *self)
{
    self->open++;
    self->references++;
    return self;
}

void share_end(share_t *self)
{
    if (--self->open == 0 && list_has(&self->in_group))
        group_touch(self->group);
}

void share_release(share_t *self)
{
    if (--self->references > 0)
        return;
    group_t *group = self->group;
    origins_release(link_origins(group_link(group)), self->origin);
    group->shares--;
    free(self);
    group_free_unused(group);
}

/* Its end is told, or need not be. */
static void share_forget(share_t *self)
{
    list_remove(&self->in_group);
    share_release(self);
}

static void group_report(const group_t *self, const share_t *share, span_t name, int error, int reason, bool settled)
{
    link_report(group_link(self), self->id,
        &(body_report_t){.error = (uint16_t)error,
            .reason = (uint16_t)reason,
            .settled = settled,
            .origin = share->origin->node,
            .session = share->session,
            .number = share->number,
            .name = name});
}

void share_report(const share_t *self, span_t member, int error, int reason, bool settled)
{
    if (!self->is_disowned)
        group_report(self->group, self, member, error, reason, settled);
}

static group_t *group_new(groups_t *groups, span_t name)
{
    group_t *self = calloc(1, sizeof *self + name.size);
    if (!self)
        abort();
    memcpy(self->name, name.data, name.size);
    self->item.key = span_of(self->name, name.size);
    self->groups = groups;
    self->uplink = uplinks_of_name(groups->uplinks, name);
    self->id = slots_add(groups->slots, self, LINK_SESSION_GROUP);
    list_init(&self->members);
    list_init(&self->stated);
    list_init(&self->fresh);
    table_put(groups->names, &self->item);
    list_append(&groups->all, &self->in_all);
    return self;
}

static void shares_forget(list_t *shares, bool disown)
{
    for (list_node_t *node; (node = list_first(shares));) {
        share_t *share = list_member(node, share_t, in_group);
        share->is_disowned = share->is_disowned || disown;
        share_forget(share);
    }
}

/* The broker does not know it any more. */
static void group_end(group_t *self)
{
    slots_remove(self->groups->slots, self->id);
    list_remove(&self->dirty);
    list_remove(&self->in_all);
    self->shares++; /* so that its last share does not free it meanwhile */
    shares_forget(&self->stated, false);
    shares_forget(&self->fresh, false);
    self->shares--;
    group_free_unused(self);
}

/* A group without members that its broker does not know any more ends with its last share. */
static void group_end_unused(group_t *self)
{
    if (self->state == GROUP_LEAVING && !self->asked && list_is_empty(&self->stated) && list_is_empty(&self->fresh))
        group_end(self);
}

void groups_fini(groups_t *self)
{
    for (list_node_t *node; (node = list_first(&self->all));) {
        group_t *group = list_member(node, group_t, in_all);
        if (group->state != GROUP_LEAVING)
            table_take(self->names, &group->item);
        group_end(group);
    }
    table_destroy(&self->names, NULL);
}

/* The session of the only member, or 0. */
static uint64_t group_only(const group_t *self)
{
    return self->member_count == 1 ? list_member(self->members.head.next, membership_t, in_group)->session : 0;
}

/* Tells the broker whether there is but one member, whose own messages need not come back then. */
static void group_tell_only(group_t *self)
{
    uint64_t only = group_only(self);
    if (self->state == GROUP_LEAVING || only == self->only || link_state(group_link(self)) != LINK_UP)
        return;
    link_only(group_link(self), self->id, only);
    self->only = only;
}

/* Asks for the group on a link that is up, if it is. */
static void group_register(group_t *self)
{
    if (link_state(group_link(self)) != LINK_UP)
        return;
    link_register(group_link(self), self->id, self->item.key, self->claim, self->paused_count > 0);
    self->asked = true;
    self->only = 0;
    group_tell_only(self);
}

static void membership_confirm(membership_t *self)
{
    if (self->joined)
        return;
    self->joined = true;
    self->group->groups->callbacks->on_joined(self->group->groups->owner, self);
}

membership_t *groups_join(groups_t *self, span_t name, uint64_t session, void *arg, bool paused)
{
    group_t *group = (group_t *)table_get(self->names, name);
    bool is_new = !group;
    if (is_new)
        group = group_new(self, name);
    membership_t *membership = calloc(1, sizeof *membership);
    if (!membership)
        abort();
    membership->group = group;
    membership->session = session;
    membership->arg = arg;
    list_append(&group->members, &membership->in_group);
    group->member_count++;
    if (is_new)
        group_register(group);
    groups_pause(membership, paused);
    group_tell_only(group);
    if (group->state == GROUP_OPEN)
        membership_confirm(membership);
    return membership;
}

static void group_leave(group_t *self)
{
    table_take(self->groups->names, &self->item);
    self->state = GROUP_LEAVING;
    if (link_state(group_link(self)) == LINK_UP)
        link_leaving(group_link(self), self->id);
    else
        group_end_unused(self);
}

void groups_leave(membership_t **membership_p)
{
    membership_t *membership = *membership_p;
    group_t *group = membership->group;
    groups_pause(membership, false);
    list_remove(&membership->in_group);
    list_remove(&membership->in_member);
    free(membership);
    *membership_p = NULL;
    group->member_count--;
    if (group->member_count == 0)
        group_leave(group);
    else
        group_tell_only(group);
}

void groups_pause(membership_t *membership, bool paused)
{
    group_t *group = membership->group;
    if (membership->paused == paused)
        return;
    membership->paused = paused;
    bool was_paused = group->paused_count > 0;
    group->paused_count += paused ? 1 : -1u;
    if (was_paused != (group->paused_count > 0) && group->state == GROUP_OPEN)
        link_pause(group_link(group), group->item.key, paused);
}

/* On a new link: states the shares anew that some member still has. */
static void shares_restate(list_t *shares, group_t *group)
{
    for (list_node_t *node = shares->head.next, *next; node != &shares->head; node = next) {
        share_t *share = list_member(node, share_t, in_group);
        next = node->next;
        if (share->open == 0)
            share_forget(share);
        else
            link_hold(group_link(group), group->id, share->origin, share->number, true);
    }
}

static void group_restate(group_t *self, bool given_up)
{
    if (self->state != GROUP_LEAVING)
        group_register(self);
    else if (self->asked)
        link_leaving(group_link(self), self->id);
    if (given_up) {
        shares_forget(&self->stated, true);
        shares_forget(&self->fresh, true);
    }
    shares_restate(&self->stated, self);
    shares_restate(&self->fresh, self);
    for (list_node_t *node; (node = list_first(&self->fresh));) {
        list_remove(node);
        list_append(&self->stated, node);
    }
}

void groups_up(groups_t *self, link_t *link, bool given_up)
{
    for (list_node_t *node = self->all.head.next, *next; node != &self->all.head; node = next) {
        group_t *group = list_member(node, group_t, in_all);
        next = node->next;
        if (group_link(group) != link)
            continue;
        group_restate(group, given_up);
        group_end_unused(group);
    }
}

void groups_unlink(groups_t *self, const link_t *link)
{
    for (list_node_t *node = self->all.head.next, *next; node != &self->all.head; node = next) {
        group_t *group = list_member(node, group_t, in_all);
        next = node->next;
        if (group_link(group) != link)
            continue;
        group->asked = false;
        if (group->state == GROUP_LEAVING && link_state(link) == LINK_CLOSED)
            group_end(group);
        else
            group_end_unused(group);
    }
}

/* N.B. the first copy may come in the body of the message that confirms the group, which is read first. */
static void group_open(group_t *self)
{
    if (self->state != GROUP_ASKED)
        return;
    self->state = GROUP_OPEN;
    for (list_node_t *node = self->members.head.next; node != &self->members.head; node = node->next)
        membership_confirm(list_member(node, membership_t, in_group));
}

void groups_confirmed(groups_t *self, uint64_t id, link_claim_t claim)
{
    group_t *group = slots_get(self->slots, id);
    if (!group)
        return;
    group->claim = claim;
    if (group->paused_count && group->state != GROUP_LEAVING)
        link_pause(group_link(group), group->item.key, true);
    group_open(group);
}

void groups_left(groups_t *self, uint64_t id)
{
    group_t *group = slots_get(self->slots, id);
    if (!group || group->state != GROUP_LEAVING)
        return;
    group->asked = false;
    group_end_unused(group);
}

static void share_return(const share_t *self, span_t name, int reason)
{
    ledger_t *ledger = self->group->groups->ledger;
    ledger->returned[reason]++;
    share_report(self, name, FERRY_ERROR_UNDELIVERED, reason, false);
}

static share_t *share_new(group_t *group, const body_copy_t *copy, origin_t *origin)
{
    share_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->group = group;
    self->origin = origin_take(origin);
    self->number = copy->number;
    self->session = copy->session;
    self->references = 1;
    group->shares++;
    list_append(&group->fresh, &self->in_group);
    return self;
}

/* Gives a member its part. */
static void share_give(share_t *self, membership_t *member, const body_copy_t *copy)
{
    const groups_t *groups = self->group->groups;
    span_t name;
    groups->ledger->made++;
    int reason = groups->callbacks->on_share(groups->owner, member, copy, self, &name);
    if (reason)
        share_return(self, name, reason);
}

/* Gives a part to each member but the sender. Returns how many there are. */
static unsigned share_give_all(share_t *self, const body_copy_t *copy)
{
    const group_t *group = self->group;
    bool is_ours = link_id_equal(&self->origin->node, &group->groups->node);
    unsigned count = 0;
    for (list_node_t *node = group->members.head.next, *next; node != &group->members.head; node = next) {
        membership_t *member = list_member(node, membership_t, in_group);
        next = node->next;
        if (is_ours && member->session == copy->session)
            continue;
        share_give(self, member, copy);
        count++;
    }
    return count;
}

/* A group that is not here: no broker sends that, since a group is kept until its LEFT. */
static void groups_orphan(const groups_t *self, uint64_t id, const body_copy_t *copy)
{
    log_warning("group-copy-for-nobody", log_uint("group", id), log_uint("number", copy->number));
    self->ledger->made++;
    self->ledger->returned[FERRY_REASON_GONE]++;
}

/* Nobody gets what was sent to the group. */
static void share_refuse(share_t *self, int reason)
{
    self->group->groups->ledger->made++;
    share_return(self, self->group->item.key, reason);
}

void groups_copy(groups_t *self, link_t *link, uint64_t id, const body_copy_t *copy, origin_t *origin)
{
    group_t *group = slots_get(self->slots, id);
    if (!group || group_link(group) != link) {
        groups_orphan(self, id, copy);
        return;
    }
    group_open(group);
    share_t *share = share_new(group, copy, origin);
    if (share_give_all(share, copy) == 0)
        share_refuse(share, FERRY_REASON_GONE);
    group_touch(group);
}

void groups_late(groups_t *self, link_t *link, uint64_t id, const body_copy_t *copy, origin_t *origin)
{
    group_t *group = slots_get(self->slots, id);
    if (!group || group_link(group) != link) {
        groups_orphan(self, id, copy);
        return;
    }
    share_t *share = share_new(group, copy, origin);
    share_refuse(share, FERRY_REASON_LATE);
    share_forget(share);
}

/* Lets the oldest shares go that have ended, and tells the broker of those of which it knew. */
static void group_tell_ended(group_t *self)
{
    uint32_t count = 0;
    for (list_node_t *node; link_can_end(group_link(self)) && (node = list_first(&self->stated)); count++) {
        share_t *share = list_member(node, share_t, in_group);
        if (share->open > 0)
            break;
        share_forget(share);
    }
    if (count)
        link_end(group_link(self), self->id, count);
}

/* Tells of the shares that some member still has after the write pass. */
static void group_tell_held(group_t *self)
{
    link_state_t state = link_state(group_link(self));
    bool is_open = state >= LINK_UP && state < LINK_PARTING;
    for (list_node_t *node = self->fresh.head.next, *next; node != &self->fresh.head; node = next) {
        share_t *share = list_member(node, share_t, in_group);
        next = node->next;
        if (share->open == 0) {
            share_forget(share);
        } else if (is_open) {
            link_hold(group_link(self), self->id, share->origin, share->number, false);
            list_remove(node);
            list_append(&self->stated, node);
        }
    }
}

void groups_tell(groups_t *self)
{
    list_t dirty;
    list_take(&dirty, &self->dirty);
    for (list_node_t *node; (node = list_first(&dirty));) {
        group_t *group = list_member(node, group_t, dirty);
        list_remove(node);
        group->shares++; /* N.B. its last share does not free it here */
        group_tell_ended(group);
        group_tell_held(group);
        group_end_unused(group);
        group->shares--;
        group_free_unused(group);
    }
}
