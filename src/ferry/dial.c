/* SPDX-License-Identifier: MPL-2.0 */
/* dial: a stream socket to a gateway. The address is taken apart, looked up, and each result is tried in turn; the last
 * failure is what the user reads. */
#include "ferry/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ferry/display.h"

#define DEFAULT_PORT "7400"

enum { CONNECT_TIMEOUT_MS = 5000, KEEPALIVE_IDLE_S = 30 };

static bool starts_with(const char *text, const char *head)
{
    return strncmp(text, head, strlen(head)) == 0;
}

static int host_set(dial_target_t *self, const char *host, size_t size, const char **why)
{
    if (size == 0 || size >= sizeof self->host) {
        *why = size ? "its host is too long" : "it names no host";
        return -1;
    }
    memcpy(self->host, host, size);
    self->host[size] = '\0';
    return 0;
}

static int port_set(dial_target_t *self, const char *port, const char **why)
{
    char *end;
    unsigned long number = strtoul(port, &end, 10);
    if (*port < '0' || *port > '9' || *end || strlen(port) >= sizeof self->port || number < 1 || number > 65535) {
        *why = "its port is not a number from 1 to 65535";
        return -1;
    }
    snprintf(self->port, sizeof self->port, "%s", port);
    return 0;
}

static int tcp_parse(dial_target_t *self, const char *text, const char **why)
{
    bool bracketed = *text == '[';
    const char *host = text + bracketed;
    size_t size = strcspn(host, bracketed ? "]" : ":");
    const char *rest = host + size + (bracketed && host[size]);
    if (bracketed && !host[size])
        *why = "its [ has no ]";
    else if (!bracketed && strchr(host, '/'))
        *why = "it is not tcp:// or ipc://";
    else if (!bracketed && *rest && strchr(rest + 1, ':'))
        *why = "an IPv6 address stands in brackets, as in tcp://[::1]:7400";
    else if (*rest && *rest != ':')
        *why = "only :PORT may follow the ]";
    else
        return host_set(self, host, size, why) || port_set(self, *rest ? rest + 1 : DEFAULT_PORT, why) ? -1 : 0;
    return -1;
}

int dial_parse(dial_target_t *self, const char *address, const char **why)
{
    *self = (dial_target_t){0};
    self->is_ipc = starts_with(address, "ipc://");
    if (self->is_ipc)
        return endpoint_parse(&self->ipc, address, why);
    if (starts_with(address, "tcp://"))
        return tcp_parse(self, address + strlen("tcp://"), why);
    return tcp_parse(self, address, why);
}

/* 0 or an errno. */
static int connect_finish(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int ready;
    do
        ready = poll(&wait, 1, CONNECT_TIMEOUT_MS);
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) ? errno : error;
}

/* Returns a descriptor or a negative errno. */
static int dial_one(int family, const struct sockaddr *address, socklen_t size)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int error = connect(fd, address, size) ? errno : 0;
    if (error == EINPROGRESS)
        error = connect_finish(fd);
    if (error == 0)
        return fd;
    close(fd);
    return -error;
}

/* A line is written as soon as it is there, and a gateway that vanished without a word is noticed. */
static void tune(int fd)
{
    int on = 1;
    int idle_s = KEEPALIVE_IDLE_S;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
}

static int dial_tcp(const dial_target_t *target, const char **why)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(target->host, target->port, &hints, &found);
    if (error) {
        *why = gai_strerror(error);
        return -1;
    }
    int fd = -1;
    for (struct addrinfo *each = found; each && fd < 0; each = each->ai_next)
        fd = dial_one(each->ai_family, each->ai_addr, each->ai_addrlen);
    freeaddrinfo(found);
    if (fd >= 0)
        tune(fd);
    else
        *why = strerror(-fd);
    return fd;
}

int dial(const char *address, bool quiet)
{
    dial_target_t target;
    const char *why = NULL;
    if (dial_parse(&target, address, &why)) {
        if (!quiet)
            display_complain("ferry: \"%s\" is no gateway's address: %s", address, why);
        return -1;
    }
    const struct sockaddr *path = (const struct sockaddr *)&target.ipc.address;
    int fd = target.is_ipc ? dial_one(AF_UNIX, path, target.ipc.address_size) : dial_tcp(&target, &why);
    if (fd >= 0 || quiet)
        return fd;
    display_complain("ferry: cannot connect to %s: %s; is a gateway running there? (--gateway names another)", address,
        why ? why : strerror(-fd));
    return -1;
}
