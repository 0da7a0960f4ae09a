/* SPDX-License-Identifier: MPL-2.0 */
#include "worker_rig.h"

static void replace_broker(void)
{
    router_stop(&router);
    router_start(&router);
    router_welcome(&router);
}

static void say_presence(uint64_t session, const char *name, bool is_here)
{
    router_put(&router,
        &(control_t){.type = RECORD_PRESENCE, .name = {.session = session, .is_on = is_here, .name = span_str(name)}});
    router_flush(&router);
}

static void answer_presence(uint64_t session, const char *name, bool is_here)
{
    const control_t *record = &router_wait(&router, RECORD_WATCH)->control;
    assert_int_equal(record->name.session, session);
    assert_true(record->name.is_on && span_equal(record->name.name, span_str(name)));
    say_presence(session, name, is_here);
}

static void a_watch_outlives_its_link_and_tells_only_what_has_changed(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "/watch bob");
    answer_presence(session, "bob", true);
    client_expect(client, "ok watch bob here");
    replace_broker();
    answer_presence(session, "bob", true);
    client_barrier(client);
    replace_broker();
    answer_presence(session, "bob", false);
    client_expect(client, "info went bob");
    client_send(client, "/unwatch bob");
    assert_false(router_wait(&router, RECORD_WATCH)->control.name.is_on);
    client_expect(client, "ok unwatch bob");
}

static void nobody_may_watch_more_names_than_allowed(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "/watch bob");
    answer_presence(session, "bob", false);
    client_expect(client, "ok watch bob away");
    client_send(client, "/watch carol");
    client_expect(client, "error too-many-watches carol");
    client_send(client, "/watch bob");
    answer_presence(session, "bob", true);
    client_expect(client, "ok watch bob here");
}

/* The client is slow, so that its last line waits when the news comes. */
static void no_news_follow_the_last_line(void **state)
{
    (void)state;
    enum { COPIES = 200 };
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "/watch bob");
    answer_presence(session, "bob", false);
    client_expect(client, "ok watch bob away");
    client_send(client, "/quit");
    router_wait(&router, RECORD_LEAVING);
    deliver_many(1, COPIES, session);
    answer(RECORD_LEFT, session);
    say_presence(session, "bob", true);
    json_decref(worker_report()); /* the worker has read it */
    for (unsigned i = 0; i < COPIES; i++)
        client_expect_prefix(client, "from eve: x");
    client_expect(client, "ok quit");
    client_expect_eof(client);
}

static int setup_one(void **state)
{
    (void)state;
    start_joined((const char *const[]){"gateway/max_watches=1", NULL});
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_watch_outlives_its_link_and_tells_only_what_has_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_may_watch_more_names_than_allowed, setup_one, teardown),
        cmocka_unit_test_setup_teardown(no_news_follow_the_last_line, setup_slow, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
