/* SPDX-License-Identifier: MPL-2.0 */
#include "rooms.h"

static int setup(void **state)
{
    (void)state;
    rooms_open();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rooms_close();
    table_destroy(&broker.held_origins, NULL);
    return 0;
}

static void a_node_is_found_by_id_handle_and_route(void **state)
{
    (void)state;
    node_t *one = rooms_node(1), *two = rooms_node(2);
    assert_ptr_equal(nodes_find(&broker.nodes, &one->id), one);
    assert_ptr_equal(nodes_find(&broker.nodes, &two->id), two);
    assert_null(nodes_find(&broker.nodes, &(link_id_t){{9}}));
    assert_true(one->handle != two->handle);
    assert_ptr_equal(nodes_by_handle(&broker.nodes, one->handle), one);
    assert_null(nodes_by_handle(&broker.nodes, 0));
    assert_null(nodes_by_handle(&broker.nodes, two->handle + 1));
    for (unsigned i = 0; i < 2; i++) { /* the second time it was found last */
        assert_ptr_equal(nodes_route(&broker.nodes, one->route->item.key)->node, one);
        assert_ptr_equal(nodes_route(&broker.nodes, two->route->item.key)->node, two);
    }
    assert_null(nodes_route(&broker.nodes, span_str("stranger")));
}

static void a_new_connection_has_a_new_route_and_the_old_one_is_known(void **state)
{
    (void)state;
    node_t *node = rooms_node(1);
    node_reconnect(node, span_str("second"), 2);
    const route_t *before = nodes_route(&broker.nodes, span_of("\0\0\0\0\1", 5));
    assert_ptr_equal(before->node, node);
    assert_false(before->is_current);
    assert_true(nodes_route(&broker.nodes, span_str("second"))->is_current);
    assert_true(span_equal(node->writer.routing_id, span_str("second")));
    node_reconnect(node, span_str("third"), 3);
    assert_null(nodes_route(&broker.nodes, span_of("\0\0\0\0\1", 5)));
    assert_false(nodes_route(&broker.nodes, span_str("second"))->is_current);
    assert_int_equal(node->epoch, 3);
}

static void an_index_is_used_again_and_a_handle_never(void **state)
{
    (void)state;
    node_t *one = rooms_node(1);
    rooms_node(2);
    uint32_t index = one->index, handle = one->handle;
    link_id_t id = one->id;
    nodes_remove(&broker.nodes, one);
    assert_null(nodes_find(&broker.nodes, &id));
    assert_null(nodes_by_handle(&broker.nodes, handle));
    rooms_end_turn();
    assert_null(nodes_route(&broker.nodes, span_of("\0\0\0\0\1", 5)));
    node_t *three = rooms_node(3);
    assert_int_equal(three->index, index);
    assert_true(three->handle > handle + 1);
}

static void a_walk_meets_every_node_once(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    unsigned met[COUNT + 1] = {0};
    node_t *nodes[COUNT + 1];
    for (uint8_t i = 1; i <= COUNT; i++)
        nodes[i] = rooms_node(i);
    for (uint8_t i = 3; i <= COUNT; i += 3)
        nodes_remove(&broker.nodes, nodes[i]);
    uint32_t at = 0;
    for (node_t *node; (node = nodes_next(&broker.nodes, &at));)
        met[node->id.bytes[0]]++;
    for (unsigned i = 1; i <= COUNT; i++)
        assert_int_equal(met[i], i % 3 != 0);
    assert_int_equal(broker.nodes.count, COUNT - COUNT / 3);
}

static void a_node_is_touched_once_a_turn(void **state)
{
    (void)state;
    node_t *one = rooms_node(1), *two = rooms_node(2);
    node_tell_empty(one, RECORD_DRAIN);
    node_touch(two);
    node_touch(one);
    unsigned count = 0;
    for (const node_t *node = broker.nodes.touched; node; node = node->touched_next)
        count++;
    assert_int_equal(count, 2);
    rooms_told(one, RECORD_DRAIN);
    rooms_told_nothing(one);
}

#define NODES_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODES_TEST(a_node_is_found_by_id_handle_and_route),
        NODES_TEST(a_new_connection_has_a_new_route_and_the_old_one_is_known),
        NODES_TEST(an_index_is_used_again_and_a_handle_never),
        NODES_TEST(a_walk_meets_every_node_once),
        NODES_TEST(a_node_is_touched_once_a_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
