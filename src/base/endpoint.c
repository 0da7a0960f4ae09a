/* SPDX-License-Identifier: MPL-2.0 */
/* endpoint: a scheme chooses the parser of the rest, and each parser fills in the address that the system wants. Text
 * can be no endpoint; a socket can fail to open, bind or listen. No state; any thread. */
#include "base/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(sizeof((struct sockaddr_un *)0)->sun_path == sizeof((endpoint_t *)0)->path, "a path fits exactly");

/* 0 to 65535 in digits, else -1. */
static int parse_port(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > 5 || strspn(text, "0123456789") != size)
        return -1;
    int port = atoi(text);
    return port <= 65535 ? port : -1;
}

static int set_ipv4(endpoint_t *self, const char *host, int port)
{
    struct sockaddr_in *address = (struct sockaddr_in *)&self->address;
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)port);
    self->address_size = sizeof *address;
    if (strcmp(host, "*") == 0)
        host = "0.0.0.0";
    else if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    return inet_pton(AF_INET, host, &address->sin_addr) == 1 ? 0 : -1;
}

static int set_ipv6(endpoint_t *self, const char *host, int port)
{
    struct sockaddr_in6 *address = (struct sockaddr_in6 *)&self->address;
    address->sin6_family = AF_INET6;
    address->sin6_port = htons((uint16_t)port);
    self->address_size = sizeof *address;
    return inet_pton(AF_INET6, host, &address->sin6_addr) == 1 ? 0 : -1;
}

static int parse_inet(endpoint_t *self, const char *rest, const char **why)
{
    const char *colon = strrchr(rest, ':');
    int port = colon ? parse_port(colon + 1) : -1;
    if (port < 0) {
        *why = "it must end in a colon and a port of 0 to 65535";
        return -1;
    }
    char host[INET6_ADDRSTRLEN + 2];
    size_t size = (size_t)(colon - rest);
    bool is_ipv6 = size >= 2 && rest[0] == '[' && rest[size - 1] == ']';
    if (is_ipv6) {
        rest++;
        size -= 2;
    }
    if (size < sizeof host) {
        memcpy(host, rest, size);
        host[size] = '\0';
        if ((is_ipv6 ? set_ipv6(self, host, port) : set_ipv4(self, host, port)) == 0)
            return 0;
    }
    *why = "its host must be an IPv4 address, an IPv6 address in brackets, localhost, or *";
    return -1;
}

static int parse_tcp(endpoint_t *self, const char *rest, const char **why)
{
    self->kind = ENDPOINT_TCP;
    return parse_inet(self, rest, why);
}

static int parse_http(endpoint_t *self, const char *rest, const char **why)
{
    self->kind = ENDPOINT_HTTP;
    return parse_inet(self, rest, why);
}

static int parse_path(endpoint_t *self, const char *rest, const char **why)
{
    size_t size = strlen(rest);
    if (size == 0 || strcmp(rest, "*") == 0) {
        *why = "a path or name must follow the scheme";
        return -1;
    }
    if (size >= sizeof self->path) {
        *why = "its path or name is longer than 107 bytes";
        return -1;
    }
    memcpy(self->path, rest, size + 1);
    return 0;
}

static int parse_ipc(endpoint_t *self, const char *rest, const char **why)
{
    self->kind = ENDPOINT_IPC;
    if (parse_path(self, rest, why) < 0)
        return -1;
    struct sockaddr_un *address = (struct sockaddr_un *)&self->address;
    size_t size = strlen(self->path);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, self->path, size + 1);
    self->address_size = sizeof *address;
    if (self->path[0] == '@') {
        /* Linux's abstract names are not ended by a NUL, and libzmq counts them the same way. */
        address->sun_path[0] = '\0';
        self->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    }
    return 0;
}

static int parse_inproc(endpoint_t *self, const char *rest, const char **why)
{
    self->kind = ENDPOINT_INPROC;
    return parse_path(self, rest, why);
}

typedef struct {
    const char *prefix;
    int (*parse)(endpoint_t *self, const char *rest, const char **why);
} scheme_t;

static const scheme_t schemes[] = {
    [ENDPOINT_TCP] = {"tcp://", parse_tcp},
    [ENDPOINT_IPC] = {"ipc://", parse_ipc},
    [ENDPOINT_INPROC] = {"inproc://", parse_inproc},
    [ENDPOINT_HTTP] = {"http://", parse_http},
};

int endpoint_parse(endpoint_t *self, const char *text, const char **why)
{
    memset(self, 0, sizeof *self);
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t size = strlen(schemes[i].prefix);
        if (strncmp(text, schemes[i].prefix, size) == 0)
            return schemes[i].parse(self, text + size, why);
    }
    *why = "it must begin with tcp://, ipc://, inproc:// or http://";
    return -1;
}

static const struct sockaddr_in *as_ipv4(const endpoint_t *self)
{
    return (const struct sockaddr_in *)&self->address;
}

static const struct sockaddr_in6 *as_ipv6(const endpoint_t *self)
{
    return (const struct sockaddr_in6 *)&self->address;
}

static bool is_loopback_ipv6(const struct in6_addr *address)
{
    return IN6_IS_ADDR_LOOPBACK(address) || (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

bool endpoint_is_local(const endpoint_t *self)
{
    switch (self->address.ss_family) {
    case AF_INET:
        return ntohl(as_ipv4(self)->sin_addr.s_addr) >> 24 == 127;
    case AF_INET6:
        return is_loopback_ipv6(&as_ipv6(self)->sin6_addr);
    default:
        return true;
    }
}

int endpoint_port(const endpoint_t *self)
{
    switch (self->address.ss_family) {
    case AF_INET:
        return ntohs(as_ipv4(self)->sin_port);
    case AF_INET6:
        return ntohs(as_ipv6(self)->sin6_port);
    default:
        return 0;
    }
}

/* "127.0.0.1:7", "[::1]:7"; an IPv4 client of an IPv6 socket reads as the IPv4 address that it is. */
static void inet_text(const struct sockaddr_storage *address, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN];
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &ipv4->sin_addr, host, sizeof host);
        snprintf(text, size, "%s:%d", host, ntohs(ipv4->sin_port));
        return;
    }
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)address;
    bool is_mapped = IN6_IS_ADDR_V4MAPPED(&ipv6->sin6_addr);
    const void *bytes = ipv6->sin6_addr.s6_addr + (is_mapped ? 12 : 0);
    inet_ntop(is_mapped ? AF_INET : AF_INET6, bytes, host, sizeof host);
    snprintf(text, size, is_mapped ? "%s:%d" : "[%s]:%d", host, ntohs(ipv6->sin6_port));
}

void endpoint_text(const endpoint_t *self, char text[ENDPOINT_SIZE])
{
    size_t size = (size_t)snprintf(text, ENDPOINT_SIZE, "%s", schemes[self->kind].prefix);
    if (self->kind == ENDPOINT_TCP || self->kind == ENDPOINT_HTTP)
        inet_text(&self->address, text + size, ENDPOINT_SIZE - size);
    else
        snprintf(text + size, ENDPOINT_SIZE - size, "%s", self->path);
}

void endpoint_of_address(const struct sockaddr_storage *address, char text[ENDPOINT_SIZE])
{
    if (address->ss_family == AF_INET || address->ss_family == AF_INET6)
        inet_text(address, text, ENDPOINT_SIZE);
    else
        snprintf(text, ENDPOINT_SIZE, "%s", address->ss_family == AF_UNIX ? "unix" : "unknown");
}

void endpoint_of_socket(int fd, bool peer, char text[ENDPOINT_SIZE])
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    struct sockaddr *generic = (struct sockaddr *)&address;
    if ((peer ? getpeername(fd, generic, &size) : getsockname(fd, generic, &size)) != 0)
        address.ss_family = AF_UNSPEC;
    endpoint_of_address(&address, text);
}

static int open_socket(const endpoint_t *self)
{
    int fd = socket(self->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int on = 1;
    /* An IPv6 wildcard beside an IPv4 one is two endpoints, not a conflict. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (self->address.ss_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0))
        return fd;
    int error = errno;
    close(fd);
    return -error;
}

/* True if the path is a socket on which nobody accepts. Anything that is not a socket is left alone. */
static bool is_stale(const endpoint_t *self)
{
    struct stat status;
    if (self->path[0] == '@' || lstat(self->path, &status) < 0 || !S_ISSOCK(status.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    int rc = connect(fd, (const struct sockaddr *)&self->address, self->address_size);
    bool refused = rc < 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

bool endpoint_is_taken(const endpoint_t *self)
{
    struct stat status;
    bool has_path = self->kind == ENDPOINT_IPC && self->path[0] != '@';
    return has_path && lstat(self->path, &status) == 0 && !is_stale(self);
}

static int bind_socket(const endpoint_t *self, int fd)
{
    const struct sockaddr *address = (const struct sockaddr *)&self->address;
    int rc = bind(fd, address, self->address_size);
    if (rc < 0 && errno == EADDRINUSE && self->kind == ENDPOINT_IPC) {
        if (is_stale(self) && unlink(self->path) == 0)
            rc = bind(fd, address, self->address_size);
        else
            errno = EADDRINUSE;
    }
    return rc;
}

int endpoint_listen(const endpoint_t *self, int backlog)
{
    if (self->kind == ENDPOINT_INPROC)
        return -EAFNOSUPPORT;
    int fd = open_socket(self);
    if (fd < 0)
        return fd;
    if (bind_socket(self, fd) == 0 && listen(fd, backlog) == 0)
        return fd;
    int error = errno;
    close(fd);
    return -error;
}
