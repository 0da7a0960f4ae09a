/* SPDX-License-Identifier: MPL-2.0 */
/* What happens to the packets between gateways and the broker: nftables drops them, all or at random, in a network
 * namespace of the test's own. Needs root, and says so. */
#include "chaos/chaos.h"
#include "lib/packets.h"
#include "lib/test.h"

#define RESEND_MS 400 /* time for TCP to find out, so that something is dropped in each injection */

static void forbid(const char *rule, unsigned port)
{
    packets_rule("tcp dport %u %s", port, rule);
    packets_rule("tcp sport %u %s", port, rule);
}

static void drop(chaos_t *self, const char *rule, unsigned time_ms)
{
    forbid(rule, deployment_port(chaos_deployment(self), chaos_pick_broker(self)));
    chaos_go_on(self, time_ms);
    packets_allow();
}

static void drop_all_for_less(chaos_t *self)
{
    drop(self, "drop", chaos_short_ms(self));
}

static void drop_all_for_more(chaos_t *self)
{
    drop(self, "drop", chaos_long_ms(self));
}

static void drop_some(chaos_t *self)
{
    drop(self, "numgen random mod 100 < 5 drop", chaos_short_ms(self) + RESEND_MS);
}

static const chaos_fault_t faults[] = {
    {
        .name = "packets-dropped",
        .what = "all packets between gateways and broker are dropped for less than the link timeout",
        .inject = drop_all_for_less,
        .shape = {.brokers = 1, .gateways = 2},
        .times = 3,
        .long_times = 100,
        .lacks = packets_lack,
    },
    {
        .name = "packets-dropped-long",
        .what = "the same for more than the link timeout",
        .inject = drop_all_for_more,
        .shape = {.brokers = 1, .gateways = 2},
        .allows = CHAOS_TELLS | CHAOS_PARTS,
        .doubled_to = POPULATION_RESTLESS,
        .times = 2,
        .long_times = 50,
        .lacks = packets_lack,
    },
    {
        .name = "packets-dropped-at-random",
        .what = "5 of 100 packets between gateways and broker are dropped for a while",
        .inject = drop_some,
        .shape = {.brokers = 1, .gateways = 2},
        .times = 3,
        .long_times = 100,
        .lacks = packets_lack,
    },
};

int main(int argc, char **argv)
{
    return chaos_main(argc, argv, faults, sizeof(faults) / sizeof(faults[0]));
}
