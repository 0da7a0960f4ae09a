/* SPDX-License-Identifier: MPL-2.0 */
/* settle: the ids that are waited for stand in a table until the end. Nothing fails but by abort. Owner: the router's
 * thread. */
#include "broker/settle.h"

#include <stdlib.h>

#include "base/log.h"
#include "broker/broker.h"
#include "broker/held.h"
#include "broker/names.h"

typedef struct {
    table_item_t item;
    link_id_t id;
    bool registered;
} expected_t;

void settle_begin(broker_t *broker, uint32_t settling_time_ms)
{
    broker->settle.until_ms = broker_now_ms(broker) + settling_time_ms;
}

static void on_expected_free(table_item_t *item)
{
    free(item);
}

void settle_fini(settle_t *self)
{
    if (self->expected)
        table_destroy(&self->expected, on_expected_free);
}

static expected_t *settle_find(const settle_t *self, const link_id_t *id)
{
    if (!self->expected)
        return NULL;
    return (expected_t *)table_get(self->expected, span_of((const char *)id->bytes, LINK_ID_SIZE));
}

static void settle_expect(settle_t *self, const link_id_t *id)
{
    if (settle_find(self, id))
        return;
    expected_t *expected = calloc(1, sizeof *expected);
    if (!expected)
        abort();
    expected->id = *id;
    expected->item.key = span_of((const char *)expected->id.bytes, LINK_ID_SIZE);
    table_put(self->expected, &expected->item);
    self->missing++;
}

static void settle_activate(broker_t *broker)
{
    settle_t *self = &broker->settle;
    uint32_t at = 0;
    self->is_active = true;
    self->expected = table_new();
    for (node_t *node; (node = nodes_next(&broker->nodes, &at));) {
        settle_expect(self, &node->id);
        if (node->registered)
            settle_registered(node);
    }
    log_info("settling", log_uint("left_ms", self->until_ms - broker_now_ms(broker)));
}

void settle_come(node_t *node, const control_t *hello)
{
    static const link_id_t nobody;
    broker_t *broker = node->broker;
    settle_t *self = &broker->settle;
    bool is_heir = !node->was_here && !link_id_equal(&hello->hello.instance, &nobody);
    if (!self->is_active && is_heir && broker_now_ms(broker) < self->until_ms && broker->drain == DRAIN_NONE)
        settle_activate(broker);
    if (!self->is_active)
        return;
    settle_expect(self, &node->id);
    span_t ids = hello->hello.nodes;
    for (link_id_t id; is_heir && ids.size > 0; ids = span_of(ids.data + LINK_ID_SIZE, ids.size - LINK_ID_SIZE)) {
        memcpy(id.bytes, ids.data, LINK_ID_SIZE);
        if (!link_id_is_of(&id, &hello->hello.instance))
            settle_expect(self, &id);
    }
}

void settle_registered(node_t *node)
{
    settle_t *self = &node->broker->settle;
    expected_t *expected = settle_find(self, &node->id);
    if (!expected || expected->registered)
        return;
    expected->registered = true;
    self->missing--;
}

/* What settle_absent fills. */
typedef struct {
    const nodes_t *nodes;
    buffer_t *ids;
    size_t room;
} absent_t;

static void on_expected(void *arg, table_item_t *item)
{
    absent_t *absent = arg;
    const expected_t *expected = (const expected_t *)item;
    if (expected->registered || absent->room == 0 || nodes_find(absent->nodes, &expected->id))
        return;
    buffer_append(absent->ids, expected->id.bytes, LINK_ID_SIZE);
    absent->room--;
}

void settle_absent(const broker_t *broker, buffer_t *ids, size_t count)
{
    absent_t absent = {.nodes = &broker->nodes, .ids = ids, .room = count};
    if (broker->settle.is_active)
        table_each(broker->settle.expected, on_expected, &absent);
}

bool settle_keeps(broker_t *broker, span_t name)
{
    return broker->settle.is_active && ((link_session_kind(name) != 0) || !table_get(broker->names, name));
}

static void settle_end(broker_t *broker)
{
    settle_t *self = &broker->settle;
    log_info("settled", log_uint("nodes", broker->nodes.count), log_uint("missing", self->missing),
        log_uint("names", table_count(broker->names)));
    self->is_active = false;
    self->until_ms = 0;
    names_settled(broker);
    watches_settled(broker);
    kept_settled(&broker->kept);
    settle_fini(self);
    uint32_t at = 0;
    for (node_t *node; (node = nodes_next(&broker->nodes, &at));)
        if (!node_is_restating(node))
            held_state(node);
}

void settle_step(broker_t *broker)
{
    settle_t *self = &broker->settle;
    if (!self->is_active || broker->drain != DRAIN_NONE)
        return;
    if (self->missing == 0 || broker_now_ms(broker) >= self->until_ms)
        settle_end(broker);
}
