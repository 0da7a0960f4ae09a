/* SPDX-License-Identifier: MPL-2.0 */
#include "worker_rig.h"

static void answer_who(uint64_t session, const char *prefix, span_t names, bool more)
{
    const control_t *record = &router_wait(&router, RECORD_WHO)->control;
    assert_int_equal(record->who.session, session);
    assert_true(span_equal(record->who.names, span_str(prefix)));
    router_put(&router, &(control_t){.type = RECORD_WHO_IS, .who = {.session = session, .more = more, .names = names}});
    router_flush(&router);
}

static void the_answer_of_a_broker_is_written_name_by_name(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "/who b");
    answer_who(session, "b", span_str("\3ben\3bob"), true);
    client_expect(client, "info who ben");
    client_expect(client, "info who bob");
    client_expect(client, "ok who 2 more");
}

static void a_second_question_waits_and_so_does_the_end(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "/who");
    client_send(client, "/who x");
    client_half_close(client);
    answer_who(session, "", span_str("\5alice"), false);
    client_expect(client, "info who alice");
    client_expect(client, "ok who 1");
    answer_who(session, "x", span_of("", 0), false);
    client_expect(client, "ok who 0");
    expect_leaving(session);
}

static void a_new_broker_is_asked_again(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "/who b");
    router_wait(&router, RECORD_WHO);
    router_stop(&router);
    router_start(&router);
    router_welcome(&router);
    answer_who(session, "b", span_str("\3bob"), false);
    client_expect(client, "info who bob");
    client_expect(client, "ok who 1");
    router_put(&router, &(control_t){.type = RECORD_WHO_IS, .who = {.session = session, .names = span_str("\1x")}});
    router_flush(&router);
    client_barrier(client); /* an answer that nobody waits for is none */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_answer_of_a_broker_is_written_name_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_question_waits_and_so_does_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_broker_is_asked_again, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
