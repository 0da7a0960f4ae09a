/* SPDX-License-Identifier: MPL-2.0 */
/* client_socket: a client that vanished is found by keepalive when nothing is under way to it, and otherwise by what
 * its kernel does not acknowledge. Nothing can fail that matters. Any thread. */
#include "gateway/client_socket.h"

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define KEEPALIVE_IDLE     30 /* seconds; half-open connections end after about a minute */
#define KEEPALIVE_INTERVAL 10
#define KEEPALIVE_COUNT    3
#define KEEPALIVE_MS       ((KEEPALIVE_IDLE + KEEPALIVE_COUNT * KEEPALIVE_INTERVAL) * 1000)

/* Bytes that the kernel takes beyond what the client lets in. The session writer remembers each copy among them, which
 * for short lines takes more memory than they do; and what waits here can still be returned. */
#define UNSENT_SIZE 16384

static bool socket_set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* How long a client's kernel may leave something unacknowledged. N.B. this bounds keepalive too, and the life of a
 * connection whose client lives but lets nothing in; so it is not less than the one takes, and well above the time
 * after which the other is stalled. */
static int user_timeout_ms(const worker_limits_t *limits)
{
    uint64_t patience = 2 * limits->writer.stall_time_ms;
    if (patience < KEEPALIVE_MS)
        patience = KEEPALIVE_MS;
    return patience < INT_MAX ? (int)patience : INT_MAX;
}

/* N.B. the last is what tells that all are set. Returns false for a socket that is not TCP's. */
static bool socket_set_all(int fd, const worker_limits_t *limits)
{
    socket_set(fd, SOL_SOCKET, SO_SNDBUF, limits->send_buffer_size);
    socket_set(fd, SOL_SOCKET, SO_RCVBUF, limits->receive_buffer_size);
    socket_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    socket_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE);
    socket_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL);
    socket_set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
    socket_set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_SIZE);
    socket_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return socket_set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms(limits));
}

void client_socket_listen(int fd, const worker_limits_t *limits)
{
    socket_set_all(fd, limits);
}

bool client_socket_prepare(int fd, const worker_limits_t *limits)
{
    int timeout_ms = 0;
    socklen_t size = sizeof timeout_ms;
    bool is_tcp = getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, &size) == 0;
    return (is_tcp && timeout_ms == user_timeout_ms(limits)) || socket_set_all(fd, limits);
}
