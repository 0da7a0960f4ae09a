/* SPDX-License-Identifier: MPL-2.0 */
/* nodes: two seeded tables find a node by the id that it chose and by the routing id that ZeroMQ gave it (the one found
 * last is tried first, since nodes speak in bursts); the list finds it by index and handle. Nothing fails but by abort.
 * Owner: the router's thread. */
#include "broker/nodes.h"

#include <assert.h>
#include <stdlib.h>

#include "broker/broker.h"

#define NODES_FIRST    16
#define NODE_BODY_SIZE (64 * 1024) /* where a body to a node is closed: small enough to stay in the cache */

void nodes_init(nodes_t *self)
{
    *self = (nodes_t){.by_id = table_new(), .by_route = table_new()};
}

void nodes_fini(nodes_t *self)
{
    assert(self->count == 0 && !self->ended && !self->touched);
    table_destroy(&self->by_id, NULL);
    table_destroy(&self->by_route, NULL);
    free(self->list);
    free(self->handles);
}

static void nodes_grow(nodes_t *self)
{
    uint32_t size = self->list_size ? 2 * self->list_size : NODES_FIRST;
    self->list = realloc(self->list, size * sizeof(node_t *));
    self->handles = realloc(self->handles, size * sizeof *self->handles);
    if (!self->list || !self->handles)
        abort();
    memset(self->list + self->list_size, 0, (size - self->list_size) * sizeof(node_t *));
    memset(self->handles + self->list_size, 0, (size - self->list_size) * sizeof *self->handles);
    self->list_size = size;
}

static uint32_t nodes_free_index(nodes_t *self)
{
    uint32_t index = 0;
    while (index < self->list_size && self->list[index])
        index++;
    if (index == self->list_size)
        nodes_grow(self);
    return index;
}

static void route_destroy(nodes_t *nodes, route_t **self_p)
{
    route_t *self = *self_p;
    if (!self)
        return;
    if (nodes->route_last == self)
        nodes->route_last = NULL;
    table_take(nodes->by_route, &self->item);
    free(self);
    *self_p = NULL;
}

static void node_set_route(node_t *self, span_t routing_id)
{
    nodes_t *nodes = &self->broker->nodes;
    route_destroy(nodes, &self->route_before);
    self->route_before = self->route;
    if (self->route_before)
        self->route_before->is_current = false;
    route_t *route = calloc(1, sizeof *route + routing_id.size);
    if (!route)
        abort();
    memcpy(route->id, routing_id.data, routing_id.size);
    route->item.key = span_of((const char *)route->id, routing_id.size);
    route->node = self;
    route->is_current = true;
    self->route = route;
    table_put(nodes->by_route, &route->item);
}

static void node_connect(node_t *self, span_t routing_id, uint32_t epoch)
{
    self->epoch = epoch;
    self->registered = self->leaving = self->drained = false;
    self->bye_said = self->bye_heard = self->bye_answered = false;
    node_set_route(self, routing_id);
    dealer_writer_connect(&self->writer, self->route->item.key, epoch);
}

void node_reconnect(node_t *self, span_t routing_id, uint32_t epoch)
{
    node_connect(self, routing_id, epoch);
    self->was_here = self->resumed = true;
}

node_t *nodes_add(struct broker *broker, const link_id_t *id, span_t routing_id, uint32_t epoch)
{
    nodes_t *self = &broker->nodes;
    node_t *node = calloc(1, sizeof *node);
    if (!node)
        abort();
    node->id = *id;
    node->item.key = span_of((const char *)node->id.bytes, LINK_ID_SIZE);
    node->index = nodes_free_index(self);
    node->handle = ++self->handle_last;
    list_init(&node->watchers);
    list_init(&node->busy_services);
    node->broker = broker;
    dealer_writer_init(
        &node->writer, broker->socket, broker->batch_size < NODE_BODY_SIZE ? broker->batch_size : NODE_BODY_SIZE);
    node_connect(node, routing_id, epoch);
    table_put(self->by_id, &node->item);
    self->list[node->index] = node;
    self->handles[node->index] = node->handle;
    self->count++;
    return node;
}

void nodes_remove(nodes_t *self, node_t *node)
{
    assert(self->list[node->index] == node);
    table_take(self->by_id, &node->item);
    route_destroy(self, &node->route_before);
    self->list[node->index] = NULL;
    self->handles[node->index] = 0;
    self->count--;
    node->ended = true;
    node_touch(node);
}

/* N.B. a node's last messages need its routing id, so its route goes when they are sent. */
static void node_destroy(nodes_t *nodes, node_t *self)
{
    route_destroy(nodes, &self->route);
    budget_account_change(&self->broker->account, self->counted, 0);
    dealer_writer_fini(&self->writer);
    intake_fini(&self->intake);
    buffer_fini(&self->stated);
    free(self->slots);
    free(self);
}

void nodes_reap(nodes_t *self)
{
    while (self->ended) {
        node_t *node = self->ended;
        self->ended = node->touched_next;
        node_destroy(self, node);
    }
}

node_t *nodes_find(const nodes_t *self, const link_id_t *id)
{
    return (node_t *)table_get(self->by_id, span_of((const char *)id->bytes, LINK_ID_SIZE));
}

node_t *nodes_by_handle(const nodes_t *self, uint32_t handle)
{
    for (uint32_t index = 0; handle && index < self->list_size; index++)
        if (self->handles[index] == handle)
            return self->list[index];
    return NULL;
}

route_t *nodes_route(nodes_t *self, span_t routing_id)
{
    if (self->route_last && span_equal(self->route_last->item.key, routing_id))
        return self->route_last;
    route_t *route = (route_t *)table_get(self->by_route, routing_id);
    if (route)
        self->route_last = route;
    return route;
}

node_t *nodes_next(const nodes_t *self, uint32_t *at)
{
    while (*at < self->list_size && !self->list[*at])
        ++*at;
    return *at < self->list_size ? self->list[(*at)++] : NULL;
}

void node_touch_slow(node_t *self)
{
    nodes_t *nodes = &self->broker->nodes;
    self->touched = true;
    self->touched_next = nodes->touched;
    nodes->touched = self;
}

void node_tell(node_t *self, const control_t *control)
{
    dealer_writer_control(&self->writer, control);
    node_touch(self);
}

void node_tell_empty(node_t *self, record_type_t type)
{
    dealer_writer_control_empty(&self->writer, type);
    node_touch(self);
}
