/* SPDX-License-Identifier: MPL-2.0 */
/* watches: a table finds those who watch a name, another the one who watches it already, since ever so many may; a node
 * lists its own, so that they go with its link. Owner: the router's thread. */
#include "broker/watches.h"

#include <stdlib.h>

#include "broker/broker.h"
#include "broker/names.h"

/* A name that is watched. */
typedef struct {
    table_item_t item;
    list_t watchers;
    char name[];
} watched_t;

/* A session that watches it. */
typedef struct {
    table_item_t item;
    struct {
        watched_t *watch;
        node_t *node;
        uint64_t session;
    } key;
    list_node_t in_watch, in_node;
} watcher_t;

void watches_init(watches_t *self)
{
    self->names = table_new();
    self->watchers = table_new();
}

void watches_fini(watches_t *self)
{
    table_destroy(&self->names, NULL);
    table_destroy(&self->watchers, NULL);
}

static void *watches_new(size_t size)
{
    void *object = calloc(1, size);
    if (!object)
        abort();
    return object;
}

static void watcher_tell(const watcher_t *self, bool is_here)
{
    node_tell(self->key.node,
        &(control_t){.type = RECORD_PRESENCE,
            .name = {.session = self->key.session, .is_on = is_here, .name = self->key.watch->item.key}});
}

static span_t watcher_key(const watcher_t *self)
{
    return span_of((const char *)&self->key, sizeof self->key);
}

static watcher_t *watched_find(watched_t *self, node_t *node, uint64_t session)
{
    watcher_t sought = {.key = {.watch = self, .node = node, .session = session}};
    return (watcher_t *)table_get(node->broker->watches.watchers, watcher_key(&sought));
}

static watched_t *watches_of(watches_t *self, span_t name)
{
    watched_t *watch = (watched_t *)table_get(self->names, name);
    if (watch)
        return watch;
    watch = watches_new(sizeof *watch + name.size);
    memcpy(watch->name, name.data, name.size);
    watch->item.key = span_of(watch->name, name.size);
    list_init(&watch->watchers);
    table_put(self->names, &watch->item);
    return watch;
}

static watcher_t *watcher_new(watches_t *watches, node_t *node, const control_t *record)
{
    watched_t *watch = watches_of(watches, record->name.name);
    watcher_t *self = watched_find(watch, node, record->name.session);
    if (self)
        return self;
    self = watches_new(sizeof *self);
    self->key.watch = watch;
    self->key.node = node;
    self->key.session = record->name.session;
    self->item.key = watcher_key(self);
    table_put(watches->watchers, &self->item);
    list_append(&watch->watchers, &self->in_watch);
    list_append(&node->watchers, &self->in_node);
    return self;
}

static void watcher_destroy(watcher_t *self)
{
    watched_t *watch = self->key.watch;
    watches_t *watches = &self->key.node->broker->watches;
    table_take(watches->watchers, &self->item);
    list_remove(&self->in_watch);
    list_remove(&self->in_node);
    free(self);
    if (!list_is_empty(&watch->watchers))
        return;
    table_take(watches->names, &watch->item);
    free(watch);
}

int watches_set(node_t *node, const control_t *record)
{
    struct broker *broker = node->broker;
    if (record->name.is_on) {
        watcher_t *watcher = watcher_new(&broker->watches, node, record);
        bool is_here = names_find(broker, record->name.name) != NULL;
        if (is_here || !broker->settle.is_active)
            watcher_tell(watcher, is_here);
        return 0;
    }
    watched_t *watch = (watched_t *)table_get(broker->watches.names, record->name.name);
    watcher_t *watcher = watch ? watched_find(watch, node, record->name.session) : NULL;
    if (watcher)
        watcher_destroy(watcher);
    return 0;
}

static void watched_tell(const watched_t *self, bool is_here)
{
    for (list_node_t *at = self->watchers.head.next; at != &self->watchers.head; at = at->next)
        watcher_tell(list_member(at, watcher_t, in_watch), is_here);
}

void watches_tell(struct broker *broker, span_t name, bool is_here)
{
    if (table_count(broker->watches.names) == 0 || broker->drain != DRAIN_NONE)
        return;
    watched_t *watch = (watched_t *)table_get(broker->watches.names, name);
    if (watch)
        watched_tell(watch, is_here);
}

static void on_watch(void *arg, table_item_t *item)
{
    if (!names_find(arg, item->key))
        watched_tell((watched_t *)item, false);
}

void watches_settled(struct broker *broker)
{
    table_each(broker->watches.names, on_watch, broker);
}

void watches_forget(node_t *node)
{
    for (list_node_t *first; (first = list_first(&node->watchers));)
        watcher_destroy(list_member(first, watcher_t, in_node));
}
