/* SPDX-License-Identifier: MPL-2.0 */
/* party_groups: a party is a member from the moment on at which its client can read that it is. Owner: the node's
 * thread. */
#include "link/party_internal.h"

#include "wire/error.h"

static membership_t *party_membership(const party_t *self, span_t group)
{
    const list_node_t *head = self->ties ? &self->ties->groups.head : NULL;
    for (list_node_t *node = head ? head->next : NULL; node != head; node = node->next) {
        membership_t *membership = list_member(node, membership_t, in_member);
        if (span_equal(membership_group(membership), group))
            return membership;
    }
    return NULL;
}

/* Gives the answers that are due. */
static void membership_answer(membership_t *self)
{
    party_t *party = self->arg;
    for (; self->asked; self->asked--)
        party->exchange->callbacks->on_answer(party, PARTY_JOIN, membership_group(self));
}

static void on_joined(void *owner, membership_t *membership)
{
    (void)owner;
    membership_answer(membership);
}

static int on_share(void *owner, membership_t *membership, const body_copy_t *copy, share_t *share, span_t *name)
{
    const exchange_t *exchange = owner;
    party_t *party = membership->arg;
    *name = party->name;
    return exchange->callbacks->on_share(party, copy, share);
}

const groups_owner_t party_groups_owner = {.on_joined = on_joined, .on_share = on_share};

int party_join(party_t *self, span_t group)
{
    exchange_t *exchange = self->exchange;
    membership_t *membership = party_membership(self, group);
    unsigned count = self->ties ? self->ties->group_count : 0;
    if (!membership && count >= exchange->options.groups)
        return -FERRY_ERROR_TOO_MANY_GROUPS;
    if (!membership) {
        membership = groups_join(&exchange->groups, group, self->session, self, self->is_paused);
        party_ties_t *ties = party_tie(self);
        list_append(&ties->groups, &membership->in_member);
        ties->group_count++;
    }
    membership->asked++;
    if (membership->joined)
        membership_answer(membership);
    return 1;
}

static void party_end_membership(party_t *self, membership_t *membership)
{
    groups_leave(&membership);
    self->ties->group_count--;
}

void party_leave(party_t *self, span_t group)
{
    membership_t *membership = party_membership(self, group);
    if (membership)
        membership_answer(membership);
    self->exchange->callbacks->on_answer(self, PARTY_LEAVE, group);
    if (membership)
        party_end_membership(self, membership);
    party_untie(self);
}

void party_pause_groups(party_t *self)
{
    const list_node_t *head = self->ties ? &self->ties->groups.head : NULL;
    for (list_node_t *node = head ? head->next : NULL; node != head; node = node->next)
        groups_pause(list_member(node, membership_t, in_member), self->is_paused);
}

void party_leave_all(party_t *self)
{
    for (list_node_t *node; self->ties && (node = list_first(&self->ties->groups));)
        party_end_membership(self, list_member(node, membership_t, in_member));
}
