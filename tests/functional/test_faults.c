/* SPDX-License-Identifier: MPL-2.0 */
/* What senders read when the other end of their messages goes: each copy ends once, whatever went wrong. */
#include <stdio.h>
#include <string.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/http.h"
#include "lib/process.h"
#include "lib/server.h"
#include "lib/test.h"

enum { MESSAGES = 1000, DRAIN_MS = 15000 };

static void what_a_client_never_reads_is_returned_once_by_a_gateway_that_stops(void **state)
{
    (void)state;
    char broker[128];
    server_t *router = server_start("broker", NULL);
    snprintf(broker, sizeof broker, "gateway/broker=%s", server_broker(router));
    server_t *near = server_start("gateway", "-s", broker, NULL);
    server_t *far = server_start("gateway", "-s", broker, "-s", "drain/timeout=3s", "-s", "gateway/stall_time=1h", "-s",
        "gateway/send_buffer=8KiB", "-s", "gateway/high_mark=4MiB", NULL);
    client_t *reader = client_connect_sized(server_gateway(far), 4096, 0);
    client_send(reader, "reader\n/ping ready");
    client_expect(reader, "ok ping ready");
    client_t *sender = client_login(server_gateway(near), "sender");
    char line[1100] = "reader: ";
    memset(line + strlen(line), 'x', 1024);
    for (int i = 0; i < MESSAGES; i++)
        client_send(sender, line);
    client_barrier(sender);
    process_signal(server_process(far), SIGTERM);
    assert_int_equal(process_wait_exit(server_process(far), DRAIN_MS), 0);
    assert_int_equal(server_ledger(far, "balance"), 0);
    unsigned delivered = (unsigned)server_ledger(far, "delivered");
    assert_true(delivered < MESSAGES);
    /* What its broker had not routed when the gateway took its leave is refused: no-such-peer. */
    assert_in_range(server_ledger(far, "returned"), 1, MESSAGES - delivered);
    client_half_close(sender);
    assert_int_equal(client_count_to_end(sender, "error "), MESSAGES - delivered);
    server_stop(&near);
    server_stop(&router);
    server_destroy(&far);
}

/* Waits until /readyz gives a reason that holds `text`. */
static void wait_reason(server_t *server, const char *text)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    for (bool found = false; !found;) {
        http_answer_t *answer = http_get(server_admin(server), "/readyz");
        found = strstr(http_answer_body(answer), text) != NULL;
        if (!found && deadline_passed(deadline))
            fail_msg("the reason is still: %s", http_answer_body(answer));
        http_answer_destroy(&answer);
    }
}

static void a_gateway_that_is_not_ready_says_what_is_wrong_with_its_broker(void **state)
{
    (void)state;
    server_t *gateway = server_launch("gateway", "-s", "gateway/broker=tcp://127.0.0.1:1", NULL);
    wait_reason(gateway, "refused");
    server_stop(&gateway);
    char address[128];
    server_t *broker = server_start("broker", NULL);
    snprintf(address, sizeof address, "gateway/broker=%s", server_broker(broker));
    gateway = server_launch("gateway", "-s", address, "-s", "broker/name=other", "-s", "gateway/workers=4", NULL);
    wait_reason(gateway, "another name");
    process_wait_log(server_process(gateway), "event=not-ready", DEADLINE_USUAL_MS);
    assert_in_range(process_count_log(server_process(gateway), "event=not-ready"), 1, 2);
    server_stop(&gateway);
    server_stop(&broker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_client_never_reads_is_returned_once_by_a_gateway_that_stops),
        TEST(a_gateway_that_is_not_ready_says_what_is_wrong_with_its_broker),
    };
    return TEST_RUN(tests);
}
