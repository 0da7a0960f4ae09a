/* SPDX-License-Identifier: MPL-2.0 */
/* session_acks: a client that says what it has done with (proto/line.md, section 6). When its connection is lost, its
 * session keeps its name and what it has not acknowledged, until somebody logs in under that name, at whatever gateway:
 * then it forwards that to the name, each copy as a message from its sender, and tells the broker when it has. A
 * forward is to its original what a service's job is: the original ends as the forward does. Its worker's thread's;
 * nothing fails but by abort. */
#ifndef FERRY_GATEWAY_SESSION_ACKS_H
#define FERRY_GATEWAY_SESSION_ACKS_H

#include "gateway/session.h"

/* /ack: `on`, which is answered, or a number. Returns 1, or -FERRY_ERROR_BAD_LINE if the client was not written that.
 */
int session_ack(session_t *session, uint64_t number);

/* The session goes on where that of its name was lost. */
void session_resume_acks(session_t *session);

/* A copy that the session before has had: counted as taken over. */
void session_take_forward(session_t *session, const body_copy_t *copy, origin_t *origin);

/* Somebody has the name now: forwards what was not acknowledged, as far as the link has room. Called again when it has,
 * and on a new link. */
void session_forward(session_t *session);

/* How a forward has ended: true if the notice was about one; and that `count` messages from `number` on are settled. */
bool session_forward_failed(session_t *session, const body_notice_t *notice);
void session_forwards_settled(session_t *session, uint64_t number, uint32_t count);

/* Whether forwards are still to be made, or to end. */
bool session_forwards(const session_t *session);

/* The session is at its end. */
void session_acks_end(session_t *session);

#endif
