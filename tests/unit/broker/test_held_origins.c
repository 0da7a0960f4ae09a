/* SPDX-License-Identifier: MPL-2.0 */
#include "rooms.h"

#include "broker/held_origins.h"

static const link_id_t id_of_one = {{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}};

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
    held_origins_fini(&broker);
    return 0;
}

static held_origin_t *origin_new(void)
{
    held_origin_t *origin = held_origin_of(&broker, &id_of_one);
    origin->references++;
    return origin;
}

static void end_copy(held_origin_t *origin, uint64_t number)
{
    held_list_t ended = {.type = RECORD_ENDED, .handle = 7};
    held_origin_end(origin, &ended, number);
    held_list_fini(&ended);
}

static void an_origin_is_one_object_until_its_last_reference(void **state)
{
    (void)state;
    node_t *node = rooms_node(1);
    held_origin_t *origin = origin_new();
    assert_ptr_equal(origin_new(), origin);
    assert_ptr_equal(origin->node, node);
    assert_ptr_equal(node->held_origin, origin);
    held_origin_release(&broker, origin);
    assert_int_equal(table_count(broker.held_origins), 1);
    held_origin_release(&broker, origin);
    assert_int_equal(table_count(broker.held_origins), 0);
    assert_null(node->held_origin);
}

static void an_origin_that_is_here_is_told(void **state)
{
    (void)state;
    node_t *node = rooms_node(1);
    held_origin_t *origin = origin_new();
    end_copy(origin, 5);
    assert_int_equal(rooms_told(node, RECORD_ENDED).held.numbers.first, 5);
    held_origin_release(&broker, origin);
}

static void an_origin_that_has_not_come_is_told_when_it_comes(void **state)
{
    (void)state;
    held_origin_t *origin = origin_new();
    end_copy(origin, 5);
    end_copy(origin, 9);
    held_origin_release(&broker, origin);
    node_t *node = rooms_node(1);
    assert_null(held_origin_come(node, false));
    control_t record = rooms_told(node, RECORD_ENDED);
    assert_int_equal(record.held.handle, 7);
    assert_int_equal(control_numbers_at(&record.held.numbers, 1), 9);
    assert_int_equal(table_count(broker.held_origins), 0);
}

static void an_origin_that_comes_back_to_this_instance_is_owed_nothing(void **state)
{
    (void)state;
    held_origin_t *origin = origin_new();
    end_copy(origin, 5);
    node_t *node = rooms_node(1);
    assert_ptr_equal(held_origin_come(node, true), origin);
    rooms_told_nothing(node);
    held_origin_release(&broker, origin);
}

static void an_origin_that_is_gone_is_another_than_the_one_that_comes_with_its_id(void **state)
{
    (void)state;
    node_t *node = rooms_node(1);
    held_origin_t *origin = origin_new();
    held_origin_gone(node);
    nodes_remove(&broker.nodes, node);
    rooms_end_turn();
    node = rooms_node(1);
    assert_null(held_origin_come(node, false));
    held_origin_t *other = origin_new();
    assert_ptr_not_equal(other, origin);
    end_copy(origin, 5);
    rooms_told_nothing(node);
    held_origin_release(&broker, origin);
    held_origin_release(&broker, other);
}

static void nobody_is_owed_nothing(void **state)
{
    (void)state;
    held_origin_t *nobody = held_origin_of_nobody();
    nobody->references++;
    end_copy(nobody, 5);
    held_origin_release(&broker, nobody);
    assert_int_equal(table_count(broker.held_origins), 0);
}

#define ORIGINS_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ORIGINS_TEST(an_origin_is_one_object_until_its_last_reference),
        ORIGINS_TEST(an_origin_that_is_here_is_told),
        ORIGINS_TEST(an_origin_that_has_not_come_is_told_when_it_comes),
        ORIGINS_TEST(an_origin_that_comes_back_to_this_instance_is_owed_nothing),
        ORIGINS_TEST(an_origin_that_is_gone_is_another_than_the_one_that_comes_with_its_id),
        ORIGINS_TEST(nobody_is_owed_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
