/* SPDX-License-Identifier: MPL-2.0 */
/* stream_socket: parses the endpoint, sets the buffers before the connection (the window is agreed on then), connects
 * without blocking. An endpoint that is none is -EINVAL. */
#include "lib/stream_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
    struct sockaddr_storage storage;
    socklen_t size;
} address_t;

static int parse_unix(address_t *self, const char *path)
{
    struct sockaddr_un *address = (struct sockaddr_un *)&self->storage;
    address->sun_family = AF_UNIX;
    self->size = sizeof(*address);
    return strlen(path) < sizeof(address->sun_path) ? (strcpy(address->sun_path, path), 0) : -EINVAL;
}

static int parse_inet6(address_t *self, const char *host, int port)
{
    struct sockaddr_in6 *address = (struct sockaddr_in6 *)&self->storage;
    address->sin6_family = AF_INET6;
    address->sin6_port = htons((uint16_t)port);
    self->size = sizeof(*address);
    return inet_pton(AF_INET6, host, &address->sin6_addr) == 1 ? 0 : -EINVAL;
}

static int parse_inet(address_t *self, const char *host, int port)
{
    struct sockaddr_in *address = (struct sockaddr_in *)&self->storage;
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)port);
    self->size = sizeof(*address);
    return inet_pton(AF_INET, host, &address->sin_addr) == 1 ? 0 : -EINVAL;
}

static int parse(address_t *self, const char *endpoint)
{
    char host[64];
    int port = 0;
    memset(self, 0, sizeof(*self));
    if (strncmp(endpoint, "ipc://", 6) == 0)
        return parse_unix(self, endpoint + 6);
    const char *rest = strstr(endpoint, "://");
    if (!rest)
        return -EINVAL;
    if (sscanf(rest, "://[%63[^]]]:%d", host, &port) == 2)
        return parse_inet6(self, host, port);
    if (sscanf(rest, "://%63[^:]:%d", host, &port) == 2)
        return parse_inet(self, host, port);
    return -EINVAL;
}

static void set_buffers(int fd, int receive_buffer, int send_buffer)
{
    if (receive_buffer > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    if (send_buffer > 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer));
}

int stream_socket_connect(const char *endpoint, int receive_buffer, int send_buffer)
{
    address_t address;
    int one = 1;
    int failed = parse(&address, endpoint);
    if (failed)
        return failed;
    int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    set_buffers(fd, receive_buffer, send_buffer);
    if (address.storage.ss_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(fd, (struct sockaddr *)&address.storage, address.size) == 0 || errno == EINPROGRESS)
        return fd;
    failed = -errno;
    close(fd);
    return failed;
}

int stream_socket_wait(int fd, deadline_t deadline)
{
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof(error);
    if (poll(&writable, 1, deadline_left_ms(deadline)) == 0)
        return -ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) ? -errno : -error;
}
