/* SPDX-License-Identifier: MPL-2.0 */
/* The memory budget: a crowd that writes as fast as it can and reads nothing stays within it, a pair that behaves goes
 * on meanwhile, and nothing of all that was taken is lost. */
#include <stdio.h>
#include <string.h>

#include "lib/client.h"
#include "lib/crowd.h"
#include "lib/deadline.h"
#include "lib/http.h"
#include "lib/process.h"
#include "lib/server.h"
#include "lib/test.h"

#define FLOODERS   400 /* each could have 64 KiB of unread lines and 256 KiB of output without a budget */
#define BUDGET_KIB (16L * 1024)
#define SLACK_KIB  (12L * 1024) /* fragments of the heap, and what was under way when a mark was passed */
#define QUIET_MS   500          /* without a byte from the crowd: it is held back */

typedef struct {
    server_t *server;
    crowd_t *crowd;
    unsigned flooders;
    client_t *sender, *reader; /* the pair that behaves */
    unsigned exchanged;        /* messages between them */
    long idle_kib, most_kib;
    uint64_t sent;    /* by the crowd */
    int64_t since_ms; /* when that was last seen to change */
} flood_t;

static flood_t flood;

/* What the process has in memory more than when it was idle; the most that was ever seen. */
static void flood_measure(void)
{
    long now_kib = process_memory_kib(server_process(flood.server)) - flood.idle_kib;
    if (now_kib > flood.most_kib)
        flood.most_kib = now_kib;
}

/* One message of the pair arrives. */
static void flood_exchange(void)
{
    flood.exchanged++;
    client_sendf(flood.sender, "reader: %u", flood.exchanged);
    client_expectf(flood.reader, "from sender: %u", flood.exchanged);
}

/* Memory is short, and nobody in the crowd can write any more. The pair goes on all the time. */
static bool is_held_back(crowd_t *crowd, void *arg)
{
    (void)arg;
    flood_measure();
    flood_exchange();
    int64_t now_ms = deadline_now_ms();
    uint64_t sent = crowd_totals(crowd).sent;
    if (sent != flood.sent)
        flood.since_ms = now_ms;
    flood.sent = sent;
    return now_ms - flood.since_ms >= QUIET_MS && process_find_log(server_process(flood.server), "event=memory-short");
}

/* A crowd whose members write lines of that size to `fan` others each, and a pair that behaves. */
static void flood_begin(const char *stall_time, uint32_t text_size, unsigned fan)
{
    char stall[64];
    snprintf(stall, sizeof stall, "gateway/stall_time=%s", stall_time);
    flood = (flood_t){.flooders = FLOODERS / deadline_patience()};
    flood.server = server_start("all", "-s", "gateway/memory=16MiB", "-s", "gateway/workers=2", "-s",
        "gateway/send_buffer=64KiB", "-s", "gateway/receive_buffer=64KiB", "-s", stall, NULL);
    flood.crowd = crowd_new("f", flood.flooders);
    crowd_member_t member = {.endpoint = server_gateway(flood.server),
        .line_count = CROWD_ENDLESS,
        .text_size = text_size,
        .read_rate = PACE_NEVER,
        .receive_buffer = 8192,
        .send_buffer = 8192};
    for (unsigned i = 0; i < flood.flooders; i++)
        crowd_join(flood.crowd, &member);
    for (unsigned i = 0; i < flood.flooders; i++)
        for (unsigned j = 0; j < fan; j++)
            crowd_address(flood.crowd, i, (i + j * 7) % flood.flooders);
    crowd_login(flood.crowd, 100, 30000);
    flood.sender = client_login(server_gateway(flood.server), "sender");
    flood.reader = client_login(server_gateway(flood.server), "reader");
    flood.idle_kib = process_memory_kib(server_process(flood.server));
    crowd_start(flood.crowd);
}

/* Sanitizers have memory of their own. */
static void flood_check_memory(void)
{
    print_message("idle %ld KiB, at most %ld KiB more\n", flood.idle_kib, flood.most_kib);
    if (deadline_patience() == 1)
        assert_in_range(flood.most_kib, 0, BUDGET_KIB + SLACK_KIB);
}

/* Many messages of the pair arrive while the others are held back. */
static void flood_expect_pair(void)
{
    enum { MANY = 20000, BURST = 100 };
    for (unsigned i = 0; i < MANY; i += BURST) {
        for (unsigned j = 0; j < BURST; j++)
            client_sendf(flood.sender, "reader: %u", i + j);
        for (unsigned j = 0; j < BURST; j++)
            client_expectf(flood.reader, "from sender: %u", i + j);
    }
    flood_measure();
}

static void flood_end(void)
{
    crowd_destroy(&flood.crowd);
    process_wait_log(server_process(flood.server), "event=memory-free", DEADLINE_USUAL_MS);
    server_stop(&flood.server);
}

/* Everybody writes until nobody can, and reads in the end: every message arrives once and in order. */
static void check_flood(uint32_t text_size, unsigned fan)
{
    flood_begin("1h", text_size, fan);
    crowd_run(flood.crowd, is_held_back, NULL, 60000);
    flood_expect_pair();
    flood_check_memory();
    assert_true(http_number(server_admin(flood.server), "/status", "memory.used_bytes") > BUDGET_KIB * 1024 / 8 * 3);
    crowd_stop(flood.crowd);
    for (unsigned i = 0; i < flood.flooders; i++)
        crowd_set_read_rate(flood.crowd, i, PACE_FREE);
    crowd_run(flood.crowd, crowd_is_settled, NULL, 120000);
    crowd_check(flood.crowd);
    flood_end();
}

static void short_lines_that_nobody_reads_stay_within_the_budget_and_arrive(void **state)
{
    (void)state;
    check_flood(10, 1);
}

static void long_lines_that_nobody_reads_stay_within_the_budget_and_arrive(void **state)
{
    (void)state;
    check_flood(16000, 1);
}

static void lines_to_many_that_nobody_reads_stay_within_the_budget_and_arrive(void **state)
{
    (void)state;
    check_flood(100, 8);
}

static bool are_all_closed(crowd_t *crowd, void *arg)
{
    (void)crowd;
    (void)arg;
    flood_measure();
    flood_exchange();
    return process_count_log(server_process(flood.server), "event=close reason=stalled") == flood.flooders;
}

/* What they did not take is returned to senders who do not read either; that ends too, and the ledger balances. */
static void those_who_never_read_are_closed_and_leave_nothing_behind(void **state)
{
    (void)state;
    flood_begin("1s", 10, 1);
    crowd_run(flood.crowd, are_all_closed, NULL, 60000);
    flood_check_memory();
    flood_end();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(short_lines_that_nobody_reads_stay_within_the_budget_and_arrive),
        TEST(long_lines_that_nobody_reads_stay_within_the_budget_and_arrive),
        TEST(lines_to_many_that_nobody_reads_stay_within_the_budget_and_arrive),
        TEST(those_who_never_read_are_closed_and_leave_nothing_behind),
    };
    return TEST_RUN(tests);
}
