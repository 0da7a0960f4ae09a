/* SPDX-License-Identifier: MPL-2.0 */
/* session_groups: what is sent to a group while the session is a member is written to its client; a client is a member
 * from the moment on at which it can read `ok join`. Owner: the worker's thread. */
#include "gateway/session_groups.h"
#include "gateway/session_copies.h"

#include "gateway/worker.h"
#include "wire/reason.h"

static membership_t *session_membership(session_t *session, span_t group)
{
    list_t *groups = &session->groups;
    for (list_node_t *node = groups->head.next; node != &groups->head; node = node->next) {
        membership_t *membership = list_member(node, membership_t, in_member);
        if (span_equal(membership_group(membership), group))
            return membership;
    }
    return NULL;
}

/* Writes the answers that are due. */
static void session_tell_joined(session_t *session, membership_t *membership)
{
    for (; membership->asked; membership->asked--)
        writer_line(&session->writer, (span_t[]){span_str("ok join "), membership_group(membership)}, 2);
    worker_dirty(session);
}

static void on_joined(void *owner, membership_t *membership)
{
    (void)owner;
    session_tell_joined(membership->arg, membership);
}

static int on_share(void *owner, membership_t *membership, const body_copy_t *copy, share_t *share, span_t *name)
{
    (void)owner;
    session_t *session = membership->arg;
    *name = session_name(session);
    if (copy->flags & BODY_FLAG_OPAQUE)
        return FERRY_REASON_NOT_A_LINE;
    if (writer_must_look(&session->writer))
        session_look(session);
    writer_share(&session->writer, copy, share);
    worker_dirty(session);
    return 0;
}

const groups_owner_t session_groups_owner = {.on_joined = on_joined, .on_share = on_share};

int session_join(session_t *session, span_t group)
{
    membership_t *membership = session_membership(session, group);
    if (!membership && session->group_count >= session->worker->limits.groups)
        return -FERRY_ERROR_TOO_MANY_GROUPS;
    if (!membership) {
        membership = groups_join(&session->worker->groups, group, session->id, session, session->writer.paused);
        list_append(&session->groups, &membership->in_member);
        session->group_count++;
    }
    membership->asked++;
    if (membership->joined)
        session_tell_joined(session, membership);
    return 1;
}

static void membership_end(session_t *session, membership_t *membership)
{
    groups_leave(&membership);
    session->group_count--;
}

void session_leave_group(session_t *session, span_t group)
{
    membership_t *membership = session_membership(session, group);
    if (membership)
        session_tell_joined(session, membership);
    writer_line(&session->writer, (span_t[]){span_str("ok leave "), group}, 2);
    worker_dirty(session);
    if (membership)
        membership_end(session, membership);
}

void session_groups_pause(session_t *session)
{
    list_t *groups = &session->groups;
    for (list_node_t *node = groups->head.next; node != &groups->head; node = node->next)
        groups_pause(list_member(node, membership_t, in_member), session->writer.paused);
}

void session_groups_end(session_t *session)
{
    for (list_node_t *node; (node = list_first(&session->groups));)
        membership_end(session, list_member(node, membership_t, in_member));
}
