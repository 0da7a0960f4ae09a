/* SPDX-License-Identifier: MPL-2.0 */
/* A slow reader is its senders' problem and nobody else's; one that takes nothing is closed, and its senders are told.
 */
#include <stdio.h>
#include <string.h>

#include "lib/client.h"
#include "lib/crowd.h"
#include "lib/deadline.h"
#include "lib/process.h"
#include "lib/server.h"
#include "lib/test.h"

#define PAIRS      100
#define TEXT_SIZE  500
#define FAST_LINES 500
#define SLOW_LINES 40000 /* more than all buffers on the way can hold */
#define SLOW_RATE  20000 /* bytes per second */

/* Everybody but the slow reader, member 0, has received all. */
static bool are_the_fast_done(crowd_t *crowd, void *arg)
{
    (void)arg;
    return crowd_totals(crowd).received - crowd_received_by(crowd, 0) >= (PAIRS - 1) * FAST_LINES;
}

static void one_slow_reader_among_100_slows_only_its_own_senders(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "gateway/workers=2", NULL);
    crowd_t *crowd = crowd_new("pair", 2 * PAIRS + 1);
    crowd_member_t reader = {.endpoint = server_gateway(server), .receive_buffer = 65536};
    crowd_member_t sender = {.endpoint = server_gateway(server), .line_count = FAST_LINES, .text_size = TEXT_SIZE};
    for (unsigned i = 0; i < PAIRS; i++) {
        reader.read_rate = i == 0 ? SLOW_RATE : PACE_FREE;
        sender.line_count = i == 0 ? SLOW_LINES : FAST_LINES;
        unsigned to = crowd_join(crowd, &reader);
        crowd_address(crowd, crowd_join(crowd, &sender), to);
    }
    crowd_login(crowd, 2 * PAIRS, DEADLINE_USUAL_MS);
    crowd_start(crowd);
    crowd_run(crowd, are_the_fast_done, NULL, 30000);
    assert_false(crowd_has_sent(crowd, 1));
    assert_true(crowd_received_by(crowd, 0) < SLOW_LINES / 2);

    crowd_stop(crowd);
    crowd_set_read_rate(crowd, 0, PACE_FREE);
    crowd_run(crowd, crowd_is_settled, NULL, 30000);
    crowd_check(crowd);
    assert_int_equal(crowd_totals(crowd).ended, crowd_totals(crowd).received);
    crowd_destroy(&crowd);
    server_stop(&server);
}

/* The senders of the slow one are stopped at once, whichever worker has them, and go on when it reads again. */
static void a_reader_that_pauses_holds_its_senders_and_loses_nothing(void **state)
{
    (void)state;
    enum { SENDERS = 20 };
    server_t *server = server_start("all", "-s", "gateway/workers=3", "-s", "gateway/stall_time=1h", NULL);
    crowd_t *crowd = crowd_new("fan", SENDERS + 2);
    crowd_member_t member = {.endpoint = server_gateway(server), .read_rate = PACE_NEVER, .receive_buffer = 16384};
    unsigned paused = crowd_join(crowd, &member);
    member.read_rate = PACE_FREE;
    unsigned lively = crowd_join(crowd, &member);
    member.line_count = SLOW_LINES / SENDERS;
    member.text_size = TEXT_SIZE;
    member.send_buffer = 16384;
    for (int i = 0; i < SENDERS; i++) {
        unsigned from = crowd_join(crowd, &member);
        crowd_address(crowd, from, paused);
        crowd_address(crowd, from, lively);
    }
    crowd_login(crowd, SENDERS + 2, DEADLINE_USUAL_MS);
    crowd_start(crowd);
    uint64_t enough = 1000; /* copies to the lively one, so that as many wait for the paused one */
    crowd_run(crowd, crowd_has_received, &enough, 30000);
    client_t *other = client_login(server_gateway(server), "other");
    client_send(other, "other: nobody holds me");
    client_expect(other, "from other: nobody holds me");
    for (unsigned from = lively + 1; from <= lively + SENDERS; from++)
        assert_false(crowd_has_sent(crowd, from));

    crowd_set_read_rate(crowd, paused, PACE_FREE);
    crowd_run(crowd, crowd_is_settled, NULL, 60000);
    crowd_check(crowd);
    assert_int_equal(crowd_received_by(crowd, paused), SLOW_LINES);
    assert_int_equal(crowd_received_by(crowd, lively), SLOW_LINES);
    crowd_destroy(&crowd);
    server_stop(&server);
}

#define DEAF_LINES 3000
#define DEAF_TEXT  1000

typedef struct {
    unsigned returned, unconfirmed, refused;
} ends_t;

/* Reads how the messages to the deaf one ended, up to the end: END of those that were held comes behind all reports. */
static ends_t read_ends(client_t *sender)
{
    ends_t ends = {0};
    client_send(sender, "/quit");
    for (const char *line; strcmp(line = client_read(sender), "ok quit") != 0;) {
        if (strcmp(line, "error undelivered deaf stalled") == 0)
            ends.returned++;
        else if (strcmp(line, "error unconfirmed deaf stalled") == 0)
            ends.unconfirmed++;
        else if (strcmp(line, "error no-such-peer deaf") == 0)
            ends.refused++;
        else
            fail_msg("the sender reads `%s`", line);
    }
    return ends;
}

static void a_reader_that_never_reads_is_closed_and_its_senders_are_told(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "gateway/stall_time=1s", "-s", "gateway/send_buffer=64KiB", NULL);
    client_t *deaf = client_connect_sized(server_gateway(server), 4096, 0);
    client_send(deaf, "deaf");
    client_barrier(deaf);
    client_t *sender = client_login(server_gateway(server), "sender");
    for (int i = 0; i < DEAF_LINES; i++)
        client_sendf(sender, "deaf: %0*d", DEAF_TEXT, i);
    process_wait_log(server_process(server), "event=close name=deaf reason=stalled", DEADLINE_USUAL_MS);
    unsigned received = client_count_to_end(deaf, "from sender: ");
    ends_t ends = read_ends(sender);
    unsigned delivered = DEAF_LINES - ends.returned - ends.unconfirmed - ends.refused;
    assert_true(ends.returned > 0);
    assert_in_range(received, delivered, delivered + ends.unconfirmed);
    client_t *heir = client_connect(server_gateway(server));
    client_send(heir, "deaf");
    client_send(heir, "deaf: I listen");
    client_expect(heir, "from deaf: I listen");
    server_stop(&server);
}

static bool is_the_drip_closed(crowd_t *crowd, void *process)
{
    (void)crowd;
    return process_find_log(process, "event=close name=drip-0 reason=stalled") != NULL;
}

/* One byte now and then is not reading: there is a smallest rate. */
static void a_reader_below_the_smallest_rate_is_closed_too(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "gateway/stall_time=2s", "-s", "gateway/stall_rate=8KiB", "-s",
        "gateway/send_buffer=16KiB", "-s", "gateway/low_mark=4KiB", "-s", "gateway/high_mark=16KiB", NULL);
    crowd_t *crowd = crowd_new("drip", 2);
    unsigned to = crowd_join(
        crowd, &(crowd_member_t){.endpoint = server_gateway(server), .read_rate = 1000, .receive_buffer = 4096});
    crowd_member_t sender = {.endpoint = server_gateway(server), .line_count = CROWD_ENDLESS, .text_size = TEXT_SIZE};
    crowd_address(crowd, crowd_join(crowd, &sender), to);
    crowd_login(crowd, 2, DEADLINE_USUAL_MS);
    crowd_start(crowd);
    crowd_run(crowd, is_the_drip_closed, server_process(server), 20000);
    crowd_destroy(&crowd);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_slow_reader_among_100_slows_only_its_own_senders),
        TEST(a_reader_that_pauses_holds_its_senders_and_loses_nothing),
        TEST(a_reader_that_never_reads_is_closed_and_its_senders_are_told),
        TEST(a_reader_below_the_smallest_rate_is_closed_too),
    };
    return TEST_RUN(tests);
}
