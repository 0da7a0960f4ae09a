/* SPDX-License-Identifier: MPL-2.0 */
/* pair: all messages have one size. The sender makes as many at once as fit into OUTPUT_SIZE, and gives them new
 * numbers when they are written; the reader compares every line with the one that must come next. Both are cheap next
 * to what the gateway does. What fails ends the program, with the reason. */
#include "bench/pair.h"

#include <assert.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/stream_socket.h"

#define DIGITS      PAIR_TEXT_MIN
#define OUTPUT_SIZE 65536  /* bytes of messages that a sender makes at once */
#define INPUT_SIZE  262144 /* bytes that are read at once */

typedef struct {
    int fd;
    char *output; /* whole messages */
    size_t size;  /* bytes of `output` that are to be written */
    size_t at;    /* bytes of them that are written */
    size_t line_size;
    size_t number_at;  /* where a line has its number */
    char next[DIGITS]; /* the number of the next message that is made */
    uint64_t count;    /* messages that are made */
} sender_t;

typedef struct {
    int fd;
    char *expected; /* the line that must come next */
    size_t line_size;
    size_t number_at;
    char *held; /* the beginning of a line whose rest has not come */
    size_t held_size;
    uint64_t count; /* messages that have come */
} reader_t;

struct pair {
    unsigned number;
    int epoll_fd;
    bool stopped;
    sender_t sender;
    reader_t reader;
};

/* What the reader of any pair has just read, behind what it held. */
static char input[PAIR_TEXT_MAX + INPUT_SIZE];

/* Adds one to a number that has DIGITS digits, and is not the last of them. */
static void digits_increment(char *digits)
{
    char *digit = digits + DIGITS - 1;
    while (*digit == '9')
        *digit-- = '0';
    ++*digit;
}

/* How much of the text a reason tells: its first line, and not too much of that. */
static int first_line(const char *text, size_t size)
{
    enum { TOLD_MAX = 100 };
    const char *end = memchr(text, '\n', size);
    size_t told = end ? (size_t)(end - text) : size;
    return (int)(told < TOLD_MAX ? told : TOLD_MAX);
}

/* Makes a message, or the line that its reader sees: the prefix, a number of zeros, and filling. Returns where the
 * number is.
 */
static size_t line_make(char *line, size_t line_size, const char *prefix)
{
    size_t number_at = strlen(prefix);
    memset(line, 'x', line_size - 1);
    memcpy(line, prefix, number_at);
    memset(line + number_at, '0', DIGITS);
    line[line_size - 1] = '\n';
    return number_at;
}

/* Gives the messages in `output` their numbers. */
static void sender_make(sender_t *self)
{
    for (size_t at = 0; at < self->size; at += self->line_size) {
        memcpy(self->output + at + self->number_at, self->next, DIGITS);
        digits_increment(self->next);
    }
    self->count += self->size / self->line_size;
    self->at = 0;
}

static void sender_init(sender_t *self, unsigned pair, size_t text_size)
{
    char prefix[32];
    self->line_size = (size_t)snprintf(prefix, sizeof(prefix), "r%u: ", pair) + text_size + 1;
    self->size = OUTPUT_SIZE / self->line_size * self->line_size;
    self->output = malloc(self->size);
    assert(self->output);
    for (size_t at = 0; at < self->size; at += self->line_size)
        self->number_at = line_make(self->output + at, self->line_size, prefix);
    memset(self->next, '0', DIGITS);
    sender_make(self);
}

/* Writes what TCP takes. */
static void sender_write(sender_t *self)
{
    ssize_t size = send(self->fd, self->output + self->at, self->size - self->at, MSG_NOSIGNAL);
    if (size < 0 && errno != EAGAIN)
        err(1, "a sender is cut");
    self->at += size > 0 ? (size_t)size : 0;
}

/* A sender has nothing to read unless something went wrong. */
static void __attribute__((noreturn)) sender_fail(sender_t *self)
{
    ssize_t size = recv(self->fd, input, sizeof(input), 0);
    if (size > 0)
        errx(1, "a sender reads `%.*s`", first_line(input, (size_t)size), input);
    errx(1, "a sender is cut: %s", size < 0 ? strerror(errno) : "end of file");
}

static void reader_init(reader_t *self, unsigned pair, size_t text_size)
{
    char prefix[32];
    self->line_size = (size_t)snprintf(prefix, sizeof(prefix), "from s%u: ", pair) + text_size + 1;
    self->expected = malloc(self->line_size);
    self->held = malloc(self->line_size);
    assert(self->expected && self->held);
    self->number_at = line_make(self->expected, self->line_size, prefix);
}

/* Tells in which way this line is not the expected one. */
static void __attribute__((noreturn)) reader_fail(const reader_t *self, const char *line, size_t size)
{
    const char *number = line + self->number_at, *expected = self->expected + self->number_at;
    size_t rest_at = self->number_at + DIGITS;
    if (size != self->line_size || memcmp(line, self->expected, self->number_at) != 0 ||
        memcmp(line + rest_at, self->expected + rest_at, size - rest_at) != 0)
        errx(1, "a reader reads `%.*s` and not `%.*s`", first_line(line, size), line,
            first_line(self->expected, self->line_size), self->expected);
    errx(1, "%.*s%.*s comes where %.*s must come: %s", (int)self->number_at, line, DIGITS, number, DIGITS, expected,
        memcmp(number, expected, DIGITS) < 0 ? "it is doubled or late" : "others are lost or late");
}

/* Keeps the beginning of a line. One that has an end already is shorter than a message: it is an answer. */
static void reader_hold(reader_t *self, const char *rest, size_t size)
{
    if (memchr(rest, '\n', size))
        reader_fail(self, rest, size);
    memcpy(self->held, rest, size);
    self->held_size = size;
}

/* Checks what has come. Returns the number of messages. */
static unsigned reader_take(reader_t *self, size_t size)
{
    unsigned count = 0;
    size_t at = 0;
    for (; size - at >= self->line_size; at += self->line_size, count++) {
        if (memcmp(input + at, self->expected, self->line_size) != 0)
            reader_fail(self, input + at, self->line_size);
        digits_increment(self->expected + self->number_at);
    }
    reader_hold(self, input + at, size - at);
    self->count += count;
    return count;
}

/* Connects and says the name, with a /ping behind it, whose answer will prove the login. Returns the descriptor. */
static int client_connect(const char *endpoint, char role, unsigned pair)
{
    char greeting[64];
    int fd = stream_socket_connect(endpoint, 0, 0);
    int failed = fd < 0 ? fd : stream_socket_wait(fd, deadline_in(DEADLINE_USUAL_MS));
    if (failed)
        errx(1, "%s: %s", endpoint, strerror(-failed));
    int size = snprintf(greeting, sizeof(greeting), "%c%u\n/ping in\n", role, pair);
    if (send(fd, greeting, (size_t)size, MSG_NOSIGNAL) != size)
        err(1, "%c%u cannot say its name", role, pair);
    return fd;
}

/* Reads until `answer` has come, or, if that is empty, the end of file; nothing else may come. */
static void client_await(int fd, const char *answer)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    const char *wanted = *answer ? "answer" : "end of file";
    size_t size = strlen(answer), got = 0;
    ssize_t more = 1;
    while (more > 0 && (got < size || size == 0)) {
        if (poll(&readable, 1, deadline_left_ms(deadline)) != 1)
            errx(1, "a client waits in vain for its %s", wanted);
        more = recv(fd, input + got, sizeof(input) - got, 0);
        got += more > 0 ? (size_t)more : 0;
        if (got > size || memcmp(input, answer, got) != 0)
            errx(1, "a client that waits for its %s reads `%.*s`", wanted, first_line(input, got), input);
    }
    if (more < 0 || got < size)
        errx(1, "a client is cut: %s", more < 0 ? strerror(errno) : "end of file");
}

static void client_quit(int fd)
{
    static const char quit[] = "/quit\n";
    if (send(fd, quit, strlen(quit), MSG_NOSIGNAL) != (ssize_t)strlen(quit))
        err(1, "a client cannot quit");
}

pair_t *pair_new(unsigned number, size_t text_size)
{
    pair_t *self = calloc(1, sizeof(*self));
    assert(self);
    self->number = number;
    self->sender.fd = -1;
    self->reader.fd = -1;
    sender_init(&self->sender, number, text_size);
    reader_init(&self->reader, number, text_size);
    return self;
}

void pair_destroy(pair_t **self_p)
{
    pair_t *self = *self_p;
    if (!self)
        return;
    if (self->sender.fd >= 0)
        close(self->sender.fd);
    if (self->reader.fd >= 0)
        close(self->reader.fd);
    free(self->sender.output);
    free(self->reader.expected);
    free(self->reader.held);
    free(self);
    *self_p = NULL;
}

void pair_connect_sender(pair_t *self, const char *endpoint)
{
    self->sender.fd = client_connect(endpoint, 's', self->number);
}

void pair_connect_reader(pair_t *self, const char *endpoint)
{
    self->reader.fd = client_connect(endpoint, 'r', self->number);
}

void pair_await_login(pair_t *self)
{
    client_await(self->sender.fd, "ok ping in\n");
    client_await(self->reader.fd, "ok ping in\n");
}

/* `events` are the sender's: EPOLLOUT as long as it has something to write. */
static void watch(pair_t *self, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u32 = 2 * self->number};
    if (epoll_ctl(self->epoll_fd, operation, self->sender.fd, &event))
        err(1, "a sender cannot be watched");
}

void pair_watch(pair_t *self, int epoll_fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = 2 * self->number + 1};
    self->epoll_fd = epoll_fd;
    watch(self, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, self->reader.fd, &event))
        err(1, "a reader cannot be watched");
}

void pair_on_sender(pair_t *self, uint32_t events)
{
    sender_t *sender = &self->sender;
    if (events & ~(uint32_t)EPOLLOUT)
        sender_fail(sender);
    sender_write(sender);
    if (sender->at < sender->size)
        return;
    if (self->stopped)
        watch(self, EPOLL_CTL_MOD, EPOLLIN);
    else
        sender_make(sender);
}

unsigned pair_on_reader(pair_t *self)
{
    reader_t *reader = &self->reader;
    memcpy(input, reader->held, reader->held_size);
    ssize_t size = recv(reader->fd, input + reader->held_size, INPUT_SIZE, 0);
    if (size <= 0)
        errx(1, "a reader is cut: %s", size < 0 ? strerror(errno) : "end of file");
    return reader_take(reader, reader->held_size + (size_t)size);
}

void pair_stop(pair_t *self)
{
    sender_t *sender = &self->sender;
    size_t begun = (sender->at + sender->line_size - 1) / sender->line_size;
    sender->count -= sender->size / sender->line_size - begun;
    sender->size = begun * sender->line_size;
    self->stopped = true;
}

uint64_t pair_pending(const pair_t *self)
{
    return self->sender.count - self->reader.count;
}

void pair_quit(pair_t *self)
{
    client_quit(self->sender.fd);
    client_quit(self->reader.fd);
}

void pair_await_end(pair_t *self)
{
    client_await(self->sender.fd, "ok quit\n");
    client_await(self->reader.fd, "ok quit\n");
    client_await(self->sender.fd, "");
    client_await(self->reader.fd, "");
}
