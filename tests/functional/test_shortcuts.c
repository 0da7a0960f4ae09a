/* SPDX-License-Identifier: MPL-2.0 */
/* Messages that do not leave their worker are as good as others: in order and once through the death of the broker,
 * held back for slow readers, and all accounted for when the gateway stops, or its clients do. */
#include <stdio.h>
#include <string.h>

#include "lib/crowd.h"
#include "lib/deadline.h"
#include "lib/http.h"
#include "lib/server.h"
#include "lib/test.h"

#define PAIRS     10
#define TEXT_SIZE 100

static server_t *broker, *gateway;

static void start(void)
{
    char option[200];
    broker = server_start("broker", NULL);
    snprintf(option, sizeof option, "gateway/broker=%s", server_broker(broker));
    gateway = server_start("gateway", "-s", option, "-s", "gateway/workers=1", "-s", "gateway/shortcuts=1", "-s",
        "gateway/send_buffer=16KiB", "-s", "gateway/receive_buffer=16KiB", "-s", "drain/timeout=60s", NULL);
}

/* Pairs of clients: who reads at that rate is written to by the next. */
static crowd_t *start_pairs(uint64_t line_count, uint32_t read_rate)
{
    crowd_t *crowd = crowd_new("pair", 2 * PAIRS);
    crowd_member_t reader = {.endpoint = server_gateway(gateway), .read_rate = read_rate, .receive_buffer = 16384};
    crowd_member_t sender = {.endpoint = server_gateway(gateway), .line_count = line_count, .text_size = TEXT_SIZE};
    for (unsigned i = 0; i < PAIRS; i++) {
        unsigned to = crowd_join(crowd, &reader);
        crowd_address(crowd, crowd_join(crowd, &sender), to);
    }
    crowd_login(crowd, 2 * PAIRS, DEADLINE_USUAL_MS);
    crowd_start(crowd);
    return crowd;
}

static void run_until(crowd_t *crowd, uint64_t received)
{
    crowd_run(crowd, crowd_has_received, &received, 60000);
}

static void finish(crowd_t *crowd)
{
    crowd_destroy(&crowd);
    server_stop(&gateway);
    server_stop(&broker);
}

static unsigned long long shortcuts_used(void)
{
    unsigned long long count = 0;
    http_answer_t *answer = http_get(server_admin(gateway), "/metrics");
    const char *at = strstr(http_answer_body(answer), "\nferrymq_shortcuts_total");
    assert_non_null(at);
    assert_int_equal(sscanf(strchr(at, '}') + 1, "%llu", &count), 1);
    http_answer_destroy(&answer);
    return count;
}

static void nearly_all_of_a_stream_goes_by_shortcuts(void **state)
{
    enum { LINES = 5000 };
    (void)state;
    start();
    crowd_t *crowd = start_pairs(LINES, PACE_FREE);
    crowd_run(crowd, crowd_is_settled, NULL, 60000);
    crowd_check(crowd);
    assert_in_range(shortcuts_used(), PAIRS * LINES / 2, PAIRS * LINES);
    finish(crowd);
}

static void a_stream_outlives_brokers_that_are_killed_and_that_drain(void **state)
{
    char option[200];
    unsigned long long used = 0;
    (void)state;
    start();
    crowd_t *crowd = start_pairs(CROWD_ENDLESS, PACE_FREE);
    for (unsigned i = 0; i < 6; i++) {
        do
            run_until(crowd, crowd_totals(crowd).received + 20000);
        while (shortcuts_used() <= used); /* what was on its way has come */
        used = shortcuts_used();
        snprintf(option, sizeof option, "broker/listen=%s", server_broker(broker));
        process_signal(server_process(broker), i % 2 ? SIGTERM : SIGKILL);
        crowd_run(crowd, crowd_process_ended, server_process(broker), 60000);
        server_destroy(&broker);
        broker = server_start("broker", "-s", option, NULL);
    }
    crowd_stop(crowd);
    crowd_run(crowd, crowd_is_settled, NULL, 60000);
    crowd_totals_t totals = crowd_totals(crowd);
    crowd_check(crowd);
    assert_int_equal(totals.received, totals.accepted);
    finish(crowd);
}

static void a_stop_in_mid_stream_delivers_to_slow_readers_what_was_accepted(void **state)
{
    (void)state;
    start();
    crowd_t *crowd = start_pairs(CROWD_ENDLESS, 100000);
    run_until(crowd, 10000);
    assert_true(shortcuts_used() > 1000);
    process_signal(server_process(gateway), SIGTERM);
    crowd_run(crowd, crowd_is_over, NULL, 75000);
    process_expect_exit(server_process(gateway), 0, DEADLINE_USUAL_MS);
    crowd_totals_t totals = crowd_totals(crowd);
    crowd_check(crowd);
    assert_int_equal(totals.told, 2 * PAIRS);
    assert_int_equal(totals.accepted, totals.received);
    assert_int_equal(server_ledger(gateway, "balance"), 0);
    assert_int_equal(server_ledger(gateway, "accepted"), totals.accepted);
    assert_int_equal(server_ledger(gateway, "delivered"), totals.received);
    crowd_destroy(&crowd);
    server_destroy(&gateway);
    server_stop(&broker);
}

static void readers_that_vanish_are_accounted_for(void **state)
{
    (void)state;
    start();
    crowd_t *crowd = start_pairs(CROWD_ENDLESS, 100000);
    for (unsigned i = 0; i < PAIRS; i++) {
        run_until(crowd, crowd_totals(crowd).received + 200);
        crowd_vanish(crowd, 2 * i, false);
    }
    crowd_stop(crowd);
    crowd_run(crowd, crowd_is_settled, NULL, 60000);
    crowd_half_close(crowd);
    crowd_run(crowd, crowd_is_over, NULL, 60000);
    crowd_check(crowd);
    finish(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nearly_all_of_a_stream_goes_by_shortcuts),
        TEST(a_stream_outlives_brokers_that_are_killed_and_that_drain),
        TEST(a_stop_in_mid_stream_delivers_to_slow_readers_what_was_accepted),
        TEST(readers_that_vanish_are_accounted_for),
    };
    return TEST_RUN(tests);
}
