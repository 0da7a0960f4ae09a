/* SPDX-License-Identifier: MPL-2.0 */
/* client: speaks the line protocol from the far end. The name goes first, with a /ping behind it whose answer is the
 * only sign that a login succeeded; another /ping goes last, because an end of file alone does not tell a gateway that
 * read everything from one that died with nothing to read. A gateway that drains counts the lines that it took instead.
 * Single-threaded; everything happens in client_wait. What fails is the connection, and that is an end like others. */
#include "ferry/client.h"

#include <czmq.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "ferry/dial.h"
#include "ferry/display.h"
#include "ferry/line_source.h"

#define LOGIN_PING "/ping ferry-login"
#define LOGIN_PONG "ok ping ferry-login"
#define LAST_PING  "/ping ferry-end"
#define LAST_PONG  "ok ping ferry-end"

enum { QUEUE_HIGH_MARK = 64 << 10 }; /* bytes; above it no input is asked for */

struct client {
    const char *gateway;
    int fd;
    line_source_t *source;
    buffer_t queue; /* what is to be sent */
    span_t line;
    uint64_t said;
    uint64_t counted; /* the N of "info accepted N" */
    uint64_t error_count;
    bool refused; /* the last line was an error that closes the connection */
    bool confirmed;
    bool leaving;
    bool finished; /* the last /ping was answered */
    bool draining;
    bool has_counted;
    bool ended;
    int fault; /* the errno that ended the conversation, or 0 */
};

static void queue_line(client_t *self, span_t head, span_t rest)
{
    buffer_append(&self->queue, head.data, head.size);
    buffer_append(&self->queue, rest.data, rest.size);
    buffer_append(&self->queue, "\n", 1);
}

client_t *client_new(const char *gateway, const char *name)
{
    int fd = dial(gateway);
    if (fd < 0)
        return NULL;
    client_t *self = zmalloc(sizeof *self);
    self->gateway = gateway;
    self->fd = fd;
    self->source = line_source_new(fd);
    queue_line(self, span_str(name), span_str("\n" LOGIN_PING));
    return self;
}

void client_destroy(client_t **self_p)
{
    client_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    close(self->fd);
    line_source_destroy(&self->source);
    buffer_fini(&self->queue);
    free(self);
}

void client_say(client_t *self, span_t head, span_t rest)
{
    if (self->leaving || self->draining)
        return;
    queue_line(self, head, rest);
    self->said++;
}

/* Once everything is written, the end of file follows it. */
static void half_close(client_t *self)
{
    if (self->leaving && !self->draining && buffer_size(&self->queue) == 0)
        shutdown(self->fd, SHUT_WR);
}

void client_leave(client_t *self)
{
    if (self->leaving || self->draining)
        return;
    queue_line(self, span_str(LAST_PING), span_str(""));
    self->leaving = true;
}

/* A gateway that no longer reads may still have something to say, so a failure to send only empties the queue. */
static void send_queue(client_t *self)
{
    span_t bytes = buffer_span(&self->queue);
    ssize_t size = send(self->fd, bytes.data, bytes.size, MSG_NOSIGNAL);
    if (size >= 0) {
        buffer_consume(&self->queue, (size_t)size);
        half_close(self);
    } else if (errno != EAGAIN && errno != EINTR) {
        self->fault = errno;
        buffer_clear(&self->queue);
    }
}

static void read_source(client_t *self)
{
    int result = line_source_read(self->source);
    if (result > 0 || result == -EAGAIN)
        return;
    self->ended = true;
    if (result < 0)
        self->fault = -result;
}

static bool line_is(const client_t *self, const char *text)
{
    return span_equal(self->line, span_str(text));
}

static bool line_starts(const client_t *self, const char *head)
{
    size_t size = strlen(head);
    return self->line.size >= size && memcmp(self->line.data, head, size) == 0;
}

/* What the gateway did not read when it said so it will not take. */
static void on_draining(client_t *self)
{
    self->draining = true;
    buffer_clear(&self->queue);
}

/* Lines of ours surround those of the caller, the first /ping and at most the last, so N is not for the caller. */
static void on_accepted(client_t *self)
{
    uint64_t counted = 0;
    for (size_t i = strlen("info accepted "); i < self->line.size; i++) {
        unsigned digit = (unsigned char)self->line.data[i] - (unsigned)'0';
        if (digit > 9 || counted > UINT64_MAX / 10 - 1)
            return;
        counted = 10 * counted + digit;
    }
    self->has_counted = true;
    self->counted = counted > 0 ? counted - 1 : 0;
    if (self->counted > self->said)
        self->counted = self->said;
}

/* Before the login is confirmed every error closes the connection. */
static client_event_t on_error(client_t *self)
{
    self->error_count++;
    self->refused = !self->confirmed || line_is(self, "error too-many-errors") || line_is(self, "error stalled");
    return CLIENT_ERROR;
}

/* True if the line is for the caller, and what it is. */
static bool understand(client_t *self, client_event_t *event)
{
    *event = CLIENT_ANSWER;
    self->refused = false;
    if (line_is(self, LAST_PONG)) {
        self->finished = true;
        return false;
    }
    if (line_starts(self, "info accepted ")) {
        on_accepted(self);
        return false;
    }
    if (line_is(self, LOGIN_PONG)) {
        self->confirmed = true;
        *event = CLIENT_CONFIRMED;
    } else if (line_starts(self, "from "))
        *event = CLIENT_MESSAGE;
    else if (line_starts(self, "error "))
        *event = on_error(self);
    else if (line_is(self, "info draining"))
        on_draining(self);
    return true;
}

static bool wants_input(const client_t *self)
{
    return self->confirmed && !self->leaving && !self->draining && !self->fault &&
           buffer_size(&self->queue) < QUEUE_HIGH_MARK;
}

/* One wait; true if it brought the caller something. */
static bool wait_once(client_t *self, int input, int signals, client_event_t *event)
{
    struct pollfd waits[] = {
        {.fd = self->fd, .events = POLLIN},
        {.fd = wants_input(self) ? input : -1, .events = POLLIN},
        {.fd = signals, .events = POLLIN},
    };
    if (buffer_size(&self->queue) > 0)
        waits[0].events |= POLLOUT;
    if (poll(waits, 3, -1) < 0)
        return false;
    if (waits[0].revents & POLLOUT)
        send_queue(self);
    if (waits[0].revents & ~POLLOUT)
        read_source(self);
    *event = waits[2].revents ? CLIENT_SIGNAL : CLIENT_INPUT;
    return waits[2].revents || waits[1].revents;
}

client_event_t client_wait(client_t *self, int input, int signals)
{
    client_event_t event = CLIENT_END;
    for (;;) {
        while (line_source_next(self->source, &self->line))
            if (understand(self, &event))
                return event;
        if (self->ended)
            return CLIENT_END;
        if (wait_once(self, input, signals, &event))
            return event;
    }
}

span_t client_line(const client_t *self)
{
    return self->line;
}

bool client_draining(const client_t *self)
{
    return self->draining;
}

uint64_t client_said(const client_t *self)
{
    return self->said;
}

uint64_t client_taken(const client_t *self)
{
    if (self->has_counted)
        return self->counted;
    return client_settled(self) ? self->said : 0;
}

uint64_t client_error_count(const client_t *self)
{
    return self->error_count;
}

bool client_settled(const client_t *self)
{
    if (!self->ended || self->fault)
        return false;
    return self->has_counted ? self->confirmed && self->counted == self->said : self->finished;
}

void client_complain(const client_t *self, const char *what)
{
    uint64_t taken = client_taken(self);
    if (self->has_counted)
        display_complain("ferry: the gateway was stopped; %ss taken: %" PRIu64 ", first %s not taken: %" PRIu64, what,
            taken, what, taken + 1);
    else if (self->refused)
        display_complain("ferry: %s closed the connection because of that error", self->gateway);
    else if (!self->confirmed)
        display_complain("ferry: %s ended the connection before the login was confirmed", self->gateway);
    else if (self->fault)
        display_complain("ferry: the connection to %s broke (%s); what became of the last %ss is not known",
            self->gateway, line_source_why(-self->fault), what);
    else
        display_complain(
            "ferry: %s closed the connection too early; what became of the last %ss is not known", self->gateway, what);
}
