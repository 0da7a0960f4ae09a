/* SPDX-License-Identifier: MPL-2.0 */
/* gateways: finds each address with dial(), and remembers what it has found. */
#include "ferry/bench/gateways.h"

#include <czmq.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "ferry/dial.h"
#include "ferry/display.h"

static int gateways_add(gateways_t *self, const char *address)
{
    if (self->count == GATEWAYS_MAX) {
        display_complain("ferry bench: --gateway takes at most %d addresses", GATEWAYS_MAX);
        return -1;
    }
    int fd = dial(address, false);
    if (fd < 0)
        return -1;
    self->each[self->count].size = sizeof self->each[self->count].address;
    getpeername(fd, (struct sockaddr *)&self->each[self->count].address, &self->each[self->count].size);
    self->count++;
    close(fd);
    return 0;
}

int gateways_init(gateways_t *self, const char *addresses)
{
    *self = (gateways_t){0};
    char *copy = strdup(addresses);
    char *rest = copy;
    int rc = 0;
    for (char *address = strtok_r(copy, ",", &rest); address && !rc; address = strtok_r(NULL, ",", &rest))
        rc = gateways_add(self, address);
    free(copy);
    if (!rc && self->count == 0) {
        display_complain("ferry bench: --gateway names no address");
        return -1;
    }
    return rc;
}

/* A Unix socket connects at once or waits for its turn, and says EAGAIN if it may not wait. */
int gateways_connect(const gateways_t *self, unsigned client)
{
    const struct sockaddr *address = (const struct sockaddr *)&self->each[client % self->count].address;
    bool is_path = address->sa_family == AF_UNIX;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | (is_path ? 0 : SOCK_NONBLOCK), 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, address, self->each[client % self->count].size) && errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        return -error;
    }
    int on = 1;
    if (is_path)
        fcntl(fd, F_SETFL, O_NONBLOCK);
    else
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}
