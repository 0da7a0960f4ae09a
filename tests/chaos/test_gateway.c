/* SPDX-License-Identifier: MPL-2.0 */
/* What happens to gateways, and to gateways and brokers at once. The clients of a gateway that is killed or drained
 * connect again; those of the gateway that is spared must see a pause at most. */
#include <signal.h>

#include "chaos/chaos.h"

#define HIT_OF_3 6 /* gateways 1 and 2; gateway 0 is spared */

static void kill_gateway(chaos_t *self)
{
    unsigned gateway = chaos_pick_gateway(self);
    process_signal(deployment_gateway(chaos_deployment(self), gateway), SIGKILL);
    deployment_renew_gateway(chaos_deployment(self), gateway);
}

static void kill_gateway_and_broker(chaos_t *self)
{
    unsigned broker = chaos_pick_broker(self);
    unsigned gateway = chaos_pick_gateway(self);
    process_signal(deployment_broker(chaos_deployment(self), broker), SIGKILL);
    process_signal(deployment_gateway(chaos_deployment(self), gateway), SIGKILL);
    deployment_renew_broker(chaos_deployment(self), broker);
    deployment_renew_gateway(chaos_deployment(self), gateway);
}

static void drain_gateway(chaos_t *self)
{
    unsigned gateway = chaos_pick_gateway(self);
    process_t *process = deployment_gateway(chaos_deployment(self), gateway);
    process_signal(process, SIGTERM);
    chaos_await_end(self, process);
    deployment_renew_gateway(chaos_deployment(self), gateway);
}

/* Gateways 1 and 2 and the broker, in an order of the dice's choice. */
static void drain_most(chaos_t *self)
{
    deployment_t *deployment = chaos_deployment(self);
    process_t *processes[] = {
        deployment_gateway(deployment, 1), deployment_gateway(deployment, 2), deployment_broker(deployment, 0)};
    unsigned first = dice_roll(chaos_dice(self), 3);
    for (unsigned i = 0; i < 3; i++)
        process_signal(processes[(first + i) % 3], SIGTERM);
    chaos_await_end(self, processes[2]);
    deployment_renew_broker(deployment, 0);
    for (unsigned i = 0; i < 2; i++) {
        chaos_await_end(self, processes[i]);
        deployment_renew_gateway(deployment, i + 1);
    }
}

static void stop_gateway(chaos_t *self, unsigned time_ms)
{
    process_t *process = deployment_gateway(chaos_deployment(self), chaos_pick_gateway(self));
    process_signal(process, SIGSTOP);
    chaos_go_on(self, time_ms);
    process_signal(process, SIGCONT);
}

static void stop_gateway_for_less(chaos_t *self)
{
    stop_gateway(self, chaos_short_ms(self));
}

static void stop_gateway_for_more(chaos_t *self)
{
    stop_gateway(self, chaos_long_ms(self));
}

static const chaos_fault_t faults[] = {
    {
        .name = "gateway-killed",
        .what = "SIGKILL of a gateway, which is started again at once",
        .inject = kill_gateway,
        .shape = {.brokers = 1, .gateways = 3},
        .hit = HIT_OF_3,
        .allows = CHAOS_KILLS,
        .lost_to = POPULATION_UNRULY,
        .times = 4,
        .long_times = 100,
    },
    {
        .name = "gateway-drained",
        .what = "SIGTERM of a gateway, which is started again when it has ended",
        .inject = drain_gateway,
        .shape = {.brokers = 2, .gateways = 3},
        .hit = HIT_OF_3,
        .lost_to = POPULATION_UNRULY, /* who vanished in silence is found out when the sender's gateway has gone */
        .times = 2,
        .long_times = 100,
    },
    {
        .name = "gateway-and-broker-killed",
        .what = "SIGKILL of a gateway and of the broker, which are started again at once",
        .inject = kill_gateway_and_broker,
        .shape = {.brokers = 1, .gateways = 3},
        .hit = HIT_OF_3,
        .allows = CHAOS_KILLS,
        .lost_from = POPULATION_HIT | POPULATION_UNRULY,
        .lost_to = POPULATION_HIT | POPULATION_UNRULY,
        .doubled_to = POPULATION_ALL, /* also what a client of that gateway says again when it is back */
        .times = 4,
        .long_times = 100,
    },
    {
        .name = "gateways-and-broker-drained",
        .what = "SIGTERM of two gateways and the broker at once, which are started again when they have ended",
        .inject = drain_most,
        .shape = {.brokers = 1, .gateways = 3},
        .hit = HIT_OF_3,
        .doubled_to = POPULATION_RESTLESS,
        .lost_to = POPULATION_UNRULY, /* who vanished in silence is found out when the sender's gateway has gone */
        .times = 2,
        .long_times = 100,
    },
    {
        .name = "gateway-stopped-briefly",
        .what = "SIGSTOP of a gateway for less than the link timeout, then SIGCONT",
        .inject = stop_gateway_for_less,
        .shape = {.brokers = 1, .gateways = 3},
        .times = 4,
        .long_times = 100,
    },
    {
        .name = "gateway-stopped-long",
        .what = "SIGSTOP of a gateway for more than the link timeout, then SIGCONT",
        .inject = stop_gateway_for_more,
        .shape = {.brokers = 1, .gateways = 3},
        .hit = HIT_OF_3,
        .allows = CHAOS_PARTS,
        .doubled_to = POPULATION_RESTLESS,
        .times = 2,
        .long_times = 100,
    },
};

int main(int argc, char **argv)
{
    return chaos_main(argc, argv, faults, sizeof(faults) / sizeof(faults[0]));
}
