/* SPDX-License-Identifier: MPL-2.0 */
/* paused_names [3]: the names of one broker that may not be written to now, each with the sessions that wait for it
 * (proto/link.md, section 7). Embedded in an uplink; the worker's thread's. Nothing fails but by abort.
 *
 *     unknown ──PAUSE──▶ PAUSED ──link lost──▶ DOUBTFUL ──a message goes──▶ PROBED
 *        ▲                │    ▲                  │  └────────PAUSE───────┐    │
 *        └─────RESUME─────┘    └──────────────────┼──────────PAUSE───────┴────┤
 *        └──────RESUME────────────────────────────┴── RESUME, or it is taken ──┘
 */
#ifndef FERRY_LINK_PAUSED_NAMES_H
#define FERRY_LINK_PAUSED_NAMES_H

#include "base/list.h"
#include "base/table.h"
#include "link/link.h"

typedef struct {
    table_t *names;  /* of pause_t */
    list_t doubtful; /* those that are DOUBTFUL or PROBED */
} paused_names_t;

void paused_names_init(paused_names_t *self);
void paused_names_fini(paused_names_t *self);

/* Whether a message to that name must wait; then `waiter` waits for it. One to a doubtful name need not. */
bool paused_names_hold(const paused_names_t *self, span_t name, list_node_t *waiter);

/* A message with that number goes to the name. */
void paused_names_sent(const paused_names_t *self, span_t name, uint64_t number);

/* PAUSE or RESUME; *woken gets the sessions that waited, if they need wait no more. */
void paused_names_set(paused_names_t *self, span_t name, bool is_paused, list_t *woken);

/* The link is lost: all pauses are doubtful. */
void paused_names_doubt(paused_names_t *self);

/* Ends the pauses whose probe is taken, and lets one session try each name that has none; *woken gets them. Cheap while
 * nothing is doubtful. */
void paused_names_check(paused_names_t *self, const link_t *link, list_t *woken);

/* Nobody will be told any more: *woken gets all sessions that waited. */
void paused_names_forget(paused_names_t *self, list_t *woken);

#endif
