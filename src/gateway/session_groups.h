/* SPDX-License-Identifier: MPL-2.0 */
/* session_groups: the groups that a session is in (proto/line.md, section 6). Few, so a list. Its worker's thread's;
 * nothing fails but by abort. */
#ifndef FERRY_GATEWAY_SESSION_GROUPS_H
#define FERRY_GATEWAY_SESSION_GROUPS_H

#include "gateway/session.h"

/* What the groups of a worker call; the owner is the worker. */
extern const groups_owner_t session_groups_owner;

/* /join: `ok join GROUP` is written once the session is a member, each time. Returns 1, or
 * -FERRY_ERROR_TOO_MANY_GROUPS above gateway/max_groups. */
int session_join(session_t *session, span_t group);

/* /leave: writes `ok leave GROUP`, whether the session was a member or not. */
void session_leave_group(session_t *session, span_t group);

/* The session takes no more at the moment, or does again (writer.paused): its groups wait for it. */
void session_groups_pause(session_t *session);

/* The session is at its end. */
void session_groups_end(session_t *session);

#endif
