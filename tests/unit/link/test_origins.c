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
        origins_drop(&origins, i);
    origins_drop(&origins, 1);
    origins_drop(&origins, MANY + 1);
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
    origins_drop(&origins, 1);
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
    origins_drop(&origins, 7);
    assert_int_equal(origin->handle, 7);
    origins_drop_all(&origins);
    assert_int_equal(origin->handle, 0);
    origins_release(&origins, origin);
    origins_fini(&origins);
}

static void a_node_that_is_known_gets_its_new_handle(void **state)
{
    (void)state;
    origins_t origins = {0};
    origin_t *origin = origin_take(put(&origins, 3, 1));
    origins_drop_all(&origins);
    assert_ptr_equal(put(&origins, 9, 1), origin);
    assert_null(origins_get(&origins, 3));
    assert_int_equal(origins.count, 1);
    assert_ptr_equal(put(&origins, 10, 1), origin);
    assert_null(origins_get(&origins, 9));
    origins_release(&origins, origin);
    assert_ptr_equal(origins_get(&origins, 10), origin);
    origins_fini(&origins);
}

static void a_handle_that_is_given_again_is_the_new_nodes(void **state)
{
    (void)state;
    origins_t origins = {0};
    link_id_t id = node(2);
    origin_t *old = origin_take(put(&origins, 3, 1));
    origin_t *new = put(&origins, 3, 2);
    assert_ptr_not_equal(new, old);
    assert_true(link_id_equal(&new->node, &id));
    origins_release(&origins, old);
    assert_int_equal(origins.count, 1);
    origins_fini(&origins);
}

static void dropping_all_frees_those_without_copies(void **state)
{
    (void)state;
    origins_t origins = {0};
    origin_t *queued[3];
    for (unsigned i = 1; i <= MANY; i++)
        put(&origins, i, i);
    queued[0] = origin_take(origins_get(&origins, 1));
    queued[1] = origin_take(origins_get(&origins, MANY / 2));
    queued[2] = origin_take(origins_get(&origins, MANY));
    origins_drop_all(&origins);
    assert_int_equal(origins.count, 3);
    for (unsigned i = 0; i < 3; i++)
        origins_release(&origins, queued[i]);
    assert_int_equal(origins.count, 0);
    origins_drop_all(&origins);
    origins_fini(&origins);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(an_origin_is_found_by_its_handle),
        TEST(a_handle_that_is_dropped_is_not_found_and_others_are),
        TEST(an_origin_lives_as_long_as_a_copy_of_it_is_queued),
        TEST(an_origin_that_is_gone_keeps_its_handle_on_that_link),
        TEST(a_node_that_is_known_gets_its_new_handle),
        TEST(a_handle_that_is_given_again_is_the_new_nodes),
        TEST(dropping_all_frees_those_without_copies),
    };
    return TEST_RUN(tests);
}
