/* SPDX-License-Identifier: MPL-2.0 */
/* offers: a job is told of as held at the end of the turn in which it came, and DONE with its place among those; the
 * places of two jobs never depend on which is done first. On a new link all that are open are stated again, and those
 * of which it is in the logs that they were taken, so that no other program does them once more. Owner: the node's
 * thread. */
#include "link/offers.h"

#include <stdlib.h>

#include "base/log.h"
#include "wire/error.h"
#include "wire/reason.h"

typedef enum { OFFER_ASKED, OFFER_OPEN, OFFER_LEAVING } offer_state_t;

struct offer {
    list_node_t in_all; /* in offers_t.all */
    list_node_t dirty;
    offers_t *offers; /* borrowed */
    uint64_t id;      /* of its session at this node */
    uplink_t *uplink; /* to its broker; borrowed */
    offer_state_t state;
    link_claim_t claim; /* of the last confirmation */
    bool is_asked;      /* its broker may know it */
    int reason;         /* LEAVING: why what comes is returned */
    uint32_t credit;
    bool is_paused;
    void *arg;
    list_t jobs; /* told ones first, as the broker has them */
    size_t name_size;
    char name[];
};

void offers_init(
    offers_t *self, slots_t *slots, uplinks_t *uplinks, ledger_t *ledger, const offers_owner_t *callbacks, void *owner)
{
    *self = (offers_t){.slots = slots, .uplinks = uplinks, .ledger = ledger, .callbacks = callbacks, .owner = owner};
    list_init(&self->all);
    list_init(&self->dirty);
}

static link_t *offer_link(const offer_t *self)
{
    return self->uplink->link;
}

span_t offer_service(const offer_t *self)
{
    return span_of(self->name, self->name_size);
}

void *offer_arg(const offer_t *self)
{
    return self->arg;
}

static void job_free(job_t *self)
{
    list_remove(&self->in_offer);
    list_remove(&self->in_owner);
    origins_release(link_origins(offer_link(self->offer)), self->origin);
    free(self);
}

static void offer_free(offer_t *self)
{
    slots_remove(self->offers->slots, self->id);
    list_remove(&self->in_all);
    list_remove(&self->dirty);
    for (list_node_t *node; (node = list_first(&self->jobs));)
        job_free(list_member(node, job_t, in_offer));
    free(self);
}

/* N.B. an offer that left lives on for its jobs. */
static void offer_free_unused(offer_t *self)
{
    if (self->state == OFFER_LEAVING && !self->is_asked && list_is_empty(&self->jobs))
        offer_free(self);
}

void offers_fini(offers_t *self)
{
    for (list_node_t *node; (node = list_first(&self->all));)
        offer_free(list_member(node, offer_t, in_all));
}

static void offer_tell_credit(const offer_t *self)
{
    if (self->is_asked)
        link_credit(offer_link(self), self->id, self->is_paused ? 0 : self->credit);
}

static void offer_register(offer_t *self)
{
    if (link_state(offer_link(self)) != LINK_UP)
        return;
    link_register(offer_link(self), self->id, offer_service(self), self->claim, false);
    self->is_asked = true;
    offer_tell_credit(self);
}

offer_t *offers_add(offers_t *self, span_t service, uint32_t credit, void *arg)
{
    offer_t *offer = calloc(1, sizeof *offer + service.size);
    if (!offer)
        abort();
    memcpy(offer->name, service.data, service.size);
    offer->name_size = service.size;
    offer->offers = self;
    offer->uplink = uplinks_of_name(self->uplinks, service);
    offer->id = slots_add(self->slots, offer, LINK_SESSION_SERVICE);
    offer->credit = credit;
    offer->arg = arg;
    list_init(&offer->jobs);
    list_append(&self->all, &offer->in_all);
    offer_register(offer);
    return offer;
}

void offer_set_credit(offer_t *self, uint32_t credit)
{
    self->credit = credit;
    offer_tell_credit(self);
}

void offer_pause(offer_t *self, bool paused)
{
    if (self->is_paused == paused)
        return;
    self->is_paused = paused;
    offer_tell_credit(self);
}

void offer_withdraw(offer_t **self_p, int reason)
{
    offer_t *self = *self_p;
    *self_p = NULL;
    self->state = OFFER_LEAVING;
    self->reason = reason;
    self->arg = NULL;
    if (self->is_asked && link_state(offer_link(self)) == LINK_UP)
        link_leaving(offer_link(self), self->id);
    offer_free_unused(self);
}

/* The place of a job among those of which the broker knows. */
static uint32_t job_place(const job_t *self)
{
    uint32_t place = 0;
    const list_node_t *head = &self->offer->jobs.head;
    for (const list_node_t *node = head->next; node != &self->in_offer; node = node->next)
        place += list_member(node, const job_t, in_offer)->is_told;
    return place;
}

/* The job has ended: tells the broker, or does so with the next link. */
static void job_end(job_t *self)
{
    offer_t *offer = self->offer;
    link_t *link = offer_link(offer);
    offer->offers->jobs--;
    list_remove(&self->in_owner);
    if (self->is_told && !link_can_end(link)) {
        self->is_over = true;
        return;
    }
    if (self->is_told)
        link_done(link, offer->id, job_place(self));
    job_free(self);
    offer_free_unused(offer);
}

void job_done(job_t **self_p)
{
    (*self_p)->offer->offers->ledger->delivered++;
    job_end(*self_p);
    *self_p = NULL;
}

void job_return(job_t **self_p, int reason)
{
    const job_t *self = *self_p;
    self->offer->offers->ledger->returned[reason]++;
    if (!self->is_disowned)
        link_report(offer_link(self->offer), self->offer->id,
            &(body_report_t){.error = FERRY_ERROR_UNDELIVERED,
                .reason = (uint16_t)reason,
                .origin = self->origin->node,
                .session = self->session,
                .number = self->number,
                .name = offer_service(self->offer)});
    job_end(*self_p);
    *self_p = NULL;
}

/* On a new link: jobs that are over need not be told of, nor those whose senders were told that nobody knows. */
static void offer_restate_jobs(offer_t *self, bool given_up)
{
    for (list_node_t *node = self->jobs.head.next, *next; node != &self->jobs.head; node = next) {
        job_t *job = list_member(node, job_t, in_offer);
        next = node->next;
        job->is_disowned = job->is_disowned || given_up;
        if (job->is_over)
            job_free(job);
        else if ((job->is_told = !job->is_disowned))
            link_hold(offer_link(self), self->id, job->origin, job->number, true);
    }
}

static bool offer_has_job(const offer_t *self, const origin_t *origin, uint64_t number)
{
    for (const list_node_t *node = self->jobs.head.next; node != &self->jobs.head; node = node->next) {
        const job_t *job = list_member(node, const job_t, in_offer);
        if (job->origin == origin && job->number == number && !job->is_over)
            return true;
    }
    return false;
}

/* States the copies of an origin that some service here has taken, and that have ended. */
static void offers_claim(const offers_t *self, link_t *link, origin_t *origin)
{
    const taken_log_t *log = &origin->log;
    for (uint64_t i = log->first; i < log->next; i++) {
        const taken_t *taken = &log->items[i & (log->capacity - 1)];
        if (taken->session == TAKEN_LOG_NOTICE || !link_session_is_service(taken->session))
            continue;
        const offer_t *offer = slots_get(self->slots, taken->session);
        if (!offer || !offer_has_job(offer, origin, taken->number))
            link_hold_over(link, taken->session, origin, taken->number);
    }
}

void offers_up(offers_t *self, link_t *link, bool given_up)
{
    const origins_t *origins = link_origins(link);
    for (size_t i = 0; i < origins->count && !given_up; i++)
        offers_claim(self, link, origins->items[i]);
    for (list_node_t *node = self->all.head.next, *next; node != &self->all.head; node = next) {
        offer_t *offer = list_member(node, offer_t, in_all);
        next = node->next;
        if (offer_link(offer) != link)
            continue;
        if (offer->state != OFFER_LEAVING)
            offer_register(offer);
        else if (offer->is_asked)
            link_leaving(link, offer->id);
        offer_restate_jobs(offer, given_up);
        offer_free_unused(offer);
    }
}

void offers_unlink(offers_t *self, const link_t *link)
{
    for (list_node_t *node = self->all.head.next, *next; node != &self->all.head; node = next) {
        offer_t *offer = list_member(node, offer_t, in_all);
        next = node->next;
        if (offer_link(offer) != link)
            continue;
        offer->is_asked = false;
        offer_free_unused(offer);
    }
}

/* N.B. the first job may come in the body of the message that confirms the service, which is read first. */
static void offer_open(offer_t *self)
{
    if (self->state != OFFER_ASKED)
        return;
    self->state = OFFER_OPEN;
    self->offers->callbacks->on_served(self->offers->owner, self->arg, offer_service(self));
}

void offers_confirmed(offers_t *self, uint64_t id, link_claim_t claim)
{
    offer_t *offer = slots_get(self->slots, id);
    if (!offer)
        return;
    offer->claim = claim;
    offer_open(offer);
}

void offers_left(offers_t *self, uint64_t id)
{
    offer_t *offer = slots_get(self->slots, id);
    if (!offer)
        return;
    offer->is_asked = false;
    offer_free_unused(offer);
}

static job_t *job_new(offer_t *offer, const body_copy_t *copy, origin_t *origin)
{
    job_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->offer = offer;
    self->origin = origin_take(origin);
    self->number = copy->number;
    self->session = copy->session;
    list_append(&offer->jobs, &self->in_offer);
    offer->offers->jobs++;
    return self;
}

/* The offer of a copy that came; one that is not here is not sent anything by any broker. */
static offer_t *offers_find(const offers_t *self, const link_t *link, uint64_t id, const body_copy_t *copy)
{
    offer_t *offer = slots_get(self->slots, id);
    if (offer && offer_link(offer) == link)
        return offer;
    log_warning("job-for-nobody", log_uint("service", id), log_uint("number", copy->number));
    self->ledger->returned[FERRY_REASON_GONE]++;
    return NULL;
}

void offers_copy(offers_t *self, link_t *link, uint64_t id, const body_copy_t *copy, origin_t *origin)
{
    offer_t *offer = offers_find(self, link, id, copy);
    if (!offer)
        return;
    offer_open(offer);
    job_t *job = job_new(offer, copy, origin);
    if (!list_has(&offer->dirty))
        list_append(&self->dirty, &offer->dirty);
    if (offer->state == OFFER_LEAVING)
        job_return(&job, offer->reason);
    else
        self->callbacks->on_job(self->owner, job, copy);
}

void offers_late(offers_t *self, link_t *link, uint64_t id, const body_copy_t *copy, origin_t *origin)
{
    offer_t *offer = offers_find(self, link, id, copy);
    if (!offer)
        return;
    job_t *job = job_new(offer, copy, origin);
    job_return(&job, FERRY_REASON_LATE);
}

static void offer_tell(offer_t *self)
{
    link_state_t state = link_state(offer_link(self));
    if (state < LINK_UP || state >= LINK_PARTING)
        return;
    for (list_node_t *node = self->jobs.head.next; node != &self->jobs.head; node = node->next) {
        job_t *job = list_member(node, job_t, in_offer);
        if (job->is_told || job->is_disowned)
            continue;
        link_hold(offer_link(self), self->id, job->origin, job->number, false);
        job->is_told = true;
    }
}

void offers_tell(offers_t *self)
{
    for (list_node_t *node; (node = list_first(&self->dirty));) {
        list_remove(node);
        offer_tell(list_member(node, offer_t, dirty));
    }
}
