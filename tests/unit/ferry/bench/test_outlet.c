/* SPDX-License-Identifier: MPL-2.0 */
#include "ferry/bench/outlet.h"

#include <sys/socket.h>
#include <unistd.h>

#include "ferry/bench/stamp.h"
#include "unit/ferry/bench/bench_rig.h"

static int ends[2];

static int open_ends(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends);
}

static int close_ends(void **state)
{
    (void)state;
    return close(ends[0]) || close(ends[1]);
}

static void messages_are_numbered_and_addressed(void **state)
{
    (void)state;
    plan_t plan;
    outlet_t outlet;
    RIG_PLAN(&plan, "any", "--clients", "5", "--size", "9");
    outlet_init(&outlet, 3);
    for (uint64_t number = 0; number < 12; number += 4) {
        assert_int_equal(outlet_fill(&outlet, &plan, 4, 65536, NULL, 0), 4);
        for (unsigned i = 0; i < 4; i++) {
            const char *frame = outlet.frames + i * outlet.layout.size;
            char name[PLAN_NAME_SIZE];
            uint64_t stamp;
            plan_client_name(&plan, order_recipient(&plan.order, 3, number + i), name);
            assert_memory_equal(frame, name, PROTOCOL_NAME_SIZE);
            assert_true(stamp_read(frame + outlet.layout.text_at, &stamp));
            assert_true(stamp == stamp_of(3, number + i));
        }
        assert_int_equal(outlet_write(&outlet, ends[0]), 0);
        assert_true(outlet_is_empty(&outlet));
    }
    outlet_fini(&outlet);
    plan_fini(&plan);
}

static void no_more_are_made_than_there_is_room_for(void **state)
{
    (void)state;
    plan_t plan;
    outlet_t outlet;
    RIG_PLAN(&plan, "pairs", "--size", "1000");
    outlet_init(&outlet, 0);
    assert_int_equal(outlet_fill(&outlet, &plan, UINT64_MAX, 5000, NULL, 0), 4);
    outlet_fini(&outlet);
    outlet_init(&outlet, 0);
    assert_int_equal(outlet_fill(&outlet, &plan, UINT64_MAX, 10, NULL, 0), 1);
    outlet_fini(&outlet);
    plan_fini(&plan);
}

static void a_time_is_that_of_the_schedule(void **state)
{
    (void)state;
    plan_t plan;
    outlet_t outlet;
    const schedule_t schedule = {.rate = 1000, .sender_count = 50};
    RIG_PLAN(&plan, "pairs", "--rate", "1000");
    outlet_init(&outlet, 2);
    assert_int_equal(outlet_fill(&outlet, &plan, 2, 65536, &schedule, 123456789), 2);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t due;
        assert_true(stamp_read(outlet.frames + i * outlet.layout.size + outlet.layout.text_at + STAMP_SIZE, &due));
        assert_int_equal(due, schedule_due_ns(&schedule, 2, i));
    }
    outlet_fini(&outlet);
    plan_fini(&plan);
}

/* The socket takes a part of them, and one of these not wholly. */
static void what_is_not_begun_can_be_taken_back(void **state)
{
    (void)state;
    plan_t plan;
    outlet_t outlet;
    RIG_PLAN(&plan, "pairs", "--size", "1000");
    outlet_init(&outlet, 0);
    assert_int_equal(outlet_fill(&outlet, &plan, 60, 65536, NULL, 0), 60);
    outlet.at = 2 * outlet.layout.size + 1;
    assert_int_equal(outlet_cut(&outlet), 57);
    assert_int_equal(outlet.made, 3);
    assert_int_equal(outlet_write(&outlet, ends[0]), 0);
    assert_true(outlet_is_empty(&outlet));
    assert_int_equal(outlet_cut(&outlet), 0);
    outlet_fini(&outlet);
    plan_fini(&plan);
}

static void a_ping_is_answered_between_messages(void **state)
{
    (void)state;
    plan_t plan;
    outlet_t outlet;
    char text[256];
    RIG_PLAN(&plan, "pairs", "--size", "8");
    outlet_init(&outlet, 0);
    outlet_fill(&outlet, &plan, 1, 65536, NULL, 0);
    outlet.at = 3;
    outlet_answer(&outlet, span_str(" x\r\n"));
    assert_int_equal(outlet_write(&outlet, ends[0]), 0);
    assert_true(outlet_is_empty(&outlet));
    size_t size = outlet.layout.size - 3;
    assert_int_equal(read(ends[1], text, sizeof text), (ssize_t)size + 8);
    assert_memory_equal(text + size - 1, "\nPONG x\r\n", 9);
    outlet_fini(&outlet);
    plan_fini(&plan);
}

#define WITH_ENDS(test) cmocka_unit_test_setup_teardown(test, open_ends, close_ends)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ENDS(messages_are_numbered_and_addressed),
        cmocka_unit_test(no_more_are_made_than_there_is_room_for),
        cmocka_unit_test(a_time_is_that_of_the_schedule),
        WITH_ENDS(what_is_not_begun_can_be_taken_back),
        WITH_ENDS(a_ping_is_answered_between_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
