/* SPDX-License-Identifier: MPL-2.0 */
#include "worker_rig.h"

static client_t *alice, *bob;

/* alice and bob are in #room, whose session is returned; each has read `ok join`. */
static uint64_t open_room(void)
{
    uint64_t session;
    alice = client_open("alice", &session);
    bob = client_open("bob", &session);
    client_send(alice, "/join #room");
    uint64_t room = expect_register("#room", false);
    router_expect(&router, RECORD_ONLY);
    client_send(bob, "/join #room");
    router_expect(&router, RECORD_ONLY);
    answer(RECORD_CONFIRMED, room);
    client_expect(alice, "ok join #room");
    client_expect(bob, "ok join #room");
    return room;
}

static void a_member_reads_what_is_sent_to_the_group(void **state)
{
    (void)state;
    uint64_t room = open_room();
    deliver(1, room, "hello");
    client_expect(alice, "from eve #room: hello");
    client_expect(bob, "from eve #room: hello");
    assert_int_equal(ledger_count("made", NULL), 2);
    check_balance();
}

static void join_is_answered_each_time_and_leave_whether_or_not(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "/join #room");
    client_send(client, "/join #room");
    client_barrier(client);
    uint64_t room = expect_register("#room", false);
    answer(RECORD_CONFIRMED, room);
    client_expect(client, "ok join #room");
    client_expect(client, "ok join #room");
    client_send(client, "/join #room");
    client_expect(client, "ok join #room");
    client_send(client, "/leave #room");
    client_expect(client, "ok leave #room");
    router_expect(&router, RECORD_ONLY);
    expect_leaving(room);
    client_send(client, "/leave #room");
    client_expect(client, "ok leave #room");
    client_send(client, "/join #other");
    client_send(client, "/leave #other");
    client_expect(client, "ok join #other"); /* what it asked for it is told before the next answer */
    client_expect(client, "ok leave #other");
}

static void nobody_may_be_in_more_groups_than_allowed(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "/join #a");
    client_send(client, "/join #b");
    client_expect(client, "error too-many-groups #b");
    client_send(client, "/join #a");
    client_send(client, "/leave #a");
    client_expect(client, "ok join #a");
    client_expect(client, "ok join #a");
    client_expect(client, "ok leave #a");
    client_send(client, "/join #b");
    router_wait(&router, RECORD_REGISTER);
    router_wait(&router, RECORD_REGISTER);
}

static void a_client_that_goes_leaves_its_groups_and_what_it_had_goes_back(void **state)
{
    (void)state;
    uint64_t room = open_room();
    deliver(1, room, "hello");
    client_expect(alice, "from eve #room: hello");
    client_expect(bob, "from eve #room: hello");
    client_close(&bob);
    assert_int_equal(router_wait(&router, RECORD_ONLY)->control.name.session, room);
    client_send(alice, "/quit");
    router_wait(&router, RECORD_LEAVING);
    deliver(2, room, "nobody");
    expect_report(2, "#room", FERRY_REASON_GONE);
}

static void a_member_that_is_slow_pauses_the_group_and_is_told_of_as_held(void **state)
{
    (void)state;
    uint64_t room = open_room();
    char text[1001];
    memset(text, 'x', 1000);
    text[1000] = '\0';
    router_put_run(&router, ORIGIN);
    for (unsigned i = 1; i <= 200; i++)
        router_put_copy(&router, i, &room, 1, "eve", text);
    router_flush(&router);
    const router_event_t *event = router_wait(&router, RECORD_PAUSE);
    while (!span_equal(event->control.name.name, span_str("#room")))
        event = router_wait(&router, RECORD_PAUSE);
    for (unsigned i = 1; i <= 200; i++)
        client_expect_prefix(alice, "from eve #room: xxx");
    assert_int_equal(router_wait(&router, RECORD_HOLD)->control.held.session, room);
    for (unsigned i = 1; i <= 200; i++)
        client_expect_prefix(bob, "from eve #room: xxx");
    event = router_wait(&router, RECORD_RESUME);
    while (!span_equal(event->control.name.name, span_str("#room")))
        event = router_wait(&router, RECORD_RESUME);
    assert_int_equal(router_wait(&router, RECORD_END)->control.held.session, room);
}

static void what_a_member_did_not_take_is_returned_under_its_name(void **state)
{
    (void)state;
    uint64_t room = open_room();
    char text[60001];
    memset(text, 'x', 60000);
    text[60000] = '\0';
    deliver(1, room, text);
    client_expect_prefix(alice, "from eve #room: xxx");
    assert_int_equal(router_wait(&router, RECORD_HOLD)->control.held.session, room);
    client_close(&bob);
    expect_report(1, "bob", FERRY_REASON_GONE);
    assert_int_equal(ledger_count("returned", "gone"), 1);
    router_wait(&router, RECORD_END);
    check_balance();
}

/* Some other node's member has not taken what alice wrote. */
static void a_notice_of_a_member_is_told_to_who_wrote(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "/send l1 #room: hello");
    router_expect_message(&router, 1, "hello");
    for (unsigned i = 0; i < 2; i++) /* what comes twice is told once */
        router_put_notice(&router, &(body_notice_t){.error = FERRY_ERROR_UNDELIVERED,
                                       .reason = FERRY_REASON_STALLED,
                                       .taken = true,
                                       .number = 1,
                                       .session = session,
                                       .name = span_str("bob")});
    router_put_notice(&router, &(body_notice_t){.error = FERRY_ERROR_UNDELIVERED,
                                   .reason = FERRY_REASON_GONE,
                                   .taken = true,
                                   .number = 1,
                                   .session = session,
                                   .name = span_str("carol")});
    router_put_taken(&router, 2);
    router_flush(&router);
    client_expect(client, "error undelivered bob stalled l1");
    client_expect(client, "error undelivered carol gone l1");
    client_barrier(client);
    assert_int_equal(ledger_count("shared", NULL), 1);
    assert_int_equal(ledger_count("handed_over", NULL), 0);
    check_balance();
}

static int setup_few(void **state)
{
    (void)state;
    start_joined((const char *const[]){"gateway/max_groups=1", NULL});
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_member_reads_what_is_sent_to_the_group, setup, teardown),
        cmocka_unit_test_setup_teardown(join_is_answered_each_time_and_leave_whether_or_not, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_may_be_in_more_groups_than_allowed, setup_few, teardown),
        cmocka_unit_test_setup_teardown(
            a_client_that_goes_leaves_its_groups_and_what_it_had_goes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_member_that_is_slow_pauses_the_group_and_is_told_of_as_held, setup_slow, teardown),
        cmocka_unit_test_setup_teardown(what_a_member_did_not_take_is_returned_under_its_name, setup_slow, teardown),
        cmocka_unit_test_setup_teardown(a_notice_of_a_member_is_told_to_who_wrote, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
