/* SPDX-License-Identifier: MPL-2.0 */
/* peer_party: how a program is told what the exchange tells of groups, services, requests, receipts and presence
 * (proto/plain.md). The peers actor's thread's; nothing fails but by abort. */
#ifndef FERRY_PLAIN_PEER_PARTY_H
#define FERRY_PLAIN_PEER_PARTY_H

#include "plain/peer.h"

/* What the exchange of the actor calls; the owner is the actor. */
extern const exchange_owner_t peer_party_owner;

#endif
