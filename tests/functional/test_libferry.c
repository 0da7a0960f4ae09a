/* SPDX-License-Identifier: MPL-2.0 */
/* Programs that use libferry, line clients, and real brokers. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "ferry.h"
#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/server.h"
#include "lib/test.h"

#define WAIT_MS (DEADLINE_USUAL_MS * (int)deadline_patience())
#define IDLE_MS (500 * (int)deadline_patience()) /* in which nothing moves, so that nothing will */

static ferry_t *login(const char *name, const char *brokers)
{
    ferry_t *ferry = ferry_new(name, brokers);
    assert_non_null(ferry);
    assert_int_equal(ferry_login(ferry, WAIT_MS), 0);
    return ferry;
}

static void leave(ferry_t *ferry)
{
    assert_int_equal(ferry_destroy(&ferry, WAIT_MS), 0);
    assert_null(ferry);
}

static int64_t say(ferry_t *ferry, const char *recipients, const char *text)
{
    int64_t number = ferry_send(ferry, recipients, text, strlen(text), WAIT_MS);
    assert_true(number > 0);
    return number;
}

static void expect(ferry_t *ferry, const char *sender, const char *text)
{
    ferry_msg_t *msg = ferry_recv(ferry, WAIT_MS);
    assert_non_null(msg);
    assert_int_equal(ferry_msg_kind(msg), FERRY_MESSAGE);
    assert_string_equal(ferry_msg_sender(msg), sender);
    assert_string_equal(ferry_msg_data(msg), text);
    assert_int_equal(ferry_msg_size(msg), strlen(text));
    ferry_msg_destroy(&msg);
}

static void expect_failure(ferry_t *ferry, int64_t number, const char *recipient, int error, const char *reason)
{
    ferry_msg_t *msg = ferry_recv(ferry, WAIT_MS);
    assert_non_null(msg);
    assert_int_equal(ferry_msg_kind(msg), FERRY_FAILURE);
    assert_int_equal(ferry_msg_number(msg), number);
    assert_string_equal(ferry_msg_recipient(msg), recipient);
    assert_int_equal(ferry_msg_error(msg), error);
    assert_string_equal(ferry_msg_reason(msg), reason);
    ferry_msg_destroy(&msg);
}

static void programs_and_line_clients_write_to_each_other(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    ferry_t *alice = login("alice", server_broker(server));
    ferry_t *bob = login("bob", server_broker(server));
    client_t *carol = client_login(server_gateway(server), "carol");
    say(alice, "bob, carol", "hello, both");
    expect(bob, "alice", "hello, both");
    client_expect(carol, "from alice: hello, both");
    client_send(carol, "alice, bob: and hello");
    expect(alice, "carol", "and hello");
    expect(bob, "carol", "and hello");
    say(bob, "bob", "");
    expect(bob, "bob", "");
    assert_int_equal(ferry_settle(alice, WAIT_MS), 0);
    leave(alice);
    leave(bob);
    server_stop(&server);
}

static void what_fails_is_told_with_the_number_of_the_message(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    ferry_t *alice = login("alice", server_broker(server));
    client_t *carol = client_login(server_gateway(server), "carol");
    say(alice, "carol", "one");
    expect_failure(alice, say(alice, "dave, carol", "two"), "dave", FERRY_E_NO_SUCH_PEER, "");
    int64_t number = ferry_send(alice, "carol", "a\nb", 3, WAIT_MS);
    expect_failure(alice, number, "carol", FERRY_E_UNDELIVERED, "not-a-line");
    client_expect(carol, "from alice: one");
    client_expect(carol, "from alice: two");
    leave(alice);
    server_stop(&server);
}

static void any_bytes_pass_between_programs_up_to_the_largest_batch(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "link/batch=2MiB", NULL);
    ferry_t *alice = login("alice", server_broker(server));
    ferry_t *bob = login("bob", server_broker(server));
    static char data[1 << 20];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7 >> 3);
    assert_true(ferry_send(alice, "bob", data, sizeof data, WAIT_MS) > 0);
    ferry_msg_t *msg = ferry_recv(bob, WAIT_MS);
    assert_non_null(msg);
    assert_int_equal(ferry_msg_size(msg), sizeof data);
    assert_memory_equal(ferry_msg_data(msg), data, sizeof data);
    ferry_msg_destroy(&msg);
    char *huge = calloc(1, 2 << 20);
    assert_int_equal(ferry_send(alice, "bob", huge, 2 << 20, WAIT_MS), -FERRY_E_TOO_LARGE);
    free(huge);
    leave(alice);
    leave(bob);
    server_stop(&server);
}

static void a_name_that_is_taken_is_refused_and_can_be_asked_for_again(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    client_t *owner = client_login(server_gateway(server), "alice");
    ferry_t *alice = ferry_new("alice", server_broker(server));
    assert_int_equal(ferry_login(alice, WAIT_MS), -FERRY_E_NAME_TAKEN);
    assert_int_equal(ferry_send(alice, "alice", "", 0, 0), -FERRY_E_NAME_TAKEN);
    client_send(owner, "/quit");
    client_expect(owner, "ok quit");
    assert_int_equal(ferry_login(alice, WAIT_MS), 0);
    say(alice, "alice", "mine");
    expect(alice, "alice", "mine");
    leave(alice);
    server_stop(&server);
}

/* A broker on a port that stays its own, so that it can be killed and started again. */
typedef struct {
    server_t *server;
    char option[200];
} broker_t;

static void broker_start(broker_t *self)
{
    self->server = server_start("broker", NULL);
    snprintf(self->option, sizeof self->option, "broker/listen=%s", server_broker(self->server));
}

static void broker_kill(broker_t *self)
{
    process_signal(server_process(self->server), SIGKILL);
    process_wait_exit(server_process(self->server), WAIT_MS);
    server_destroy(&self->server);
}

static void broker_restart(broker_t *self)
{
    broker_kill(self);
    self->server = server_start("broker", "-s", self->option, NULL);
}

enum { ROUNDS = 5, ROUND = 2000, BURST = 50 };

/* Sends numbered messages, as far as they are accepted. */
static void send_some(ferry_t *from, int *sent, int count)
{
    for (int i = 0; i < BURST && *sent < count; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", *sent);
        int64_t number = ferry_send(from, "bob", text, strlen(text), 0);
        if (number == -FERRY_E_TIMEOUT)
            return;
        assert_int_equal(number, ++*sent);
    }
}

/* Receives what is there, for a moment, and checks that it is what comes next. */
static void receive_some(ferry_t *to, int *received)
{
    ferry_msg_t *msg;
    for (int i = 0; i < BURST && (msg = ferry_recv(to, i ? 0 : 10)); i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", (*received)++);
        assert_string_equal(ferry_msg_data(msg), text);
        ferry_msg_destroy(&msg);
    }
}

static void nothing_is_lost_doubled_or_out_of_order_when_the_broker_is_killed_again_and_again(void **state)
{
    (void)state;
    broker_t broker;
    broker_start(&broker);
    ferry_t *alice = login("alice", server_broker(broker.server));
    ferry_t *bob = login("bob", server_broker(broker.server));
    int sent = 0, received = 0;
    for (int round = 1; round <= ROUNDS; round++) {
        deadline_t deadline = deadline_in(4 * DEADLINE_USUAL_MS);
        for (bool killed = false; received < round * ROUND;) {
            send_some(alice, &sent, round * ROUND + ROUND / 2);
            if (!killed && sent >= round * ROUND)
                broker_restart(&broker);
            killed = killed || sent >= round * ROUND;
            receive_some(bob, &received);
            assert_false(deadline_passed(deadline));
        }
    }
    while (received < sent)
        receive_some(bob, &received);
    assert_int_equal(ferry_settle(alice, WAIT_MS), 0);
    assert_null(ferry_recv(alice, 0));
    assert_null(ferry_recv(bob, 0));
    leave(alice);
    leave(bob);
    server_stop(&broker.server);
}

static void a_broker_that_is_drained_and_started_again_is_a_pause(void **state)
{
    (void)state;
    broker_t broker;
    broker_start(&broker);
    ferry_t *alice = login("alice", server_broker(broker.server));
    ferry_t *bob = login("bob", server_broker(broker.server));
    say(alice, "bob", "before");
    expect(bob, "alice", "before");
    server_stop(&broker.server);
    say(alice, "bob", "meanwhile");
    assert_int_equal(ferry_settle(alice, 0), -FERRY_E_TIMEOUT);
    broker.server = server_start("broker", "-s", broker.option, NULL);
    expect(bob, "alice", "meanwhile");
    leave(alice);
    leave(bob);
    server_stop(&broker.server);
}

static void what_a_program_does_not_receive_is_returned_when_it_ends(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    ferry_t *alice = login("alice", server_broker(server));
    ferry_t *bob = login("bob", server_broker(server));
    client_t *carol = client_login(server_gateway(server), "carol");
    say(alice, "bob", "received");
    int64_t number = say(alice, "bob", "not received");
    expect(bob, "alice", "received");
    client_send(carol, "bob: neither");
    client_barrier(carol);
    assert_int_equal(ferry_settle(alice, 50), -FERRY_E_TIMEOUT);
    leave(bob);
    expect_failure(alice, number, "bob", FERRY_E_UNDELIVERED, "gone");
    client_expect(carol, "error undelivered bob gone");
    assert_int_equal(ferry_settle(alice, WAIT_MS), 0);
    expect_failure(alice, say(alice, "bob", "x"), "bob", FERRY_E_NO_SUCH_PEER, "");
    leave(alice);
    server_stop(&server);
}

static void the_end_settles_everything_that_was_sent(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    client_t *carol = client_login(server_gateway(server), "carol");
    ferry_t *alice = login("alice", server_broker(server));
    for (int i = 0; i < ROUND; i++)
        say(alice, "carol", "hello");
    leave(alice);
    for (int i = 0; i < ROUND; i++)
        client_expect(carol, "from alice: hello");
    ferry_t *next = login("alice", server_broker(server)); /* the name is free at once */
    leave(next);
    server_stop(&server);
}

static void the_end_tells_how_many_messages_were_not_settled(void **state)
{
    (void)state;
    broker_t broker;
    broker_start(&broker);
    ferry_t *alice = login("alice", server_broker(broker.server));
    broker_kill(&broker);
    for (int i = 0; i < 3; i++)
        say(alice, "alice", "hello");
    assert_int_equal(ferry_destroy(&alice, 300), 3);
}

static void *leave_there(void *ferry)
{
    ferry_t *self = ferry;
    return ferry_destroy(&self, WAIT_MS) == 0 ? NULL : "unsettled";
}

static void two_programs_that_end_together_do_not_wait_for_each_other(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    ferry_t *alice = login("alice", server_broker(server));
    ferry_t *bob = login("bob", server_broker(server));
    for (int i = 0; i < 100; i++) {
        say(alice, "bob", "hello");
        say(bob, "alice", "hello");
    }
    pthread_t thread;
    void *rc;
    assert_int_equal(pthread_create(&thread, NULL, leave_there, bob), 0);
    leave(alice);
    assert_int_equal(pthread_join(thread, &rc), 0);
    assert_null(rc);
    server_stop(&server);
}

static void a_slow_program_makes_its_senders_wait_and_nobody_else(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "link/window=256KiB", NULL);
    ferry_t *alice = login("alice", server_broker(server));
    ferry_t *bob = login("bob", server_broker(server));
    client_t *carol = client_login(server_gateway(server), "carol");
    client_t *dave = client_login(server_gateway(server), "dave");
    static char text[1001];
    memset(text, 'x', sizeof text - 1);
    int sent = 0;
    int64_t number;
    while ((number = ferry_send(alice, "bob", text, 1000, IDLE_MS)) > 0)
        sent++;
    assert_int_equal(number, -FERRY_E_TIMEOUT);
    assert_in_range(sent, 2 * 256 / 2, 4 * 256);
    client_send(carol, "dave: not held up");
    client_expect(dave, "from carol: not held up");
    for (int i = 0; i < sent; i++)
        expect(bob, "alice", text);
    assert_int_equal(ferry_settle(alice, WAIT_MS), 0);
    leave(alice);
    leave(bob);
    server_stop(&server);
}

static void two_brokers_share_the_names_and_a_message_may_need_both(void **state)
{
    (void)state;
    char list[400];
    server_t *left = server_start("broker", "-s", "broker/name=left", NULL);
    server_t *right = server_start("broker", "-s", "broker/name=right", NULL);
    snprintf(list, sizeof list, "left=%s, right=%s", server_broker(left), server_broker(right));
    ferry_t *peers[6];
    char names[6][8], all[64] = "";
    for (int i = 0; i < 6; i++) {
        snprintf(names[i], sizeof names[i], "peer%d", i);
        peers[i] = login(names[i], list);
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s, ", names[i]);
    }
    for (int from = 0; from < 6; from++) {
        say(peers[from], all, "to all");
        for (int to = 0; to < 6; to++)
            expect(peers[to], names[from], "to all");
        assert_int_equal(ferry_settle(peers[from], WAIT_MS), 0);
    }
    for (int i = 0; i < 6; i++)
        leave(peers[i]);
    server_stop(&left);
    server_stop(&right);
}

/* A thread with a name of its own, which writes to itself. */
typedef struct {
    int number;
    const char *brokers;
} talker_t;

static const char *talk_round(ferry_t *ferry, const char *name)
{
    if (ferry_send(ferry, name, name, strlen(name), WAIT_MS) < 0)
        return "send";
    ferry_msg_t *msg = ferry_recv(ferry, WAIT_MS);
    if (!msg)
        return "receive";
    const char *rc = strcmp(ferry_msg_data(msg), name) == 0 ? NULL : "data";
    ferry_msg_destroy(&msg);
    return rc;
}

/* Returns what went wrong, or NULL. */
static void *talk(void *arg)
{
    const talker_t *self = arg;
    char name[16];
    snprintf(name, sizeof name, "talker%d", self->number);
    ferry_t *ferry = ferry_new(name, self->brokers);
    const char *rc = ferry && ferry_login(ferry, WAIT_MS) == 0 ? NULL : "login";
    for (int i = 0; i < 100 && !rc; i++)
        rc = talk_round(ferry, name);
    if (ferry_destroy(&ferry, WAIT_MS) != 0 && !rc)
        rc = "destroy";
    return (void *)rc;
}

static void programs_in_many_threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    talker_t talkers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        talkers[i] = (talker_t){.number = i, .brokers = server_broker(server)};
        assert_int_equal(pthread_create(&threads[i], NULL, talk, &talkers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *rc;
        assert_int_equal(pthread_join(threads[i], &rc), 0);
        assert_null(rc);
    }
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(programs_and_line_clients_write_to_each_other),
        TEST(what_fails_is_told_with_the_number_of_the_message),
        TEST(any_bytes_pass_between_programs_up_to_the_largest_batch),
        TEST(a_name_that_is_taken_is_refused_and_can_be_asked_for_again),
        TEST(nothing_is_lost_doubled_or_out_of_order_when_the_broker_is_killed_again_and_again),
        TEST(a_broker_that_is_drained_and_started_again_is_a_pause),
        TEST(what_a_program_does_not_receive_is_returned_when_it_ends),
        TEST(the_end_settles_everything_that_was_sent),
        TEST(the_end_tells_how_many_messages_were_not_settled),
        TEST(two_programs_that_end_together_do_not_wait_for_each_other),
        TEST(a_slow_program_makes_its_senders_wait_and_nobody_else),
        TEST(two_brokers_share_the_names_and_a_message_may_need_both),
        TEST(programs_in_many_threads_do_not_disturb_each_other),
    };
    return TEST_RUN(tests);
}
