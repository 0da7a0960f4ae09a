/* SPDX-License-Identifier: MPL-2.0 */
/* status: what a broker tells of itself, as JSON (proto/admin.md). The router's thread. */
#ifndef FERRY_BROKER_STATUS_H
#define FERRY_BROKER_STATUS_H

#include <jansson.h>

#include "broker/broker.h"

/* Copies in the broker's care: routed, and not acknowledged by their recipients' nodes. Walks all DEALER writers. */
uint64_t status_pending(const broker_t *broker);

/* The entry of the router in /status; the caller owns it. */
json_t *status_json(const broker_t *broker);

#endif
