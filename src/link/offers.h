/* SPDX-License-Identifier: MPL-2.0 */
/* offers: the services that sessions of a node serve. Each is registered by itself, gets no more copies than its
 * credit, and has each as a *job* until its program says that it is done, or is no longer there (proto/link.md, section
 * 3). Embedded in a node; its thread's.
 *
 *     offer:  ASKED ──CONFIRMED──▶ OPEN ──withdrawn──▶ LEAVING ──LEFT, and no job is left──▶ gone
 */
#ifndef FERRY_LINK_OFFERS_H
#define FERRY_LINK_OFFERS_H

#include "base/list.h"
#include "link/slots.h"
#include "link/uplinks.h"

typedef struct offer offer_t;

/* A copy that a program has and has not done. */
typedef struct {
    list_node_t in_offer;
    list_node_t in_owner; /* for the owner, as are the next two */
    uint64_t id;
    void *arg;
    offer_t *offer;           /* borrowed */
    origin_t *origin;         /* a reference */
    uint64_t number, session; /* of the message, and of its sender */
    bool is_told;             /* the broker knows that it is held */
    bool is_over;             /* it has ended, and the broker could not be told on this link */
    bool is_disowned;         /* its sender was told that it is unconfirmed */
} job_t;

/* What offers tell their owner, from within the loop. */
typedef struct {
    /* The service is served from now on. Told once. */
    void (*on_served)(void *owner, void *arg, span_t service);
    /* A copy for the program that has made the offer, counted as taken over; borrowed for the call. The owner ends the
     * job with job_done or job_return, at once if it likes. */
    void (*on_job)(void *owner, job_t *job, const body_copy_t *copy);
} offers_owner_t;

typedef struct {
    slots_t *slots; /* borrowed, as are the others */
    uplinks_t *uplinks;
    ledger_t *ledger; /* gets delivered, and returned */
    const offers_owner_t *callbacks;
    void *owner;
    list_t all;
    list_t dirty;  /* with jobs to tell of */
    uint64_t jobs; /* that have not ended */
} offers_t;

void offers_init(
    offers_t *self, slots_t *slots, uplinks_t *uplinks, ledger_t *ledger, const offers_owner_t *callbacks, void *owner);

/* Every job must have ended. */
void offers_fini(offers_t *self);

/* Serves a service, `@` and a name, with that credit, at least 1; or with another credit. */
offer_t *offers_add(offers_t *self, span_t service, uint32_t credit, void *arg);
void offer_set_credit(offer_t *self, uint32_t credit);

/* Its program takes no more at the moment, and is given nothing; or it does again. */
void offer_pause(offer_t *self, bool paused);

/* Nothing more is wanted; the jobs go on. What comes until the broker knows is returned for that reason of
 * proto/reasons.def. */
void offer_withdraw(offer_t **self_p, int reason);

/* The name of the service, and what offers_add was given; NULL once the offer is withdrawn. */
span_t offer_service(const offer_t *self);
void *offer_arg(const offer_t *self);

/* What the links say (link_owner_t), of sessions for which link_session_is_service. */
void offers_up(offers_t *self, link_t *link, bool given_up);
void offers_unlink(offers_t *self, const link_t *link);
void offers_confirmed(offers_t *self, uint64_t id, link_claim_t claim);
void offers_left(offers_t *self, uint64_t id);
void offers_copy(offers_t *self, link_t *link, uint64_t id, const body_copy_t *copy, origin_t *origin);
void offers_late(offers_t *self, link_t *link, uint64_t id, const body_copy_t *copy, origin_t *origin);

/* The end of a turn, before link_flush: tells of the jobs that are held. */
void offers_tell(offers_t *self);

/* The job is done, or is returned to its sender for that reason, which lets another program have it. Frees it. */
void job_done(job_t **self_p);
void job_return(job_t **self_p, int reason);

#endif
