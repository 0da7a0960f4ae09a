/* SPDX-License-Identifier: MPL-2.0 */
/* What happens to processes that get no more descriptors, while clients come and go and connections between gateways
 * and the broker are cut: who is connected stays, and who waits gets in when there are descriptors again. */
#include <sys/resource.h>

#include "chaos/chaos.h"
#include "lib/test.h"

#define LEAST 8 /* a limit below what any process has open */

/* Sets the soft limit of a running process. Returns what it was. */
static rlim_t limit_descriptors(process_t *process, rlim_t count)
{
    struct rlimit before;
    assert_int_equal(prlimit(process_pid(process), RLIMIT_NOFILE, NULL, &before), 0);
    struct rlimit after = {.rlim_cur = count, .rlim_max = before.rlim_max};
    assert_int_equal(prlimit(process_pid(process), RLIMIT_NOFILE, &after, NULL), 0);
    return before.rlim_cur;
}

static void starve(chaos_t *self, process_t *process, unsigned gateway)
{
    rlim_t before = limit_descriptors(process, LEAST);
    chaos_go_on(self, chaos_short_ms(self));
    relay_cut(deployment_relay(chaos_deployment(self), gateway, 0), RELAY_RESET, 50);
    chaos_go_on(self, chaos_short_ms(self));
    limit_descriptors(process, before);
}

static void starve_gateway(chaos_t *self)
{
    unsigned gateway = chaos_pick_gateway(self);
    starve(self, deployment_gateway(chaos_deployment(self), gateway), gateway);
}

static void starve_broker(chaos_t *self)
{
    starve(self, deployment_broker(chaos_deployment(self), 0), chaos_pick_gateway(self));
}

static const chaos_fault_t faults[] = {
    {
        .name = "gateway-starved",
        .what = "a gateway gets no new descriptors for a while, in which its connections to the broker are cut",
        .inject = starve_gateway,
        .shape = {.brokers = 1, .gateways = 2, .relayed = true},
        .times = 3,
        .long_times = 100,
    },
    {
        .name = "broker-starved",
        .what = "the broker gets no new descriptors for a while, in which a gateway's connections to it are cut",
        .inject = starve_broker,
        .shape = {.brokers = 1, .gateways = 2, .relayed = true},
        .times = 3,
        .long_times = 100,
    },
};

int main(int argc, char **argv)
{
    return chaos_main(argc, argv, faults, sizeof(faults) / sizeof(faults[0]));
}
