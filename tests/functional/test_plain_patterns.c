/* SPDX-License-Identifier: MPL-2.0 */
/* ZeroMQ programs in groups, behind services, asking them, and told of receipts and presence, together with line
 * clients. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <signal.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/program.h"
#include "lib/server.h"
#include "lib/test.h"

static server_t *server;

static program_t *login(const char *name)
{
    return program_login(server_peers(server), name);
}

static client_t *login_client(const char *name)
{
    return client_login(server_gateway(server), name);
}

static void join(program_t *program, const char *group)
{
    program_say(program, "JOIN", group, NULL);
    program_expect(program, "OK", "JOIN", group, NULL);
}

static void serve(program_t *program, const char *service, const char *credit)
{
    program_say(program, "SERVE", service, credit, NULL);
    program_expect(program, "OK", "SERVE", service, NULL);
}

static void programs_and_clients_share_a_group(void **state)
{
    (void)state;
    server = server_start("all", NULL);
    program_t *alice = login("alice"), *bob = login("bob");
    client_t *carl = login_client("carl");
    join(alice, "#room");
    join(bob, "#room");
    client_send(carl, "/join #room");
    client_expect(carl, "ok join #room");
    program_say(alice, "SEND", "#room", "two\nlines", NULL);
    program_expect(bob, "MESSAGE", "alice", "#room", "two\nlines", NULL);
    program_expect(alice, "ERROR", "undelivered", "carl", "not-a-line", NULL);
    client_send(carl, "#room: hello");
    program_expect(alice, "MESSAGE", "carl", "#room", "hello", NULL);
    program_expect(bob, "MESSAGE", "carl", "#room", "hello", NULL);
    program_say(bob, "LEAVE", "#room", NULL);
    program_expect(bob, "OK", "LEAVE", "#room", NULL);
    program_say(alice, "SEND", "#room,bob", "bye", NULL);
    program_expect(bob, "MESSAGE", "alice", "bob", "bye", NULL);
    client_expect(carl, "from alice #room: bye");
    program_barrier(alice);
    program_barrier(bob);
    server_stop(&server);
}

static void a_program_works_and_what_it_leaves_undone_is_given_to_another(void **state)
{
    (void)state;
    server = server_start("all", "-s", "broker/peer_probe_time=100ms", NULL);
    program_t *worker = login("worker");
    client_t *carl = login_client("carl");
    serve(worker, "@mill", "2");
    client_send(carl, "/send l1 @mill: rye");
    client_send(carl, "/send l2 @mill: oats");
    program_expect(worker, "JOB", "1", "carl", "@mill", "rye", NULL);
    program_expect(worker, "JOB", "2", "carl", "@mill", "oats", NULL);
    program_say(worker, "DONE", "1", NULL);
    client_expect(carl, "ok l1");
    client_t *other = login_client("other");
    client_send(other, "/serve @mill 5");
    client_expect(other, "ok serve @mill");
    program_close(&worker);
    client_expect(other, "from carl @mill 1: oats");
    client_send(other, "/done 1");
    client_expect(carl, "ok l2");
    server_stop(&server);
}

static void a_request_is_answered_across_kinds(void **state)
{
    (void)state;
    server = server_start("all", NULL);
    program_t *alice = login("alice"), *worker = login("worker");
    client_t *carl = login_client("carl");
    serve(worker, "@mill", "9");
    client_send(carl, "/request r1 60s @mill: how much?");
    program_expect(worker, "JOB", "1", "carl", "@mill", "how much?", NULL);
    program_say(worker, "REPLY", "1", "three", NULL);
    client_expect(carl, "ok r1 three");
    program_say(alice, "REQUEST", "r1", "60s", "@mill", "two\nlines?", NULL);
    program_expect(worker, "JOB", "2", "alice", "@mill", "two\nlines?", NULL);
    program_say(worker, "REPLY", "2", "\n", NULL);
    program_expect(alice, "REPLY", "r1", "\n", NULL);
    program_say(worker, "UNSERVE", "@mill", NULL);
    program_expect(worker, "OK", "UNSERVE", "@mill", NULL);
    client_send(carl, "/serve @mill");
    client_expect(carl, "ok serve @mill");
    program_say(alice, "REQUEST", "r2", "60s", "@mill", "and now?", NULL);
    client_expect(carl, "from alice @mill 1: and now?");
    client_send(carl, "/reply 1: now");
    program_expect(alice, "REPLY", "r2", "now", NULL);
    program_barrier(worker);
    server_stop(&server);
}

static void a_request_that_is_not_answered_ends_with_an_error(void **state)
{
    (void)state;
    server = server_start("all", NULL);
    program_t *alice = login("alice"), *worker = login("worker");
    client_t *carl = login_client("carl");
    program_say(alice, "REQUEST", "r1", "60s", "@mill", "?", NULL);
    program_expect(alice, "ERROR", "no-such-peer", "@mill", "r1", NULL);
    serve(worker, "@mill", "9");
    program_say(alice, "REQUEST", "r2", "50ms", "@mill", "?", NULL);
    program_expect(worker, "JOB", "1", "alice", "@mill", "?", NULL);
    program_expect(alice, "ERROR", "timeout", "@mill", "r2", NULL);
    program_say(worker, "REPLY", "1", "late", NULL);
    program_expect(worker, "ERROR", "undelivered", "alice", "expired", NULL);
    client_send(carl, "/request r3 1s @mill: ?"); /* a line cannot be answered with two */
    program_expect(worker, "JOB", "2", "carl", "@mill", "?", NULL);
    program_say(worker, "REPLY", "2", "two\nlines", NULL);
    program_expect(worker, "ERROR", "undelivered", "carl", "not-a-line", NULL);
    client_expect(carl, "error timeout @mill r3");
    program_say(worker, "REPLY", "2", "again", NULL);
    program_expect(worker, "ERROR", "no-such-job", "2", NULL);
    program_say(worker, "DONE", "0", NULL);
    program_expect(worker, "ERROR", "bad-line", NULL);
    server_stop(&server);
}

static void a_receipt_comes_when_all_is_delivered_or_the_errors_do(void **state)
{
    (void)state;
    server = server_start("all", NULL);
    program_t *alice = login("alice"), *bob = login("bob");
    client_t *carl = login_client("carl");
    program_say(alice, "SEND", "bob, carl", "hello", "l1", NULL);
    client_expect(carl, "from alice: hello");
    program_expect(bob, "MESSAGE", "alice", "bob", "hello", NULL);
    program_sync(bob);
    program_expect(alice, "OK", "SEND", "l1", NULL);
    program_say(alice, "SEND", "bob, dave", "hello", "l2", NULL);
    program_expect(alice, "ERROR", "no-such-peer", "dave", "l2", NULL);
    program_say(alice, "SEND", "bad name", "hello", "l3", NULL);
    program_expect(alice, "ERROR", "bad-name", "bad name", "l3", NULL);
    program_barrier(alice);
    client_send(carl, "/send l4 bob: hello");
    program_expect(bob, "MESSAGE", "alice", "bob", "hello", NULL);
    program_expect(bob, "MESSAGE", "carl", "bob", "hello", NULL);
    program_sync(bob);
    client_expect(carl, "ok l4");
    server_stop(&server);
}

static void a_program_sees_who_is_there_and_who_comes_and_goes(void **state)
{
    (void)state;
    server = server_start("all", NULL);
    program_t *alice = login("alice");
    program_say(alice, "WATCH", "carl", NULL);
    program_expect(alice, "OK", "WATCH", "carl", "away", NULL);
    client_t *carl = login_client("carl");
    program_expect(alice, "INFO", "came", "carl", NULL);
    client_send(carl, "/join #room");
    client_expect(carl, "ok join #room");
    program_say(alice, "WHO", NULL);
    program_expect(alice, "OK", "WHO", "all", "alice", "carl", NULL);
    program_say(alice, "WHO", "#", NULL);
    program_expect(alice, "OK", "WHO", "all", "#room", NULL);
    program_say(alice, "WHO", "b", NULL);
    program_say(alice, "WHO", "ca", NULL);
    program_expect(alice, "OK", "WHO", "all", NULL);
    program_expect(alice, "OK", "WHO", "all", "carl", NULL);
    client_send(carl, "/quit");
    client_expect(carl, "ok quit");
    program_expect(alice, "INFO", "went", "carl", NULL);
    program_say(alice, "UNWATCH", "carl", NULL);
    program_expect(alice, "OK", "UNWATCH", "carl", NULL);
    login_client("carl");
    program_barrier(alice);
    server_stop(&server);
}

static void limits_are_those_of_clients(void **state)
{
    (void)state;
    server = server_start(
        "all", "-s", "gateway/max_groups=1", "-s", "gateway/max_services=1", "-s", "gateway/max_watches=1", NULL);
    program_t *alice = login("alice");
    join(alice, "#one");
    join(alice, "#one");
    program_say(alice, "JOIN", "#two", NULL);
    program_expect(alice, "ERROR", "too-many-groups", "#two", NULL);
    serve(alice, "@one", "1");
    serve(alice, "@one", "7");
    program_say(alice, "SERVE", "@two", NULL);
    program_expect(alice, "ERROR", "too-many-services", "@two", NULL);
    program_say(alice, "WATCH", "one", NULL);
    program_expect(alice, "OK", "WATCH", "one", "away", NULL);
    program_say(alice, "WATCH", "two", NULL);
    program_expect(alice, "ERROR", "too-many-watches", "two", NULL);
    server_stop(&server);
}

/* The broker has had everything that the client wrote. */
static void expect_routed(client_t *client)
{
    client_send(client, "nobody: is it there?");
    client_expect(client, "error no-such-peer nobody");
}

/* What is read next must be a JOB with this number. */
static void expect_job(program_t *program, unsigned number)
{
    char head[32];
    snprintf(head, sizeof head, "JOB|%u|", number);
    const char *got = program_read(program);
    if (strncmp(got, head, strlen(head)) != 0)
        fail_msg("not %s but %.60s", head, got);
}

/* The window is 64 KiB, a job 10 KB, and the credit 100. */
static void who_does_not_read_is_given_no_more_than_fits(void **state)
{
    (void)state;
    enum { FIT = 7, JOBS = 60, SIZE = 10000 };
    char *line = calloc(1, SIZE + 16), number[16];
    assert_non_null(line);
    memset(line, 'x', SIZE);
    memcpy(line, "@mill: ", 7);
    server = server_start("all", "-s", "broker/peer_window=64KiB", NULL);
    program_t *slow = login("slow"), *quick = login("quick");
    client_t *carl = login_client("carl");
    serve(slow, "@mill", "100");
    for (unsigned i = 0; i <= FIT; i++) /* the last waits, or slow has it too */
        client_send(carl, line);
    expect_routed(carl);
    serve(quick, "@mill", "100");
    for (unsigned i = 1; i <= JOBS; i++) {
        client_send(carl, line);
        expect_job(quick, i);
        snprintf(number, sizeof number, "%u", i);
        program_say(quick, "DONE", number, NULL);
    }
    for (unsigned i = 1; i <= FIT; i++)
        expect_job(slow, i);
    free(line);
    server_stop(&server);
}

static void who_says_leave_waits_for_its_answers(void **state)
{
    (void)state;
    server = server_start("all", NULL);
    program_t *alice = login("alice"), *worker = login("worker");
    join(alice, "#room");
    serve(worker, "@mill", "9");
    serve(alice, "@shop", "1");
    program_say(alice, "REQUEST", "r1", "60s", "@mill", "?", NULL);
    program_say(alice, "LEAVE", NULL);
    program_expect(worker, "JOB", "1", "alice", "@mill", "?", NULL);
    program_say(worker, "SEND", "@shop", "a job that she leaves undone", NULL);
    program_expect(alice, "JOB", "1", "worker", "@shop", "a job that she leaves undone", NULL);
    program_say(worker, "REPLY", "1", "!", NULL);
    program_expect(alice, "REPLY", "r1", "!", NULL);
    program_expect(alice, "BYE", NULL);
    program_expect(worker, "ERROR", "no-such-peer", "@shop", NULL);
    program_say(worker, "SEND", "#room", "x", NULL);
    program_expect(worker, "ERROR", "no-such-peer", "#room", NULL);
    server_stop(&server);
}

static server_t *broker, *gateway;

/* A broker, and a gateway in another process. */
static void open_two(void)
{
    char links[160];
    broker = server_start("broker", NULL);
    snprintf(links, sizeof links, "gateway/broker=%s", server_broker(broker));
    gateway = server_start("gateway", "-s", links, NULL);
}

static void kill_broker(void)
{
    char listen[160], peers[160];
    snprintf(listen, sizeof listen, "broker/listen=%s", server_broker(broker));
    snprintf(peers, sizeof peers, "broker/peer_listen=%s", server_peers(broker));
    process_signal(server_process(broker), SIGKILL);
    process_wait_exit(server_process(broker), DEADLINE_USUAL_MS);
    server_destroy(&broker);
    broker = server_start("broker", "-s", listen, "-s", peers, NULL);
}

static void close_two(void)
{
    server_stop(&gateway);
    server_stop(&broker);
}

static void a_job_that_is_lost_with_its_broker_is_given_again(void **state)
{
    (void)state;
    open_two();
    program_t *worker = program_login(server_peers(broker), "worker");
    client_t *carl = client_login(server_gateway(gateway), "carl");
    serve(worker, "@mill", "1");
    client_send(carl, "/request r1 60s @mill: ?");
    program_expect(worker, "JOB", "1", "carl", "@mill", "?", NULL);
    client_send(carl, "/send l1 @mill: rye");
    expect_routed(carl);
    kill_broker();
    program_expect_restart(worker);
    program_say(worker, "REPLY", "1", "!", NULL);
    program_expect(worker, "ERROR", "unknown-peer", NULL);
    program_say(worker, "LOGIN", "worker", NULL);
    program_say(worker, "SERVE", "@mill", "2", NULL);
    program_expect(worker, "OK", "LOGIN", "worker", NULL);
    program_expect(worker, "OK", "SERVE", "@mill", NULL);
    for (int i = 0; i < 2; i++) { /* in any order */
        char number[16], text[16];
        assert_int_equal(sscanf(program_read(worker), "JOB|%15[^|]|carl|@mill|%15s", number, text), 2);
        program_say(worker, "REPLY", number, "!", NULL);
    }
    const char *first = client_read(carl);
    bool is_reply = strcmp(first, "ok r1 !") == 0;
    assert_true(is_reply || strcmp(first, "ok l1") == 0);
    client_expect(carl, is_reply ? "ok l1" : "ok r1 !");
    close_two();
}

static void what_a_program_has_not_read_is_unconfirmed_when_its_broker_is_killed(void **state)
{
    (void)state;
    open_two();
    program_t *deaf = program_login(server_peers(broker), "deaf");
    client_t *carl = client_login(server_gateway(gateway), "carl");
    client_send(carl, "/join #room");
    client_expect(carl, "ok join #room");
    join(deaf, "#room");
    client_send(carl, "/send l1 deaf: you hear me?");
    client_send(carl, "/send l2 #room: and you?");
    client_t *eve = client_login(server_gateway(gateway), "eve");
    client_send(eve, "deaf: you?");
    expect_routed(carl);
    expect_routed(eve);
    kill_broker();
    for (int i = 0; i < 2; i++) {
        const char *line = client_read(carl);
        if (strcmp(line, "error unconfirmed deaf broker-lost l1") != 0 &&
            strcmp(line, "error unconfirmed #room broker-lost l2") != 0)
            fail_msg("carl reads `%s`", line);
    }
    client_expect(eve, "error unconfirmed deaf broker-lost");
    client_barrier(carl);
    close_two();
}

static void a_drain_gives_jobs_back_and_answers_what_it_can(void **state)
{
    (void)state;
    server = server_start("all", "-s", "drain/timeout=3s", NULL);
    program_t *alice = login("alice"), *worker = login("worker");
    serve(worker, "@mill", "9");
    join(alice, "#room");
    program_say(worker, "SEND", "#room", "hello", "l1", NULL);
    program_expect(alice, "MESSAGE", "worker", "#room", "hello", NULL);
    program_sync(alice);
    program_expect(worker, "OK", "SEND", "l1", NULL);
    program_say(alice, "SEND", "@mill", "rye", "l2", NULL);
    program_expect(worker, "JOB", "1", "alice", "@mill", "rye", NULL);
    process_signal(server_process(server), SIGTERM);
    program_expect(alice, "INFO", "draining", NULL);
    program_expect(alice, "ERROR", "no-such-peer", "@mill", "l2", NULL);
    program_expect(alice, "INFO", "accepted", "2", NULL);
    program_expect(alice, "BYE", NULL);
    program_expect(worker, "INFO", "draining", NULL);
    program_expect(worker, "INFO", "accepted", "2", NULL);
    program_expect(worker, "BYE", NULL);
    process_expect_exit(server_process(server), 0, 60000);
    assert_int_equal(server_ledger(server, "balance"), 0);
    server_destroy(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(programs_and_clients_share_a_group),
        TEST(a_program_works_and_what_it_leaves_undone_is_given_to_another),
        TEST(a_request_is_answered_across_kinds),
        TEST(a_request_that_is_not_answered_ends_with_an_error),
        TEST(a_receipt_comes_when_all_is_delivered_or_the_errors_do),
        TEST(a_program_sees_who_is_there_and_who_comes_and_goes),
        TEST(limits_are_those_of_clients),
        TEST(who_does_not_read_is_given_no_more_than_fits),
        TEST(who_says_leave_waits_for_its_answers),
        TEST(a_job_that_is_lost_with_its_broker_is_given_again),
        TEST(what_a_program_has_not_read_is_unconfirmed_when_its_broker_is_killed),
        TEST(a_drain_gives_jobs_back_and_answers_what_it_can),
    };
    return TEST_RUN(tests);
}
