/* SPDX-License-Identifier: MPL-2.0 */
/* packets: everything is on the loopback interface, so that the input hook sees every packet, whoever sends it. The
 * namespace ends with the last process in it. The test's thread. */
#include "lib/packets.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/shell.h"

#define NFT        "/usr/sbin/nft"
#define RULES_HOOK "add table inet test; add chain inet test input { type filter hook input priority 0; };"

/* Returns 0 or -errno. */
static int enter_namespace(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    if (unshare(CLONE_NEWNET) != 0)
        return -errno;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int rc = ioctl(fd, SIOCGIFFLAGS, &request);
    request.ifr_flags |= IFF_UP;
    rc = rc != 0 || ioctl(fd, SIOCSIFFLAGS, &request) != 0 ? -errno : 0;
    close(fd);
    return rc;
}

const char *packets_lack(void)
{
    static bool entered;
    static char why[120];
    int rc = entered ? 0 : enter_namespace();
    entered = rc == 0;
    if (rc != 0)
        snprintf(why, sizeof why, "no network namespace of its own (%s), which takes root", strerror(-rc));
    else if (access(NFT, X_OK) != 0)
        snprintf(why, sizeof why, "nft is not installed");
    else
        return NULL;
    return why;
}

void packets_rule(const char *format, ...)
{
    char rule[200];
    va_list args;
    va_start(args, format);
    vsnprintf(rule, sizeof rule, format, args);
    va_end(args);
    shell_run(NFT " '" RULES_HOOK " add rule inet test input %s'", rule);
}

void packets_allow(void)
{
    shell_run(NFT " delete table inet test");
}
