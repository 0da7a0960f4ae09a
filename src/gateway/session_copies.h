/* SPDX-License-Identifier: MPL-2.0 */
/* session_copies: what becomes of the copies for a session's client, and their account in the worker's ledger. The
 * worker's thread's. */
#ifndef FERRY_GATEWAY_SESSION_COPIES_H
#define FERRY_GATEWAY_SESSION_COPIES_H

#include "gateway/session.h"

/* A copy for this session, which has been counted as taken over. */
void session_deliver(session_t *self, const body_copy_t *copy, origin_t *origin);

/* The same for a copy that came too late: tells its sender that it is returned. */
void session_return_late(const session_t *self, const body_copy_t *copy, const origin_t *origin);

/* Counts the copies as delivered that its client's kernel has acknowledged by now. */
void session_look(session_t *self);

/* Keeps the session in the list of those that are watched for a stall while that may be one. */
void session_watch_stall(session_t *self);

/* Why copies for this client end otherwise than by delivery: a reason of proto/reasons.def. */
int session_reason(const session_t *self);

/* Ends the copies that were not written to the client. */
void session_return(session_t *self);

/* Ends the copies that were written to the client: what its kernel has is delivered, of the others nobody knows. */
void session_doubt(session_t *self);

/* Ends all copies of a client that is lost. */
void session_lose(session_t *self);

#endif
