/* SPDX-License-Identifier: MPL-2.0 */
#include "unit/ferry/bench/protocol_rig.h"

static void a_client_asks_for_the_third_protocol(void **state)
{
    (void)state;
    RIG_SAYS(protocol_redis.login(rig_text, "babc0001"), "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n");
    RIG_SAYS(protocol_redis.subscribe(rig_text, rig_name), "*2\r\n$9\r\nSUBSCRIBE\r\n$8\r\nbabc0001\r\n");
    RIG_SAYS(protocol_redis.leave(rig_text), "*1\r\n$4\r\nQUIT\r\n");
}

static void a_message_is_an_array_and_its_arrival_a_push(void **state)
{
    (void)state;
    char frame[256];
    RIG_FRAME(frame, protocol_redis.message(frame, rig_name, 8),
        "*3\r\n$7\r\nPUBLISH\r\n$8\r\nbabc0001\r\n$8\r\nxxxxxxxx\r\n", "0001");
    RIG_FRAME(frame, protocol_redis.arrival(frame, "babc0002", rig_name, 8),
        ">3\r\n$7\r\nmessage\r\n$8\r\nbabc0001\r\n$8\r\nxxxxxxxx\r\n", NULL);
}

static void what_is_read_is_taken_apart(void **state)
{
    (void)state;
    RIG_EVENT(&protocol_redis,
        "%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n$7\r\nmodules\r\n*1\r\n%1\r\n+a\r\n_\r\n",
        EVENT_CONFIRMED, NULL);
    RIG_EVENT(&protocol_redis, ">3\r\n$9\r\nsubscribe\r\n$8\r\nbabc0001\r\n:1\r\n", EVENT_CONFIRMED, NULL);
    RIG_EVENT(&protocol_redis, ">3\r\n$7\r\nmessage\r\n$2\r\nto\r\n$7\r\nhe\r\nllo\r\n", EVENT_MESSAGE, "he\r\nllo");
    RIG_EVENT(&protocol_redis, ":1\r\n", EVENT_NOTHING, NULL);
    RIG_EVENT(&protocol_redis, "+OK\r\n", EVENT_CONFIRMED, NULL);
    RIG_EVENT(&protocol_redis, "-NOAUTH no\r\n", EVENT_ERROR, "-NOAUTH no");
    RIG_EVENT(&protocol_redis, "$-1\r\n", EVENT_ERROR, NULL);
}

static void a_push_that_is_none_harms_nobody(void **state)
{
    (void)state;
    RIG_EVENT(&protocol_redis, ">0\r\n", EVENT_NOTHING, NULL);
    RIG_EVENT(&protocol_redis, ">2\r\n:1\r\n:2\r\n", EVENT_NOTHING, NULL);
    RIG_EVENT(&protocol_redis, ">1\r\n$7\r\nmessage\r\n", EVENT_MESSAGE, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_asks_for_the_third_protocol),
        cmocka_unit_test(a_message_is_an_array_and_its_arrival_a_push),
        cmocka_unit_test(what_is_read_is_taken_apart),
        cmocka_unit_test(a_push_that_is_none_harms_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
