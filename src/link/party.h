/* SPDX-License-Identifier: MPL-2.0 */
/* party [2]: a session as the exchange knows it: what it has sent and is not settled, the groups that it is in, the
 * services that it serves with the jobs that it has, the requests that it waits for, and the names that it watches. Few
 * of each, so lists. Embedded in a session; its node's thread's. Nothing fails but by abort. */
#ifndef FERRY_LINK_PARTY_H
#define FERRY_LINK_PARTY_H

#include "link/exchange.h"

typedef struct party_who party_who_t;
typedef struct party_watch party_watch_t;

/* What most parties have nothing of: allocated with the first of it. */
typedef struct {
    list_t groups; /* membership_t: those that it is in, or has asked for */
    list_t services;
    list_t jobs;            /* job_t: that it has and has not done, oldest first */
    list_t requests;        /* that are not answered */
    party_watch_t *watches; /* names that it watches */
    uint64_t job_last;      /* the number of the last, as its client knows it */
    unsigned group_count, service_count, watch_count;
} party_ties_t;

/* All zero before party_init. */
struct party {
    exchange_t *exchange;   /* borrowed */
    uint64_t session;       /* the node's number of it */
    span_t name;            /* borrowed */
    uint64_t open_messages; /* sent and not settled */
    party_who_t *who;       /* what it asks, or NULL */
    party_ties_t *ties;     /* NULL before the first, and when all have ended and none was a job */
    unsigned open_receipts; /* of messages that have a label */
    unsigned request_count : 30;
    unsigned is_paused : 1, is_spared : 1; /* party_pause */
};

void party_init(party_t *self, exchange_t *exchange);

/* It has a name, and may send. The name is borrowed until party_end. */
void party_enter(party_t *self, uint64_t session, span_t name);

/* Sends a line to its recipients, with BODY_FLAG_…; on_receipt is called for its label if it has BODY_FLAG_RECEIPT.
 * Returns how many messages that made, which are open from then on; 0 if it must wait: `waiter` is in the list of what
 * it waits for; or -FERRY_ERROR_LINE_TOO_LONG. */
int party_send(party_t *self, const line_t *line, unsigned flags, list_node_t *waiter);

/* Sends a LINE_REQUEST, and waits for the answer until that time. Returns as party_send does. */
int party_request(party_t *self, const line_t *line, unsigned flags, uint64_t deadline_ms, list_node_t *waiter);

/* A copy that is an answer came. Returns 0, or the FERRY_REASON_… for which it is returned. */
int party_answer(party_t *self, const body_copy_t *copy, origin_t *origin);

/* Joins a group, which is answered once the party is a member, each time; leaves it, which is answered at once, whether
 * it was one or not. Returns 1, or -FERRY_ERROR_TOO_MANY_GROUPS. */
int party_join(party_t *self, span_t group);
void party_leave(party_t *self, span_t group);

/* Serves a service with that credit, from 1 on, answered once that is so, each time; ends that, answered at once: jobs
 * go on. Returns 1, or -FERRY_ERROR_TOO_MANY_SERVICES. */
int party_serve(party_t *self, span_t service, uint32_t credit);
void party_unserve(party_t *self, span_t service);

/* The job is done; or this line's text is its answer, which goes to who has asked, with BODY_FLAG_OPAQUE if it is no
 * line. Returns 1; 0 if the answer must wait, as party_send does; -FERRY_ERROR_NO_SUCH_JOB, or another if the answer
 * cannot be sent. */
int party_done(party_t *self, uint64_t job);
int party_reply(party_t *self, uint64_t job, const line_t *answer, unsigned flags, list_node_t *waiter);

/* It takes no more at the moment, so that whoever sends to its groups must wait (paused), or its services give it
 * nothing (spared); or it does again. */
void party_pause(party_t *self, bool paused, bool spared);

/* Watches a name, which on_presence answers when its broker says whether it is here; ends that, answered at once,
 * whether it was watched or not. Returns 1, or -FERRY_ERROR_TOO_MANY_WATCHES. */
int party_watch(party_t *self, span_t name);
void party_unwatch(party_t *self, span_t name);

/* Asks who is there whose names begin with that prefix, which on_who answers when all brokers have. Returns 1, or 0 if
 * an earlier question is still open: then `waiter` waits for its end. */
int party_who(party_t *self, span_t prefix, list_node_t *waiter);

/* A new link is up: states the watches that belong to it, and asks again what its broker has not answered. */
void party_restate(party_t *self, const uplink_t *uplink);

/* Whether all that it has sent is settled, and answered. */
static inline bool party_is_idle(const party_t *self)
{
    return self->open_messages == 0 && self->request_count == 0 && !self->who;
}

/* It will do no more: its jobs are returned for that reason of proto/reasons.def, and its services end. */
void party_stop_serving(party_t *self, int reason);

/* It takes part no more: so its groups, services, requests and questions end; with party_end, its watches too. */
void party_stop(party_t *self, int reason);
void party_end(party_t *self, int reason);

#endif
