/* SPDX-License-Identifier: MPL-2.0 */
/* kept: copies whose recipients have not come yet, and reports whose origins have not, while the broker settles
 * (proto/link.md, section 9), and copies to services that are busy. They are not in the broker's custody, and count as
 * not taken. Embedded in broker_t; the router's thread; nothing fails but by abort.
 *
 * Not bounded here: the windows of the nodes that sent it bound what is kept. */
#ifndef FERRY_BROKER_KEPT_H
#define FERRY_BROKER_KEPT_H

#include "base/list.h"
#include "base/table.h"
#include "broker/dispatch.h"
#include "broker/peers.h"

typedef struct {
    list_t copies;               /* in the order in which they came */
    list_t reports;              /* likewise */
    table_t *names;              /* a queue for each name that is waited for */
    struct kept_text *last_text; /* of the last copy, whose message may have more of them; borrowed */
} kept_t;

void kept_init(kept_t *self);

/* Nothing may be left: every node is gone. */
void kept_fini(kept_t *self);

/* Keeps a copy to a name that nobody has. */
void kept_add(kept_t *self, const transit_t *transit, span_t name);

/* Keeps a report whose origin is not here. */
void kept_add_report(kept_t *self, const transit_t *transit, const body_report_t *report);

/* The name has an owner: routes to it what was kept for it, in order. */
void kept_release(kept_t *self, peer_t *owner);

/* That node has come: passes the reports on that were kept for it. */
void kept_release_reports(kept_t *self, node_t *origin);

/* Whether something is kept for that name, and the oldest of it goes to that peer. */
bool kept_has(const kept_t *self, span_t name);
void kept_give(kept_t *self, span_t name, peer_t *to);

/* Refuses everything that the broker keeps for that name, unless nodes part: then whoever had it may have parted. */
void kept_refuse_name(struct broker *broker, span_t name);

/* The settling is over: routes, in order, the copies to groups and to services, or has the latter wait on; refuses the
 * others that are left; and drops the reports. */
void kept_settled(kept_t *self);

/* A node is gone: drops what was kept of it. */
void kept_forget(kept_t *self, const node_t *node);

#endif
