/* SPDX-License-Identifier: MPL-2.0 */
/* A service whose work takes long: what waits for it holds up nobody who writes to others. */
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"
#include "lib/server.h"
#include "lib/test.h"

enum { ASKERS = 12, SIZE = 60000 }; /* together more than a link's window */

static void work_that_waits_keeps_nobody_from_writing(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "gateway/workers=1", NULL);
    client_t *mill = client_login(server_gateway(server), "mill");
    client_t *carl = client_login(server_gateway(server), "carl"), *dave = client_login(server_gateway(server), "dave");
    client_t *askers[ASKERS];
    char *line = calloc(1, SIZE + 1);
    assert_non_null(line);
    memset(line, 'x', SIZE);
    memcpy(line, "@mill: ", 7);
    client_send(mill, "/serve @mill 1");
    client_expect(mill, "ok serve @mill");
    for (unsigned i = 0; i < ASKERS; i++) {
        char name[] = {'a', (char)('a' + i), '\0'};
        askers[i] = client_login(server_gateway(server), name);
    }
    client_send(carl, "@mill: rye");
    client_expect(mill, "from carl @mill 1: rye");   /* and takes its time for it */
    process_signal(server_process(server), SIGSTOP); /* so that the rest is there at once */
    for (unsigned i = 0; i < ASKERS; i++)
        client_send(askers[i], line);
    process_signal(server_process(server), SIGCONT);
    for (unsigned i = 0; i < 100; i++) {
        client_sendf(carl, "dave: %u", i);
        client_expectf(dave, "from carl: %u", i);
    }
    for (unsigned job = 1; job <= ASKERS; job++) {
        client_sendf(mill, "/done %u", job);
        client_expect_prefix(mill, "from a");
    }
    client_sendf(mill, "/done %u", ASKERS + 1);
    for (unsigned i = 0; i < ASKERS; i++) {
        client_send(askers[i], "/quit");
        client_expect(askers[i], "ok quit");
    }
    free(line);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(work_that_waits_keeps_nobody_from_writing)};
    return TEST_RUN(tests);
}
