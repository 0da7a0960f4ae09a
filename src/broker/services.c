/* SPDX-License-Identifier: MPL-2.0 */
/* services: what is open with a program is what was sent to it and is not acknowledged, and what its node holds for it,
 * which is everything it took, until the program says that it has done it. An acknowledgement, DONE, or a new program
 * gives waiting copies their turn. Owner: the router's thread. */
#include "broker/services.h"

#include <stdlib.h>

#include "broker/broker.h"
#include "broker/held.h"
#include "broker/pauses.h"

struct service {
    uint32_t credit;  /* copies that may be open at once */
    uint64_t turn;    /* when it was given something last: broker_t.service_turns then */
    buffer_t flights; /* uint64_t: the batch of each copy that is not acknowledged, oldest first */
    list_node_t busy; /* in node_t.busy_services while there are some */
    peer_t *peer;     /* borrowed: whose it is */
};
typedef struct service service_t;

void services_begin(peer_t *peer)
{
    service_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->peer = peer;
    peer->more->service = self;
}

void services_end(peer_t *peer)
{
    service_t *self = peer_service(peer);
    if (!self)
        return;
    list_remove(&self->busy);
    buffer_fini(&self->flights);
    free(self);
    peer->more->service = NULL;
}

static size_t service_open(const service_t *self)
{
    return buffer_size(&self->flights) / sizeof(uint64_t) + held_count_of(self->peer);
}

static bool service_has_room(const service_t *self)
{
    return self->peer->state == PEER_OWNER && !peer_is_paused(self->peer) && service_open(self) < self->credit;
}

/* The program that is next, or NULL. */
static peer_t *services_pick(const shared_name_t *shared)
{
    peer_t *best = NULL;
    size_t best_open = 0;
    for (peer_t *peer = shared->first; peer; peer = peer->more->shared_next) {
        if (!service_has_room(peer->more->service))
            continue;
        size_t open = service_open(peer->more->service);
        if (best && (open > best_open || (open == best_open && peer->more->service->turn >= best->more->service->turn)))
            continue;
        best = peer;
        best_open = open;
    }
    return best;
}

static bool services_has_owner(const shared_name_t *shared)
{
    const peer_t *peer = shared ? shared->first : NULL;
    while (peer && peer->state != PEER_OWNER)
        peer = peer->more->shared_next;
    return peer != NULL;
}

/* Nothing waits any more: who was told so may send again. N.B. a broker that drains says so of no name. */
static void services_resume(struct broker *broker, shared_name_t *shared)
{
    if (!list_has(&shared->paused))
        return;
    for (uint32_t index = node_set_next(&shared->told, 0); index != NODE_SET_END && broker->drain == DRAIN_NONE;
         index = node_set_next(&shared->told, index + 1))
        node_tell(broker->nodes.list[index], &(control_t){.type = RECORD_RESUME, .name.name = shared->item.key});
    node_set_fini(&shared->told);
    list_remove(&shared->paused);
}

/* Gives waiting copies to those who have room for them, unless nodes part, who may not read them any more. N.B. whoever
 * has a copy wait is paused. */
static void services_go_on(struct broker *broker, shared_name_t *shared)
{
    if (!list_has(&shared->paused) || broker_parts(broker))
        return;
    peer_t *peer = services_pick(shared);
    for (; peer && kept_has(&broker->kept, shared->item.key); peer = services_pick(shared))
        kept_give(&broker->kept, shared->item.key, peer);
    if (peer)
        services_resume(broker, shared);
}

static void service_go_on(const service_t *self)
{
    if (peer_shared(self->peer))
        services_go_on(self->peer->node->broker, peer_shared(self->peer));
}

void services_tick(struct broker *broker)
{
    list_t paused;
    list_take(&paused, &broker->paused_services);
    for (list_node_t *at; (at = list_first(&paused));) {
        list_remove(at);
        list_append(&broker->paused_services, at);
        services_go_on(broker, list_member(at, shared_name_t, paused));
    }
}

int services_credit(node_t *node, const control_t *record)
{
    peer_t *peer = node_peer(node, record->held.session);
    if (!peer || !peer_service(peer))
        return -CLOSE_BAD_RECORD;
    peer->more->service->credit = record->held.count;
    service_go_on(peer->more->service);
    return 0;
}

int services_done(node_t *node, const control_t *record)
{
    peer_t *peer = node_peer(node, record->held.session);
    if (!peer || record->held.count >= held_count_of(peer))
        return -CLOSE_BAD_RECORD;
    shared_name_t *shared = peer_shared(peer);
    held_end_one(peer, record->held.count); /* N.B. which may free the peer */
    if (shared)
        services_go_on(node->broker, shared);
    return 0;
}

void services_sent(node_t *node, uint64_t session)
{
    const peer_t *peer = node_peer(node, session);
    service_t *self = peer ? peer_service(peer) : NULL;
    if (!self)
        return;
    uint64_t mark = dealer_writer_mark(&node->writer);
    buffer_append(&self->flights, &mark, sizeof mark);
    self->turn = ++node->broker->service_turns;
    if (!list_has(&self->busy))
        list_append(&node->busy_services, &self->busy);
}

/* Forgets what is acknowledged. */
static void service_land(service_t *self, uint64_t acknowledged)
{
    uint64_t mark;
    while (buffer_size(&self->flights)) {
        memcpy(&mark, self->flights.data + self->flights.start, sizeof mark);
        if (mark > acknowledged)
            return;
        buffer_consume(&self->flights, sizeof mark);
    }
    list_remove(&self->busy);
}

void services_acknowledged(node_t *node)
{
    list_t busy;
    list_take(&busy, &node->busy_services);
    for (list_node_t *at; (at = list_first(&busy));) {
        service_t *self = list_member(at, service_t, busy);
        list_remove(at);
        list_append(&node->busy_services, at);
        service_land(self, node->writer.sequence_acknowledged);
        service_go_on(self);
    }
}

/* Has the sender wait, and all others at its node that write to the service. */
static void services_pause(const transit_t *transit, shared_name_t *shared)
{
    node_t *sender = transit->node;
    if (node_set_has(&shared->told, sender->index))
        return;
    node_set_add(&shared->told, sender->index);
    if (!list_has(&shared->paused))
        list_append(&transit->broker->paused_services, &shared->paused);
    transit->broker->counters.pauses++;
    node_tell(sender, &(control_t){.type = RECORD_PAUSE, .name.name = shared->item.key});
}

/* Sends a message again to who took it before, and will take it for a double. */
static bool services_claimed(const transit_t *transit)
{
    uint32_t handle;
    uint64_t session;
    uint64_t number = transit->batch->first_number + transit->index;
    if (!transit->run.again || !claims_find(&transit->broker->claims, &transit->node->id, number, &handle, &session))
        return false;
    node_t *node = nodes_by_handle(&transit->broker->nodes, handle);
    if (!node)
        return false;
    transit_copies(transit, node, &session, 1);
    return true;
}

services_answer_t services_route(const transit_t *transit, span_t name)
{
    struct broker *broker = transit->broker;
    if (broker->settle.is_active)
        return SERVICES_KEPT;
    if (services_claimed(transit))
        return SERVICES_ROUTED;
    shared_name_t *shared = shared_names_find(broker, name);
    if (!services_has_owner(shared)) {
        transit_refuse(transit, name);
        return SERVICES_REFUSED;
    }
    peer_t *peer = services_pick(shared);
    if (!peer) {
        services_pause(transit, shared);
        node_tell(
            transit->node, &(control_t){.type = RECORD_WAITS, .number = transit->batch->first_number + transit->index});
        return SERVICES_KEPT;
    }
    transit_copies(transit, peer->node, &peer->session, 1);
    return SERVICES_ROUTED;
}

void services_ended(struct broker *broker, shared_name_t *shared)
{
    services_resume(broker, shared);
    if (!broker->settle.is_active)
        kept_refuse_name(broker, shared->item.key);
}

void services_forget(node_t *node)
{
    const list_t *paused = &node->broker->paused_services;
    for (list_node_t *at = paused->head.next; at != &paused->head; at = at->next)
        node_set_remove(&list_member(at, shared_name_t, paused)->told, node->index);
}
