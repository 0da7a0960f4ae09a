/* SPDX-License-Identifier: MPL-2.0 */
/* What happens to the connections between gateways and brokers, by way of relays: they are cut, delayed, and stalled
 * while they stand. A link that is given up for it is resumed; clients see a pause. */
#include "chaos/chaos.h"

#define HIT_OF_3 6 /* gateways 1 and 2; gateway 0 is spared */
#define ALL      100

static relay_t *pick_relay(chaos_t *self)
{
    unsigned gateway = chaos_pick_gateway(self);
    return deployment_relay(chaos_deployment(self), gateway, chaos_pick_broker(self));
}

static unsigned pick_percent(chaos_t *self)
{
    return dice_chance(chaos_dice(self), 50) ? ALL : 50;
}

static void cut_with_reset(chaos_t *self)
{
    relay_cut(pick_relay(self), RELAY_RESET, pick_percent(self));
}

static void cut_with_end(chaos_t *self)
{
    relay_cut(pick_relay(self), RELAY_END, pick_percent(self));
}

static void cut_all(chaos_t *self)
{
    const deployment_shape_t *shape = deployment_shape(chaos_deployment(self));
    for (unsigned i = 0; i < shape->gateways; i++)
        for (unsigned k = 0; k < shape->brokers; k++)
            relay_cut(deployment_relay(chaos_deployment(self), i, k), RELAY_RESET, ALL);
}

static void delay(chaos_t *self)
{
    relay_t *relay = pick_relay(self);
    relay_delay(relay, RELAY_BOTH, dice_between(chaos_dice(self), 20, 100), pick_percent(self));
    chaos_go_on(self, chaos_short_ms(self));
    relay_heal(relay);
}

static void delay_beyond_timeout(chaos_t *self)
{
    relay_t *relay = pick_relay(self);
    relay_delay(relay, dice_between(chaos_dice(self), RELAY_FORTH, RELAY_BOTH), chaos_long_ms(self), ALL);
    chaos_go_on(self, chaos_long_ms(self));
    relay_heal(relay);
}

static void stall(chaos_t *self, unsigned time_ms)
{
    relay_t *relay = pick_relay(self);
    relay_stall(relay, dice_between(chaos_dice(self), RELAY_FORTH, RELAY_BOTH), pick_percent(self));
    chaos_go_on(self, time_ms);
    relay_heal(relay);
}

static void stall_for_less(chaos_t *self)
{
    stall(self, chaos_short_ms(self));
}

static void stall_for_more(chaos_t *self)
{
    stall(self, chaos_long_ms(self));
}

static const chaos_fault_t faults[] = {
    {
        .name = "connection-reset",
        .what = "a gateway's connections to a broker, or some of them, are reset",
        .inject = cut_with_reset,
        .shape = {.brokers = 2, .gateways = 3, .relayed = true},
        .times = 10,
        .long_times = 500,
    },
    {
        .name = "connection-ended",
        .what = "the same with an orderly end of file towards both sides",
        .inject = cut_with_end,
        .shape = {.brokers = 1, .gateways = 2, .relayed = true},
        .times = 10,
        .long_times = 500,
    },
    {
        .name = "all-connections-reset",
        .what = "all connections between gateways and the broker are reset at once",
        .inject = cut_all,
        .shape = {.brokers = 1, .gateways = 2, .relayed = true},
        .times = 5,
        .long_times = 200,
    },
    {
        .name = "connection-delayed",
        .what = "what passes between a gateway and a broker takes 20 to 100 ms longer, for a while",
        .inject = delay,
        .shape = {.brokers = 2, .gateways = 2, .relayed = true},
        .times = 3,
        .long_times = 100,
    },
    {
        .name = "connection-delayed-long",
        .what = "the same by more than the link timeout, in one direction or both",
        .inject = delay_beyond_timeout,
        .shape = {.brokers = 1, .gateways = 3, .relayed = true},
        .hit = HIT_OF_3,
        .allows = CHAOS_PARTS,
        .doubled_to = POPULATION_RESTLESS,
        .times = 2,
        .long_times = 50,
    },
    {
        .name = "connection-stalled-briefly",
        .what = "a gateway's connections to a broker, or some, stand still for less than the link timeout",
        .inject = stall_for_less,
        .shape = {.brokers = 2, .gateways = 2, .relayed = true},
        .times = 4,
        .long_times = 100,
    },
    {
        .name = "connection-stalled-long",
        .what = "the same for more than the link timeout: a partition",
        .inject = stall_for_more,
        .shape = {.brokers = 1, .gateways = 3, .relayed = true},
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
