/* SPDX-License-Identifier: MPL-2.0 */
/* client: a non-blocking socket, a line buffer and poll(2). Every wait has the usual deadline; a reset is told from an
 * orderly end of file. */
#include "lib/client.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/line_buffer.h"
#include "lib/stream_socket.h"
#include "lib/test.h"

#define READ_SIZE 65536

struct client {
    int fd;
    char name[80]; /* of the login, for messages of failed tests; or "a client" */
    line_buffer_t input;
    bool ended; /* end of file was read */
    int error;  /* errno of the connection's failure, 0 while it is well */
    unsigned pings;
    client_t *next;
};

static client_t *clients; /* all that are not closed */

client_t *client_adopt(int fd)
{
    client_t *self = calloc(1, sizeof(*self));
    assert(self);
    self->fd = fd;
    snprintf(self->name, sizeof(self->name), "a client");
    self->next = clients;
    clients = self;
    return self;
}

client_t *client_connect_sized(const char *endpoint, int receive_buffer, int send_buffer)
{
    int fd = stream_socket_connect(endpoint, receive_buffer, send_buffer);
    if (fd < 0)
        fail_msg("cannot connect to %s: %s", endpoint, strerror(-fd));
    client_t *self = client_adopt(fd);
    int failed = stream_socket_wait(fd, deadline_in(DEADLINE_USUAL_MS));
    if (failed)
        fail_msg("cannot connect to %s: %s", endpoint, strerror(-failed));
    return self;
}

client_t *client_connect(const char *endpoint)
{
    return client_connect_sized(endpoint, 0, 0);
}

client_t *client_login(const char *endpoint, const char *name)
{
    client_t *self = client_connect(endpoint);
    snprintf(self->name, sizeof(self->name), "%s", name);
    client_send(self, name);
    client_barrier(self);
    return self;
}

void client_close(client_t **self_p)
{
    client_t *self = *self_p;
    if (!self)
        return;
    client_t **at = &clients;
    while (*at != self)
        at = &(*at)->next;
    *at = self->next;
    close(self->fd);
    line_buffer_fini(&self->input);
    free(self);
    *self_p = NULL;
}

void client_reset(client_t **self_p)
{
    struct linger at_once = {.l_onoff = 1};
    setsockopt((*self_p)->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    client_close(self_p);
}

void client_close_all(void)
{
    while (clients) {
        client_t *first = clients;
        client_close(&first);
    }
}

/* Takes what lies in the socket, if anything. */
static void take_input(client_t *self)
{
    ssize_t size = recv(self->fd, line_buffer_room(&self->input, READ_SIZE), READ_SIZE, 0);
    if (size > 0)
        line_buffer_add(&self->input, (size_t)size);
    else if (size == 0)
        self->ended = true;
    else if (errno != EAGAIN && errno != EINTR)
        self->error = errno;
}

static bool is_over(const client_t *self)
{
    return self->ended || self->error;
}

/* Waits until the socket is readable, or has room if `room` is true; takes its input if there is any. */
static void await(client_t *self, bool room, deadline_t deadline, const char *what)
{
    short input = is_over(self) ? 0 : POLLIN;
    struct pollfd ready = {.fd = self->fd, .events = room ? input | POLLOUT : input};
    if (poll(&ready, 1, deadline_left_ms(deadline)) == 0)
        fail_msg("%s: no %s in time", self->name, what);
    if (input && ready.revents & (POLLIN | POLLERR | POLLHUP))
        take_input(self);
}

/* Returns 0, or the errno of what ended the connection. */
static int send_all(client_t *self, const char *data, size_t size)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (size > 0) {
        ssize_t sent = send(self->fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return errno;
        if (sent < 0) {
            await(self, true, deadline, "room to send");
            continue;
        }
        data += sent;
        size -= (size_t)sent;
    }
    return 0;
}

void client_send_bytes(client_t *self, const void *data, size_t size)
{
    int error = send_all(self, data, size);
    if (error)
        fail_msg("%s: cannot send: %s", self->name, strerror(error));
}

void client_try_send(client_t *self, const void *data, size_t size)
{
    (void)send_all(self, data, size);
}

void client_send(client_t *self, const char *line)
{
    client_sendf(self, "%s", line);
}

static char *format_text(const char *format, va_list arguments)
{
    char *text = NULL;
    int size = vasprintf(&text, format, arguments);
    assert(size >= 0);
    return text;
}

void client_sendf(client_t *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = format_text(format, arguments);
    va_end(arguments);
    size_t size = strlen(text);
    text[size] = '\n';
    client_send_bytes(self, text, size + 1);
    free(text);
}

void client_half_close(client_t *self)
{
    if (shutdown(self->fd, SHUT_WR))
        fail_msg("%s: cannot half-close: %s", self->name, strerror(errno));
}

/* The next line, or NULL at the end of file or after a reset. */
static char *read_line(client_t *self)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    for (;;) {
        char *line = line_buffer_next(&self->input, NULL);
        if (line || is_over(self))
            return line;
        await(self, false, deadline, "line");
    }
}

static const char *read_wanted(client_t *self, const char *wanted)
{
    const char *line = read_line(self);
    if (!line)
        fail_msg("%s: %s instead of `%s`", self->name, self->error ? strerror(self->error) : "end of file", wanted);
    return line;
}

const char *client_read(client_t *self)
{
    return read_wanted(self, "a line");
}

const char *client_read_ready(client_t *self)
{
    const char *line = line_buffer_next(&self->input, NULL);
    if (!line && !is_over(self)) {
        take_input(self);
        line = line_buffer_next(&self->input, NULL);
    }
    return line;
}

void client_wait_input(client_t *self)
{
    struct pollfd readable = {.fd = self->fd, .events = POLLIN};
    if (poll(&readable, 1, deadline_left_ms(deadline_in(DEADLINE_USUAL_MS))) == 0)
        fail_msg("%s: no input in time", self->name);
}

void client_expect(client_t *self, const char *line)
{
    const char *read = read_wanted(self, line);
    if (strcmp(read, line) != 0)
        fail_msg("%s: read `%s` instead of `%s`", self->name, read, line);
}

const char *client_expect_prefix(client_t *self, const char *prefix)
{
    const char *read = read_wanted(self, prefix);
    if (strncmp(read, prefix, strlen(prefix)) != 0)
        fail_msg("%s: read `%s` instead of `%s…`", self->name, read, prefix);
    return read;
}

void client_expectf(client_t *self, const char *format, ...)
{
    char wanted[READ_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(wanted, sizeof(wanted), format, arguments);
    va_end(arguments);
    client_expect(self, wanted);
}

void client_expect_eof(client_t *self)
{
    const char *line = read_line(self);
    if (line)
        fail_msg("%s: read `%s` instead of end of file", self->name, line);
    if (self->error)
        fail_msg("%s: %s instead of end of file", self->name, strerror(self->error));
    size_t rest = line_buffer_rest(&self->input);
    if (rest > 0)
        fail_msg("%s: end of file in the middle of a line, %zu bytes of it", self->name, rest);
}

unsigned client_count_to_end(client_t *self, const char *prefix)
{
    unsigned count = 0;
    for (const char *line; (line = read_line(self)) != NULL;)
        count += strncmp(line, prefix, strlen(prefix)) == 0;
    return count;
}

void client_barrier(client_t *self)
{
    unsigned token = ++self->pings;
    client_sendf(self, "/ping barrier-%u", token);
    client_expectf(self, "ok ping barrier-%u", token);
}
