/* SPDX-License-Identifier: MPL-2.0 */
/* settle: a broker that follows another instance first lets the nodes of that one come back (proto/link.md, section 9).
 * Until they have, it does not know all names: new ones wait, since they may belong to somebody, and so do copies to
 * names that nobody has. Embedded in broker_t; the router's thread; nothing fails.
 *
 * Whom it waits for is told by the nodes that come: each names those that it knew. */
#ifndef FERRY_BROKER_SETTLE_H
#define FERRY_BROKER_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/span.h"
#include "base/table.h"
#include "wire/control.h"

struct broker;
struct node;
struct peer;

typedef struct {
    uint64_t until_ms;    /* when it is over in any case */
    bool is_active;       /* a node of another instance has come, and not all have registered */
    table_t *expected;    /* expected_t, by id */
    uint32_t missing;     /* of those, how many have not said REGISTERED */
    struct peer *waiting; /* new names, and doubtful ones, in the order in which they came */
    struct peer *last;    /* of those; may be NULL, though there are some */
} settle_t;

/* The broker has started. */
void settle_begin(struct broker *broker, uint32_t settling_time_ms);
void settle_fini(settle_t *self);

/* A node has come with that HELLO, and has a link. */
void settle_come(struct node *node, const control_t *hello);

/* A node has said REGISTERED, or BYE: it is not waited for any more. */
void settle_registered(struct node *node);

/* The ids of those who were named and have not come, which a node is told, so that it can name them to the next
 * instance. Appends at most `count`. */
void settle_absent(const struct broker *broker, buffer_t *ids, size_t count);

/* Whether a copy to that name is to be kept, since its owner may come. */
bool settle_keeps(struct broker *broker, span_t name);

/* Ends the settling if all have come or its time is over, unless the broker drains: names are given out, what was kept
 * is routed or refused, and every node is told what is held of it. */
void settle_step(struct broker *broker);

#endif
