/* SPDX-License-Identifier: MPL-2.0 */
/* take_over: a name that never changed hands lately is taken over at once; a record of that is kept for two hold-offs.
 * Owner: the router's thread. */
#include "broker/take_over.h"

#include <stdlib.h>

#include "base/log.h"
#include "broker/broker.h"
#include "broker/names.h"

typedef struct {
    table_item_t item; /* the name */
    list_node_t in_all;
    uint64_t since_ms; /* when it changed hands last */
    uint64_t hold_ms;
    char name[];
} fight_t;

void take_over_init(take_over_t *self, bool is_enabled)
{
    *self = (take_over_t){.is_enabled = is_enabled, .fights = table_new()};
    list_init(&self->all);
    list_init(&self->hopes);
}

static void on_free(table_item_t *item)
{
    free(item);
}

void take_over_fini(take_over_t *self)
{
    table_destroy(&self->fights, on_free);
}

static fight_t *fight_new(take_over_t *take_over, span_t name)
{
    fight_t *self = calloc(1, sizeof *self + name.size);
    if (!self)
        abort();
    memcpy(self->name, name.data, name.size);
    self->item.key = span_of(self->name, name.size);
    table_put(take_over->fights, &self->item);
    list_append(&take_over->all, &self->in_all);
    return self;
}

/* The name changes hands. */
static void fight_go_on(struct broker *broker, span_t name, bool is_away)
{
    fight_t *self = (fight_t *)table_get(broker->take_over.fights, name);
    if (!self)
        self = fight_new(&broker->take_over, name);
    self->since_ms = broker_now_ms(broker);
    uint64_t first_ms = is_away ? TAKE_OVER_AWAY_FIRST_MS : TAKE_OVER_HOLD_MS;
    uint64_t most_ms = is_away ? TAKE_OVER_AWAY_MOST_MS : TAKE_OVER_MOST_MS;
    self->hold_ms = self->hold_ms ? 2 * self->hold_ms : first_ms;
    if (self->hold_ms > most_ms)
        self->hold_ms = most_ms;
}

static void take_over_do(struct broker *broker, peer_t *owner, peer_t *newcomer)
{
    newcomer->took_over = !owner->is_away;
    log_info(owner->is_away ? "name-resumed" : "name-taken-over", log_span("name", newcomer->item.key),
        log_uint("handle", newcomer->node->handle), log_uint("before", owner->node->handle));
    broker->counters.taken_over += newcomer->took_over;
    fight_go_on(broker, newcomer->item.key, owner->is_away);
    peer_replace(owner, newcomer);
}

void take_over_claim(struct broker *broker, peer_t *owner, peer_t *newcomer)
{
    take_over_t *self = &broker->take_over;
    const fight_t *fight = (const fight_t *)table_get(self->fights, newcomer->item.key);
    if (fight && broker_now_ms(broker) - fight->since_ms < fight->hold_ms)
        peer_wait_for(owner, newcomer);
    else if (fight || table_count(self->fights) < TAKE_OVER_FIGHTS)
        take_over_do(broker, owner, newcomer);
    else
        peer_turn_away(newcomer);
}

static void fight_end(take_over_t *take_over, fight_t *self)
{
    table_take(take_over->fights, &self->item);
    list_remove(&self->in_all);
    free(self);
}

/* The hold-off is over: the first who waits has the name, or the fight may be. */
static void fight_look(struct broker *broker, fight_t *self, uint64_t held_ms)
{
    peer_t *owner = (peer_t *)table_get(broker->names, self->item.key);
    bool may_change = owner && owner->state == PEER_OWNER && (owner->is_away || broker->take_over.is_enabled);
    peer_t *newcomer = may_change ? peer_first_waiting(owner) : NULL;
    if (newcomer) {
        take_over_do(broker, owner, newcomer);
    } else if (held_ms >= 2 * self->hold_ms) {
        fight_end(&broker->take_over, self);
    }
}

void take_over_hope(struct broker *broker, peer_t *owner, peer_t *newcomer)
{
    peer_more_t *more = peer_more(newcomer);
    more->hopes_until_ms = broker_now_ms(broker) + TAKE_OVER_HOPE_MS;
    list_append(&broker->take_over.hopes, &more->in_hopes);
    peer_wait_for(owner, newcomer);
}

void take_over_away(struct broker *broker, peer_t *owner)
{
    peer_t *newcomer = owner->state == PEER_OWNER ? peer_first_waiting(owner) : NULL;
    if (!newcomer)
        return;
    if (newcomer->more)
        list_remove(&newcomer->more->in_hopes);
    take_over_claim(broker, owner, newcomer);
}

/* Denies logins whose owners are there. */
static void hopes_tick(take_over_t *self, uint64_t now_ms)
{
    for (list_node_t *node; (node = list_first(&self->hopes));) {
        const peer_more_t *more = list_member(node, peer_more_t, in_hopes);
        peer_t *newcomer = more->peer;
        if (now_ms < more->hopes_until_ms)
            return;
        list_remove(node);
        if (newcomer->state == PEER_WAITING)
            peer_wait_no_more(newcomer);
    }
}

void take_over_tick(struct broker *broker)
{
    uint64_t now_ms = broker_now_ms(broker);
    take_over_t *self = &broker->take_over;
    hopes_tick(self, now_ms);
    for (list_node_t *node = self->all.head.next, *next; node != &self->all.head; node = next) {
        fight_t *fight = list_member(node, fight_t, in_all);
        next = node->next;
        if (now_ms - fight->since_ms >= fight->hold_ms)
            fight_look(broker, fight, now_ms - fight->since_ms);
    }
}
