/* SPDX-License-Identifier: MPL-2.0 */
/* [1] peer_hear: what a program says, and what comes of it. The peers actor's thread's. */
#ifndef FERRY_PLAIN_PEER_HEAR_H
#define FERRY_PLAIN_PEER_HEAR_H

#include "plain/peer.h"

/* It said something else than LOGIN, in these frames, without a mistake; or made one, for which it is told that error.
 */
void peer_hear(peer_t *self, const verb_t *verb, const span_t *frames, size_t count);
void peer_refuse(peer_t *self, const verb_t *verb, int error);

/* Tells it of what was refused since it was told last. */
void peer_tell_refused(peer_t *self);

/* Goes on with what waits in its inbox, and leaves once it is settled if it wants to. */
void peer_go_on(peer_t *self);

#endif
