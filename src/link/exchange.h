/* SPDX-License-Identifier: MPL-2.0 */
/* exchange [2]: what the sessions of a node have to do with each other beyond a message: groups, services, requests,
 * receipts and presence (proto/line.md, section 6). It stands between the node's links and its sessions, each of which
 * is a *party* (link/party.h), and tells the owner what to say to whom; how, is the owner's affair. Embedded in a node;
 * its thread's. Nothing fails but by abort. */
#ifndef FERRY_LINK_EXCHANGE_H
#define FERRY_LINK_EXCHANGE_H

#include "link/errands.h"
#include "link/groups.h"
#include "link/offers.h"
#include "link/receipts.h"

typedef struct party party_t;

/* What a party has asked for, and is answered when it is so. */
typedef enum { PARTY_JOIN, PARTY_LEAVE, PARTY_SERVE, PARTY_UNSERVE, PARTY_UNWATCH } party_answer_t;

#define PARTY_WHO_MAX 200 /* names of one answer; as many as one broker tells at most */

/* What the exchange tells the node, from within the loop. Spans, copies and notices are borrowed for the call. */
typedef struct {
    /* The party with that session, NULL if it is not here any more. */
    party_t *(*find)(void *owner, uint64_t session);
    /* Parties that waited for something, by the node that they gave for it, go on. */
    void (*wake)(void *owner, list_t *woken);
    /* Answers that are due, one a call, with the group, the service or the name. */
    void (*on_answer)(party_t *party, party_answer_t answer, span_t name);
    /* A copy to a group that the party is in, a job, or the answer to its request. Returns 0 if it is taken, of a share
     * with share_take; else the FERRY_REASON_… for which its sender is told that it is returned. */
    int (*on_share)(party_t *party, const body_copy_t *copy, share_t *share);
    int (*on_job)(party_t *party, uint64_t job, span_t service, const body_copy_t *copy, span_t text);
    int (*on_reply)(party_t *party, span_t label, span_t text, const body_copy_t *copy, origin_t *origin);
    /* A copy that the party has sent has ended otherwise than by delivery, or a request without an answer: then the
     * number of the notice is 0. The label is empty if there is none. */
    void (*on_failure)(party_t *party, const body_notice_t *notice, span_t label);
    /* Every copy of a message that has a label has ended; `failed`: on_failure was called for some. */
    void (*on_receipt)(party_t *party, span_t label, bool failed);
    /* `count` of its messages, from `number` on, are settled. */
    void (*on_settled)(party_t *party, const link_t *link, uint64_t number, uint32_t count);
    /* One of its questions or requests has ended. */
    void (*on_idle)(party_t *party);
    /* A name that it watches is here or not: the answer to its question, or news. */
    void (*on_presence)(party_t *party, span_t name, bool is_here, bool is_answer);
    /* Who is there: up to PARTY_WHO_MAX names in byte order, and whether there are more. */
    void (*on_who)(party_t *party, const span_t *names, size_t count, bool more);
} exchange_owner_t;

typedef struct {
    unsigned groups, services, watches; /* that a party may be in, serve, or have */
    bool tracks;                        /* every message has a label, and on_receipt is called for each */
} exchange_options_t;

typedef struct exchange {
    uplinks_t *uplinks; /* borrowed */
    exchange_options_t options;
    const exchange_owner_t *callbacks; /* borrowed */
    void *owner;
    groups_t groups;
    offers_t offers;
    receipts_t receipts;
    errands_t errands;
    list_t requests; /* that are not answered */
    uint64_t now_ms; /* of the last turn */
} exchange_t;

/* Begins with links that are not up; all is borrowed but the options. */
void exchange_init(exchange_t *self, slots_t *slots, uplinks_t *uplinks, ledger_t *ledger, const link_id_t *node,
    const exchange_options_t *options, const exchange_owner_t *callbacks, void *owner);

/* Every party must have ended. */
void exchange_fini(exchange_t *self);

/* What the links say (link_owner_t). Those with an `id` return whether it is a group's or a service's, whose affair it
 * was; else it is a session's. */
void exchange_up(exchange_t *self, link_t *link, bool given_up);
void exchange_unlink(exchange_t *self, const link_t *link);
bool exchange_confirmed(exchange_t *self, uint64_t id, link_claim_t claim);
bool exchange_left(exchange_t *self, uint64_t id);
bool exchange_copy(exchange_t *self, link_t *link, uint64_t id, const body_copy_t *copy, origin_t *origin);
bool exchange_late(exchange_t *self, link_t *link, uint64_t id, const body_copy_t *copy, origin_t *origin);
void exchange_notice(exchange_t *self, const link_t *link, const body_notice_t *notice);
void exchange_settled(exchange_t *self, const link_t *link, uint64_t session, uint64_t number, uint32_t count);
void exchange_presence(exchange_t *self, uint64_t session, span_t name, bool is_here);
void exchange_who(exchange_t *self, const link_t *link, uint64_t session, span_t names, bool more);

/* Now and then: ends the requests whose time is over. */
void exchange_tick(exchange_t *self, uint64_t now_ms);

/* The end of a turn, after the write pass and before link_flush. */
void exchange_turn(exchange_t *self, uint64_t now_ms);

/* In a drain: whether nothing waits to be sent to a service again; and, at a deadline, ends what nobody has done, as
 * unconfirmed for that reason of proto/reasons.def. */
bool exchange_is_settled(const exchange_t *self);
void exchange_give_up(exchange_t *self, int reason);

/* Bytes of memory; and jobs that have not ended, which are part of the ledger's pending. */
size_t exchange_memory(const exchange_t *self);
uint64_t exchange_jobs(const exchange_t *self);

#endif
