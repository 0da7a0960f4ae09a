/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include "broker/node_set.h"

static void what_is_added_is_in_the_set_until_it_is_removed(void **state)
{
    (void)state;
    static const uint32_t indexes[] = {0, 1, 63, 64, 65, 500};
    node_set_t set = {0};
    for (size_t i = 0; i < sizeof indexes / sizeof *indexes; i++) {
        assert_false(node_set_has(&set, indexes[i]));
        node_set_add(&set, indexes[i]);
        assert_true(node_set_has(&set, indexes[i]));
    }
    assert_false(node_set_has(&set, 2));
    assert_false(node_set_has(&set, 100000));
    node_set_remove(&set, 64);
    node_set_remove(&set, 100000);
    assert_false(node_set_has(&set, 64));
    assert_true(node_set_has(&set, 65));
    node_set_fini(&set);
    assert_false(node_set_has(&set, 0));
}

static void a_walk_meets_each_index_once_in_order(void **state)
{
    (void)state;
    static const uint32_t indexes[] = {3, 63, 64, 191, 1000};
    node_set_t set = {0};
    assert_int_equal(node_set_next(&set, 0), NODE_SET_END);
    for (size_t i = 5; i-- > 0;)
        node_set_add(&set, indexes[i]);
    uint32_t at = 0;
    for (size_t i = 0; i < 5; i++, at++) {
        at = node_set_next(&set, at);
        assert_int_equal(at, indexes[i]);
    }
    assert_int_equal(node_set_next(&set, at), NODE_SET_END);
    assert_int_equal(node_set_next(&set, 1 << 20), NODE_SET_END);
    node_set_fini(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_is_in_the_set_until_it_is_removed),
        cmocka_unit_test(a_walk_meets_each_index_once_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
