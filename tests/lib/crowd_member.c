/* SPDX-License-Identifier: MPL-2.0 */
/* crowd_member: connects, says its name and a /ping, whose answer is the login; then writes its messages, all of one
 * size, so that bytes written tell how many are complete, and takes account of each line that it reads. What it cannot
 * explain is counted as corrupt; a login that fails for good fails the test. */
#include "lib/crowd_member.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/stream_socket.h"
#include "lib/test.h"

#define NUMBER_SIZE    10    /* digits of a message's number */
#define OUTPUT_SIZE    32768 /* bytes of messages that are made at once */
#define AWAY_MS        20    /* between two attempts to connect */
#define GREETING_LINES 1     /* the /ping: the only line besides messages that counts */

void member_init(member_t *self, crowd_ground_t *ground, unsigned number, const crowd_member_t *description)
{
    *self = (member_t){.ground = ground, .number = number, .description = *description, .fd = -1};
    self->limit = description->line_count;
    if (self->description.text_size < NUMBER_SIZE)
        self->description.text_size = NUMBER_SIZE;
}

static void disconnect(member_t *self)
{
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
    self->events = 0;
    line_buffer_fini(&self->input);
}

void member_fini(member_t *self)
{
    disconnect(self);
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

static void complain(member_t *self, const char *what, const char *line)
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
    if (self->told && self->told_lines - GREETING_LINES > lines)
        complain(self, "more was accepted than was written", "info accepted");
    self->sent += lines;
    self->base += self->told ? self->told_lines - GREETING_LINES : lines;
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
    self->away_until_ms = now_ms + AWAY_MS;
}

/* A connection that never became a login. */
static void fail_login(member_t *self, const char *why, int64_t now_ms)
{
    if (!self->description.returns)
        fail_msg("%s-%u cannot log in: %s", self->ground->prefix, self->number, why);
    self->ground->totals.refusals++;
    go_away(self, now_ms);
}

static void on_end(member_t *self, int error, int64_t now_ms)
{
    crowd_totals_t *totals = &self->ground->totals;
    if (!error && line_buffer_rest(&self->input) > 0)
        complain(self, "an end in the middle of a line", "");
    if (error)
        totals->resets++;
    if (self->state == MEMBER_GREETING) {
        fail_login(self, error ? strerror(error) : "end of file", now_ms);
        return;
    }
    if (!error) {
        totals->eofs++;
        totals->untold += !self->told && !self->shut;
    }
    go_away(self, now_ms);
}

void member_connect(member_t *self, int64_t now_ms)
{
    const crowd_member_t *description = &self->description;
    int fd = stream_socket_connect(description->endpoint, description->receive_buffer, description->send_buffer);
    if (fd < 0) {
        fail_login(self, strerror(-fd), now_ms);
        return;
    }
    self->fd = fd;
    self->error = 0;
    self->told = false;
    self->shut = false;
    self->state = MEMBER_CONNECTING;
    member_update(self, now_ms);
}

static void on_connected(member_t *self, int64_t now_ms)
{
    char greeting[128];
    int size = snprintf(greeting, sizeof(greeting), "%s-%u\n/ping in\n", self->ground->prefix, self->number);
    int failed = stream_socket_wait(self->fd, deadline_in(0));
    if (!failed && send(self->fd, greeting, (size_t)size, MSG_NOSIGNAL) != size)
        failed = -errno;
    if (failed) {
        fail_login(self, strerror(-failed), now_ms);
        return;
    }
    self->state = MEMBER_GREETING;
}

static void on_login(member_t *self, int64_t now_ms)
{
    self->state = MEMBER_IN;
    pace_init(&self->read_pace, self->description.read_rate, now_ms);
    pace_init(&self->write_pace, self->description.write_rate, now_ms);
}

/* The number of the member that is called `name`, which ends at *end then; -1 if none is. */
static int find_member(const crowd_ground_t *ground, const char *name, char **end)
{
    size_t size = strlen(ground->prefix);
    if (strncmp(name, ground->prefix, size) != 0 || name[size] != '-')
        return -1;
    unsigned long number = strtoul(name + size + 1, end, 10);
    return number < ground->member_count ? (int)number : -1;
}

/* `line` is "from NAME: NUMBER…", and the text must be what that member writes. */
static void on_message(member_t *self, const char *line)
{
    const crowd_ground_t *ground = self->ground;
    char *text = NULL;
    int from = find_member(ground, line + strlen("from "), &text);
    if (from < 0 || strncmp(text, ": ", 2) != 0 || !ground->members[from].line) {
        complain(self, "nobody sends", line);
        return;
    }
    const member_t *sender = &ground->members[from];
    size_t size = sender->description.text_size;
    text += 2;
    if (strlen(text) != size ||
        memcmp(text + NUMBER_SIZE, sender->line + sender->number_at + NUMBER_SIZE, size - NUMBER_SIZE) != 0) {
        complain(self, "a changed text:", line);
        return;
    }
    char digits[NUMBER_SIZE + 1];
    snprintf(digits, sizeof(digits), "%s", text);
    if (!account_receive(ground->account, (unsigned)from, self->number, strtoull(digits, NULL, 10)))
        complain(self, "somebody else's:", line);
}

static void on_error(member_t *self, const char *line, int64_t now_ms)
{
    static const struct {
        const char *prefix;
        account_end_t how;
    } ends[] = {{"error no-such-peer ", ACCOUNT_REFUSED}, {"error undelivered ", ACCOUNT_RETURNED},
        {"error unconfirmed ", ACCOUNT_UNCONFIRMED}};
    if (self->state == MEMBER_GREETING) {
        fail_login(self, line, now_ms);
        return;
    }
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t size = strlen(ends[i].prefix);
        char *end = NULL;
        int to = strncmp(line, ends[i].prefix, size) == 0 ? find_member(self->ground, line + size, &end) : -1;
        if (to >= 0 && account_end(self->ground->account, self->number, (unsigned)to, ends[i].how))
            return;
    }
    complain(self, "an unexpected", line);
}

static void on_info(member_t *self, const char *line)
{
    static const char accepted[] = "info accepted ";
    if (strncmp(line, accepted, sizeof(accepted) - 1) == 0) {
        self->told = true;
        self->told_lines = strtoull(line + sizeof(accepted) - 1, NULL, 10);
        self->ground->totals.told++;
        if (self->told_lines < GREETING_LINES)
            complain(self, "less than the /ping:", line);
    } else if (strcmp(line, "info draining") == 0) {
        self->ground->totals.draining++;
    }
}

static void on_line(member_t *self, const char *line, int64_t now_ms)
{
    if (self->told)
        complain(self, "after the last line:", line);
    if (strncmp(line, "from ", 5) == 0)
        on_message(self, line);
    else if (strncmp(line, "error ", 6) == 0)
        on_error(self, line, now_ms);
    else if (strncmp(line, "info ", 5) == 0)
        on_info(self, line);
    else if (self->state == MEMBER_GREETING && strcmp(line, "ok ping in") == 0)
        on_login(self, now_ms);
    else
        complain(self, "an unknown line", line);
}

static uint32_t read_allowance(member_t *self, int64_t now_ms)
{
    if (self->state == MEMBER_GREETING)
        return MEMBER_READ_SIZE;
    return self->state == MEMBER_IN ? pace_allowance(&self->read_pace, now_ms) : 0;
}

/* One call of recv(2) and all lines that it completes. */
static void read_some(member_t *self, int64_t now_ms)
{
    uint32_t allowance = read_allowance(self, now_ms);
    if (allowance == 0)
        return;
    ssize_t size =
        recv(self->fd, self->ground->scratch, allowance < MEMBER_READ_SIZE ? allowance : MEMBER_READ_SIZE, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        on_end(self, size < 0 ? errno : self->error, now_ms);
        return;
    }
    if (self->state == MEMBER_IN)
        pace_spend(&self->read_pace, (uint64_t)size);
    memcpy(line_buffer_room(&self->input, (size_t)size), self->ground->scratch, (size_t)size);
    line_buffer_add(&self->input, (size_t)size);
    for (const char *line; self->fd >= 0 && (line = line_buffer_next(&self->input, NULL)) != NULL;)
        on_line(self, line, now_ms);
    if (line_buffer_rest(&self->input) == 0)
        line_buffer_fini(&self->input);
}

/* Puts together what every message of the member looks like. */
static void make_line(member_t *self)
{
    size_t size = self->recipient_count * (strlen(self->ground->prefix) + 14) + self->description.text_size + 4;
    self->line = malloc(size);
    self->output = malloc(OUTPUT_SIZE);
    assert(self->line && self->output);
    char *to = self->line;
    for (unsigned i = 0; i < self->recipient_count; i++)
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
    for (int i = NUMBER_SIZE - 1; i >= 0; i--) {
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

/* One call of send(2). */
static void write_some(member_t *self, int64_t now_ms)
{
    uint32_t allowance = pace_allowance(&self->write_pace, now_ms);
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
    if (wants_to_write(self) && pace_allowance(&self->write_pace, now_ms) > 0)
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

void member_return(member_t *self)
{
    assert(self->state == MEMBER_GONE);
    self->state = MEMBER_AWAY;
    self->closing = false;
    self->limit = self->description.line_count;
}
