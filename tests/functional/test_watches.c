/* SPDX-License-Identifier: MPL-2.0 */
/* Who watches hears of logins and of their ends, wherever they are, and of no restart. */
#include <signal.h>
#include <stdio.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/process.h"
#include "lib/server.h"
#include "lib/test.h"

static void a_watch_tells_what_happens_at_another_gateway_and_not_what_happens_to_brokers(void **state)
{
    (void)state;
    char list[160], listen[160];
    server_t *broker = server_start("broker", NULL);
    snprintf(list, sizeof list, "gateway/broker=%s", server_broker(broker));
    snprintf(listen, sizeof listen, "broker/listen=%s", server_broker(broker));
    server_t *near = server_start("gateway", "-s", list, NULL);
    server_t *far = server_start("gateway", "-s", list, NULL);
    client_t *alice = client_login(server_gateway(near), "alice");
    client_send(alice, "/watch bob");
    client_expect(alice, "ok watch bob away");
    client_t *bob = client_login(server_gateway(far), "bob");
    client_expect(alice, "info came bob");
    for (unsigned round = 0; round < 3; round++) {
        process_signal(server_process(broker), round % 2 ? SIGTERM : SIGKILL);
        process_wait_exit(server_process(broker), DEADLINE_USUAL_MS);
        server_destroy(&broker);
        broker = server_start("broker", "-s", listen, NULL);
        client_send(bob, "alice: here");
        client_expect(alice, "from bob: here");
    }
    process_signal(server_process(far), SIGKILL);
    client_expect(alice, "info went bob");
    client_close(&bob);
    client_barrier(alice);
    client_close(&alice);
    process_wait_exit(server_process(far), DEADLINE_USUAL_MS);
    server_destroy(&far);
    server_stop(&near);
    server_stop(&broker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_watch_tells_what_happens_at_another_gateway_and_not_what_happens_to_brokers),
    };
    return TEST_RUN(tests);
}
