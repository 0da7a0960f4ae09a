/* SPDX-License-Identifier: MPL-2.0 */
/* claims: which session of a service has taken a message before this instance of the broker, as its node says when it
 * holds it again, so that the message goes there when it is sent again, and to nobody else (proto/link.md, section 3).
 * Embedded in broker_t; the router's thread. Nothing fails but by abort. */
#ifndef FERRY_BROKER_CLAIMS_H
#define FERRY_BROKER_CLAIMS_H

#include <stdbool.h>

#include "base/table.h"
#include "wire/control.h"

typedef struct {
    table_t *items;
} claims_t;

void claims_init(claims_t *self);
void claims_fini(claims_t *self);

/* The session, of the node with that handle, has taken that message; the last claim counts. */
void claims_add(claims_t *self, const link_id_t *origin, uint64_t number, uint32_t handle, uint64_t session);

/* Whether somebody claims that message. */
bool claims_find(const claims_t *self, const link_id_t *origin, uint64_t number, uint32_t *handle, uint64_t *session);

#endif
