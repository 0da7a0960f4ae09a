/* SPDX-License-Identifier: MPL-2.0 */
/* client: speaks the line protocol from the far end. The name goes first, with a /ping behind it whose answer is the
 * only sign that a login succeeded; further ones between the lines tell how far the gateway has come. /quit goes last,
 * because an end of file alone does not tell a gateway that settled everything from one that died. A gateway that
 * drains counts the lines that it took instead. Single-threaded; everything happens in client_wait. What fails is the
 * connection, and that is an end like others. */
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
#include "ferry/marks.h"

#define PING "/ping ferry-"
#define PONG "ok ping ferry-"

enum {
    QUEUE_HIGH_MARK = 64 << 10, /* bytes; above it no input is asked for */
    MARK_SIZE = 64 << 10,       /* bytes between two pings at most, */
    MARK_LINES = 1000,          /* and lines */
};

struct client {
    const char *gateway;
    int fd;
    line_source_t *source;
    buffer_t queue; /* what is to be sent */
    span_t line;
    uint64_t said;
    uint64_t counted; /* what "info accepted N" is for the caller */
    uint64_t error_count;
    marks_t marks;
    uint64_t marked;      /* lines said before the last ping */
    size_t unmarked_size; /* bytes said since */
    uint64_t queued;      /* lines that were ever queued behind the name */
    uint64_t unsent;      /* of these, those that were given up */
    int64_t deadline_ms;  /* for the login; 0: none */
    client_ending_t ending;
    bool confirmed;
    bool leaving;
    bool draining;
    bool ended;
    int fault; /* the errno that ended the conversation, or 0 */
};

static void queue_line(client_t *self, span_t head, span_t rest)
{
    buffer_append(&self->queue, head.data, head.size);
    buffer_append(&self->queue, rest.data, rest.size);
    buffer_append(&self->queue, "\n", 1);
    self->queued++;
}

/* Queues a ping, whose answer tells that all lines before it were taken. */
static void queue_mark(client_t *self)
{
    char number[24];
    snprintf(number, sizeof number, "%" PRIu64, marks_add(&self->marks, self->said));
    queue_line(self, span_str(PING), span_str(number));
    self->marked = self->said;
    self->unmarked_size = 0;
}

client_t *client_new(const char *gateway, const char *name, bool quiet)
{
    int fd = dial(gateway, quiet);
    if (fd < 0)
        return NULL;
    client_t *self = zmalloc(sizeof *self);
    self->gateway = gateway;
    self->fd = fd;
    self->source = line_source_new(fd);
    queue_line(self, span_str(name), span_str(""));
    self->queued = 0;
    queue_mark(self);
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
    marks_fini(&self->marks);
    free(self);
}

void client_set_deadline(client_t *self, int64_t at_ms)
{
    self->deadline_ms = at_ms;
}

void client_say(client_t *self, span_t head, span_t rest)
{
    if (self->leaving || self->draining)
        return;
    queue_line(self, head, rest);
    self->said++;
    self->unmarked_size += head.size + rest.size;
    if (self->unmarked_size >= MARK_SIZE || self->said - self->marked >= MARK_LINES)
        queue_mark(self);
}

void client_leave(client_t *self)
{
    if (self->leaving || self->draining)
        return;
    queue_line(self, span_str("/quit"), span_str(""));
    self->leaving = true;
}

/* Lines whose end is still to be written. */
static uint64_t count_queue(const client_t *self)
{
    span_t rest = buffer_span(&self->queue);
    uint64_t count = 0;
    for (const char *at = rest.data; rest.size > 0 && (at = memchr(at, '\n', (size_t)(rest.data + rest.size - at)));
         at++)
        count++;
    return count;
}

static void give_up_queue(client_t *self)
{
    self->unsent += count_queue(self);
    buffer_clear(&self->queue);
}

/* A gateway that no longer reads may still have something to say, so a failure to send only empties the queue. */
static void send_queue(client_t *self)
{
    span_t bytes = buffer_span(&self->queue);
    ssize_t size = send(self->fd, bytes.data, bytes.size, MSG_NOSIGNAL);
    if (size >= 0) {
        buffer_consume(&self->queue, (size_t)size);
    } else if (errno != EAGAIN && errno != EINTR) {
        self->fault = errno;
        give_up_queue(self);
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
    give_up_queue(self);
}

/* The number that the line ends with, behind `head`. False if that is none. */
static bool line_number(const client_t *self, const char *head, uint64_t *number)
{
    *number = 0;
    if (!line_starts(self, head))
        return false;
    for (size_t i = strlen(head); i < self->line.size; i++) {
        unsigned digit = (unsigned char)self->line.data[i] - (unsigned)'0';
        if (digit > 9 || *number > UINT64_MAX / 10 - 1)
            return false;
        *number = 10 * *number + digit;
    }
    return self->line.size > strlen(head);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Pings are between the lines of the caller and /quit is behind them, so N is not for the caller. */
static void on_accepted(client_t *self, uint64_t lines)
{
    self->ending = CLIENT_COUNTED;
    self->counted = least(marks_said_among(&self->marks, lines), self->said);
}

/* Before the login is confirmed every error closes the connection. */
static client_event_t on_error(client_t *self)
{
    static const char *const passing[] = {
        "error draining", "error login-timeout", "error too-many-sessions", "error name-taken "};
    self->error_count++;
    if (!self->confirmed || line_is(self, "error too-many-errors") || line_is(self, "error stalled"))
        self->ending = CLIENT_REFUSED;
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        if (!self->confirmed && line_starts(self, passing[i]))
            self->ending = CLIENT_PUT_OFF;
    return CLIENT_ERROR;
}

/* True if the line answers a ping of ours. */
static bool on_pong(client_t *self, client_event_t *event)
{
    uint64_t number;
    if (!line_number(self, PONG, &number) || !marks_answer(&self->marks, number))
        return false;
    *event = self->confirmed ? CLIENT_PROGRESS : CLIENT_CONFIRMED;
    self->confirmed = true;
    return true;
}

/* True if the line is for the caller, and what it is. */
static bool understand(client_t *self, client_event_t *event)
{
    uint64_t number;
    *event = CLIENT_ANSWER;
    if (on_pong(self, event))
        return true;
    if (line_is(self, "ok quit")) {
        self->ending = CLIENT_QUIT;
        return false;
    }
    if (line_number(self, "info accepted ", &number)) {
        on_accepted(self, number);
        return false;
    }
    if (line_starts(self, "from "))
        *event = CLIENT_MESSAGE;
    else if (line_starts(self, "error "))
        *event = on_error(self);
    else if (line_is(self, "info draining"))
        on_draining(self);
    return true;
}

bool client_has_room(const client_t *self)
{
    return self->confirmed && !self->leaving && !self->draining && !self->fault &&
           buffer_size(&self->queue) < QUEUE_HIGH_MARK;
}

/* Nobody waits for the answer, but if the connection is lost it will be known. */
static void mark_when_idle(client_t *self)
{
    if (client_has_room(self) && buffer_size(&self->queue) == 0 && self->said > self->marked && self->marks.count == 0)
        queue_mark(self);
}

/* Milliseconds for poll(2). */
static int wait_time(const client_t *self)
{
    int64_t left_ms = self->deadline_ms - zclock_mono();
    if (self->confirmed || self->deadline_ms == 0)
        return -1;
    return left_ms > 0 ? (int)left_ms : 0;
}

/* The gateway has said nothing in time; what it says later is not waited for. */
static void on_deadline(client_t *self)
{
    self->ended = true;
    self->fault = ETIMEDOUT;
}

/* One wait; true if it brought the caller something. */
static bool wait_once(client_t *self, int input, int signals, client_event_t *event)
{
    struct pollfd waits[] = {
        {.fd = self->fd, .events = POLLIN},
        {.fd = input, .events = POLLIN},
        {.fd = signals, .events = POLLIN},
    };
    if (buffer_size(&self->queue) > 0)
        waits[0].events |= POLLOUT;
    int ready = poll(waits, 3, wait_time(self));
    if (ready == 0)
        on_deadline(self);
    if (ready <= 0)
        return false;
    bool had_room = client_has_room(self);
    if (waits[0].revents & POLLOUT)
        send_queue(self);
    if (waits[0].revents & ~POLLOUT)
        read_source(self);
    *event = waits[2].revents ? CLIENT_SIGNAL : waits[1].revents ? CLIENT_INPUT : CLIENT_PROGRESS;
    return waits[2].revents || waits[1].revents || (client_has_room(self) && !had_room);
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
        mark_when_idle(self);
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

uint64_t client_sent(const client_t *self)
{
    uint64_t unsent = least(self->queued, self->unsent + count_queue(self));
    return least(marks_said_among(&self->marks, self->queued - unsent), self->said);
}

uint64_t client_taken(const client_t *self)
{
    if (self->ending == CLIENT_COUNTED)
        return self->counted;
    return self->ending == CLIENT_QUIT ? self->said : self->marks.answered_said;
}

uint64_t client_error_count(const client_t *self)
{
    return self->error_count;
}

client_ending_t client_ending(const client_t *self)
{
    return self->ending;
}

bool client_settled(const client_t *self)
{
    return self->ended && (self->ending == CLIENT_COUNTED || self->ending == CLIENT_QUIT) && self->confirmed &&
           client_taken(self) == self->said;
}

void client_complain(const client_t *self)
{
    if (self->ending == CLIENT_COUNTED)
        display_complain("ferry: the gateway at %s was stopped", self->gateway);
    else if (self->ending == CLIENT_REFUSED || self->ending == CLIENT_PUT_OFF)
        display_complain("ferry: %s closed the connection because of that error", self->gateway);
    else if (self->fault)
        display_complain("ferry: the connection to %s broke (%s)", self->gateway, line_source_why(-self->fault));
    else if (!self->confirmed)
        display_complain("ferry: %s ended the connection before the login was confirmed", self->gateway);
    else
        display_complain("ferry: %s closed the connection too early", self->gateway);
}
