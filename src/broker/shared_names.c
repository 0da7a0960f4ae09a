/* SPDX-License-Identifier: MPL-2.0 */
/* shared_names: the peers of a name stand in a list, which is as long as there are nodes with members. Nothing fails
 * but by abort. Owner: the router's thread. */
#include "broker/shared_names.h"

#include <stdlib.h>

#include "broker/broker.h"
#include "broker/services.h"

shared_name_t *shared_names_find(const struct broker *broker, span_t name)
{
    return (shared_name_t *)table_get(broker->shared_names, name);
}

peer_t *shared_names_of_node(const node_t *node, span_t name)
{
    const shared_name_t *shared = shared_names_find(node->broker, name);
    peer_t *peer = shared ? shared->first : NULL;
    while (peer && (peer->node != node || peer->state != PEER_OWNER))
        peer = peer->more->shared_next;
    return peer;
}

static shared_name_t *shared_name_new(struct broker *broker, span_t name)
{
    shared_name_t *self = calloc(1, sizeof *self + name.size);
    if (!self)
        abort();
    memcpy(self->name, name.data, name.size);
    self->item.key = span_of(self->name, name.size);
    table_put(broker->shared_names, &self->item);
    return self;
}

void shared_names_add(peer_t *peer)
{
    struct broker *broker = peer->node->broker;
    shared_name_t *shared = shared_names_find(broker, peer->item.key);
    if (!shared)
        shared = shared_name_new(broker, peer->item.key);
    peer_t **at = &shared->first;
    while (*at)
        at = &(*at)->more->shared_next;
    *at = peer;
    peer->more->shared = shared;
}

void shared_names_remove(peer_t *peer)
{
    shared_name_t *shared = peer->more->shared;
    peer_t **at = &shared->first;
    while (*at != peer)
        at = &(*at)->more->shared_next;
    *at = peer->more->shared_next;
    peer->more->shared_next = NULL;
    peer->more->shared = NULL;
    if (shared->first)
        return;
    services_ended(peer->node->broker, shared);
    table_take(peer->node->broker->shared_names, &shared->item);
    free(shared);
}
