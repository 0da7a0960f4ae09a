/* SPDX-License-Identifier: MPL-2.0 */
/* outbox: letters leave in the order in which they came. */
#include "lib/test.h"

#include <string.h>

#include "client/outbox.h"

static void put(outbox_t *outbox, unsigned number)
{
    zmq_msg_t frame;
    size_t size = sizeof number + (number % 3) * 100; /* in ZeroMQ's own memory, and beside it */
    assert_int_equal(zmq_msg_init_size(&frame, size), 0);
    memcpy(zmq_msg_data(&frame), &number, sizeof number);
    outbox_add(outbox, &frame);
    assert_int_equal(zmq_msg_size(&frame), 0);
    zmq_msg_close(&frame);
}

static void expect(outbox_t *outbox, unsigned number)
{
    unsigned first;
    assert_non_null(outbox_first(outbox));
    memcpy(&first, zmq_msg_data(outbox_first(outbox)), sizeof first);
    assert_int_equal(first, number);
    outbox_drop(outbox);
}

static void letters_leave_in_the_order_in_which_they_came(void **state)
{
    (void)state;
    outbox_t outbox = {0};
    unsigned in = 0, out = 0;
    assert_null(outbox_first(&outbox));
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 13; i++)
            put(&outbox, in++);
        for (int i = 0; i < 11; i++)
            expect(&outbox, out++);
    }
    while (out < in)
        expect(&outbox, out++);
    assert_null(outbox_first(&outbox));
    outbox_fini(&outbox);
}

static void what_is_left_at_the_end_is_freed(void **state)
{
    (void)state;
    outbox_t outbox = {0};
    for (unsigned i = 0; i < 40; i++)
        put(&outbox, i);
    outbox_fini(&outbox);
    assert_null(outbox_first(&outbox));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_leave_in_the_order_in_which_they_came),
        cmocka_unit_test(what_is_left_at_the_end_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
