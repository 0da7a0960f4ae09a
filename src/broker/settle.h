/* SPDX-License-Identifier: MPL-2.0 */
/* settle: a broker that follows another instance first lets the nodes of that one come back. Until then it keeps what
 * they send, since it does not know all names yet, and new names wait, since they may belong to somebody. Embedded in
 * broker_t; the router's thread.
 *
 * The settling time is the nodes' largest back-off and a margin: after that, every node that was told of the stop, or
 * has seen its connection break, has come back. */
#ifndef FERRY_BROKER_SETTLE_H
#define FERRY_BROKER_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define SETTLE_MARGIN_MS 500 /* to connect, say HELLO and register */

struct broker;
struct node;
struct peer;

typedef struct {
    uint64_t until_ms;         /* 0 once it is over */
    bool is_active;            /* a node of another instance has come */
    struct kept *first, *last; /* bodies, in the order in which they came */
    struct peer *waiting;      /* new names, likewise */
} settle_t;

/* The broker has started. */
void settle_begin(struct broker *broker, uint32_t backoff_max_ms);

/* A node has come that was linked to another instance. */
void settle_succeed(struct broker *broker);

/* Keeps a body of that node, copied, with the floor of its header. */
void settle_keep(struct node *node, span_t body, uint64_t floor);

/* Ends the settling if its time has come, or with `now` in any case: names are given out, and what was kept is routed.
 */
void settle_end(struct broker *broker, bool now);

/* Drops what is kept of a node. */
void settle_forget(struct node *node);

#endif
