/* SPDX-License-Identifier: MPL-2.0 */
#include <stdbool.h>

#include "ferry/bench/order.h"
#include "lib/test.h"

/* In a round a sender writes to each of the others once, and in a turn each is written to once. */
static void a_round_leads_to_all_others_once(void **state)
{
    (void)state;
    for (unsigned count = 2; count <= 130; count++) {
        order_t order;
        order_init(&order, count);
        for (unsigned sender = 0; sender < count; sender++) {
            bool seen[130] = {false};
            for (uint64_t number = 7; number < 7 + count - 1; number++) {
                unsigned recipient = order_recipient(&order, sender, number);
                assert_true(recipient < count && recipient != sender && !seen[recipient]);
                seen[recipient] = true;
            }
        }
    }
}

static void in_a_turn_all_are_written_to(void **state)
{
    (void)state;
    order_t order;
    order_init(&order, 100);
    for (uint64_t number = 0; number < 200; number++) {
        bool seen[100] = {false};
        for (unsigned sender = 0; sender < 100; sender++) {
            unsigned recipient = order_recipient(&order, sender, number);
            assert_false(seen[recipient]);
            seen[recipient] = true;
        }
    }
}

static void messages_in_a_row_go_far_apart(void **state)
{
    (void)state;
    order_t order;
    order_init(&order, 10000);
    for (uint64_t number = 0; number < 1000; number++) {
        int step = (int)order_recipient(&order, 0, number + 1) - (int)order_recipient(&order, 0, number);
        assert_true(abs(step) > 3000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_leads_to_all_others_once),
        cmocka_unit_test(in_a_turn_all_are_written_to),
        cmocka_unit_test(messages_in_a_row_go_far_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
