/* SPDX-License-Identifier: MPL-2.0 */
/* [3] uplinks: the links of a node, one to each broker, and the sessions that wait for one of them: for room in its
 * window, or for a name that is paused. A name belongs to the broker that rendezvous hashing gives. The node
 * thread's. */
#ifndef FERRY_LINK_UPLINKS_H
#define FERRY_LINK_UPLINKS_H

#include "base/config.h"
#include "base/list.h"
#include "link/paused_names.h"
#include "wire/line.h"
#include "wire/rendezvous.h"

typedef struct {
    link_t *link;
    paused_names_t pauses; /* with the sessions that wait for names */
    list_t waiting;        /* sessions that wait for room */
    uint64_t awaited;      /* in a drain: the numbers below it are to be settled */
    uint64_t fence;        /* for its owner: numbers below it may not be overtaken */
} uplink_t;

typedef struct {
    uplink_t *items;
    size_t count;
    rendezvous_t *rendezvous;
    unsigned *owners; /* scratch: the uplink of each recipient of a line */
    span_t *part;     /* scratch: the recipients of one uplink */
    struct {
        uint64_t head, session; /* of the line, if it has one, to one recipient, */
        unsigned flags;
        uplink_t *uplink;
        uint64_t number_next; /* and what that uplink's next number was then */
    } last;                   /* what was sent last */
} uplinks_t;

/* Who a node connects to: made once from gateway/broker, read-only and shared by the workers. */
typedef struct {
    size_t count;
    char **names;     /* of the brokers, NUL-terminated */
    char **endpoints; /* tcp://, ipc:// or inproc:// */
} brokers_t;

/* Reads gateway/broker. A broker named `local` (not NULL) is in this process and is reached over inproc; it is the only
 * one if the list was not configured. The caller owns the result. */
brokers_t *brokers_new(const config_t *config, const char *local);
void brokers_destroy(brokers_t **self_p);

/* Opens a link to each broker. `common` has the node, its ledger and its histograms; the rest comes from the
 * configuration. Everything is borrowed. */
void uplinks_init(uplinks_t *self, reactor_t *reactor, const config_t *config, const brokers_t *brokers,
    const link_options_t *common, const link_owner_t *callbacks, void *owner);
void uplinks_fini(uplinks_t *self);

/* The uplink of a name's broker, and the one that a link belongs to. */
uplink_t *uplinks_of_name(uplinks_t *self, span_t name);
uplink_t *uplinks_of_link(uplinks_t *self, const link_t *link);

/* Sends a message, with BODY_FLAG_…, on the links of all its recipients' brokers and returns how many messages that
 * made; or, if one of them is paused or has no room, sends nothing, puts `waiter` into the list of what it waits for,
 * and returns 0; or -FERRY_ERROR_LINE_TOO_LONG, if it is larger than the largest batch that one of the brokers takes.
 */
int uplinks_send(
    uplinks_t *self, uint64_t session, unsigned flags, span_t sender, const line_t *line, list_node_t *waiter);

/* Whether the line that was sent last, which is this one, has a part on that uplink; it has the number before the
 * link's next one. */
bool uplinks_has_part(const uplinks_t *self, unsigned uplink, const line_t *line);

#endif
