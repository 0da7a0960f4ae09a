/* SPDX-License-Identifier: MPL-2.0 */
/* crowd_member: connects, says its name and a /ping, whose answer is the login; then writes its messages, all of one
 * size, so that bytes written tell how many are complete, and takes account of each line that it reads. What it cannot
 * explain is counted as corrupt; a login that fails for good fails the test. */
#include "lib/crowd_member.h"

#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/crowd_line.h"
#include "lib/stream_socket.h"
#include "lib/test.h"

#define OUTPUT_SIZE    32768 /* bytes of messages that are made at once */
#define AWAY_MS        20    /* before the next attempt to connect, doubled with each that fails */
#define AWAY_DOUBLINGS 4

void member_init(member_t *self, crowd_ground_t *ground, unsigned number, const crowd_member_t *description)
{
    *self = (member_t){.ground = ground, .number = number, .description = *description, .fd = -1, .ghost_fd = -1};
    self->limit = description->line_count;
    if (self->description.text_size < MEMBER_NUMBER_SIZE)
        self->description.text_size = MEMBER_NUMBER_SIZE;
}

static void disconnect(member_t *self)
{
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
    self->events = 0;
    line_buffer_fini(&self->input);
}

static void close_with_reset(int *fd)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (*fd < 0)
        return;
    setsockopt(*fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(*fd);
    *fd = -1;
}

void member_fini(member_t *self)
{
    disconnect(self);
    close_with_reset(&self->ghost_fd);
    free(self->line);
    free(self->output);
}

/* How many messages are completely written on this connection. */
static uint64_t written_lines(const member_t *self)
{
    return self->line_size ? self->written / self->line_size : 0;
}

uint64_t member_sent(const member_t *self)
{
    return self->sent + written_lines(self);
}

uint64_t member_accepted(const member_t *self)
{
    return self->base + written_lines(self);
}

bool member_is_done(const member_t *self)
{
    return self->state == MEMBER_GONE || (self->limit != CROWD_ENDLESS && member_accepted(self) >= self->limit);
}

void member_complain(member_t *self, const char *what, const char *line)
{
    crowd_ground_t *ground = self->ground;
    if (ground->totals.corrupt++ == 0)
        snprintf(
            ground->complaint, sizeof(ground->complaint), "%s-%u: %s `%s`", ground->prefix, self->number, what, line);
}

/* Starts the account of a connection anew; what was accepted on this one is known now. */
static void settle(member_t *self)
{
    uint64_t lines = written_lines(self);
    if (self->told && self->told_lines - self->greeting_lines > lines)
        member_complain(self, "more was accepted than was written", "info accepted");
    self->sent += lines;
    self->base += self->told ? self->told_lines - self->greeting_lines : lines;
    self->written = 0;
    self->output_at = 0;
    self->output_size = 0;
}

static void go_away(member_t *self, int64_t now_ms)
{
    disconnect(self);
    settle(self);
    bool returns = self->description.returns && !self->closing;
    self->state = returns ? MEMBER_AWAY : MEMBER_GONE;
    self->away_until_ms = now_ms + (AWAY_MS << self->attempts);
}

/* The connection was lost, and nobody told how much was accepted on it. */
static void doubt(member_t *self)
{
    for (unsigned i = 0; i < self->recipient_count; i++)
        account_doubt(self->ground->account, self->number, self->recipients[i], member_accepted(self));
}

/* A connection that never became a login. */
void member_fail_login(member_t *self, const char *why, int64_t now_ms)
{
    if (!self->description.returns)
        fail_msg("%s-%u cannot log in: %s", self->ground->prefix, self->number, why);
    self->ground->totals.refusals++;
    self->attempts += self->attempts < AWAY_DOUBLINGS;
    go_away(self, now_ms);
}

static void on_end(member_t *self, int error, int64_t now_ms)
{
    crowd_totals_t *totals = &self->ground->totals;
    if (!error && !self->lags && !self->ground->wary && line_buffer_rest(&self->input) > 0)
        member_complain(self, "an end in the middle of a line", "");
    if (error)
        totals->resets++;
    if (self->state == MEMBER_GREETING) {
        member_fail_login(self, error ? strerror(error) : "end of file", now_ms);
        return;
    }
    if (!error) {
        totals->eofs++;
        totals->untold += !self->told && !self->shut;
    }
    self->cuts += !self->shut;
    if (!self->told && (error || !self->shut || self->ground->wary))
        doubt(self);
    go_away(self, now_ms);
}

void member_connect(member_t *self, int64_t now_ms)
{
    const crowd_member_t *description = &self->description;
    int fd = stream_socket_connect(description->endpoint, description->receive_buffer, description->send_buffer);
    if (fd < 0) {
        member_fail_login(self, strerror(-fd), now_ms);
        return;
    }
    self->fd = fd;
    self->error = 0;
    self->told = false;
    self->shut = false;
    self->state = MEMBER_CONNECTING;
    member_update(self, now_ms);
}

static bool is_in_group_of(const member_t *self, const member_t *other)
{
    for (unsigned i = 0; other->gathers && i < other->recipient_count; i++)
        if (other->recipients[i] == self->number)
            return true;
    return false;
}

/* Its name, and what is to be answered before it is in. Returns the bytes. */
static size_t make_greeting(member_t *self, char *greeting, size_t size)
{
    const crowd_ground_t *ground = self->ground;
    size_t used = (size_t)snprintf(greeting, size, "%s-%u\n", ground->prefix, self->number);
    self->greeting_lines = 1;
    for (unsigned i = 0; i < ground->member_count; i++) {
        if (!is_in_group_of(self, &ground->members[i]))
            continue;
        used += (size_t)snprintf(greeting + used, size - used, "/join #%s-%u\n", ground->prefix, i);
        self->greeting_lines++;
    }
    used += (size_t)snprintf(greeting + used, size - used, "/ping in\n");
    assert(used < size);
    self->greetings = self->greeting_lines;
    return used;
}

static void on_connected(member_t *self, int64_t now_ms)
{
    char greeting[4096];
    size_t size = make_greeting(self, greeting, sizeof(greeting));
    int failed = stream_socket_wait(self->fd, deadline_in(0));
    if (!failed && send(self->fd, greeting, size, MSG_NOSIGNAL) != (ssize_t)size)
        failed = -errno;
    if (failed) {
        member_fail_login(self, strerror(-failed), now_ms);
        return;
    }
    self->state = MEMBER_GREETING;
}

void member_on_greeting(member_t *self, int64_t now_ms)
{
    if (--self->greetings > 0)
        return;
    self->state = MEMBER_IN;
    self->attempts = 0;
    self->lags = self->description.read_rate != PACE_FREE;
    close_with_reset(&self->ghost_fd);
    if (self->heard_ms == 0)
        self->heard_ms = now_ms;
    pace_init(&self->read_pace, self->description.read_rate, now_ms);
    pace_init(&self->write_pace, self->description.write_rate, now_ms);
}

void member_hear(member_t *self, int64_t now_ms)
{
    if (now_ms - self->heard_ms > self->pause_ms)
        self->pause_ms = now_ms - self->heard_ms;
    self->heard_ms = now_ms;
    self->heard++;
}

static uint32_t read_allowance(member_t *self, int64_t now_ms)
{
    if (self->state == MEMBER_GREETING)
        return MEMBER_READ_SIZE;
    return self->state == MEMBER_IN ? pace_allowance(&self->read_pace, now_ms) : 0;
}

/* One call of recv(2) and all lines that it completes. False if there was nothing. */
static bool receive(member_t *self, uint32_t allowance, int64_t now_ms)
{
    ssize_t size =
        recv(self->fd, self->ground->scratch, allowance < MEMBER_READ_SIZE ? allowance : MEMBER_READ_SIZE, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (size <= 0) {
        on_end(self, size < 0 ? errno : self->error, now_ms);
        return false;
    }
    if (self->state == MEMBER_IN)
        pace_spend(&self->read_pace, (uint64_t)size);
    memcpy(line_buffer_room(&self->input, (size_t)size), self->ground->scratch, (size_t)size);
    line_buffer_add(&self->input, (size_t)size);
    for (const char *line; self->fd >= 0 && (line = line_buffer_next(&self->input, NULL)) != NULL;)
        member_on_line(self, line, now_ms);
    if (line_buffer_rest(&self->input) == 0)
        line_buffer_fini(&self->input);
    return true;
}

static void read_some(member_t *self, int64_t now_ms)
{
    uint32_t allowance = read_allowance(self, now_ms);
    if (allowance > 0)
        receive(self, allowance, now_ms);
}

/* Puts together what every message of the member looks like. */
static void make_line(member_t *self)
{
    size_t size = self->recipient_count * (strlen(self->ground->prefix) + 14) + self->description.text_size + 4;
    self->line = malloc(size);
    self->output = malloc(OUTPUT_SIZE);
    assert(self->line && self->output);
    char *to = self->line;
    if (self->gathers)
        to += sprintf(to, "#%s-%u", self->ground->prefix, self->number);
    for (unsigned i = 0; !self->gathers && i < self->recipient_count; i++)
        to += sprintf(to, "%s%s-%u", i ? ", " : "", self->ground->prefix, self->recipients[i]);
    to += sprintf(to, ": ");
    self->number_at = (size_t)(to - self->line);
    memset(to, 'a' + (int)(self->number % 26), self->description.text_size);
    to[self->description.text_size] = '\n';
    self->line_size = self->number_at + self->description.text_size + 1;
    assert(self->line_size <= OUTPUT_SIZE);
}

static void write_number(char *to, uint64_t number)
{
    for (int i = MEMBER_NUMBER_SIZE - 1; i >= 0; i--) {
        to[i] = (char)('0' + number % 10);
        number /= 10;
    }
}

/* Makes the next messages when all that were made are sent. */
static void make_output(member_t *self)
{
    if (!self->line)
        make_line(self);
    self->output_at = 0;
    self->output_size = 0;
    uint64_t number = self->base + written_lines(self);
    while (number < self->limit && self->output_size + self->line_size <= OUTPUT_SIZE) {
        write_number(self->line + self->number_at, ++number);
        memcpy(self->output + self->output_size, self->line, self->line_size);
        self->output_size += self->line_size;
    }
}

static bool wants_to_write(const member_t *self)
{
    if (self->state != MEMBER_IN || self->error || self->shut || !self->ground->sending)
        return false;
    return self->output_at < self->output_size || (self->recipient_count > 0 && member_accepted(self) < self->limit);
}

/* At least the rest of a line, unless the pace is too slow for one. */
static uint32_t write_allowance(member_t *self, int64_t now_ms)
{
    uint32_t allowance = pace_allowance(&self->write_pace, now_ms);
    size_t rest = self->line_size ? self->line_size - self->written % self->line_size : 0;
    return allowance < rest && rest <= pace_size(&self->write_pace) ? 0 : allowance;
}

/* One call of send(2). */
static void write_some(member_t *self, int64_t now_ms)
{
    uint32_t allowance = write_allowance(self, now_ms);
    if (!wants_to_write(self) || allowance == 0)
        return;
    if (self->output_at == self->output_size)
        make_output(self);
    size_t size = self->output_size - self->output_at;
    ssize_t sent = send(self->fd, self->output + self->output_at, size < allowance ? size : allowance, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        self->error = errno;
    if (sent <= 0)
        return;
    pace_spend(&self->write_pace, (uint64_t)sent);
    self->output_at += (size_t)sent;
    self->written += (size_t)sent;
}

void member_on_ready(member_t *self, uint32_t events, int64_t now_ms)
{
    if (self->state == MEMBER_CONNECTING) {
        on_connected(self, now_ms);
    } else {
        if (events & EPOLLOUT)
            write_some(self, now_ms);
        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            read_some(self, now_ms);
    }
    member_update(self, now_ms);
}

static uint32_t wanted_events(member_t *self, int64_t now_ms)
{
    if (self->state == MEMBER_CONNECTING)
        return EPOLLOUT;
    uint32_t events = read_allowance(self, now_ms) > 0 ? EPOLLIN : 0;
    if (wants_to_write(self) && write_allowance(self, now_ms) > 0)
        events |= EPOLLOUT;
    return events;
}

static void shut_if_done(member_t *self)
{
    if (!self->closing || self->shut || self->state != MEMBER_IN || wants_to_write(self))
        return;
    self->shut = true;
    shutdown(self->fd, SHUT_WR);
}

/* N.B. a socket that nothing is wanted of leaves the set: its EPOLLHUP could not be kept out otherwise, and the loop
 * would spin. */
void member_update(member_t *self, int64_t now_ms)
{
    shut_if_done(self);
    uint32_t wanted = self->fd >= 0 ? wanted_events(self, now_ms) : 0;
    if (self->fd < 0 || wanted == self->events)
        return;
    struct epoll_event event = {.events = wanted, .data.ptr = self};
    int operation = wanted == 0 ? EPOLL_CTL_DEL : self->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    int failed = epoll_ctl(self->ground->epoll_fd, operation, self->fd, &event);
    assert(!failed);
    self->events = wanted;
}

void member_stop(member_t *self)
{
    if (!self->line)
        return;
    uint64_t begun = self->written % self->line_size;
    self->limit = self->base + written_lines(self) + (begun > 0);
    self->output_size = self->output_at + (begun > 0 ? self->line_size - begun : 0);
}

void member_half_close(member_t *self, int64_t now_ms)
{
    member_stop(self);
    self->closing = true;
    if (self->state == MEMBER_AWAY)
        self->state = MEMBER_GONE;
    member_update(self, now_ms);
}

/* From now on the kernel drops what comes for the member before it acknowledges it, as if the cable were cut. */
static void cut_cable(const member_t *self)
{
    struct sock_filter none = {.code = BPF_RET | BPF_K, .k = 0};
    struct sock_fprog program = {.len = 1, .filter = &none};
    int failed = setsockopt(self->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
    assert(!failed);
}

void member_vanish(member_t *self, bool silently, int64_t now_ms)
{
    if (!silently)
        close_with_reset(&self->ghost_fd);
    if (self->state != MEMBER_IN || self->closing)
        return;
    cut_cable(self);
    while (self->fd >= 0 && receive(self, MEMBER_READ_SIZE, now_ms))
        ;
    if (self->fd < 0)
        return;
    if (self->events)
        epoll_ctl(self->ground->epoll_fd, EPOLL_CTL_DEL, self->fd, NULL);
    close_with_reset(&self->ghost_fd);
    self->ghost_fd = self->fd;
    self->fd = -1;
    if (!silently)
        close_with_reset(&self->ghost_fd);
    go_away(self, now_ms);
    doubt(self);
}

void member_return(member_t *self)
{
    assert(self->state == MEMBER_GONE);
    self->state = MEMBER_AWAY;
    self->closing = false;
    self->limit = self->description.line_count;
}
