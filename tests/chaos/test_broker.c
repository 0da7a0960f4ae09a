/* SPDX-License-Identifier: MPL-2.0 */
/* What happens to brokers: they are killed, drained and stopped, with their clients connected, who must see a pause and
 * nothing else. */
#include <signal.h>

#include "chaos/chaos.h"

static void kill_broker(chaos_t *self)
{
    unsigned broker = chaos_pick_broker(self);
    process_signal(deployment_broker(chaos_deployment(self), broker), SIGKILL);
    deployment_renew_broker(chaos_deployment(self), broker);
}

static void drain_broker(chaos_t *self)
{
    unsigned broker = chaos_pick_broker(self);
    process_t *process = deployment_broker(chaos_deployment(self), broker);
    process_signal(process, SIGTERM);
    chaos_await_end(self, process);
    deployment_renew_broker(chaos_deployment(self), broker);
}

static void stop_broker(chaos_t *self, unsigned time_ms)
{
    process_t *process = deployment_broker(chaos_deployment(self), chaos_pick_broker(self));
    process_signal(process, SIGSTOP);
    chaos_go_on(self, time_ms);
    process_signal(process, SIGCONT);
}

static void stop_broker_for_less(chaos_t *self)
{
    stop_broker(self, chaos_short_ms(self));
}

static void stop_broker_for_more(chaos_t *self)
{
    stop_broker(self, chaos_long_ms(self));
}

/* Longer than a moment, so that names leave at one gateway and log in at another before the broker is back. */
static void move_names_without_broker(chaos_t *self)
{
    unsigned broker = chaos_pick_broker(self);
    process_signal(deployment_broker(chaos_deployment(self), broker), SIGKILL);
    population_move(chaos_population(self));
    chaos_go_on(self, chaos_short_ms(self));
    population_move(chaos_population(self));
    deployment_renew_broker(chaos_deployment(self), broker);
}

static const chaos_fault_t faults[] = {
    {
        .name = "broker-killed",
        .what = "SIGKILL of the broker, which is started again at once",
        .inject = kill_broker,
        .shape = {.brokers = 1, .gateways = 2},
        .doubled_to = POPULATION_RESTLESS,
        .times = 50,
        .long_times = 1000,
        .pause_ms = 300,
    },
    {
        .name = "broker-drained",
        .what = "SIGTERM of the broker, which is started again when it has ended",
        .inject = drain_broker,
        .shape = {.brokers = 1, .gateways = 2},
        .times = 50,
        .long_times = 1000,
    },
    {
        .name = "one-broker-of-two-killed",
        .what = "SIGKILL of one of two brokers, which is started again at once",
        .inject = kill_broker,
        .shape = {.brokers = 2, .gateways = 3},
        .doubled_to = POPULATION_RESTLESS,
        .times = 5,
        .long_times = 200,
    },
    {
        .name = "broker-stopped-briefly",
        .what = "SIGSTOP of the broker for less than the link timeout, then SIGCONT",
        .inject = stop_broker_for_less,
        .shape = {.brokers = 1, .gateways = 2},
        .times = 4,
        .long_times = 100,
    },
    {
        .name = "broker-stopped-long",
        .what = "SIGSTOP of the broker for more than the link timeout, then SIGCONT",
        .inject = stop_broker_for_more,
        .shape = {.brokers = 1, .gateways = 2},
        .doubled_to = POPULATION_RESTLESS,
        .times = 2,
        .long_times = 100,
    },
    {
        .name = "names-move-without-broker",
        .what = "SIGKILL of the broker; names move to another gateway before it is started again",
        .inject = move_names_without_broker,
        .shape = {.brokers = 1, .gateways = 2},
        .doubled_to = POPULATION_RESTLESS,
        .times = 4,
        .long_times = 100,
    },
};

int main(int argc, char **argv)
{
    return chaos_main(argc, argv, faults, sizeof(faults) / sizeof(faults[0]));
}
