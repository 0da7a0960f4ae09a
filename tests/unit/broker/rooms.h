/* SPDX-License-Identifier: MPL-2.0 */
/* rooms: a broker without a socket, for tests of its rooms one by one: its nodes are never connected, and what they are
 * told stays in their writers. Include it once in a test program. */
#ifndef FERRY_TESTS_BROKER_ROOMS_H
#define FERRY_TESTS_BROKER_ROOMS_H

#include "lib/test.h"

#include "broker/broker.h"

static broker_t broker;

static inline void rooms_open(void)
{
    broker = (broker_t){.name = "main", .batch_size = 65536, .names = table_new(), .held_origins = table_new()};
    nodes_init(&broker.nodes);
    watches_init(&broker.watches);
}

static void on_taken(void *arg, bool is_prompt)
{
    (void)is_prompt;
    node_touch(arg);
}

/* A node whose id and routing id are made of `number`. */
static inline node_t *rooms_node(uint8_t number)
{
    link_id_t id;
    char routing_id[5] = {0, 0, 0, 0, (char)number};
    memset(id.bytes, number, LINK_ID_SIZE);
    node_t *node = nodes_add(&broker, &id, span_of(routing_id, sizeof routing_id), 1);
    intake_init(&node->intake, 1, on_taken, node);
    return node;
}

/* What the end of a turn does, without sending anything. */
static inline void rooms_end_turn(void)
{
    while (broker.nodes.touched) {
        node_t *node = broker.nodes.touched;
        broker.nodes.touched = node->touched_next;
        node->touched = false;
        buffer_clear(&node->writer.controls);
        if (node->ended) {
            node->touched_next = broker.nodes.ended;
            broker.nodes.ended = node;
        }
    }
    nodes_reap(&broker.nodes);
}

/* The control record that the node was told first and that was not given out yet; its type must be that. */
static inline control_t rooms_told(node_t *node, record_type_t type)
{
    control_t record;
    span_t all = buffer_span(&node->writer.controls), rest = all;
    assert_int_equal(control_next(&record, &rest, CONTROL_FROM_BROKER), 1);
    assert_int_equal(record.type, type);
    node->writer.controls.start += all.size - rest.size; /* the bytes stay where they are */
    return record;
}

static inline void rooms_told_nothing(const node_t *node)
{
    assert_int_equal(buffer_size(&node->writer.controls), 0);
}

static inline void rooms_close(void)
{
    uint32_t at = 0;
    for (node_t *node; (node = nodes_next(&broker.nodes, &at));)
        nodes_remove(&broker.nodes, node);
    rooms_end_turn();
    watches_fini(&broker.watches);
    nodes_fini(&broker.nodes);
    table_destroy(&broker.names, NULL);
}

#endif
