/* SPDX-License-Identifier: MPL-2.0 */
#include "rooms.h"

#include "broker/held_list.h"

static node_t *one, *two;

static int setup(void **state)
{
    (void)state;
    rooms_open();
    one = rooms_node(1);
    two = rooms_node(2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rooms_close();
    table_destroy(&broker.held_origins, NULL);
    return 0;
}

/* The next record that the node was told must hold these numbers, as held by that handle. */
static void assert_told(node_t *node, record_type_t type, uint32_t handle, const uint64_t *numbers, size_t count)
{
    control_t record = rooms_told(node, type);
    assert_int_equal(record.held.handle, handle);
    assert_int_equal(control_numbers_count(&record.held.numbers), count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(control_numbers_at(&record.held.numbers, i), numbers[i]);
}

static void numbers_that_ascend_share_a_record(void **state)
{
    (void)state;
    held_list_t list = {.type = RECORD_HELD, .handle = 7};
    held_list_add(&list, one, 10);
    held_list_add(&list, one, 12);
    held_list_add(&list, one, 12 + (uint64_t)UINT32_MAX - 2);
    held_list_fini(&list);
    assert_told(one, RECORD_HELD, 7, (const uint64_t[]){10, 12, 10 + (uint64_t)UINT32_MAX}, 3);
    rooms_told_nothing(one);
}

static void numbers_that_do_not_fit_begin_another(void **state)
{
    (void)state;
    held_list_t list = {.type = RECORD_ENDED, .handle = 7};
    held_list_add(&list, one, 10);
    held_list_add(&list, one, 10);
    held_list_add(&list, one, 9);
    held_list_add(&list, one, 10 + (uint64_t)UINT32_MAX);
    held_list_fini(&list);
    assert_told(one, RECORD_ENDED, 7, (const uint64_t[]){10}, 1);
    assert_told(one, RECORD_ENDED, 7, (const uint64_t[]){10}, 1);
    assert_told(one, RECORD_ENDED, 7, (const uint64_t[]){9}, 1);
    assert_told(one, RECORD_ENDED, 7, (const uint64_t[]){10 + (uint64_t)UINT32_MAX}, 1);
    rooms_told_nothing(one);
}

static void origins_have_records_of_their_own(void **state)
{
    (void)state;
    held_list_t list = {.type = RECORD_ENDED, .handle = 7};
    held_list_add(&list, one, 1);
    held_list_add(&list, two, 2);
    held_list_add(&list, two, 3);
    held_list_fini(&list);
    assert_told(one, RECORD_ENDED, 7, (const uint64_t[]){1}, 1);
    assert_told(two, RECORD_ENDED, 7, (const uint64_t[]){2, 3}, 2);
    rooms_told_nothing(two);
}

static void what_is_stated_anew_says_so(void **state)
{
    (void)state;
    held_list_t list = {.type = RECORD_HELD, .handle = 7, .again = true};
    held_list_add(&list, one, 1);
    held_list_fini(&list);
    assert_true(rooms_told(one, RECORD_HELD).held.again);
}

static void a_long_list_is_cut_into_records(void **state)
{
    (void)state;
    held_list_t list = {.type = RECORD_HELD, .handle = 7};
    for (uint64_t number = 1; number <= 3000; number++)
        held_list_add(&list, one, number);
    held_list_fini(&list);
    uint64_t next = 1;
    while (next <= 3000) {
        control_t record = rooms_told(one, RECORD_HELD);
        assert_true(control_size(&record) <= 8192);
        for (size_t i = 0; i < control_numbers_count(&record.held.numbers); i++)
            assert_int_equal(control_numbers_at(&record.held.numbers, i), next++);
    }
    rooms_told_nothing(one);
}

#define LIST_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIST_TEST(numbers_that_ascend_share_a_record),
        LIST_TEST(numbers_that_do_not_fit_begin_another),
        LIST_TEST(origins_have_records_of_their_own),
        LIST_TEST(what_is_stated_anew_says_so),
        LIST_TEST(a_long_list_is_cut_into_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
