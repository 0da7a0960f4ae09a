/* SPDX-License-Identifier: MPL-2.0 */
/* carrier_party: what the exchange tells of the program's groups, services, requests and messages, as events. The
 * messages have their numbers as labels. The carrier's thread's. */
#ifndef FERRY_CLIENT_CARRIER_PARTY_H
#define FERRY_CLIENT_CARRIER_PARTY_H

#include "client/carrier.h"

#define CARRIER_RECEIPT "r" /* behind the number of a message with a receipt */

/* What the exchange of a carrier calls; the owner is the carrier. */
extern const exchange_owner_t carrier_party_owner;

#endif
