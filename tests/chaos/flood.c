/* SPDX-License-Identifier: MPL-2.0 */
/* flood: 10,000 clients write as fast as they can and read nothing, in several shapes, until a process with a memory
 * budget reads none of them any more; the most memory that it ever had is a row each. A pair that behaves goes on. The
 * sockets' buffers are small, since a system's memory for TCP is everybody's. */
#include <stdio.h>

#include "lib/client.h"
#include "lib/crowd.h"
#include "lib/deadline.h"
#include "lib/server.h"
#include "lib/test.h"

#define CLIENTS    10000
#define BUDGET_MIB 512
#define QUIET_MS   2000 /* without a byte from the crowd: it is held back */
#define FLOOD_MS   300000

typedef struct {
    const char *name;
    uint32_t text_size;
    unsigned fan; /* recipients of each message */
} shape_t;

typedef struct {
    server_t *server;
    client_t *sender, *reader;
    unsigned exchanged;
    int64_t slowest_ms; /* of the pair's messages */
    long most_kib;
    uint64_t sent;    /* by the crowd */
    int64_t since_ms; /* when that was last seen to change */
} flood_t;

static void exchange(flood_t *self)
{
    int64_t began_ms = deadline_now_ms();
    client_sendf(self->sender, "reader: %u", ++self->exchanged);
    client_expectf(self->reader, "from sender: %u", self->exchanged);
    if (deadline_now_ms() - began_ms > self->slowest_ms)
        self->slowest_ms = deadline_now_ms() - began_ms;
}

static bool is_held_back(crowd_t *crowd, void *arg)
{
    flood_t *self = arg;
    int64_t now_ms = deadline_now_ms();
    uint64_t sent = crowd_totals(crowd).sent;
    long now_kib = process_memory_kib(server_process(self->server));
    if (now_kib > self->most_kib)
        self->most_kib = now_kib;
    exchange(self);
    if (sent != self->sent)
        self->since_ms = now_ms;
    self->sent = sent;
    return now_ms - self->since_ms >= QUIET_MS;
}

static crowd_t *join_crowd(const server_t *server, const shape_t *shape)
{
    crowd_t *crowd = crowd_new("f", CLIENTS);
    for (unsigned i = 0; i < CLIENTS; i++)
        crowd_join(crowd, &(crowd_member_t){.endpoint = server_gateway((server_t *)server),
                              .line_count = CROWD_ENDLESS,
                              .text_size = shape->text_size,
                              .read_rate = PACE_NEVER,
                              .receive_buffer = 8192,
                              .send_buffer = 8192});
    for (unsigned i = 0; i < CLIENTS; i++)
        for (unsigned k = 1; k <= shape->fan; k++)
            crowd_address(crowd, i, (i + k * 7) % CLIENTS);
    crowd_login(crowd, 200, FLOOD_MS);
    return crowd;
}

static void flood_with(const shape_t *shape)
{
    flood_t self = {.server = server_start("all", "-s", "gateway/workers=2", "-s", "gateway/send_buffer=16KiB", "-s",
                        "gateway/receive_buffer=16KiB", "-s", "gateway/stall_time=1h", NULL)};
    crowd_t *crowd = join_crowd(self.server, shape);
    self.sender = client_login(server_gateway(self.server), "sender");
    self.reader = client_login(server_gateway(self.server), "reader");
    long idle_kib = process_memory_kib(server_process(self.server));
    crowd_start(crowd);
    self.since_ms = deadline_now_ms();
    crowd_run(crowd, is_held_back, &self, FLOOD_MS);
    printf("| %s | %ld | %ld | %u | %jd |\n", shape->name, idle_kib / 1024, self.most_kib / 1024, self.exchanged,
        (intmax_t)self.slowest_ms);
    crowd_destroy(&crowd);
    server_stop(&self.server);
    assert_in_range(self.most_kib, 0, BUDGET_MIB * 1024L);
}

static void many_that_write_and_do_not_read_keep_within_the_budget(void **state)
{
    static const shape_t shapes[] = {
        {"16 bytes to 1", 16, 1}, {"1,000 bytes to 1", 1000, 1}, {"200 bytes to 10", 200, 10}, {"8 KiB to 1", 8192, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        flood_with(&shapes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(many_that_write_and_do_not_read_keep_within_the_budget)};
    printf("| 10,000 clients write and do not read | MiB idle | MiB at most | messages of a good pair meanwhile | the "
           "slowest, ms |\n| --- | --- | --- | --- | --- |\n");
    return TEST_RUN(tests);
}
