/* SPDX-License-Identifier: MPL-2.0 */
/* bench_group: what a copy costs that one message to a group makes. MEMBERS clients at several gateways join a group;
 * another writes to it, and has at most a few messages under way. After the warm-up the copies that arrive in SECONDS
 * are counted, and the CPU time that each process took meanwhile. Every member must read every message, whole and in
 * order.
 *
 * Whatever else comes ends the program with 1 and the reason; wrong arguments end it with 2. One thread. */
#include <assert.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/cpu.h"
#include "lib/deadline.h"
#include "lib/stream_socket.h"

#define GROUP         "#all"
#define PORTS_MAX     8
#define PROCESSES_MAX 8
#define EVENTS_MAX    512
#define WARM_UP_MS    1000
#define UNDER_WAY     64 /* messages; the next begins when all have the one so far before */
#define DIGITS        8

static const char usage_text[] =
    "usage: bench_group PORT[,PORT...] MEMBERS BYTES SECONDS [PID...]\n"
    "\n"
    "Lets one client write messages of BYTES bytes to a group of MEMBERS, spread over the gateways at 127.0.0.1:PORT,\n"
    "and prints how many copies arrive in a second, and the CPU time in ns that each PID, and all together, took for "
    "one.\n";

typedef struct {
    int fd;
    size_t at;     /* bytes of the line that it reads now */
    uint64_t next; /* the number that this line must have */
    char digits[DIGITS + 1];
} member_t;

typedef struct {
    unsigned ports[PORTS_MAX], port_count;
    unsigned member_count, seconds;
    size_t text_size;
    int epoll_fd, writer;
    member_t *members;
    char *line, *message; /* as members read, and as the writer writes it */
    size_t line_size, message_size, line_number_at, message_number_at;
    uint64_t sent, copies; /* messages, and copies that were read */
} bench_t;

static int dial(unsigned port)
{
    char endpoint[64];
    snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%u", port);
    int fd = stream_socket_connect(endpoint, 0, 0);
    if (fd < 0 || stream_socket_wait(fd, deadline_in(DEADLINE_USUAL_MS)) != 0)
        errx(1, "%s does not answer", endpoint);
    return fd;
}

static void say(int fd, const char *text, size_t size)
{
    if (send(fd, text, size, MSG_NOSIGNAL) != (ssize_t)size)
        err(1, "a gateway takes no line");
}

/* The lines, with zeros for a number. */
static void make_lines(bench_t *self)
{
    size_t size = self->text_size + 64;
    self->line = malloc(size);
    self->message = malloc(size);
    assert(self->line && self->message);
    self->line_number_at = (size_t)snprintf(self->line, size, "from writer " GROUP ": ");
    self->message_number_at = (size_t)snprintf(self->message, size, GROUP ": ");
    self->line_size = self->line_number_at + self->text_size + 1;
    self->message_size = self->message_number_at + self->text_size + 1;
    memset(self->line + self->line_number_at, 'x', self->text_size);
    memset(self->message + self->message_number_at, 'x', self->text_size);
    self->line[self->line_size - 1] = self->message[self->message_size - 1] = '\n';
}

/* Reads until that line has come. */
static void await_line(int fd, const char *line)
{
    char text[256];
    size_t size = 0, wanted = strlen(line);
    for (deadline_t deadline = deadline_in(60000); size < wanted;) {
        ssize_t rc = recv(fd, text + size, wanted - size, 0);
        if (rc == 0 || deadline_passed(deadline))
            errx(1, "no %s came", line);
        if (rc > 0)
            size += (size_t)rc;
        else if (errno != EAGAIN)
            err(1, "a connection");
    }
    if (memcmp(text, line, wanted) != 0)
        errx(1, "`%.*s` came instead of %s", (int)size, text, line);
}

static void join_all(bench_t *self)
{
    char text[64];
    for (unsigned i = 0; i < self->member_count; i++) {
        self->members[i].fd = dial(self->ports[i % self->port_count]);
        say(self->members[i].fd, text, (size_t)snprintf(text, sizeof(text), "m%u\n/join " GROUP "\n", i));
        if (i % 100 == 99)
            await_line(self->members[i].fd, "ok join " GROUP "\n");
    }
    for (unsigned i = 0; i < self->member_count; i++) {
        if (i % 100 != 99)
            await_line(self->members[i].fd, "ok join " GROUP "\n");
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        if (epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, self->members[i].fd, &event) != 0)
            err(1, "epoll");
    }
    self->writer = dial(self->ports[0]);
    say(self->writer, "writer\n/ping in\n", 16);
    await_line(self->writer, "ok ping in\n");
}

/* A byte of a member's stream at its place in the line. */
static void check(bench_t *self, member_t *member, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t digit = member->at - self->line_number_at;
        if (member->at >= self->line_number_at && digit < DIGITS) {
            member->digits[digit] = bytes[i++];
            if (++member->at == self->line_number_at + DIGITS && strtoull(member->digits, NULL, 10) != member->next)
                errx(1, "message %s came instead of %" PRIu64, member->digits, member->next);
            continue;
        }
        size_t end = member->at < self->line_number_at ? self->line_number_at : self->line_size;
        size_t part = end - member->at < size - i ? end - member->at : size - i;
        if (memcmp(bytes + i, self->line + member->at, part) != 0)
            errx(1, "a member reads `%.*s`", (int)part, bytes + i);
        member->at += part;
        i += part;
        if (member->at == self->line_size) {
            member->at = 0;
            member->next++;
            self->copies++;
        }
    }
}

static void read_member(bench_t *self, member_t *member)
{
    static char bytes[65536];
    ssize_t size = recv(member->fd, bytes, sizeof(bytes), 0);
    if (size == 0)
        errx(1, "the gateway closed a connection");
    if (size > 0)
        check(self, member, bytes, (size_t)size);
    else if (errno != EAGAIN)
        err(1, "a connection");
}

static void turn(bench_t *self, bool writes)
{
    struct epoll_event events[EVENTS_MAX];
    char digits[DIGITS + 1];
    while (writes && self->sent * self->member_count < self->copies + (uint64_t)UNDER_WAY * self->member_count) {
        snprintf(digits, sizeof(digits), "%0*" PRIu64, DIGITS, self->sent++ % 100000000);
        memcpy(self->message + self->message_number_at, digits, DIGITS);
        say(self->writer, self->message, self->message_size);
    }
    int count = epoll_wait(self->epoll_fd, events, EVENTS_MAX, 100);
    for (int i = 0; i < count; i++)
        read_member(self, &self->members[events[i].data.u32]);
}

static void run_until(bench_t *self, int64_t until_ms)
{
    while (deadline_now_ms() < until_ms)
        turn(self, true);
}

static unsigned number_of(const char *text, unsigned min, unsigned max, const char *what)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (end == text || (*end && *end != ',') || number < min || number > max)
        errx(2, "%s is a number from %u to %u, and not `%s`", what, min, max, text);
    return (unsigned)number;
}

static void bench_init(bench_t *self, char **argv)
{
    for (const char *at = argv[1]; at && self->port_count < PORTS_MAX;
         at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        self->ports[self->port_count++] = number_of(at, 1, 65535, "PORT");
    self->member_count = number_of(argv[2], 1, 19000, "MEMBERS");
    self->text_size = number_of(argv[3], DIGITS, 60000, "BYTES");
    self->seconds = number_of(argv[4], 1, 600, "SECONDS");
    self->members = calloc(self->member_count, sizeof(*self->members));
    self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    assert(self->members && self->epoll_fd >= 0);
    make_lines(self);
    join_all(self);
}

int main(int argc, char **argv)
{
    bench_t self = {0};
    if (argc < 5 || argc > 5 + PROCESSES_MAX) {
        fputs(usage_text, stderr);
        return 2;
    }
    bench_init(&self, argv);
    run_until(&self, deadline_now_ms() + WARM_UP_MS);
    uint64_t cpu[PROCESSES_MAX], copies = self.copies, together = 0;
    int64_t began_ms = deadline_now_ms();
    for (int i = 5; i < argc; i++)
        cpu[i - 5] = cpu_ns_of_process(argv[i]);
    run_until(&self, began_ms + 1000 * (int64_t)self.seconds);
    copies = self.copies - copies;
    printf("members=%u bytes=%zu copies_per_s=%" PRIu64, self.member_count, self.text_size,
        copies * 1000 / (uint64_t)(deadline_now_ms() - began_ms));
    for (int i = 5; i < argc; i++) {
        uint64_t used = cpu_ns_of_process(argv[i]) - cpu[i - 5];
        printf(" cpu_ns_%s=%" PRIu64, argv[i], used / copies);
        together += used;
    }
    printf(" cpu_ns=%" PRIu64 "\n", together / copies);
    for (deadline_t deadline = deadline_in(30000); self.copies < self.sent * self.member_count; turn(&self, false))
        if (deadline_passed(deadline))
            errx(1, "%" PRIu64 " copies did not arrive", self.sent * self.member_count - self.copies);
    return 0;
}
