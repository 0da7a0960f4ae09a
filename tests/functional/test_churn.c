/* SPDX-License-Identifier: MPL-2.0 */
/* Clients that come and go while others write: whatever was accepted has one end, and who wrote it is told unless it is
 * delivery. */
#include "lib/client.h"
#include "lib/crowd.h"
#include "lib/deadline.h"
#include "lib/http.h"
#include "lib/server.h"
#include "lib/test.h"

#define PAIRS 20

static void run_for(crowd_t *crowd, uint64_t copies)
{
    uint64_t received = crowd_totals(crowd).received + copies;
    crowd_run(crowd, crowd_has_received, &received, 30000);
}

/* Senders are the odd members; each writes to two of the even ones. */
static crowd_t *start_load(server_t *server)
{
    crowd_t *crowd = crowd_new("churn", 2 * PAIRS);
    crowd_member_t reader = {.endpoint = server_gateway(server), .read_rate = 200000};
    crowd_member_t sender = {.endpoint = server_gateway(server), .line_count = CROWD_ENDLESS, .text_size = 300};
    sender.write_rate = 100000;
    for (unsigned i = 0; i < 2 * PAIRS; i++)
        crowd_join(crowd, i % 2 ? &sender : &reader);
    for (unsigned i = 1; i < 2 * PAIRS; i += 2) {
        crowd_address(crowd, i, i - 1);
        crowd_address(crowd, i, (i + 5) % (2 * PAIRS));
    }
    crowd_login(crowd, 2 * PAIRS, DEADLINE_USUAL_MS);
    crowd_start(crowd);
    run_for(crowd, 1000);
    return crowd;
}

static json_int_t sum(json_t *counts)
{
    json_int_t total = 0;
    const char *reason;
    json_t *count;
    json_object_foreach(counts, reason, count) total += json_integer_value(count);
    return total;
}

/* The ledger of a server at rest that serves nobody else must say what the crowd saw. */
static void check_ledger(server_t *server, const crowd_totals_t *totals, unsigned copies_of_a_line)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (http_number(server_admin(server), "/status", "ledger.pending") > 0)
        assert_false(deadline_passed(deadline));
    json_t *status = http_json(server_admin(server), "/status");
    json_t *ledger = json_at(status, "ledger");
    assert_int_equal(json_integer_value(json_at(ledger, "balance")), 0);
    assert_int_equal(json_integer_value(json_at(ledger, "accepted")), copies_of_a_line * totals->accepted);
    assert_int_equal(json_integer_value(json_at(ledger, "delivered")), totals->received);
    assert_int_equal(
        sum(json_at(ledger, "refused")) + sum(json_at(ledger, "returned")), totals->ended - totals->received);
    assert_int_equal(sum(json_at(ledger, "unconfirmed")), 0);
    json_decref(status);
}

static bool are_all_gone(crowd_t *crowd, void *arg)
{
    unsigned from = *(unsigned *)arg;
    for (unsigned i = from; i < 2 * PAIRS; i += 4)
        if (!crowd_is_gone(crowd, i))
            return false;
    return true;
}

/* Every fourth member, from number `from` on, leaves; waits until they are gone. */
static void leave(crowd_t *crowd, unsigned from)
{
    for (unsigned i = from; i < 2 * PAIRS; i += 4)
        crowd_leave(crowd, i);
    crowd_run(crowd, are_all_gone, &from, 30000);
}

static void rejoin(crowd_t *crowd, unsigned from)
{
    for (unsigned i = from; i < 2 * PAIRS; i += 4)
        crowd_rejoin(crowd, i);
    crowd_run(crowd, crowd_is_in, NULL, 30000);
}

static void settle(crowd_t *crowd, server_t *server)
{
    crowd_stop(crowd);
    crowd_run(crowd, crowd_is_settled, NULL, 30000);
    crowd_check(crowd);
    crowd_totals_t totals = crowd_totals(crowd);
    check_ledger(server, &totals, 2);
    crowd_half_close(crowd);
    crowd_run(crowd, crowd_is_over, NULL, DEADLINE_USUAL_MS);
    crowd_check(crowd);
    assert_int_equal(crowd_totals(crowd).resets, 0);
}

static void readers_that_leave_and_come_back_leave_nothing_unaccounted(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "gateway/workers=2", NULL);
    crowd_t *crowd = start_load(server);
    for (int round = 0; round < 3; round++) {
        leave(crowd, 0);
        run_for(crowd, 500);
        rejoin(crowd, 0);
        run_for(crowd, 1000);
    }
    settle(crowd, server);
    assert_true(crowd_totals(crowd).ended > crowd_totals(crowd).received);
    crowd_destroy(&crowd);
    server_stop(&server);
}

static void senders_that_leave_have_sent_all_that_they_wrote(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "gateway/workers=2", NULL);
    crowd_t *crowd = start_load(server);
    for (int round = 0; round < 3; round++) {
        leave(crowd, 1);
        run_for(crowd, 500);
        rejoin(crowd, 1);
        run_for(crowd, 1000);
    }
    settle(crowd, server);
    assert_int_equal(crowd_totals(crowd).ended, crowd_totals(crowd).received);
    crowd_destroy(&crowd);
    server_stop(&server);
}

typedef struct {
    uint64_t sent;
    int64_t since_ms; /* when that was sent */
} progress_t;

/* Nothing was sent for half a second. */
static bool is_held(crowd_t *crowd, void *arg)
{
    progress_t *progress = arg;
    uint64_t sent = crowd_totals(crowd).sent;
    if (sent != progress->sent)
        *progress = (progress_t){sent, deadline_now_ms()};
    return sent > 0 && deadline_now_ms() - progress->since_ms > 500;
}

static bool is_nobody_gone(crowd_t *crowd, void *arg)
{
    (void)arg;
    return crowd_is_gone(crowd, 1);
}

/* Answers pile up for a sender that does not read them; it is not read either then. */
static void a_sender_that_does_not_read_its_errors_is_held(void **state)
{
    (void)state;
    enum { SENDER, NOBODY, LINES = 100000 };
    server_t *server = server_start("all", "-s", "gateway/send_buffer=16KiB", "-s", "gateway/receive_buffer=16KiB",
        "-s", "gateway/stall_time=1h", NULL);
    crowd_t *crowd = crowd_new("deaf", 2);
    crowd_member_t sender = {.endpoint = server_gateway(server), .line_count = LINES, .read_rate = PACE_NEVER};
    sender.receive_buffer = sender.send_buffer = 16384;
    crowd_join(crowd, &sender);
    crowd_join(crowd, &(crowd_member_t){.endpoint = server_gateway(server)});
    crowd_address(crowd, SENDER, NOBODY);
    crowd_login(crowd, 2, DEADLINE_USUAL_MS);
    crowd_leave(crowd, NOBODY);
    crowd_run(crowd, is_nobody_gone, NULL, DEADLINE_USUAL_MS);

    progress_t progress = {0};
    crowd_start(crowd);
    crowd_run(crowd, is_held, &progress, 30000);
    assert_false(crowd_has_sent(crowd, SENDER));
    client_t *alice = client_login(server_gateway(server), "alice");
    client_send(alice, "alice: nobody holds me");
    client_expect(alice, "from alice: nobody holds me");

    crowd_set_read_rate(crowd, SENDER, PACE_FREE);
    crowd_run(crowd, crowd_is_settled, NULL, 60000);
    crowd_check(crowd);
    assert_int_equal(crowd_totals(crowd).ended, LINES);
    crowd_destroy(&crowd);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(readers_that_leave_and_come_back_leave_nothing_unaccounted),
        TEST(senders_that_leave_have_sent_all_that_they_wrote),
        TEST(a_sender_that_does_not_read_its_errors_is_held),
    };
    return TEST_RUN(tests);
}
