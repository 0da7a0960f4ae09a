/* SPDX-License-Identifier: MPL-2.0 */
/* How a server stops, and fails to start: signals, steps, exit codes, and what those read who come late or hold it up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/http.h"
#include "lib/process.h"
#include "lib/server.h"
#include "lib/test.h"

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

/* A client that does not read, and one that has written enough to it to fill every buffer on the way. */
typedef struct {
    client_t *deaf;
    client_t *sender;
} clogged_t;

#define CLOGGED_LINES 100

static clogged_t clog_up(const char *gateway_of_deaf, const char *gateway_of_sender)
{
    clogged_t clients = {.deaf = client_connect_sized(gateway_of_deaf, 4096, 0)};
    client_send(clients.deaf, "deaf");
    client_barrier(clients.deaf);
    clients.sender = client_login(gateway_of_sender, "sender");
    for (int i = 0; i < CLOGGED_LINES; i++)
        client_sendf(clients.sender, "deaf: %02d %01000d", i, 0);
    client_barrier(clients.sender);
    return clients;
}

#define FULL_OPTIONS "-s", "gateway/send_buffer=4KiB", "-s", "gateway/stall_time=1h"

static void a_second_signal_ends_at_once_and_says_what_was_lost(void **state)
{
    (void)state;
    server_t *server = server_start("all", FULL_OPTIONS, "-s", "drain/timeout=10m", NULL);
    clog_up(server_gateway(server), server_gateway(server));
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
    clog_up(server_gateway(server), server_gateway(server));
    process_t *process = server_process(server);
    process_signal(process, SIGTERM);
    process_signal(process, SIGINT);
    client_close_all();
    process_expect_exit(process, 0, 20000);
}

typedef struct {
    unsigned returned, unconfirmed;
} ends_t;

/* Reads how the lines to the deaf one ended that it did not take, up to another line, which stays in *line. */
static ends_t read_ends(client_t *sender, const char **line)
{
    for (ends_t ends = {0};;) {
        *line = client_read(sender);
        if (strcmp(*line, "error undelivered deaf drained") == 0)
            ends.returned++;
        else if (strcmp(*line, "error unconfirmed deaf drained") == 0)
            ends.unconfirmed++;
        else
            return ends;
    }
}

static void what_a_client_does_not_take_in_a_drain_is_returned(void **state)
{
    (void)state;
    const char *line;
    server_t *server = server_start("all", FULL_OPTIONS, "-s", "drain/timeout=4s", "-s", "gateway/workers=2", NULL);
    clogged_t clients = clog_up(server_gateway(server), server_gateway(server));
    process_signal(server_process(server), SIGTERM);
    client_expect(clients.sender, "info draining");
    ends_t ends = read_ends(clients.sender, &line);
    assert_string_equal(line, "info accepted 102");
    client_expect_eof(clients.sender);
    client_close(&clients.sender);
    assert_int_equal(client_count_to_end(clients.deaf, "from sender: "), CLOGGED_LINES - ends.returned);
    client_close(&clients.deaf);
    process_expect_exit(server_process(server), 0, 20000);
    assert_true(ends.returned > 0);
    assert_true(ends.unconfirmed > 0);
    assert_int_equal(server_ledger(server, "returned"), ends.returned);
    assert_int_equal(server_ledger(server, "unconfirmed"), ends.unconfirmed);
    assert_int_equal(server_ledger(server, "delivered"), CLOGGED_LINES - ends.returned - ends.unconfirmed);
    assert_int_equal(server_ledger(server, "balance"), 0);
}

/* The same for a sender whose gateway goes on. */
/* Until all lines are with the gateway of the deaf one: those that were on their way when that leaves would be refused.
 */
static void wait_taken(server_t *gateway)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (http_number(server_admin(gateway), "/status", "ledger.handed_over") < CLOGGED_LINES)
        assert_false(deadline_passed(deadline));
}

static void what_a_client_does_not_take_is_returned_to_other_gateways(void **state)
{
    (void)state;
    char option[200];
    server_t *broker = server_start("broker", NULL);
    snprintf(option, sizeof(option), "gateway/broker=%s", server_broker(broker));
    server_t *drained = server_start("gateway", "-s", option, FULL_OPTIONS, "-s", "drain/timeout=4s", NULL);
    server_t *other = server_start("gateway", "-s", option, NULL);
    clogged_t clients = clog_up(server_gateway(drained), server_gateway(other));
    wait_taken(other);
    process_signal(server_process(drained), SIGTERM);
    client_expect(clients.sender, "error unconfirmed deaf drained");
    unsigned received = client_count_to_end(clients.deaf, "from sender: ");
    client_close(&clients.deaf);
    process_expect_exit(server_process(drained), 0, 20000);
    client_send(clients.sender, "deaf: gone?");
    const char *line;
    ends_t ends = read_ends(clients.sender, &line);
    assert_string_equal(line, "error no-such-peer deaf");
    assert_int_equal(received, CLOGGED_LINES - ends.returned);
    assert_int_equal(server_ledger(drained, "delivered"), CLOGGED_LINES - ends.returned - ends.unconfirmed - 1);
    assert_int_equal(server_ledger(drained, "balance"), 0);
    server_stop(&other);
    server_stop(&broker);
}

static void a_login_during_the_drain_is_refused(void **state)
{
    (void)state;
    server_t *server = server_start("all", FULL_OPTIONS, "-s", "drain/timeout=10m", NULL);
    client_t *late = client_connect(server_gateway(server));
    clog_up(server_gateway(server), server_gateway(server));
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
        "begin drain drained drain settled drained drain drained drain drain-nodes taken bye closed drained "
        "destroy destroy destroy destroy destroy");
    expect_actors(process, "event=drain step=drain", "listener worker-0 peers router");
    expect_actors(process, "event=drain step=drained", "listener worker-0 peers router");
    expect_actors(process, "event=drain step=destroy", "listener worker-0 peers router admin");
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
        "broker/peer_listen=tcp://127.0.0.1:0", "-s", "admin/listen=http://127.0.0.1:0", NULL);
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
        TEST(a_login_during_the_drain_is_refused),
        TEST(clients_still_come_in_during_the_delay_of_a_drain),
        TEST(a_gateway_that_stops_without_its_broker_says_what_was_lost),
        TEST(a_second_signal_ends_at_once_and_says_what_was_lost),
        TEST(two_signals_at_once_are_one_request),
        TEST(what_a_client_does_not_take_in_a_drain_is_returned),
        TEST(what_a_client_does_not_take_is_returned_to_other_gateways),
        TEST(a_server_that_is_process_1_drains_too),
    };
    return TEST_RUN(tests);
}
