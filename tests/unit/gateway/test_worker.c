/* SPDX-License-Identifier: MPL-2.0 */
/* What a worker does beside its sessions: it says whether it is ready, reports, keeps its memory, and keeps its brokers
 * apart. */
#include "worker_rig.h"

static router_t second;

/* Little memory, and little patience with a broker that is away. */
static int setup_tight(void **state)
{
    (void)state;
    worker_start((const char *const[]){"gateway/memory=1MiB", "admin/unready_after=100ms", NULL});
    router_join(&router);
    router_put(&router, &(control_t){.type = RECORD_ORIGIN, .origin.handle = ORIGIN});
    router_flush(&router);
    return 0;
}

/* Two brokers, "main" and "other"; each knows the other node under the same handle. */
static int setup_two(void **state)
{
    (void)state;
    char broker[ROUTER_ENDPOINT_SIZE + 32];
    router_open(&second, "tcp://127.0.0.1:*");
    snprintf(broker, sizeof broker, "gateway/broker=other=%s", second.endpoint);
    worker_start((const char *const[]){broker, NULL});
    router_t *const both[] = {&router, &second};
    for (size_t i = 0; i < 2; i++) {
        router_join(both[i]);
        router_put(both[i], &(control_t){.type = RECORD_ORIGIN, .origin.handle = ORIGIN});
        router_flush(both[i]);
    }
    return 0;
}

static int teardown_two(void **state)
{
    teardown(state);
    router_close(&second);
    return 0;
}

/* READY with that, and a reason that begins so. */
static void expect_ready(const char *ready, const char *why)
{
    char *got_ready = NULL, *got_why = NULL;
    expect_word("READY", &got_ready, &got_why);
    assert_string_equal(got_ready, ready);
    if (strncmp(got_why, why, strlen(why)) != 0)
        fail_msg("'%s' is not why it should be: %s", got_why, why);
    zstr_free(&got_ready);
    zstr_free(&got_why);
}

static void a_worker_is_ready_when_all_its_brokers_have_welcomed_it(void **state)
{
    (void)state;
    expect_ready("0", "no link to broker main");
    router_welcome(&router);
    expect_ready("1", "");
}

static void a_worker_that_has_lost_a_broker_for_long_is_not_ready(void **state)
{
    (void)state;
    expect_ready("1", "");
    router_stop(&router);
    expect_ready("0", "no link to broker main");
    router_start(&router);
    router_join(&router);
    expect_ready("1", "");
}

static void a_report_tells_of_sessions_and_links(void **state)
{
    (void)state;
    uint64_t session;
    client_open("alice", &session);
    client_new();
    json_t *report = worker_report();
    const char *actor, *name, *broker, *link_state;
    int sessions, names, logins;
    assert_int_equal(json_unpack(report, "{s:s, s:i, s:i, s:[{s:s}!], s:[{s:s, s:s}!], s:{s:i}}", "actor", &actor,
                         "sessions", &sessions, "names", &names, "session_writers", "name", &name, "links", "broker",
                         &broker, "state", &link_state, "counters", "logins", &logins),
        0);
    assert_string_equal(actor, "worker-0");
    assert_string_equal(name, "alice");
    assert_string_equal(broker, "main");
    assert_string_equal(link_state, "up");
    assert_in_range(sessions, 1, 2);
    assert_int_equal(names, 1);
    assert_int_equal(logins, 1);
    json_decref(report);
}

static json_int_t memory(void)
{
    json_t *report = worker_report();
    json_int_t size = json_integer_value(json_object_get(json_object_get(report, "gauges"), "memory_bytes"));
    json_decref(report);
    return size;
}

/* Waits until the worker has counted at least, or less than, that much. */
static void wait_memory(json_int_t size, bool at_least)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while ((memory() >= size) != at_least)
        assert_false(deadline_passed(deadline));
}

static void a_worker_that_is_full_reads_nothing_until_it_is_not(void **state)
{
    (void)state;
    enum { MANY = 3000, LIMIT = 1024 * 1024 };
    char text[1001];
    uint64_t session, other;
    int left;
    client_t *slow = client_open("alice", &session), *friend = client_open("bob", &other);
    memset(text, 'x', 1000);
    text[1000] = '\0';
    router_put_run(&router, ORIGIN);
    for (unsigned i = 1; i <= MANY; i++)
        router_put_copy(&router, i, &session, 1, "eve", text);
    router_flush(&router);
    wait_memory(LIMIT + 1, true);
    client_send(friend, "/ping x");
    for (unsigned i = 0; i < 20; i++)
        json_decref(worker_report());
    assert_int_equal(ioctl(client_fd, SIOCOUTQ, &left), 0);
    assert_true(left > 0);
    for (unsigned i = 0; i < MANY; i++)
        client_expect_prefix(slow, "from eve: xxx");
    wait_memory(LIMIT, false);
    client_expect(friend, "ok ping x");
    check_balance();
}

static void a_broker_cannot_speak_for_another(void **state)
{
    (void)state;
    client_t *client = client_new();
    client_send(client, "alice");
    /* Her name belongs to one of them; the other one claims her session. */
    router_t *own = &router, *foreign = &second;
    zmq_pollitem_t items[] = {{router.socket, 0, ZMQ_POLLIN, 0}, {second.socket, 0, ZMQ_POLLIN, 0}};
    assert_int_equal(zmq_poll(items, 2, deadline_left_ms(deadline_in(DEADLINE_USUAL_MS))), 1);
    if (items[1].revents) {
        own = &second;
        foreign = &router;
    }
    uint64_t session = router_expect(own, RECORD_REGISTER)->control.name.session;
    router_put_session(foreign, RECORD_CONFIRMED, session);
    router_put_session(foreign, RECORD_LEFT, session);
    router_put(
        foreign, &(control_t){.type = RECORD_DENIED, .name = {.session = session, .error = FERRY_ERROR_NAME_TAKEN}});
    router_put_run(foreign, ORIGIN);
    router_put_copy(foreign, 1, &session, 1, "eve", "not mine to say");
    router_flush(foreign);
    router_expect_acknowledged(foreign, 1);
    assert_int_equal(ledger_count("returned", "gone"), 1);
    router_put_session(own, RECORD_CONFIRMED, session);
    router_put_run(own, ORIGIN);
    router_put_copy(own, 1, &session, 1, "eve", "hello");
    router_flush(own);
    client_expect(client, "from eve: hello");
    check_balance();
}

static void very_many_sessions_come_and_go(void **state)
{
    (void)state;
    enum { MANY = 300 };
    client_t *clients[MANY];
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            char name[16];
            uint64_t session;
            snprintf(name, sizeof name, "c%u-%u", round, i);
            clients[i] = client_open(name, &session);
            assert_int_equal(session >> 32, round + 1);
        }
        for (unsigned i = 0; i < MANY; i++) {
            client_close(&clients[i]);
            answer(RECORD_LEFT, router_expect(&router, RECORD_LEAVING)->control.name.session);
            expect_forgotten();
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_worker_is_ready_when_all_its_brokers_have_welcomed_it, setup_greeting, teardown),
        cmocka_unit_test_setup_teardown(a_worker_that_has_lost_a_broker_for_long_is_not_ready, setup_tight, teardown),
        cmocka_unit_test_setup_teardown(a_report_tells_of_sessions_and_links, setup, teardown),
        cmocka_unit_test_setup_teardown(a_worker_that_is_full_reads_nothing_until_it_is_not, setup_tight, teardown),
        cmocka_unit_test_setup_teardown(a_broker_cannot_speak_for_another, setup_two, teardown_two),
        cmocka_unit_test_setup_teardown(very_many_sessions_come_and_go, setup, teardown),
    };
    return TEST_RUN(tests);
}
