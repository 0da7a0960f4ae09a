/* SPDX-License-Identifier: MPL-2.0 */
/* What senders read when the other end of their messages goes: each copy ends once, whatever went wrong. */
#include <stdio.h>
#include <string.h>

#include "lib/client.h"
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
    assert_int_equal(server_ledger(far, "returned"), MESSAGES - delivered);
    client_half_close(sender);
    assert_int_equal(client_count_to_end(sender, "error "), MESSAGES - delivered);
    server_stop(&near);
    server_stop(&router);
    server_destroy(&far);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_client_never_reads_is_returned_once_by_a_gateway_that_stops),
    };
    return TEST_RUN(tests);
}
