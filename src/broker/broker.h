/* SPDX-License-Identifier: MPL-2.0 */
/* broker: what the rooms of a broker share: its options, its nodes and names, its ledger and counters. Embedded in the
 * router actor; one thread, no locks. */
#ifndef FERRY_BROKER_BROKER_H
#define FERRY_BROKER_BROKER_H

#include "base/budget.h"
#include "base/histogram.h"
#include "base/ledger.h"
#include "base/reactor.h"
#include "base/table.h"
#include "broker/awake_clock.h"
#include "broker/claims.h"
#include "broker/drain.h"
#include "broker/gone.h"
#include "broker/kept.h"
#include "broker/nodes.h"
#include "broker/owed.h"
#include "broker/settle.h"
#include "broker/strangers.h"
#include "broker/take_over.h"
#include "broker/watches.h"
#include "broker/who.h"
#include "wire/control.h"

#define NAME_CACHE_BITS 11

typedef struct {
    uint64_t frames;                     /* ZeroMQ messages that came */
    uint64_t batches;                    /* bodies that came */
    uint64_t messages;                   /* routed or refused */
    uint64_t copies;                     /* routed */
    uint64_t reports;                    /* of nodes on copies that they took */
    uint64_t refused;                    /* copies to names that nobody has */
    uint64_t notices;                    /* sent to nodes, about reports and losses */
    uint64_t notices_dropped;            /* their origin is gone */
    uint64_t confirmed;                  /* names */
    uint64_t denied;                     /* names */
    uint64_t taken_over;                 /* names, by another login */
    uint64_t pauses;                     /* told to nodes */
    uint64_t congestions;                /* of nodes */
    uint64_t links_closed[CLOSE_COUNT];  /* by reason */
    uint64_t links_refused[CLOSE_COUNT]; /* what came without a link, by reason */
} broker_counters_t;

typedef struct broker {
    const char *name;     /* borrowed from the configuration */
    link_id_t instance;   /* random, drawn by main */
    link_id_t digest;     /* of the nodes' lists of brokers, while there are nodes */
    uint32_t window_size; /* a node's, bytes */
    uint32_t batch_size;  /* the largest body of a node, bytes */
    uint32_t resuming;    /* owners of names that wait for what the one before had */
    uint32_t heartbeat_ms;
    uint32_t timeout_ms; /* of links */
    uint64_t term;       /* of names confirmed here */
    uint64_t serial;     /* of the last name confirmed here */
    drain_state_t drain; /* from DRAIN_NODES on unknown nodes are refused, known ones told */
    json_t *listening;   /* the endpoints, as text */

    reactor_t *reactor;
    awake_clock_t clock; /* ticked by the router */
    void *socket;        /* the ROUTER, libzmq's; NULL once it is closed */

    nodes_t nodes;
    gone_t gone;
    table_t *names;         /* peer_t: the owner of each name */
    table_t *shared_names;  /* shared_name_t: groups and services */
    list_t paused_services; /* shared_name_t: of which some node was told that they are paused */
    uint64_t service_turns; /* copies that were given to services, ever */
    claims_t claims;        /* of copies to services that are sent again */
    /* Owners that were looked up lately, by a cheap hash of their name. */
    struct peer *name_cache[1 << NAME_CACHE_BITS];
    table_t *held_origins; /* held_origin_t: of whom something is held */
    settle_t settle;
    take_over_t take_over;
    watches_t watches;
    who_t who;
    buffer_t recipients;   /* peer_t *: scratch for those of one message */
    owed_t owed;           /* notices for those who were given up */
    kept_t kept;           /* what waits for the settling */
    strangers_t strangers; /* refused lately */
    uint64_t taken_due_ms; /* when what is taken is to be told, 0 for never */

    budget_account_t account; /* what the nodes hold of the process's memory */
    ledger_t ledger;          /* taken_over, handed_over, unconfirmed */
    broker_counters_t counters;
    histogram_t batch_records; /* of bodies that came */
    histogram_t batch_bytes;
} broker_t;

/* The broker's clock in ms, which stands still while it does not listen. */
static inline uint64_t broker_now_ms(const broker_t *self)
{
    return awake_clock_now(&self->clock, reactor_now_ms(self->reactor));
}

/* Whether nodes part: what they say of copies from then on is for the successor, on whatever link. */
static inline bool broker_parts(const broker_t *self)
{
    return self->drain >= DRAIN_BYE;
}

/* What is taken is to be told at that time. */
static inline void broker_taken_due(broker_t *self, uint64_t due_ms)
{
    if (self->taken_due_ms == 0 || due_ms < self->taken_due_ms)
        self->taken_due_ms = due_ms;
}

#endif
