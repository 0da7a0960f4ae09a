/* SPDX-License-Identifier: MPL-2.0 */
/* What a stop promises: under load, whatever is stopped, every line that was accepted arrives, in order and once,
 * nobody sees a reset, the process ends with 0 and the ledger balances. */
#include <stdio.h>
#include <string.h>

#include "lib/crowd.h"
#include "lib/deadline.h"
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

/* Lines for the clients of a gateway that stops come all the time, and some are always on their way. */
static void a_gateway_that_others_write_to_stops_soon(void **state)
{
    (void)state;
    enum { WRITE_RATE = 5000, SOON_MS = 20000 };
    server_t *broker = server_start("broker", NULL);
    server_t *gateway = start_gateway(server_broker(broker)), *other = start_gateway(server_broker(broker));
    crowd_t *crowd = crowd_new("written", 2 * PAIRS);
    crowd_member_t reader = {.endpoint = server_gateway(gateway)};
    crowd_member_t sender = {.endpoint = server_gateway(other),
        .line_count = CROWD_ENDLESS,
        .text_size = TEXT_SIZE / 4,
        .write_rate = WRITE_RATE};
    for (unsigned i = 0; i < PAIRS; i++) {
        unsigned to = crowd_join(crowd, &reader);
        crowd_address(crowd, crowd_join(crowd, &sender), to);
    }
    crowd_login(crowd, 2 * PAIRS, DEADLINE_USUAL_MS);
    crowd_start(crowd);
    uint64_t received = MID_STREAM;
    crowd_run(crowd, crowd_has_received, &received, 30000);
    process_signal(server_process(gateway), SIGTERM);
    crowd_run(crowd, crowd_process_ended, server_process(gateway), SOON_MS);
    process_expect_exit(server_process(gateway), 0, DEADLINE_USUAL_MS);
    crowd_stop(crowd);
    crowd_run(crowd, crowd_is_settled, NULL, DRAIN_MS);
    crowd_check(crowd);
    assert_int_equal(crowd_totals(crowd).told, PAIRS);
    server_stop(&other);
    server_stop(&broker);
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
    assert_string_equal(process_join_log(process, "event=drain step=destroy", "actor"),
        "listener worker-0 worker-1 worker-2 worker-3 peers router admin");
    check_load(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_worker_leaves_before_all_have_settled),
        TEST(large_lines_from_many_to_one_survive_a_stop),
        TEST(a_gateway_that_stops_delivers_all_that_it_accepted),
        TEST(a_gateway_that_others_write_to_stops_soon),
        TEST(gateway_and_broker_in_one_deliver_all_that_they_accepted),
        TEST(a_broker_that_stops_and_starts_again_is_a_pause),
    };
    return TEST_RUN(tests);
}
