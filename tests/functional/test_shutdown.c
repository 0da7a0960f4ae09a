/* SPDX-License-Identifier: MPL-2.0 */
/* What a stop promises: under load, whatever is stopped, every line that was accepted arrives, in order and once,
 * nobody sees a reset, the process ends with 0 and the ledger balances. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"
#include "lib/crowd.h"
#include "lib/deadline.h"
#include "lib/http.h"
#include "lib/logfmt.h"
#include "lib/process.h"
#include "lib/server.h"
#include "lib/test.h"

#define PAIRS       50
#define READ_RATE   20000 /* bytes per second of each reader */
#define BUFFER_SIZE 65536 /* of each socket buffer at both ends */
#define TEXT_SIZE   200
#define MID_STREAM  5000  /* copies received, when the stop comes */
#define DRAIN_MS    75000 /* drain/timeout and some more */

/* What every gateway under load is started with. */
#define LOAD_OPTIONS "-s", "gateway/send_buffer=64KiB", "-s", "gateway/receive_buffer=64KiB", "-s", "drain/timeout=60s"

static server_t *start_gateway(const char *broker)
{
    char option[200];
    snprintf(option, sizeof(option), "gateway/broker=%s", broker);
    return server_start("gateway", "-s", option, LOAD_OPTIONS, NULL);
}

/* Logs in the pairs and lets them run until the stream is on its way. */
static crowd_t *start_load(const char *gateway)
{
    crowd_t *crowd = crowd_new("load", 2 * PAIRS);
    crowd_member_t reader = {.endpoint = gateway, .read_rate = READ_RATE};
    crowd_member_t sender = {.endpoint = gateway, .line_count = CROWD_ENDLESS, .text_size = TEXT_SIZE};
    reader.receive_buffer = reader.send_buffer = BUFFER_SIZE;
    sender.receive_buffer = sender.send_buffer = BUFFER_SIZE;
    for (unsigned i = 0; i < PAIRS; i++) {
        unsigned to = crowd_join(crowd, &reader);
        crowd_address(crowd, crowd_join(crowd, &sender), to);
    }
    crowd_login(crowd, 2 * PAIRS, DEADLINE_USUAL_MS);
    crowd_start(crowd);
    uint64_t received = MID_STREAM;
    crowd_run(crowd, crowd_has_received, &received, 30000);
    return crowd;
}

/* What must hold once everybody has been told the end. */
static void check_load(crowd_t *crowd)
{
    crowd_totals_t totals = crowd_totals(crowd);
    crowd_check(crowd);
    assert_int_equal(totals.told, 2 * PAIRS);
    assert_int_equal(totals.draining, 2 * PAIRS);
    assert_int_equal(totals.eofs, 2 * PAIRS);
    assert_int_equal(totals.accepted, totals.received);
    assert_int_equal(totals.ended, totals.received);
    assert_true(totals.accepted > MID_STREAM);
    assert_true(totals.sent > totals.accepted);
}

static void check_ledger(server_t *server, const crowd_totals_t *totals)
{
    assert_int_equal(server_ledger(server, "balance"), 0);
    assert_int_equal(server_ledger(server, "pending"), 0);
    assert_int_equal(server_ledger(server, "accepted"), totals->accepted);
    assert_int_equal(server_ledger(server, "delivered"), totals->received);
    assert_int_equal(server_ledger(server, "returned"), 0);
    assert_int_equal(server_ledger(server, "unconfirmed"), 0);
}

/* Stops a server that holds the clients, in mid-stream. */
static void stop_under_load(server_t *server, crowd_t *crowd)
{
    process_signal(server_process(server), SIGTERM);
    crowd_run(crowd, crowd_is_over, NULL, DRAIN_MS);
    process_expect_exit(server_process(server), 0, DEADLINE_USUAL_MS);
    check_load(crowd);
    crowd_totals_t totals = crowd_totals(crowd);
    check_ledger(server, &totals);
}

static void a_gateway_that_stops_delivers_all_that_it_accepted(void **state)
{
    (void)state;
    server_t *broker = server_start("broker", "-s", "drain/timeout=60s", NULL);
    server_t *gateway = start_gateway(server_broker(broker));
    crowd_t *crowd = start_load(server_gateway(gateway));
    stop_under_load(gateway, crowd);
    server_stop(&broker);
}

static void gateway_and_broker_in_one_deliver_all_that_they_accepted(void **state)
{
    (void)state;
    server_t *server = server_start("all", LOAD_OPTIONS, NULL);
    crowd_t *crowd = start_load(server_gateway(server));
    stop_under_load(server, crowd);
}

static void a_broker_that_stops_and_starts_again_is_a_pause(void **state)
{
    (void)state;
    char option[200];
    server_t *broker = server_start("broker", "-s", "drain/timeout=60s", NULL);
    snprintf(option, sizeof(option), "broker/listen=%s", server_broker(broker));
    server_t *gateway = start_gateway(server_broker(broker));
    crowd_t *crowd = start_load(server_gateway(gateway));

    process_signal(server_process(broker), SIGTERM);
    crowd_run(crowd, crowd_process_ended, server_process(broker), DRAIN_MS);
    process_expect_exit(server_process(broker), 0, DEADLINE_USUAL_MS);
    assert_int_equal(server_ledger(broker, "balance"), 0);
    server_t *successor = server_start("broker", "-s", option, NULL);
    uint64_t received = crowd_totals(crowd).received + MID_STREAM;
    crowd_run(crowd, crowd_has_received, &received, 60000);

    crowd_stop(crowd);
    crowd_run(crowd, crowd_is_settled, NULL, DRAIN_MS);
    crowd_totals_t totals = crowd_totals(crowd);
    crowd_check(crowd);
    assert_int_equal(totals.connected, 2 * PAIRS);
    assert_int_equal(totals.received, totals.accepted);
    assert_int_equal(totals.ended, totals.received);
    server_destroy(&broker);
    process_signal(server_process(gateway), SIGTERM);
    crowd_run(crowd, crowd_is_over, NULL, DRAIN_MS);
    process_expect_exit(server_process(gateway), 0, DEADLINE_USUAL_MS);
    check_ledger(gateway, &totals);
    server_stop(&successor);
}

/* Batches beyond the size that travels in one piece, and one reader for many. */
static void large_lines_from_many_to_one_survive_a_stop(void **state)
{
    (void)state;
    enum { SENDERS = 20, RATE = 1000000 };
    server_t *server = server_start("all", LOAD_OPTIONS, "-s", "gateway/workers=3", NULL);
    crowd_t *crowd = crowd_new("large", SENDERS + 1);
    crowd_member_t member = {.endpoint = server_gateway(server), .read_rate = RATE};
    unsigned to = crowd_join(crowd, &member);
    member.line_count = CROWD_ENDLESS;
    member.text_size = 16000;
    for (int i = 0; i < SENDERS; i++)
        crowd_address(crowd, crowd_join(crowd, &member), to);
    crowd_login(crowd, SENDERS + 1, DEADLINE_USUAL_MS);
    crowd_start(crowd);
    uint64_t received = 100;
    crowd_run(crowd, crowd_has_received, &received, 30000);
    process_signal(server_process(server), SIGTERM);
    crowd_run(crowd, crowd_is_over, NULL, DRAIN_MS);
    process_expect_exit(server_process(server), 0, DEADLINE_USUAL_MS);
    crowd_check(crowd);
    crowd_totals_t totals = crowd_totals(crowd);
    assert_int_equal(totals.told, SENDERS + 1);
    assert_int_equal(totals.received, totals.accepted);
    check_ledger(server, &totals);
}

static void an_idle_server_ends_with_0_on_sigterm_and_on_sigint(void **state)
{
    (void)state;
    static const int signals[] = {SIGTERM, SIGINT};
    for (int i = 0; i < 2; i++) {
        server_t *server = server_start("all", NULL);
        process_signal(server_process(server), signals[i]);
        process_expect_exit(server_process(server), 0, DEADLINE_USUAL_MS);
        assert_int_equal(server_ledger(server, "balance"), 0);
        server_destroy(&server);
    }
}

/* A client that does not read, with a sender whose lines fill every buffer on the way to it. Returns the sender. */
static client_t *fill_up(server_t *server)
{
    client_t *deaf = client_connect_sized(server_gateway(server), 4096, 0);
    client_send(deaf, "deaf");
    client_barrier(deaf);
    client_t *sender = client_login(server_gateway(server), "sender");
    for (int i = 0; i < 100; i++)
        client_sendf(sender, "deaf: %02d %01000d", i, 0);
    client_barrier(sender);
    return sender;
}

#define FULL_OPTIONS "-s", "gateway/send_buffer=4KiB", "-s", "gateway/stall_time=1h"

static void a_second_signal_ends_at_once_and_says_what_was_lost(void **state)
{
    (void)state;
    server_t *server = server_start("all", FULL_OPTIONS, "-s", "drain/timeout=10m", NULL);
    fill_up(server);
    process_t *process = server_process(server);
    process_signal(process, SIGTERM);
    process_wait_log(process, "event=drain", DEADLINE_USUAL_MS);
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (!process_ended(process) && !deadline_passed(deadline))
        process_signal(process, SIGTERM);
    process_expect_exit(process, 4, DEADLINE_USUAL_MS);
    assert_true(server_ledger(server, "pending") > 0);
}

static void two_signals_at_once_are_one_request(void **state)
{
    (void)state;
    server_t *server = server_start("all", FULL_OPTIONS, "-s", "drain/timeout=4s", NULL);
    fill_up(server);
    process_t *process = server_process(server);
    process_signal(process, SIGTERM);
    process_signal(process, SIGINT);
    client_close_all();
    process_expect_exit(process, 0, 20000);
}

static void a_login_during_the_drain_is_refused(void **state)
{
    (void)state;
    server_t *server = server_start("all", FULL_OPTIONS, "-s", "drain/timeout=10m", NULL);
    client_t *late = client_connect(server_gateway(server));
    fill_up(server);
    process_signal(server_process(server), SIGTERM);
    process_wait_log(server_process(server), "event=drain", DEADLINE_USUAL_MS);
    client_expect(late, "error draining");
    client_expect_eof(late);
}

static void clients_still_come_in_during_the_delay_of_a_drain(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "drain/delay=2s", NULL);
    client_t *alice = client_login(server_gateway(server), "alice");
    process_signal(server_process(server), SIGTERM);
    http_wait_status(server_admin(server), "/readyz", 503, DEADLINE_USUAL_MS);
    client_t *bob = client_login(server_gateway(server), "bob");
    client_send(bob, "alice: just in time");
    client_expect(alice, "from bob: just in time");
    client_expect(alice, "info draining");
    client_expect(alice, "info accepted 1");
    client_expect_eof(alice);
    client_expect(bob, "info draining");
    client_expect(bob, "info accepted 2");
    client_expect_eof(bob);
    client_close(&alice);
    client_close(&bob);
    process_expect_exit(server_process(server), 0, DEADLINE_USUAL_MS);
}

/* What was accepted and cannot be settled is lost with the process, which says so. */
static void a_gateway_that_stops_without_its_broker_says_what_was_lost(void **state)
{
    (void)state;
    char option[200];
    server_t *broker = server_start("broker", NULL);
    snprintf(option, sizeof(option), "gateway/broker=%s", server_broker(broker));
    server_t *gateway = server_start("gateway", "-s", option, "-s", "drain/timeout=3s", NULL);
    client_t *alice = client_login(server_gateway(gateway), "alice");
    client_t *bob = client_login(server_gateway(gateway), "bob");
    process_signal(server_process(broker), SIGSTOP);
    client_send(alice, "bob: into the void");
    client_barrier(alice);
    process_signal(server_process(gateway), SIGTERM);
    client_expect(bob, "info draining");
    client_count_to_end(bob, "");
    client_close(&bob);
    client_close(&alice);
    process_expect_exit(server_process(gateway), 3, 20000);
    assert_int_equal(server_ledger(gateway, "balance"), 0);
    assert_int_equal(server_ledger(gateway, "accepted"), 1);
    assert_int_equal(server_ledger(gateway, "delivered"), 0);
}

static void expect_actors(process_t *process, const char *fields, const char *actors)
{
    assert_string_equal(process_join_log(process, fields, "actor"), actors);
}

static void the_steps_of_a_drain_come_in_the_order_of_the_pipeline(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "gateway/workers=1", NULL);
    client_t *client = client_login(server_gateway(server), "alice");
    process_t *process = server_process(server);
    process_signal(process, SIGTERM);
    client_expect(client, "info draining");
    client_expect(client, "info accepted 1");
    client_expect_eof(client);
    client_close(&client);
    process_expect_exit(process, 0, DEADLINE_USUAL_MS);
    assert_string_equal(process_join_log(process, "event=drain", "step"),
        "begin drain drained drain settled drained drain drain-nodes taken bye closed drained "
        "destroy destroy destroy destroy");
    expect_actors(process, "event=drain step=drain", "listener worker-0 router");
    expect_actors(process, "event=drain step=drained", "listener worker-0 router");
    expect_actors(process, "event=drain step=destroy", "listener worker-0 router admin");
}

/* Pairs on different workers, so that one of them has something to wait for when the other is done. */
static void no_worker_leaves_before_all_have_settled(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "gateway/workers=4", NULL);
    crowd_t *crowd = start_load(server_gateway(server));
    process_t *process = server_process(server);
    process_signal(process, SIGTERM);
    for (unsigned i = 0; i < 2 * PAIRS; i++)
        crowd_set_read_rate(crowd, i, PACE_FREE);
    crowd_run(crowd, crowd_is_over, NULL, DRAIN_MS);
    process_expect_exit(process, 0, DEADLINE_USUAL_MS);
    const char *steps = process_join_log(process, "event=drain-worker", "step");
    const char *leave = strstr(steps, " leave");
    assert_non_null(leave);
    assert_null(strstr(leave, "settle"));
    expect_actors(process, "event=drain step=destroy", "listener worker-0 worker-1 worker-2 worker-3 router admin");
    check_load(crowd);
}

static void check_start_fails(const char *const *argv, const char *said)
{
    process_t *process = process_start(argv);
    process_expect_exit(process, 1, DEADLINE_USUAL_MS);
    char *errors = process_errors(process);
    if (!strstr(errors, said))
        fail_msg("`%s` says `%s`, and nothing about `%s`", argv[1], errors, said);
    free(errors);
    process_destroy(&process);
}

static void a_start_that_cannot_succeed_ends_with_1_and_says_why(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    char taken[200];
    snprintf(taken, sizeof(taken), "gateway/listen=%s", server_gateway(server));
    const char *const calls[][6] = {
        {"ferryd", "nonsense", NULL},
        {"ferryd", "all", "-s", "gateway/nonsense=1", NULL},
        {"ferryd", "all", "-s", "drain/timeout=fast", NULL},
        {"ferryd", "all", "-c", "/nonexistent/ferryd.cfg", NULL},
        {"ferryd", "broker", "-s", "broker/listen=tcp://0.0.0.0:0", NULL},
        {"ferryd", "gateway", "-s", taken, NULL},
    };
    static const char *const said[] = {"nonsense", "gateway/nonsense", "drain/timeout", "/nonexistent/ferryd.cfg",
        "security/allow_plaintext", "in use"};
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
        check_start_fails(calls[i], said[i]);
}

/* The only child of a process. */
static pid_t child_of(const process_t *process)
{
    char path[64];
    int child = 0;
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)process_pid(process), (int)process_pid(process));
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &child), 1);
    fclose(file);
    return child;
}

/* unshare(1) makes the server process 1 of its own namespace; it needs privileges that not every place gives. */
static void a_server_that_is_process_1_drains_too(void **state)
{
    (void)state;
    process_t *allowed = process_run("unshare", "--pid", "--fork", "true", NULL);
    if (process_wait_exit(allowed, DEADLINE_USUAL_MS) != 0)
        skip();
    char *program = process_find_program("ferryd");
    process_t *process = process_run("unshare", "--pid", "--fork", "--kill-child", program, "all", "-s",
        "gateway/listen=tcp://127.0.0.1:0", "-s", "broker/listen=tcp://127.0.0.1:0", "-s",
        "admin/listen=http://127.0.0.1:0", NULL);
    free(program);
    process_wait_log(process, "event=ready", DEADLINE_USUAL_MS);
    assert_int_equal(kill(child_of(process), SIGTERM), 0);
    process_expect_exit(process, 0, DEADLINE_USUAL_MS);
    assert_non_null(process_find_log(process, "event=ledger balance=0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_idle_server_ends_with_0_on_sigterm_and_on_sigint),
        TEST(a_start_that_cannot_succeed_ends_with_1_and_says_why),
        TEST(the_steps_of_a_drain_come_in_the_order_of_the_pipeline),
        TEST(no_worker_leaves_before_all_have_settled),
        TEST(a_login_during_the_drain_is_refused),
        TEST(clients_still_come_in_during_the_delay_of_a_drain),
        TEST(a_gateway_that_stops_without_its_broker_says_what_was_lost),
        TEST(a_second_signal_ends_at_once_and_says_what_was_lost),
        TEST(two_signals_at_once_are_one_request),
        TEST(a_server_that_is_process_1_drains_too),
        TEST(large_lines_from_many_to_one_survive_a_stop),
        TEST(a_gateway_that_stops_delivers_all_that_it_accepted),
        TEST(gateway_and_broker_in_one_deliver_all_that_they_accepted),
        TEST(a_broker_that_stops_and_starts_again_is_a_pause),
    };
    return TEST_RUN(tests);
}
