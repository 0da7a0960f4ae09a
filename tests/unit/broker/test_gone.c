/* SPDX-License-Identifier: MPL-2.0 */
/* The reactor of these rooms never runs, so its clock stands still; the broker's is set by hand. */
#include "rooms.h"

#include "broker/gone.h"

static void on_turn(void *arg)
{
    (void)arg;
}

static void set_clock(uint64_t now_ms)
{
    broker.clock = (awake_clock_t){.now_ms = now_ms, .read_ms = reactor_now_ms(broker.reactor)};
}

static int setup(void **state)
{
    (void)state;
    rooms_open();
    broker.reactor = reactor_new(on_turn, NULL);
    broker.timeout_ms = 1000;
    set_clock(10000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rooms_close();
    gone_fini(&broker.gone);
    reactor_destroy(&broker.reactor);
    table_destroy(&broker.held_origins, NULL);
    return 0;
}

static uint32_t go(node_t *node, bool orderly)
{
    uint32_t handle = node->handle;
    gone_add(node, orderly);
    nodes_remove(&broker.nodes, node);
    return handle;
}

static void the_others_are_told(void **state)
{
    (void)state;
    node_t *one = rooms_node(1), *two = rooms_node(2);
    uint32_t handle = go(two, true);
    control_t record = rooms_told(one, RECORD_GONE);
    assert_int_equal(record.origin.handle, handle);
    assert_true(record.origin.orderly);
    handle = go(rooms_node(3), false);
    record = rooms_told(one, RECORD_GONE);
    assert_int_equal(record.origin.handle, handle);
    assert_false(record.origin.orderly);
    rooms_told_nothing(one);
}

static void a_handle_is_known_after_its_node_went(void **state)
{
    (void)state;
    link_id_t id;
    go(rooms_node(2), false);
    uint32_t handle = go(rooms_node(3), true);
    assert_true(gone_find(&broker.gone, handle, &id));
    assert_int_equal(id.bytes[0], 3);
    assert_false(gone_find(&broker.gone, handle + 1, &id));
}

static void a_resumed_link_hears_who_went_since(void **state)
{
    (void)state;
    node_t *one = rooms_node(1);
    go(rooms_node(2), false);
    set_clock(12000);
    uint32_t handle = go(rooms_node(3), true);
    rooms_told(one, RECORD_GONE);
    rooms_told(one, RECORD_GONE);
    buffer_clear(&one->writer.early);
    one->heard_before = 12500;
    gone_tell(one);
    control_t record;
    span_t origins = buffer_span(&one->writer.early);
    assert_int_equal(control_next(&record, &origins, CONTROL_FROM_BROKER), 1);
    assert_int_equal(record.origin.handle, handle);
    assert_int_equal(record.origin.node.bytes[0], 3);
    assert_int_equal(origins.size, 0);
    record = rooms_told(one, RECORD_GONE);
    assert_int_equal(record.origin.handle, handle);
    assert_true(record.origin.orderly);
    rooms_told_nothing(one);
}

static void those_who_went_long_ago_are_forgotten(void **state)
{
    (void)state;
    go(rooms_node(2), false);
    size_t size = buffer_size(&broker.gone.entries);
    set_clock(20000);
    go(rooms_node(3), false);
    assert_int_equal(buffer_size(&broker.gone.entries), size);
}

#define GONE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GONE_TEST(the_others_are_told),
        GONE_TEST(a_handle_is_known_after_its_node_went),
        GONE_TEST(a_resumed_link_hears_who_went_since),
        GONE_TEST(those_who_went_long_ago_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
