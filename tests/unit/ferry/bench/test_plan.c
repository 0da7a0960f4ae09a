/* SPDX-License-Identifier: MPL-2.0 */
#include "unit/ferry/bench/bench_rig.h"

static void pairs_have_senders_first_and_then_their_readers(void **state)
{
    (void)state;
    plan_t plan;
    RIG_PLAN(&plan, "pairs", "--clients", "10", "--processes", "3");
    assert_int_equal(plan.client_count, 10);
    assert_int_equal(plan.sender_count, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_true(plan_writes(&plan, i) && !plan_reads(&plan, i));
        assert_true(!plan_writes(&plan, i + 5) && plan_reads(&plan, i + 5));
        assert_int_equal(plan_partner(&plan, i), i + 5);
        assert_int_equal(plan_only_sender(&plan, i + 5), i);
        assert_int_equal(plan_process_of(&plan, i), plan_process_of(&plan, i + 5));
    }
    plan_fini(&plan);
}

static void in_a_fanout_all_but_one_read(void **state)
{
    (void)state;
    plan_t plan;
    char name[PLAN_NAME_SIZE];
    RIG_PLAN(&plan, "fanout", "--clients", "10");
    assert_int_equal(plan.client_count, 11);
    assert_int_equal(plan_copies(&plan), 10);
    assert_int_equal(plan.pipeline, 64);
    assert_true(plan.is_timed);
    assert_true(plan_destination(&plan, 0, name).is_group);
    assert_int_equal(plan_only_sender(&plan, 7), 0);
    plan_fini(&plan);
}

static void each_in_any_reads_and_writes(void **state)
{
    (void)state;
    plan_t plan;
    RIG_PLAN(&plan, "any", "--clients", "3");
    assert_true(plan_writes(&plan, 2) && plan_reads(&plan, 2));
    assert_int_equal(plan_only_sender(&plan, 2), PLAN_NO_CLIENT);
    assert_false(plan.is_timed);
    plan_fini(&plan);
}

static void idle_clients_write_only_at_a_rate(void **state)
{
    (void)state;
    plan_t plan;
    RIG_PLAN(&plan, "idle");
    assert_false(plan_has_messages(&plan));
    plan_fini(&plan);
    RIG_PLAN(&plan, "idle", "--rate", "10");
    assert_true(plan_has_messages(&plan) && plan_writes(&plan, 5));
    plan_fini(&plan);
}

static void names_differ_and_have_one_size(void **state)
{
    (void)state;
    plan_t plan;
    char name[PLAN_NAME_SIZE], other[PLAN_NAME_SIZE];
    RIG_PLAN(&plan, "any", "--clients", "1100");
    plan_client_name(&plan, 0, name);
    plan_client_name(&plan, 1099, other);
    assert_int_equal(strlen(name), PROTOCOL_NAME_SIZE);
    assert_int_equal(strlen(other), PROTOCOL_NAME_SIZE);
    assert_string_equal(name + 4, "0000");
    assert_string_equal(other + 4, "012b");
    assert_memory_equal(name, other, 4);
    plan_group_name(&plan, other);
    assert_string_equal(other + 4, "wxyz");
    plan_fini(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_have_senders_first_and_then_their_readers),
        cmocka_unit_test(in_a_fanout_all_but_one_read),
        cmocka_unit_test(each_in_any_reads_and_writes),
        cmocka_unit_test(idle_clients_write_only_at_a_rate),
        cmocka_unit_test(names_differ_and_have_one_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
