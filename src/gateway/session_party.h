/* SPDX-License-Identifier: MPL-2.0 */
/* session_party: how a session says to its client what the exchange tells of groups, services, requests,
 * receipts and presence (proto/line.md, section 6). Its worker's thread's; nothing fails but by abort. */
#ifndef FERRY_GATEWAY_SESSION_PARTY_H
#define FERRY_GATEWAY_SESSION_PARTY_H

#include "gateway/session.h"

/* What the exchange of a worker calls; the owner is the worker. */
extern const exchange_owner_t session_party_owner;

#endif
