/* SPDX-License-Identifier: MPL-2.0 */
/* What happens to processes that get no more descriptors: strangers connect until there are none left, while
 * connections between a gateway and the broker are cut. Who is connected stays, and who waits gets in when the
 * strangers are gone. */
#include <unistd.h>

#include "chaos/chaos.h"
#include "lib/stream_socket.h"
#include "lib/test.h"

#define LIMIT     256 /* descriptors of a process: some 110 clients, and as many again */
#define TOO_MANY  20  /* strangers that find none left */
#define STRANGERS (LIMIT + TOO_MANY)

/* Connects as many as leave none for others, to an endpoint of the process. Returns how many. */
static unsigned crowd_out(const process_t *process, const char *endpoint, int strangers[STRANGERS])
{
    unsigned count = LIMIT + TOO_MANY - process_descriptors(process);
    for (unsigned i = 0; i < count; i++) {
        strangers[i] = stream_socket_connect(endpoint, 0, 0);
        assert_true(strangers[i] >= 0);
    }
    return count;
}

static void starve(chaos_t *self, const process_t *process, const char *endpoint, unsigned gateway)
{
    int strangers[STRANGERS];
    unsigned count = crowd_out(process, endpoint, strangers);
    chaos_go_on(self, chaos_short_ms(self));
    relay_cut(deployment_relay(chaos_deployment(self), gateway, 0), RELAY_RESET, 50);
    chaos_go_on(self, chaos_short_ms(self));
    while (count > 0)
        close(strangers[--count]);
}

static void starve_gateway(chaos_t *self)
{
    deployment_t *deployment = chaos_deployment(self);
    unsigned gateway = chaos_pick_gateway(self);
    starve(self, deployment_gateway(deployment, gateway), deployment_clients(deployment, gateway), gateway);
}

static void starve_broker(chaos_t *self)
{
    deployment_t *deployment = chaos_deployment(self);
    starve(self, deployment_broker(deployment, 0), deployment_nodes(deployment, 0), chaos_pick_gateway(self));
}

static const chaos_fault_t faults[] = {
    {
        .name = "gateway-starved",
        .what =
            "strangers take a gateway's last descriptors for a while, in which its connections to the broker are cut",
        .inject = starve_gateway,
        .shape = {.brokers = 1, .gateways = 2, .relayed = true, .descriptors = LIMIT},
        .times = 3,
        .long_times = 100,
    },
    {
        .name = "broker-starved",
        .what =
            "strangers take the broker's last descriptors for a while, in which a gateway's connections to it are cut",
        .inject = starve_broker,
        .shape = {.brokers = 1, .gateways = 2, .relayed = true, .descriptors = LIMIT},
        .times = 3,
        .long_times = 100,
    },
};

int main(int argc, char **argv)
{
    return chaos_main(argc, argv, faults, sizeof(faults) / sizeof(faults[0]));
}
