/* SPDX-License-Identifier: MPL-2.0 */
/* rendezvous: which of several brokers a name belongs to, by highest random weight (proto/rendezvous.md). Made once
 * from the configured list; read-only, and so usable by every thread, afterwards. */
#ifndef FERRY_WIRE_RENDEZVOUS_H
#define FERRY_WIRE_RENDEZVOUS_H

#include "base/span.h"

#define RENDEZVOUS_DIGEST_SIZE 16 /* bytes */

typedef struct rendezvous rendezvous_t;

/* Takes the brokers' names, in any order, and copies what it needs of them. Returns NULL if there is no name, or one of
 * them is empty, longer than 255 bytes, or given twice. The caller owns the result. */
rendezvous_t *rendezvous_new(const span_t *brokers, size_t count);

void rendezvous_destroy(rendezvous_t **self_p);

/* The index, in the list given to rendezvous_new, of the broker that owns the name `peer`. One hash of the name per
 * broker; nothing at all where there is one broker. */
size_t rendezvous_pick(const rendezvous_t *self, span_t peer);

/* What two nodes must agree on to divide the names alike: the same for every order of the list (proto/link.md, HELLO).
 * Borrowed, as long as the object lives. */
const unsigned char *rendezvous_digest(const rendezvous_t *self);

#endif
