/* SPDX-License-Identifier: MPL-2.0 */
/* watches: who is told when a name comes and goes (proto/link.md, section 3). Embedded in broker_t; the router's
 * thread; nothing fails but by abort. */
#ifndef FERRY_BROKER_WATCHES_H
#define FERRY_BROKER_WATCHES_H

#include "base/table.h"
#include "broker/nodes.h"
#include "wire/control.h"

struct broker;

typedef struct {
    table_t *names;    /* of watched_t */
    table_t *watchers; /* of watcher_t, by name, node and session */
} watches_t;

void watches_init(watches_t *self);
void watches_fini(watches_t *self);

/* WATCH: the session of that node begins to watch the name, and is told whether it is here as soon as that is known; or
 * it ends to. To watch it twice is to ask again. Returns 0. */
int watches_set(node_t *node, const control_t *record);

/* The name has an owner now, or has none to whom copies go. */
void watches_tell(struct broker *broker, span_t name, bool is_here);

/* The settling is over: all are told who has not come. */
void watches_settled(struct broker *broker);

/* The node is gone, or will say anew what it watches. */
void watches_forget(node_t *node);

#endif
