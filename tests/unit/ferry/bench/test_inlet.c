/* SPDX-License-Identifier: MPL-2.0 */
#include "ferry/bench/inlet.h"

#include <stdio.h>

#include "ferry/bench/stamp.h"
#include "unit/ferry/bench/bench_rig.h"

/* Bit by bit: nothing else is that message. */
static void only_the_message_that_was_sent_matches(void **state)
{
    (void)state;
    plan_t plan;
    inlet_shape_t shape;
    inlet_t inlet;
    arrival_t arrival;
    char frame[256];
    RIG_PLAN(&plan, "pairs", "--clients", "4", "--pipeline", "3", "--size", "20");
    inlet_shape_init(&shape, &plan);
    inlet_init(&inlet, &shape, 3);
    size_t size = (size_t)snprintf(frame, sizeof frame, "from b%s0001: ", plan.run);
    stamp_write(frame + size, stamp_of(1, 77));
    stamp_write(frame + size + STAMP_SIZE, 123456);
    memcpy(frame + size + 16, "xxxx\n", 5);
    size += 21;
    assert_int_equal(shape.layout.size, size);
    assert_true(inlet_match(&inlet, &shape, frame, size, &arrival));
    assert_int_equal(arrival.sender, 1);
    assert_int_equal(arrival.due_ns, 123456);
    assert_true(inlet_match_text(&shape, span_of(frame + size - 21, 20), &arrival));
    assert_false(inlet_match(&inlet, &shape, frame, size - 1, &arrival));
    for (size_t i = 0; i < size; i++) {
        frame[i] ^= 0x80;
        assert_false(inlet_match(&inlet, &shape, frame, size, &arrival));
        frame[i] ^= 0x80;
    }
    inlet_fini(&inlet);
    inlet_shape_fini(&shape);
    plan_fini(&plan);
}

/* Whoever writes, the head is that of its name. */
static void the_head_names_the_sender(void **state)
{
    (void)state;
    plan_t plan;
    inlet_shape_t shape;
    inlet_t inlet;
    arrival_t arrival;
    char frame[256];
    RIG_PLAN(&plan, "any", "--clients", "50", "--size", "8");
    inlet_shape_init(&shape, &plan);
    inlet_init(&inlet, &shape, 7);
    for (unsigned sender = 0; sender < 50; sender++) {
        char name[PLAN_NAME_SIZE];
        plan_client_name(&plan, sender, name);
        size_t size = (size_t)snprintf(frame, sizeof frame, "from %s: ", name);
        stamp_write(frame + size, stamp_of(sender, 1));
        frame[size + 8] = '\n';
        assert_true(inlet_match(&inlet, &shape, frame, size + 9, &arrival));
        assert_int_equal(arrival.sender, sender);
        stamp_write(frame + size, stamp_of(sender + 1, 1));
        assert_false(inlet_match(&inlet, &shape, frame, size + 9, &arrival));
    }
    inlet_fini(&inlet);
    inlet_shape_fini(&shape);
    plan_fini(&plan);
}

static void what_nobody_can_foretell_is_matched_by_its_text(void **state)
{
    (void)state;
    plan_t plan;
    inlet_shape_t shape;
    inlet_t inlet;
    arrival_t arrival;
    RIG_PLAN(&plan, "any", "--clients", "5", "--size", "10", "--protocol", "irc");
    inlet_shape_init(&shape, &plan);
    inlet_init(&inlet, &shape, 1);
    assert_null(inlet.head);
    assert_false(inlet_match(&inlet, &shape, "00200001xx", 10, &arrival));
    assert_true(inlet_match_text(&shape, span_str("00200001xx"), &arrival));
    assert_int_equal(arrival.sender, 2);
    assert_false(inlet_match_text(&shape, span_str("00200001xy"), &arrival));
    assert_false(inlet_match_text(&shape, span_str("00200001x"), &arrival));
    assert_false(inlet_match_text(&shape, span_str("00900001xx"), &arrival)); /* there is no client 9 */
    inlet_fini(&inlet);
    inlet_shape_fini(&shape);
    plan_fini(&plan);
}

static void what_has_not_ended_is_held(void **state)
{
    (void)state;
    inlet_t inlet = {0};
    inlet_hold(&inlet, "from", 4);
    assert_int_equal(inlet.held_size, 4);
    assert_memory_equal(inlet.held, "from", 4);
    inlet_hold(&inlet, NULL, 0);
    assert_null(inlet.held);
    assert_int_equal(inlet.held_size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_message_that_was_sent_matches),
        cmocka_unit_test(the_head_names_the_sender),
        cmocka_unit_test(what_nobody_can_foretell_is_matched_by_its_text),
        cmocka_unit_test(what_has_not_ended_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
