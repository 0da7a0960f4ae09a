/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include "link/origins.h"

enum { MANY = 300 };

static link_id_t node(unsigned number)
{
    link_id_t id = {{0}};
    id.bytes[0] = (uint8_t)number;
    id.bytes[1] = (uint8_t)(number >> 8);
    return id;
}

static origin_t *put(origins_t *origins, uint32_t handle, unsigned number)
{
    link_id_t id = node(number);
    origins_put(origins, handle, &id);
    return origins_get(origins, handle);
}

static void an_origin_is_found_by_its_handle(void **state)
{
    (void)state;
    origins_t origins = {0};
    assert_null(origins_get(&origins, 1));
    for (unsigned i = 1; i <= MANY; i++)
        put(&origins, i * 16, i); /* handles that fall on the same slots */
    for (unsigned i = 1; i <= MANY; i++) {
        link_id_t id = node(i);
        assert_true(link_id_equal(&origins_get(&origins, i * 16)->node, &id));
        assert_null(origins_get(&origins, i * 16 + 1));
    }
    assert_null(origins_get(&origins, 0));
    origins_fini(&origins);
    assert_null(origins_get(&origins, 16));
}

static void a_handle_that_is_dropped_is_not_found_and_others_are(void **state)
{
    (void)state;
    origins_t origins = {0};
    for (unsigned i = 1; i <= MANY; i++)
        put(&origins, i, i);
    for (unsigned i = 1; i <= MANY; i += 2)
        origins_drop(&origins, i, false);
    origins_drop(&origins, 1, false);
    origins_drop(&origins, MANY + 1, false);
    for (unsigned i = 1; i <= MANY; i++)
        assert_int_equal(origins_get(&origins, i) != NULL, i % 2 == 0);
    assert_int_equal(origins.count, MANY / 2);
    origins_fini(&origins);
}

static void an_origin_lives_as_long_as_a_copy_of_it_is_queued(void **state)
{
    (void)state;
    origins_t origins = {0};
    origin_t *origin = origin_take(origin_take(put(&origins, 1, 1)));
    link_id_t id = node(1);
    origins_drop(&origins, 1, false);
    assert_null(origins_get(&origins, 1));
    assert_true(link_id_equal(&origin->node, &id));
    origins_release(&origins, origin);
    assert_int_equal(origins.count, 1);
    origins_release(&origins, origin);
    assert_int_equal(origins.count, 0);
    origins_fini(&origins);
}

static void an_origin_that_is_gone_keeps_its_handle_on_that_link(void **state)
{
    (void)state;
    origins_t origins = {0};
    origin_t *origin = origin_take(put(&origins, 7, 1));
    origins_drop(&origins, 7, false);
    assert_int_equal(origin->handle, 7);
    origins_unbind_all(&origins);
    assert_int_equal(origin->handle, 0);
    origins_release(&origins, origin);
    origins_fini(&origins);
}

static void a_node_that_another_instance_knows_is_the_same_origin(void **state)
{
    (void)state;
    origins_t origins = {0};
    origin_t *origin = put(&origins, 3, 1);
    origins_unbind_all(&origins);
    assert_null(origins_get(&origins, 3));
    assert_ptr_equal(put(&origins, 9, 1), origin);
    assert_null(origins_get(&origins, 3));
    assert_int_equal(origin->handle, 9);
    assert_int_equal(origins.count, 1);
    origins_settle(&origins);
    assert_ptr_equal(origins_get(&origins, 9), origin);
    origins_fini(&origins);
}

static void a_node_may_have_several_handles_and_is_gone_with_the_last(void **state)
{
    (void)state;
    origins_t origins = {0};
    origin_t *origin = put(&origins, 3, 1);
    taken_log_add(&origin->log, 1, 5);
    assert_ptr_equal(put(&origins, 10, 1), origin);
    assert_ptr_equal(put(&origins, 7, 1), origin);
    assert_int_equal(origin->handle, 10);
    origins_drop(&origins, 3, false);
    assert_null(origins_get(&origins, 3));
    assert_ptr_equal(origins_get(&origins, 10), origin);
    origins_drop(&origins, 10, false);
    assert_false(origin->is_gone);
    origins_drop(&origins, 7, false);
    assert_true(origin->is_gone);
    assert_int_equal(origins.count, 1);
    origins_fini(&origins);
}

static void a_handle_that_is_in_use_stays_its_nodes(void **state)
{
    (void)state;
    origins_t origins = {0};
    origin_t *origin = put(&origins, 3, 1);
    assert_ptr_equal(put(&origins, 3, 2), origin);
    assert_int_equal(origins.count, 1);
    origins_drop(&origins, 3, true);
    assert_ptr_not_equal(put(&origins, 3, 2), NULL);
    assert_int_equal(origins.items[0]->node.bytes[0], 2);
    origins_fini(&origins);
}

/* Puts node i under handle i, with a copy taken of it. */
static void put_taken(origins_t *origins, unsigned i)
{
    taken_log_add(&put(origins, i, i)->log, 1, 5);
}

static bool knows(const origins_t *origins, unsigned number)
{
    link_id_t id = node(number);
    for (size_t i = 0; i < origins->count; i++)
        if (link_id_equal(&origins->items[i]->node, &id))
            return taken_log_count(&origins->items[i]->log) == 1;
    return false;
}

static void the_logs_of_the_last_nodes_that_are_gone_are_kept(void **state)
{
    (void)state;
    origins_t origins = {0};
    for (unsigned i = 1; i <= MANY; i++)
        put_taken(&origins, i);
    origin_t *queued = origin_take(origins_get(&origins, 1));
    for (unsigned i = 1; i <= MANY; i++)
        origins_drop(&origins, i, false);
    for (unsigned i = 1; i <= MANY; i++)
        if (knows(&origins, i) != (i == 1 || i > MANY - ORIGINS_GONE_MAX))
            fail_msg("node %u", i);
    assert_int_equal(origins.count, ORIGINS_GONE_MAX + 1);
    origins_release(&origins, queued); /* which is the one that has been gone for longest */
    assert_false(knows(&origins, 1));
    assert_int_equal(origins.count, ORIGINS_GONE_MAX);
    origins_fini(&origins);
}

static void the_log_of_a_node_that_left_in_order_is_not_kept(void **state)
{
    (void)state;
    origins_t origins = {0};
    for (unsigned i = 1; i <= MANY; i++) {
        put_taken(&origins, i);
        origins_drop(&origins, i, i % 2);
        assert_int_equal(knows(&origins, i), i % 2 == 0);
    }
    origins_fini(&origins);
}

static void a_node_that_comes_back_is_not_gone_and_not_forgotten(void **state)
{
    (void)state;
    origins_t origins = {0};
    put_taken(&origins, 1);
    origins_drop(&origins, 1, false);
    assert_false(put(&origins, 1000, 1)->is_gone);
    for (unsigned i = 2; i <= MANY; i++) {
        put_taken(&origins, i);
        origins_drop(&origins, i, false);
    }
    assert_true(knows(&origins, 1));
    assert_non_null(origins_get(&origins, 1000));
    assert_int_equal(origins.count, ORIGINS_GONE_MAX + 1);
    origins_fini(&origins);
}

static void those_who_have_not_come_to_another_instance_are_gone_when_it_has_settled(void **state)
{
    (void)state;
    origins_t origins = {0};
    for (unsigned i = 1; i <= MANY; i++)
        put(&origins, i, i);
    origin_t *queued[] = {origin_take(origins_get(&origins, 1)), origin_take(origins_get(&origins, MANY))};
    origins_unbind_all(&origins);
    for (unsigned i = 10; i <= 20; i++)
        put(&origins, i * 3, i);
    assert_int_equal(origins.count, MANY);
    origins_settle(&origins);
    assert_int_equal(origins.count, 11 + 2);
    for (unsigned i = 10; i <= 20; i++)
        assert_int_equal(origins_get(&origins, i * 3)->node.bytes[0], i);
    for (unsigned i = 0; i < 2; i++)
        origins_release(&origins, queued[i]);
    assert_int_equal(origins.count, 11);
    origins_settle(&origins);
    assert_int_equal(origins.count, 11);
    origins_fini(&origins);
}

static void a_node_that_is_expected_is_there_until_the_broker_has_settled(void **state)
{
    (void)state;
    origins_t origins = {0};
    link_id_t first = node(1), second = node(2);
    for (unsigned i = 0; i < 2; i++) {
        origins_expect(&origins, &first);
        origins_expect(&origins, &second);
    }
    assert_int_equal(origins.count, 2);
    put(&origins, 7, 2);
    origins_settle(&origins);
    assert_int_equal(origins.count, 1);
    assert_true(link_id_equal(&origins_get(&origins, 7)->node, &second));
    origins_drop(&origins, 7, false);
    assert_int_equal(origins.count, 0);
    origins_fini(&origins);
}

static bool is_reported(const origin_t *origin)
{
    return reported_is(&origin->reported, reported_find(&origin->reported, 3, 5), 3, 5);
}

static void what_was_reported_goes_with_the_log(void **state)
{
    (void)state;
    for (unsigned orderly = 0; orderly < 2; orderly++) {
        origins_t origins = {0};
        origin_t *origin = origin_take(put(&origins, 7, 1));
        taken_log_add(&origin->log, 3, 5);
        origins_reported(&origins, 5, &(body_report_t){.origin = origin->node, .number = 3, .name = span_str("bob")});
        origins_reported(&origins, 5, &(body_report_t){.origin = node(2), .number = 4, .name = span_str("bob")});
        assert_int_equal(origins.count, 1);
        assert_true(is_reported(origin));
        origins_drop(&origins, 7, orderly);
        assert_int_equal(is_reported(origin), !orderly);
        origins_release(&origins, origin);
        origins_fini(&origins);
    }
}

static size_t id_count(const origins_t *origins)
{
    buffer_t ids = {0};
    origins_ids(origins, &ids);
    size_t count = buffer_size(&ids) / LINK_ID_SIZE;
    buffer_fini(&ids);
    return count;
}

static void those_are_named_that_are_not_gone(void **state)
{
    (void)state;
    origins_t origins = {0};
    assert_int_equal(id_count(&origins), 0);
    put_taken(&origins, 1);
    put_taken(&origins, 2);
    put_taken(&origins, 3);
    put(&origins, 33, 3);
    assert_int_equal(id_count(&origins), 3);
    origins_drop(&origins, 2, false);
    origins_drop(&origins, 3, false);
    assert_int_equal(id_count(&origins), 2);
    origins_unbind_all(&origins);
    assert_int_equal(id_count(&origins), 2);
    origins_settle(&origins);
    assert_int_equal(id_count(&origins), 0);
    for (unsigned i = 1; i <= CONTROL_NODES_MAX + 1; i++)
        put(&origins, i, i);
    assert_int_equal(id_count(&origins), CONTROL_NODES_MAX);
    origins_fini(&origins);
}

static void what_can_not_come_again_is_not_remembered_as_reported(void **state)
{
    (void)state;
    origins_t origins = {0};
    link_id_t node = {{7}};
    origins_put(&origins, 3, &node);
    origin_t *origin = origins_get(&origins, 3);
    origin_cut(origin, 10, false);
    body_report_t report = {.origin = node, .number = 9, .name = span_str("bob")};
    origins_reported(&origins, 5, &report);
    assert_int_equal(origin->reported.count, 0);
    report.number = 10;
    origins_reported(&origins, 5, &report);
    assert_int_equal(origin->reported.count, 1);
    origin_cut(origin, 11, false);
    assert_int_equal(origin->reported.count, 0);
    origins_fini(&origins);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(an_origin_is_found_by_its_handle),
        TEST(a_handle_that_is_dropped_is_not_found_and_others_are),
        TEST(an_origin_lives_as_long_as_a_copy_of_it_is_queued),
        TEST(an_origin_that_is_gone_keeps_its_handle_on_that_link),
        TEST(a_node_that_another_instance_knows_is_the_same_origin),
        TEST(a_node_may_have_several_handles_and_is_gone_with_the_last),
        TEST(a_handle_that_is_in_use_stays_its_nodes),
        TEST(the_logs_of_the_last_nodes_that_are_gone_are_kept),
        TEST(the_log_of_a_node_that_left_in_order_is_not_kept),
        TEST(a_node_that_comes_back_is_not_gone_and_not_forgotten),
        TEST(those_who_have_not_come_to_another_instance_are_gone_when_it_has_settled),
        TEST(a_node_that_is_expected_is_there_until_the_broker_has_settled),
        TEST(what_was_reported_goes_with_the_log),
        TEST(those_are_named_that_are_not_gone),
        TEST(what_can_not_come_again_is_not_remembered_as_reported),
    };
    return TEST_RUN(tests);
}
