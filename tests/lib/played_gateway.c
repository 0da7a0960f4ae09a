/* SPDX-License-Identifier: MPL-2.0 */
/* played_gateway: a listening socket; what speaks on its connections is the clients' code. Everything has the usual
 * deadline, and fails the test when that passes. */
#include "lib/played_gateway.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/test.h"

#define ADDRESS_SIZE 64
#define PING         "/ping "

static int listener = -1;

const char *played_gateway_open(void)
{
    static char text[ADDRESS_SIZE];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    played_gateway_close_all();
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 16) ||
        getsockname(listener, (struct sockaddr *)&address, &size))
        fail_msg("cannot listen: %s", strerror(errno));
    snprintf(text, sizeof(text), "tcp://127.0.0.1:%d", ntohs(address.sin_port));
    return text;
}

client_t *played_gateway_accept(void)
{
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    if (poll(&ready, 1, deadline_left_ms(deadline_in(DEADLINE_USUAL_MS))) != 1)
        fail_msg("nobody connects to the played gateway");
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        fail_msg("cannot accept: %s", strerror(errno));
    return client_adopt(fd);
}

client_t *played_gateway_login(const char *name)
{
    client_t *client = played_gateway_accept();
    client_expect(client, name);
    const char *ping = client_expect_prefix(client, PING);
    client_sendf(client, "ok ping %s", ping + strlen(PING));
    return client;
}

void played_gateway_take(client_t *self, const char *line)
{
    const char *came;
    while (strcmp(came = client_read(self), line) != 0) {
        if (strncmp(came, PING, strlen(PING)) != 0)
            fail_msg("\"%s\" comes instead of \"%s\"", came, line);
        client_sendf(self, "ok ping %s", came + strlen(PING));
    }
}

void played_gateway_leave(client_t **self_p)
{
    client_half_close(*self_p);
    client_count_to_end(*self_p, "");
    client_close(self_p);
}

void played_gateway_close_all(void)
{
    if (listener >= 0)
        close(listener);
    listener = -1;
}
