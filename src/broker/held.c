/* SPDX-License-Identifier: MPL-2.0 */
/* held: each session with held copies has a queue of (origin, number). HOLD appends and is passed on as HELD, END takes
 * from the front and is passed on as ENDED. A record that says more than can be ends the link. Owner: the router's
 * thread. */
#include "broker/held.h"

#include <stdlib.h>

#include "broker/broker.h"
#include "broker/dispatch.h"
#include "broker/held_origins.h"

typedef struct {
    held_origin_t *origin;
    uint64_t number;
} entry_t;

struct held {
    buffer_t entries; /* entry_t, oldest first */
    buffer_t before;  /* entry_t of the link before, until REGISTERED */
    size_t counted;   /* bytes of both, as the budget knows them */
};

static entry_t *entries(const buffer_t *buffer)
{
    return (entry_t *)(void *)(buffer->data + buffer->start);
}

static size_t entries_count(const buffer_t *buffer)
{
    return buffer_size(buffer) / sizeof(entry_t);
}

static void entries_drop(struct broker *broker, buffer_t *buffer, size_t count)
{
    for (size_t i = 0; i < count; i++)
        held_origin_release(broker, entries(buffer)[i].origin);
    buffer_consume(buffer, count * sizeof(entry_t));
}

static void held_count_memory(held_t *self, struct broker *broker)
{
    size_t size = self->entries.capacity + self->before.capacity;
    budget_account_change(&broker->account, self->counted, size);
    self->counted = size;
}

void held_drop(peer_t *peer)
{
    held_t *held = peer->held;
    if (!held)
        return;
    struct broker *broker = peer->node->broker;
    entries_drop(broker, &held->entries, entries_count(&held->entries));
    entries_drop(broker, &held->before, entries_count(&held->before));
    buffer_fini(&held->entries);
    buffer_fini(&held->before);
    held_count_memory(held, broker);
    free(held);
    peer->held = NULL;
}

/* The name to be told with what that peer holds; empty unless its node lives and dies with this broker. */
static span_t held_lent_name(const peer_t *peer)
{
    bool is_lent = link_id_is_of(&peer->node->id, &peer->node->broker->instance);
    return is_lent ? peer->item.key : span_of(NULL, 0);
}

/* A list of what that peer holds, or does not any more. */
static held_list_t held_list_of(const peer_t *peer, record_type_t type)
{
    return (held_list_t){.type = type, .handle = peer->node->handle, .lent_name = held_lent_name(peer)};
}

/* The report of what ends, or is forgotten, when nodes part goes to the successor: its origin hears of no end here, and
 * so of no SETTLED either. */
static void entry_end(const struct broker *broker, const entry_t *entry, held_list_t *ended)
{
    held_origin_t *origin = entry->origin;
    if (!broker_parts(broker))
        held_origin_tell(origin, ended, entry->number);
    else if (origin->node)
        origin->node->is_unsure = true;
}

static void entries_end(peer_t *peer, buffer_t *buffer, size_t count)
{
    held_list_t ended = held_list_of(peer, RECORD_ENDED);
    for (size_t i = 0; i < count; i++)
        entry_end(peer->node->broker, &entries(buffer)[i], &ended);
    held_list_fini(&ended);
    entries_drop(peer->node->broker, buffer, count);
}

void held_end_all(peer_t *peer)
{
    if (!peer->held)
        return;
    entries_end(peer, &peer->held->before, entries_count(&peer->held->before));
    entries_end(peer, &peer->held->entries, entries_count(&peer->held->entries));
    held_drop(peer);
}

static void held_reap(peer_t *peer)
{
    if (buffer_size(&peer->held->entries) > 0 || buffer_size(&peer->held->before) > 0)
        return;
    held_drop(peer);
    peer_reap(peer);
}

int held_state_origin(node_t *node, const control_t *record)
{
    size_t count = buffer_size(&node->stated) / sizeof(held_origin_t *);
    if (record->origin.handle != count + 1 || count >= HELD_STATED_MAX)
        return -CLOSE_BAD_RECORD;
    held_origin_t *origin = held_origin_of(node->broker, &record->origin.node);
    origin->references++;
    buffer_append(&node->stated, &origin, sizeof origin);
    return 0;
}

static held_origin_t *stated_get(const node_t *node, uint32_t handle)
{
    size_t count = buffer_size(&node->stated) / sizeof(held_origin_t *);
    if (handle == 0 || handle > count)
        return NULL;
    held_origin_t *origin;
    memcpy(&origin, node->stated.data + node->stated.start + (handle - 1) * sizeof origin, sizeof origin);
    return origin;
}

static void stated_clear(node_t *node)
{
    for (uint32_t handle = 1; stated_get(node, handle); handle++)
        held_origin_release(node->broker, stated_get(node, handle));
    buffer_fini(&node->stated);
}

/* What a HOLD is of. *origin stays NULL if that node is gone; then a place in the queue is all that is kept. */
static int hold_origin(node_t *node, const control_t *record, held_origin_t **origin)
{
    struct broker *broker = node->broker;
    if (record->held.again) {
        *origin = stated_get(node, record->held.handle);
        return *origin ? 0 : -CLOSE_BAD_RECORD;
    }
    if (record->held.handle == 0 || record->held.handle > broker->nodes.handle_last)
        return -CLOSE_BAD_RECORD;
    node_t *from = nodes_by_handle(&broker->nodes, record->held.handle);
    *origin = from ? held_origin_of(broker, &from->id) : NULL;
    return 0;
}

/* The queue of a session, made if there is none; NULL if the session cannot be, or holds too much. */
static held_t *hold_queue(node_t *node, const control_t *record)
{
    peer_t *peer = node_peer_held(node, record->held.session);
    if (!peer)
        return NULL;
    if (!peer->held && !(peer->held = calloc(1, sizeof *peer->held)))
        abort();
    size_t count = entries_count(&peer->held->entries) + control_numbers_count(&record->held.numbers);
    return count <= HELD_SESSION_MAX ? peer->held : NULL;
}

/* A service has taken these from an instance before. Only the origins that a broker settles with send them again. */
static void hold_claim(node_t *node, const control_t *record, const held_origin_t *origin)
{
    const control_numbers_t *numbers = &record->held.numbers;
    if (!record->held.again || !link_session_is_service(record->held.session) || !node->broker->settle.is_active)
        return;
    for (size_t i = 0; i < control_numbers_count(numbers); i++)
        claims_add(
            &node->broker->claims, &origin->id, control_numbers_at(numbers, i), node->handle, record->held.session);
}

/* N.B. what is over is said to be claimed, and never was in the queue of this link. */
static int hold_over(node_t *node, const control_t *record)
{
    held_origin_t *origin;
    int rc = hold_origin(node, record, &origin);
    if (rc == 0)
        hold_claim(node, record, origin);
    return rc;
}

static void held_tell(const peer_t *peer, node_t *origin, const control_numbers_t *numbers)
{
    span_t name = held_lent_name(peer);
    node_tell(
        origin, &(control_t){.type = RECORD_HELD,
                    .held = {.handle = peer->node->handle, .lent = name.size > 0, .name = name, .numbers = *numbers}});
}

int held_hold(node_t *node, const control_t *record)
{
    if (record->held.over)
        return hold_over(node, record);
    held_origin_t *origin;
    const control_numbers_t *numbers = &record->held.numbers;
    held_t *held = hold_queue(node, record);
    if (!held || hold_origin(node, record, &origin) != 0)
        return -CLOSE_BAD_RECORD;
    if (!origin)
        origin = held_origin_of_nobody();
    hold_claim(node, record, origin);
    for (size_t i = 0; i < control_numbers_count(numbers); i++) {
        entry_t entry = {.origin = origin, .number = control_numbers_at(numbers, i)};
        origin->references++;
        buffer_append(&held->entries, &entry, sizeof entry);
    }
    held_count_memory(held, node->broker);
    if (origin->node && !node_is_restating(origin->node) && !record->held.again && !node_is_restating(node))
        held_tell(node_peer_held(node, record->held.session), origin->node, numbers);
    return 0;
}

int held_end(node_t *node, const control_t *record)
{
    peer_t *peer = node_peer(node, record->held.session);
    if (!peer || !peer->held || record->held.count > entries_count(&peer->held->entries))
        return -CLOSE_BAD_RECORD;
    entries_end(peer, &peer->held->entries, record->held.count);
    held_reap(peer);
    return 0;
}

/* What a session holds as far as is known: while its node states it anew on a resumed link, that is what it held on the
 * link before; what differs is told when it has done so. */
static const buffer_t *held_known(const peer_t *peer)
{
    return node_is_restating(peer->node) ? &peer->held->before : &peer->held->entries;
}

/* HELD for all that `holder` holds of `origin`. */
static void held_state_holder(const node_t *holder, node_t *origin)
{
    held_list_t list = {.type = RECORD_HELD, .handle = holder->handle, .again = true};
    for (uint32_t slot = 0; slot < holder->slot_count; slot++) {
        const peer_t *peer = holder->slots[slot];
        const buffer_t *known = peer && peer->held ? held_known(peer) : NULL;
        if (known) {
            held_list_flush(&list);
            list.lent_name = held_lent_name(peer);
        }
        for (size_t i = 0; known && i < entries_count(known); i++)
            if (entries(known)[i].origin == origin->held_origin)
                held_list_add(&list, origin, entries(known)[i].number);
    }
    held_list_fini(&list);
}

void held_state(node_t *node)
{
    uint32_t at = 0;
    for (node_t *holder; node->held_origin && (holder = nodes_next(&node->broker->nodes, &at));)
        held_state_holder(holder, node);
    if (!node->is_unsure)
        node_tell_empty(node, RECORD_SETTLED);
}

/* The link that is replaced may have ended before all was stated on it: then the one before it counts. */
void held_replaced(node_t *node)
{
    stated_clear(node);
    for (uint32_t slot = 0; slot < node->slot_count; slot++) {
        held_t *held = node->slots[slot] ? node->slots[slot]->held : NULL;
        if (!held)
            continue;
        if (buffer_size(&held->before) > 0) {
            entries_drop(node->broker, &held->entries, entries_count(&held->entries));
            continue;
        }
        buffer_fini(&held->before);
        held->before = held->entries;
        held->entries = (buffer_t){0};
    }
}

/* What stood in the queue before and does not any more has ended, and what follows the rest of it now is news. On a
 * fresh link nothing stood there before, and the origins know what is stated. */
static void held_reconcile(peer_t *peer)
{
    held_t *held = peer->held;
    held_list_t ended = held_list_of(peer, RECORD_ENDED), news = held_list_of(peer, RECORD_HELD);
    size_t at = 0, count = entries_count(&held->entries);
    for (size_t i = 0; i < entries_count(&held->before); i++) {
        const entry_t *entry = &entries(&held->before)[i];
        const entry_t *now = at < count ? &entries(&held->entries)[at] : NULL;
        if (now && now->origin == entry->origin && now->number == entry->number)
            at++;
        else
            entry_end(peer->node->broker, entry, &ended);
    }
    held_list_fini(&ended);
    for (; peer->node->resumed && at < count; at++)
        held_origin_tell(entries(&held->entries)[at].origin, &news, entries(&held->entries)[at].number);
    held_list_fini(&news);
    entries_drop(peer->node->broker, &held->before, entries_count(&held->before));
    held_reap(peer);
}

void held_registered(node_t *node)
{
    stated_clear(node);
    for (uint32_t slot = 0; slot < node->slot_count; slot++)
        if (node->slots[slot] && node->slots[slot]->held)
            held_reconcile(node->slots[slot]);
}

static void held_lost_entry(held_list_t *ended, const peer_t *peer, const entry_t *entry)
{
    if (peer->item.key.size > 0)
        dispatch_lost_held(peer->node->broker, entry->origin, entry->number, peer->item.key);
    held_origin_tell(entry->origin, ended, entry->number);
}

void held_lost(node_t *node)
{
    stated_clear(node);
    for (uint32_t slot = 0; slot < node->slot_count; slot++) {
        const peer_t *peer = node->slots[slot];
        if (!peer || !peer->held)
            continue;
        held_list_t ended = held_list_of(peer, RECORD_ENDED);
        for (size_t i = 0; i < entries_count(&peer->held->before); i++)
            held_lost_entry(&ended, peer, &entries(&peer->held->before)[i]);
        for (size_t i = 0; i < entries_count(&peer->held->entries); i++)
            held_lost_entry(&ended, peer, &entries(&peer->held->entries)[i]);
        held_list_fini(&ended);
    }
}

void held_forget(node_t *node)
{
    stated_clear(node);
    for (uint32_t slot = 0; slot < node->slot_count; slot++)
        if (node->slots[slot])
            held_end_all(node->slots[slot]);
}

void held_end_one(peer_t *peer, size_t place)
{
    buffer_t *queue = &peer->held->entries;
    entry_t entry = entries(queue)[place];
    memmove(entries(queue) + 1, entries(queue), place * sizeof entry);
    memcpy(entries(queue), &entry, sizeof entry);
    entries_end(peer, queue, 1);
    held_reap(peer);
}

size_t held_count_of(const peer_t *peer)
{
    return peer->held ? entries_count(&peer->held->entries) : 0;
}

uint64_t held_count(const node_t *node)
{
    uint64_t count = 0;
    for (uint32_t slot = 0; slot < node->slot_count; slot++)
        if (node->slots[slot] && node->slots[slot]->held)
            count += entries_count(&node->slots[slot]->held->entries);
    return count;
}
