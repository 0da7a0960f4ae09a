/* SPDX-License-Identifier: MPL-2.0 */
/* peer_copies: what becomes of the copies for a program, and their account in the actor's ledger. The peers actor's
 * thread's. */
#ifndef FERRY_PLAIN_PEER_COPIES_H
#define FERRY_PLAIN_PEER_COPIES_H

#include "plain/peer.h"

/* A copy for it, which has been counted as taken over; one that came too late is returned. */
void peer_deliver(peer_t *self, const body_copy_t *copy, origin_t *origin);
void peer_return_late(peer_t *self, const body_copy_t *copy, const origin_t *origin);

/* Why copies for this program end otherwise than by delivery: a reason of proto/reasons.def. */
int peer_reason(const peer_t *self);

/* Ends the copies that wait; or all, of which those that were handed over and not acknowledged may have been read or
 * not. */
void peer_return(peer_t *self);
void peer_lose(peer_t *self);

#endif
