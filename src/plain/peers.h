/* SPDX-License-Identifier: MPL-2.0 */
/* peers: the actor that serves ZeroMQ programs without a codec (proto/plain.md), with a ROUTER for them and, towards
 * the brokers, links like those of a gateway's worker: to them it is a node. A turn reads programs and links; at its
 * end it hands over to programs, and then sends to and acknowledges at the brokers. The links are opened when the first
 * program logs in, so that a broker without any has no node more. */
#ifndef FERRY_PLAIN_PEERS_H
#define FERRY_PLAIN_PEERS_H

#include <czmq.h>

#include "base/budget.h"
#include "base/histogram.h"
#include "plain/answers.h"
#include "plain/peer.h"

/* What main gives the actor; borrowed for its life. */
typedef struct {
    const config_t *config;
    const brokers_t *brokers;
    budget_t *budget;   /* the process's */
    link_id_t instance; /* of the broker in this process, which the node lives and dies with */
} peers_args_t;

/* The actor (a zactor_fn). It signals 0 at once, and then 0, or 1 when it could not listen, which was logged. It hears
 * STATUS; DRAIN and the ms that are left; $TERM. It says STATUS and JSON; DRAINED, the number of copies that were lost,
 * and its ledger. */
void peers_actor(zsock_t *pipe, void *args);

typedef struct {
    verb_limits_t verb;
    peer_limits_t peer;
    uint64_t login_timeout_ms;
    uint32_t peer_count;
} peers_limits_t;

typedef struct {
    uint64_t messages, logins, logouts, pauses;
    uint64_t errors;     /* mistakes of programs */
    uint64_t refused;    /* SENDs over a window */
    uint64_t strangers;  /* what came without a login */
    uint64_t closes[64]; /* by close reason */
} peers_counters_t;

typedef enum {
    PEERS_RUNNING,
    PEERS_SETTLING, /* nothing is accepted any more; waits until all that was is settled */
    PEERS_LEAVING,  /* no more copies come once all brokers have agreed */
    PEERS_FLUSHING, /* programs get what they are owed, `INFO accepted N` and BYE */
    PEERS_PARTING,  /* BYE to the brokers */
    PEERS_DRAINED,
} peers_phase_t;

/* What an actor that is settling waits for. */
typedef enum {
    PEERS_MESSAGES, /* that were accepted: their copies end */
    PEERS_READERS,  /* to acknowledge what was handed over until then */
    PEERS_REPORTS,  /* that were made until then: they are taken */
} peers_settling_t;

struct peers {
    link_id_t node;
    const config_t *config;   /* borrowed */
    const brokers_t *brokers; /* borrowed */
    reactor_t *reactor;
    zsock_t *pipe;
    watch_t *pipe_watch;
    zsock_t *router;
    void *socket; /* the ROUTER, libzmq's */
    watch_t *router_watch;
    json_t *listening;
    uint32_t linger_ms;
    peers_limits_t limits;
    uplinks_t uplinks; /* none before the first login */
    ledger_t ledger;
    peers_counters_t counters;
    histogram_t batch_records, batch_bytes;

    slots_t slots;       /* its peers, groups and services */
    exchange_t exchange; /* of its peers */
    uint64_t *next;      /* scratch: of each uplink, the number of its next message */
    uint32_t count;      /* of peers */
    table_t *routes;     /* peer_t, by routing id, but for those that are GONE */
    answers_t answers;
    list_t dirty;  /* peers to flush */
    list_t logins; /* peers before their name is confirmed, oldest first */
    list_t buried; /* peers to free */
    uv_timer_t tick;
    budget_account_t account;
    size_t links_counted; /* bytes, as the account knows them */
    bool is_full;         /* the memory budget is, and nothing is accepted */

    peers_phase_t phase;
    peers_settling_t settling;
    /* When what programs have not read is returned or unconfirmed (trim), and when each step is given up. */
    uint64_t trim_deadline_ms, settle_deadline_ms, leave_deadline_ms, flush_deadline_ms, end_deadline_ms;
    uv_timer_t drain_timer;
    bool is_trimmed;

    span_t frames[VERB_FRAMES_MAX]; /* of the message that is read now */
    span_t recipients[LINE_RECIPIENTS_MAX];
};

/* The peer with that session, NULL if it is not there any more. */
peer_t *peers_get(peers_t *self, uint64_t id);

/* The peer has something to hand over, or to tell its link; it is flushed at the end of the turn. */
void peers_dirty(peer_t *peer);

/* Its route is free for another; it is at its end, and freed at the end of the turn. */
void peers_unroute(peer_t *peer);
void peers_forget(peer_t *peer);

/* Whether a connection without a login may be told one thing more. */
bool peers_may_answer(peers_t *self, span_t route);

/* Lets the peers of a list go on that waited for something. */
void peers_wake(list_t *woken);

/* Calls `visit` for each peer; it may end peers. */
void peers_each(peers_t *self, void (*visit)(peer_t *peer, void *arg), void *arg);

/* Says words to main: a NULL ends them. */
void peers_say(peers_t *self, const char *first, ...);

/* What comes from programs (peers_receive.c): reads up to `budget` messages, and returns whether that was all. */
bool peers_receive(peers_t *self, int budget);

/* What comes from brokers (peers_links.c): opens the links to them, and lets go on who need not wait for a name. */
void peers_open_links(peers_t *self);
void peers_check_pauses(peers_t *self);

/* A LOGIN came by a route that nobody has: makes a peer. */
void peers_login(peers_t *self, span_t route, const verb_t *login, size_t unread_size);

/* The steps of the drain (peers_drain.c): main's command, and what is looked at in every turn of it. */
void peers_drain_begin(peers_t *self, uint64_t left_ms);
void peers_drain_go_on(peers_t *self);

/* The actor's JSON for /status (proto/admin.md), for the caller to free, and the copies that are here and have not
 * ended (peers_status.c). Both walk all peers. */
char *peers_status(peers_t *self);
uint64_t peers_pending(peers_t *self);

/* Whether so much of what a peer was told is unread that no more is answered. */
static inline bool peer_is_choked(const peer_t *peer)
{
    return peer_writer_is_choked(&peer->writer, &peer->peers->limits.peer);
}

#endif
