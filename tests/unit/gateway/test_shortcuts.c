/* SPDX-License-Identifier: MPL-2.0 */
/* When a message goes from one session of a worker to another without the broker, and when it must not. */
#include "worker_rig.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

enum { OWN = 3 }; /* the handle under which the broker knows the worker itself */

static client_t *alice, *bob;
static uint64_t alice_session, bob_session;

/* A link on which the worker knows itself. */
static void join(void)
{
    control_t own = {.type = RECORD_ORIGIN, .origin.handle = OWN};
    own.origin.node = router_hello(&router)->control.hello.node;
    router_put_welcome(&router);
    router_put_empty(&router, RECORD_SETTLED);
    router_put(&router, &own);
    router_put_origin(&router, ORIGIN, 9);
    router_flush(&router);
}

static void start(const char *const *options)
{
    worker_start(options);
    join();
    router_expect(&router, RECORD_REGISTERED);
    alice = client_open("alice", &alice_session);
    bob = client_open("bob", &bob_session);
}

static int setup_clients(void **state)
{
    (void)state;
    start(NULL);
    return 0;
}

static int setup_slow_clients(void **state)
{
    (void)state;
    start((const char *const[]){"gateway/high_mark=64KiB", "gateway/low_mark=16KiB", "gateway/send_buffer=4KiB", NULL});
    return 0;
}

/* The broker gives bob a message that came from the worker itself. */
static void give_back(uint64_t number, const char *sender, const char *text)
{
    router_put_run(&router, OWN);
    router_put_copy(&router, number, &bob_session, 1, sender, text);
    router_flush(&router);
    client_expectf(bob, "from %s: %s", sender, text);
}

/* The worker has heard that all messages below that number are taken. */
static void taken(uint64_t below)
{
    static uint64_t number;
    answer_taken(below);
    deliver(++number, bob_session, "behind it");
    client_expect(bob, "from eve: behind it");
}

/* From then on bob has a shortcut, and nothing is on its way to him. */
static void learn(void)
{
    client_send(alice, "bob: first");
    router_expect_message(&router, 1, "first");
    give_back(1, "alice", "first");
    taken(2);
}

/* The broker gets the next message under that number, so that none was sent to it before. */
static void expect_next(uint64_t number)
{
    client_send(alice, "nobody: next");
    assert_int_equal(router_wait(&router, RECORD_MESSAGE)->number, number);
}

static json_int_t shortcuts_used(void)
{
    json_t *report = worker_report();
    json_int_t count = json_integer_value(json_object_get(json_object_get(report, "counters"), "shortcuts"));
    json_decref(report);
    return count;
}

/* A client whose connection is TCP, and whose kernel takes little. */
static client_t *client_open_tcp(const char *name, uint64_t *session)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int least = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    handoff_t handoff = {.address = "127.0.0.1:1"};
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(setsockopt(far, SOL_SOCKET, SO_RCVBUF, &least, sizeof least), 0);
    assert_int_equal(connect(far, (struct sockaddr *)&address, sizeof address), 0);
    handoff.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    close(listener);
    fcntl(far, F_SETFL, O_NONBLOCK);
    assert_int_equal(handover_send_bytes(zsock_resolve(door), &handoff, sizeof handoff, 0), 0);
    client_t *client = client_adopt(far);
    client_send(client, name);
    *session = expect_register(name, false);
    answer(RECORD_CONFIRMED, *session);
    client_barrier(client);
    return client;
}

static void wait_shortcuts(json_int_t count)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (shortcuts_used() < count)
        assert_false(deadline_passed(deadline));
}

static void a_message_that_came_back_opens_a_shortcut(void **state)
{
    (void)state;
    learn();
    client_send(alice, "bob: second");
    client_expect(bob, "from alice: second");
    client_send(alice, "bob:");
    client_expect(bob, "from alice: ");
    client_barrier(alice);
    assert_int_equal(shortcuts_used(), 2);
    assert_int_equal(ledger_count("accepted", NULL), 3);
    assert_int_equal(ledger_count("handed_over", NULL), 1);
    assert_int_equal(ledger_count("delivered", NULL), 4);
    check_balance();
    expect_next(2);
}

static void a_message_that_came_from_elsewhere_opens_none(void **state)
{
    (void)state;
    deliver(1, bob_session, "hello");
    client_expect(bob, "from eve: hello");
    client_send(alice, "bob: first");
    router_expect_message(&router, 1, "first");
}

static void without_shortcuts_all_goes_to_the_broker(void **state)
{
    (void)state;
    start((const char *const[]){"gateway/shortcuts=0", NULL});
    learn();
    client_send(alice, "bob: second");
    router_expect_message(&router, 2, "second");
}

static void what_is_for_more_than_one_name_goes_to_the_broker(void **state)
{
    static const char *const lines[] = {"/send l1 bob: x", "bob, nobody: x", "#room: x", "@mill: x"};
    uint64_t number = 2;
    (void)state;
    learn();
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
        client_send(alice, lines[i]);
        router_expect_message(&router, number++, "x");
        client_send(alice, "bob: y"); /* does not overtake it */
        router_expect_message(&router, number++, "y");
        router_put_run(&router, OWN);
        router_put_copy(&router, number - 1, &bob_session, 1, "alice", "y");
        answer_taken(number);
        client_expect(bob, "from alice: y");
        if (i == 0)
            client_expect(alice, "ok l1");
        client_barrier(alice);
        client_send(alice, "bob: z");
        client_expect(bob, "from alice: z");
    }
    assert_int_equal(shortcuts_used(), 4);
}

static void others_are_not_held_up_by_one_that_goes_another_way(void **state)
{
    uint64_t session;
    (void)state;
    learn();
    client_t *carol = client_open("carol", &session);
    client_send(alice, "#room: x");
    client_send(alice, "bob: y");
    router_expect_message(&router, 2, "x");
    router_expect_message(&router, 3, "y");
    client_send(carol, "bob: z");
    client_expect(bob, "from carol: z");
    assert_int_equal(shortcuts_used(), 1);
}

static void what_was_sent_before_comes_first(void **state)
{
    (void)state;
    client_send(alice, "bob: first");
    client_send(alice, "bob: second");
    router_expect_message(&router, 1, "first");
    router_expect_message(&router, 2, "second");
    give_back(1, "alice", "first");
    client_send(alice, "bob: third");
    router_expect_message(&router, 3, "third");
    taken(2);
    client_send(alice, "bob: fourth");
    router_expect_message(&router, 4, "fourth");
    give_back(2, "alice", "second");
    taken(3);
    client_send(alice, "bob: fifth"); /* the third is on its way */
    router_expect_message(&router, 5, "fifth");
    give_back(3, "alice", "third");
    give_back(4, "alice", "fourth");
    give_back(5, "alice", "fifth");
    client_send(alice, "bob: sixth");
    client_expect(bob, "from alice: sixth");
}

/* The second message goes to the broker though bob has a shortcut; what is on its way from then on is known. */
static void learn_late(void)
{
    client_send(alice, "bob: 1");
    router_expect_message(&router, 1, "1");
    give_back(1, "alice", "1");
    client_send(alice, "bob: 2");
    router_expect_message(&router, 2, "2");
    taken(2);
}

static void who_never_stops_waits_once_for_what_is_on_its_way(void **state)
{
    enum { LAST = 2 + 32 };
    char text[16];
    (void)state;
    learn_late();
    for (unsigned i = 3; i <= LAST + 2; i++)
        client_sendf(alice, "bob: %u", i);
    for (unsigned i = 3; i <= LAST; i++) {
        snprintf(text, sizeof text, "%u", i);
        router_expect_message(&router, i, text);
    }
    wait_taken(client_fd);
    assert_int_equal(shortcuts_used(), 0);
    for (unsigned i = 2; i <= LAST; i++) {
        snprintf(text, sizeof text, "%u", i);
        give_back(i, "alice", text);
    }
    client_expectf(bob, "from alice: %u", LAST + 1);
    client_expectf(bob, "from alice: %u", LAST + 2);
    client_barrier(alice);
    assert_int_equal(shortcuts_used(), 2);
    answer_taken(LAST + 1);
    expect_next(LAST + 1);
}

static void who_waits_for_a_client_that_goes_asks_the_broker(void **state)
{
    enum { LAST = 2 + 32 };
    (void)state;
    learn_late();
    for (unsigned i = 3; i <= LAST + 1; i++)
        client_sendf(alice, "bob: %u", i);
    for (unsigned i = 3; i <= LAST; i++)
        router_expect_number(&router, RECORD_MESSAGE, i);
    client_send(bob, "/quit");
    router_expect_number(&router, RECORD_MESSAGE, LAST + 1);
}

static void nobody_has_a_shortcut_to_himself(void **state)
{
    (void)state;
    client_send(bob, "bob: one");
    router_expect_message(&router, 1, "one");
    give_back(1, "bob", "one");
    taken(2);
    client_send(bob, "bob: two");
    router_expect_message(&router, 2, "two");
}

static void who_acknowledges_has_no_shortcut(void **state)
{
    (void)state;
    learn();
    client_send(bob, "/ack on");
    client_expect(bob, "ok ack on");
    client_send(alice, "bob: second");
    router_wait(&router, RECORD_MESSAGE);
}

static void a_name_that_is_not_confirmed_on_this_link_has_no_shortcut(void **state)
{
    (void)state;
    learn();
    router_stop(&router);
    router_start(&router);
    join();
    router_wait(&router, RECORD_REGISTERED);
    client_send(alice, "bob: second");
    router_expect_message(&router, 2, "second");
    router.serial = 0;
    router_put_session(&router, RECORD_CONFIRMED, alice_session);
    answer(RECORD_CONFIRMED, bob_session);
    give_back(2, "alice", "second");
    taken(3);
    client_send(alice, "bob: third");
    client_expect(bob, "from alice: third");
}

static void a_name_that_somebody_else_has_has_no_shortcut(void **state)
{
    (void)state;
    learn();
    router_put(&router,
        &(control_t){.type = RECORD_DENIED, .name = {.session = bob_session, .error = FERRY_ERROR_NAME_TAKEN}});
    router_flush(&router);
    client_expect(bob, "error name-taken bob");
    client_send(alice, "bob: second");
    router_expect_message(&router, 2, "second");
}

static void who_takes_his_name_over_writes_to_himself(void **state)
{
    (void)state;
    learn();
    client_t *again = client_new();
    client_send(again, "bob\nbob: mine");
    uint64_t session = expect_register("bob", false);
    router_put(&router, &(control_t){.type = RECORD_CONFIRMED,
                            .name = {.session = session, .term = 1, .serial = 77, .took_over = true}});
    router_flush(&router);
    client_expect(again, "info took-over bob");
    router_expect_message(&router, 2, "mine"); /* before the other is denied it */
    client_send(alice, "bob: his");
    router_expect_message(&router, 3, "his");
}

static void who_comes_back_does_not_overtake_what_he_sent_before(void **state)
{
    uint64_t session;
    (void)state;
    learn();
    client_send(alice, "#room: x");
    client_send(alice, "bob: y");
    router_expect_message(&router, 2, "x");
    router_expect_message(&router, 3, "y");
    client_send(alice, "/ping unread");
    client_wait_input(alice);
    client_reset(&alice);
    expect_leaving(alice_session);
    answer(RECORD_LEFT, alice_session);
    alice = client_open("alice", &session);
    client_send(alice, "bob: z");
    router_expect_message(&router, 4, "z");
    give_back(3, "alice", "y");
    give_back(4, "alice", "z");
    taken(5);
    client_send(alice, "bob: last");
    client_expect(bob, "from alice: last");
}

/* alice writes so many kilobytes to bob, who does not read. */
static void write_kilobytes(unsigned count)
{
    char line[1024];
    memset(line, 'x', sizeof line);
    memcpy(line, "bob: ", 5);
    line[sizeof line - 1] = '\n';
    for (unsigned i = 0; i < count; i++)
        client_send_bytes(alice, line, sizeof line);
}

static void expect_kilobytes(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        client_expect_prefix(bob, "from alice: xxx");
}

static void who_writes_to_a_slow_client_waits_for_it(void **state)
{
    (void)state;
    learn();
    write_kilobytes(100);
    router_wait(&router, RECORD_PAUSE);
    client_send(alice, "/ping end");
    expect_kilobytes(100);
    client_expect(alice, "ok ping end");
    router_wait(&router, RECORD_RESUME);
    client_barrier(alice);
    assert_int_equal(shortcuts_used(), 100);
    assert_int_equal(ledger_count("delivered", NULL), 102);
    check_balance();
    expect_next(2);
}

static void a_quit_waits_until_a_slow_client_has_read(void **state)
{
    (void)state;
    learn();
    client_t *carol = client_open("carol", &(uint64_t){0});
    write_kilobytes(50);
    client_send(alice, "/quit");
    wait_shortcuts(50);
    client_send(carol, "nobody: x");
    router_expect_message(&router, 2, "x");
    expect_kilobytes(50);
    expect_leaving(alice_session);
    answer(RECORD_LEFT, alice_session);
    client_expect(alice, "ok quit");
}

static void what_a_client_that_goes_has_not_read_is_told_its_sender(void **state)
{
    (void)state;
    learn();
    write_kilobytes(50);
    client_send(alice, "/quit");
    wait_shortcuts(50);
    client_close(&bob);
    client_expect(alice, "error undelivered bob gone");
    json_int_t count = ledger_count("returned", "gone");
    assert_in_range(count, 1, 50);
    for (json_int_t i = 1; i < count; i++)
        client_expect(alice, "error undelivered bob gone");
    expect_leaving(bob_session);
    expect_leaving(alice_session);
    answer(RECORD_LEFT, alice_session);
    client_expect(alice, "ok quit");
    check_balance();
}

static void a_sender_that_is_gone_is_told_nothing(void **state)
{
    (void)state;
    learn();
    write_kilobytes(50);
    wait_shortcuts(50);
    client_send(alice, "/ping unread");
    client_reset(&alice);
    expect_leaving(alice_session);
    answer(RECORD_LEFT, alice_session);
    client_close(&bob);
    expect_leaving(bob_session);
    answer(RECORD_LEFT, bob_session);
    expect_forgotten();
    expect_forgotten();
    check_balance();
}

static void a_drain_waits_until_a_slow_client_has_read(void **state)
{
    char *ready = NULL;
    (void)state;
    learn();
    write_kilobytes(50);
    expect_word("READY", &ready, NULL);
    zstr_free(&ready);
    zstr_sendx(worker, "DRAIN", "60000", NULL);
    client_expect(alice, "info draining");
    expect_kilobytes(50);
    client_expect(bob, "info draining");
    expect_word("SETTLED", NULL, NULL);
    check_balance();
}

/* The drain has no more time: what bob has not read is returned. The sender comes behind him among the sessions. */
static void a_drain_tells_every_sender_what_was_not_read(void **state)
{
    char *ready = NULL;
    (void)state;
    learn();
    alice = client_open("carol", &alice_session);
    write_kilobytes(50);
    wait_shortcuts(50);
    expect_word("READY", &ready, NULL);
    zstr_free(&ready);
    zstr_sendx(worker, "DRAIN", "1500", NULL);
    client_expect(alice, "info draining");
    client_expect(alice, "error undelivered bob drained");
    json_int_t count = ledger_count("returned", "drained");
    for (json_int_t i = 1; i < count; i++)
        client_expect(alice, "error undelivered bob drained");
    expect_word("SETTLED", NULL, NULL);
    check_balance();
}

static json_int_t bob_queued(void)
{
    json_int_t size = 0;
    size_t i;
    json_t *report = worker_report(), *session;
    json_array_foreach(json_object_get(report, "session_writers"), i,
        session) if (streq(json_string_value(json_object_get(session, "name")), "bob")) size =
        json_integer_value(json_object_get(session, "queued_bytes"));
    json_decref(report);
    return size;
}

/* The broker had given the node up: it is told nothing any more of what it had sent, but this was never its own. */
static void what_is_written_when_the_node_was_given_up_has_ended(void **state)
{
    (void)state;
    worker_start((const char *const[]){"gateway/send_buffer=4KiB", NULL});
    join();
    router_expect(&router, RECORD_REGISTERED);
    alice = client_open("alice", &alice_session);
    bob = client_open_tcp("bob", &bob_session);
    learn();
    write_kilobytes(50);
    wait_shortcuts(50);
    assert_true(bob_queued() > 0);
    router_stop(&router);
    router_return(&router);
    join();
    router_wait(&router, RECORD_REGISTERED);
    router.serial = 0;
    router_put_session(&router, RECORD_CONFIRMED, alice_session);
    answer(RECORD_CONFIRMED, bob_session);
    client_barrier(alice);
    while (bob_queued() > 0)
        expect_kilobytes(1);
    client_send(alice, "/quit"); /* bob has not read all */
    expect_leaving(alice_session);
}

/* bob's session has all been written that there is, his client reads nothing, and memory gets short. */
static void who_waits_for_a_client_that_takes_too_much_memory_does_not_wait_for_ever(void **state)
{
    enum { CROWD = 1000 };
    budget_account_t others;
    (void)state;
    start((const char *const[]){"gateway/memory=2MiB", "gateway/stall_time=200ms", NULL});
    bob = client_open_tcp("bob2", &bob_session);
    client_send(alice, "bob2: first");
    router_expect_message(&router, 1, "first");
    give_back(1, "alice", "first");
    taken(2);
    budget_account_init(&others, &budget);
    for (unsigned i = 0; i < CROWD; i++)
        budget_join(&budget);
    for (unsigned i = 0; i < 120; i++)
        client_sendf(alice, "bob2: %0100u", i);
    wait_shortcuts(120);
    budget_account_change(&others, others.held, budget.limit / 32 * 17);
    budget_account_tell(&others);
    client_barrier(alice);
    client_barrier(alice);
    client_send(alice, "bob2: late");
    client_expect_prefix(alice, "error un");
    budget_account_fini(&others);
}

#define SHORTCUT_TEST(function) cmocka_unit_test_setup_teardown(function, setup_clients, teardown)
#define SLOW_TEST(function)     cmocka_unit_test_setup_teardown(function, setup_slow_clients, teardown)
#define BARE_TEST(function)     cmocka_unit_test_teardown(function, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SHORTCUT_TEST(a_message_that_came_back_opens_a_shortcut),
        SHORTCUT_TEST(a_message_that_came_from_elsewhere_opens_none),
        BARE_TEST(without_shortcuts_all_goes_to_the_broker),
        SHORTCUT_TEST(what_is_for_more_than_one_name_goes_to_the_broker),
        SHORTCUT_TEST(others_are_not_held_up_by_one_that_goes_another_way),
        SHORTCUT_TEST(what_was_sent_before_comes_first),
        SHORTCUT_TEST(who_never_stops_waits_once_for_what_is_on_its_way),
        SHORTCUT_TEST(who_waits_for_a_client_that_goes_asks_the_broker),
        SHORTCUT_TEST(nobody_has_a_shortcut_to_himself),
        SHORTCUT_TEST(who_acknowledges_has_no_shortcut),
        SHORTCUT_TEST(a_name_that_is_not_confirmed_on_this_link_has_no_shortcut),
        SHORTCUT_TEST(a_name_that_somebody_else_has_has_no_shortcut),
        SLOW_TEST(who_writes_to_a_slow_client_waits_for_it),
        SLOW_TEST(a_quit_waits_until_a_slow_client_has_read),
        SLOW_TEST(what_a_client_that_goes_has_not_read_is_told_its_sender),
        SLOW_TEST(a_sender_that_is_gone_is_told_nothing),
        SHORTCUT_TEST(who_takes_his_name_over_writes_to_himself),
        SHORTCUT_TEST(who_comes_back_does_not_overtake_what_he_sent_before),
        SLOW_TEST(a_drain_waits_until_a_slow_client_has_read),
        SLOW_TEST(a_drain_tells_every_sender_what_was_not_read),
        BARE_TEST(what_is_written_when_the_node_was_given_up_has_ended),
        BARE_TEST(who_waits_for_a_client_that_takes_too_much_memory_does_not_wait_for_ever),
    };
    return TEST_RUN(tests);
}
