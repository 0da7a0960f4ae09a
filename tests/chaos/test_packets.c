/* SPDX-License-Identifier: MPL-2.0 */
/* What happens to the packets between gateways and the broker: nftables drops them, all or at random, in a network
 * namespace of the test's own. Needs root, and says so. */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chaos/chaos.h"
#include "lib/shell.h"
#include "lib/test.h"

#define RESEND_MS 400 /* time for TCP to find out, so that something is dropped in each injection */

/* Goes where only this process, and those that it starts, are. Returns 0 or -errno. */
static int enter_namespace(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    if (unshare(CLONE_NEWNET))
        return -errno;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int failed = ioctl(fd, SIOCGIFFLAGS, &request);
    request.ifr_flags |= IFF_UP;
    failed = failed || ioctl(fd, SIOCSIFFLAGS, &request) ? -errno : 0;
    close(fd);
    return failed;
}

static const char *find_lack(void)
{
    static bool entered;
    static char why[120];
    int failed = entered ? 0 : enter_namespace();
    entered = !failed;
    if (failed)
        snprintf(why, sizeof(why), "no network namespace of its own (%s), which takes root", strerror(-failed));
    else if (access("/usr/sbin/nft", X_OK))
        snprintf(why, sizeof(why), "nft is not installed");
    else
        return NULL;
    return why;
}

static void forbid(const char *rule, unsigned port)
{
    shell_run("/usr/sbin/nft 'add table inet chaos; add chain inet chaos input { type filter hook input priority 0; }; "
              "add rule inet chaos input tcp %s %u %s'",
        "dport", port, rule);
    shell_run("/usr/sbin/nft 'add rule inet chaos input tcp sport %u %s'", port, rule);
}

static void allow(void)
{
    shell_run("/usr/sbin/nft delete table inet chaos");
}

static void drop(chaos_t *self, const char *rule, unsigned time_ms)
{
    forbid(rule, deployment_port(chaos_deployment(self), chaos_pick_broker(self)));
    chaos_go_on(self, time_ms);
    allow();
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
        .lacks = find_lack,
    },
    {
        .name = "packets-dropped-long",
        .what = "the same for more than the link timeout",
        .inject = drop_all_for_more,
        .shape = {.brokers = 1, .gateways = 2},
        .allows = CHAOS_TELLS | CHAOS_PARTS | CHAOS_MOVES,
        .times = 2,
        .long_times = 50,
        .lacks = find_lack,
    },
    {
        .name = "packets-dropped-at-random",
        .what = "5 of 100 packets between gateways and broker are dropped for a while",
        .inject = drop_some,
        .shape = {.brokers = 1, .gateways = 2},
        .times = 3,
        .long_times = 100,
        .lacks = find_lack,
    },
};

int main(int argc, char **argv)
{
    return chaos_main(argc, argv, faults, sizeof(faults) / sizeof(faults[0]));
}
