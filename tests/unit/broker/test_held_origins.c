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
    held_origin_tell(origin, &ended, number);
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

static void an_origin_that_is_away_is_told_nothing_until_it_comes(void **state)
{
    (void)state;
    held_origin_t *origin = origin_new();
    end_copy(origin, 5);
    node_t *node = rooms_node(1);
    held_origin_come(node);
    rooms_told_nothing(node);
    end_copy(origin, 6);
    assert_int_equal(rooms_told(node, RECORD_ENDED).held.numbers.first, 6);
    held_origin_release(&broker, origin);
    assert_int_equal(table_count(broker.held_origins), 0);
}

static void a_node_of_which_nothing_is_held_is_no_origin(void **state)
{
    (void)state;
    node_t *node = rooms_node(1);
    held_origin_come(node);
    assert_null(node->held_origin);
}

static void an_origin_that_was_given_up_is_the_same_when_it_comes_back(void **state)
{
    (void)state;
    node_t *node = rooms_node(1);
    held_origin_t *origin = origin_new();
    held_origin_gone(node, false);
    nodes_remove(&broker.nodes, node);
    rooms_end_turn();
    end_copy(origin, 5);
    node = rooms_node(1);
    held_origin_come(node);
    rooms_told_nothing(node);
    assert_ptr_equal(node->held_origin, origin);
    held_origin_release(&broker, origin);
}

static void an_origin_that_left_is_another_than_the_one_that_comes_with_its_id(void **state)
{
    (void)state;
    node_t *node = rooms_node(1);
    held_origin_t *origin = origin_new();
    held_origin_gone(node, true);
    nodes_remove(&broker.nodes, node);
    rooms_end_turn();
    node = rooms_node(1);
    held_origin_come(node);
    assert_null(node->held_origin);
    held_origin_t *other = origin_new();
    assert_ptr_not_equal(other, origin);
    end_copy(origin, 5);
    rooms_told_nothing(node);
    held_origin_release(&broker, origin);
    held_origin_release(&broker, other);
}

static void nobody_is_told_nothing(void **state)
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
        ORIGINS_TEST(an_origin_that_is_away_is_told_nothing_until_it_comes),
        ORIGINS_TEST(a_node_of_which_nothing_is_held_is_no_origin),
        ORIGINS_TEST(an_origin_that_was_given_up_is_the_same_when_it_comes_back),
        ORIGINS_TEST(an_origin_that_left_is_another_than_the_one_that_comes_with_its_id),
        ORIGINS_TEST(nobody_is_told_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
