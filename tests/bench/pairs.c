/* SPDX-License-Identifier: MPL-2.0 */
/* bench_pairs: what a message costs the processes that carry it. PAIRS pairs of clients log in at one gateway. After
 * the warm-up the messages that arrive in SECONDS are counted, and so is the CPU time that each process took meanwhile.
 * Then the senders stop, everything arrives, and all say /quit, so that their names are free for a following run.
 *
 * Whatever a pair objects to ends the program with 1 and the reason, as does a process that is not there; wrong
 * arguments end it with 2. One thread owns everything. */
#include <assert.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/cpu.h"
#include "bench/pair.h"
#include "lib/deadline.h"

#define PAIRS_MAX     10000
#define SECONDS_MAX   600
#define PROCESSES_MAX 8
#define EVENTS_MAX    256
#define TURN_MS       100 /* the longest turn */
#define WARM_UP_MS    1000
#define ARRIVAL_MS    30000 /* within which everything must arrive after a stop */

static const char usage_text[] =
    "usage: bench_pairs PORT PAIRS BYTES SECONDS [PID...]\n"
    "\n"
    "Lets PAIRS senders write messages of BYTES bytes to a reader each, through the gateway at 127.0.0.1:PORT, and "
    "prints\n"
    "how many arrive in a second, and the CPU time in ns that each PID, and all together, took for one.\n";

typedef struct {
    char endpoint[64];
    unsigned pair_count;
    size_t text_size;
    unsigned seconds;
    unsigned process_count;
    const char *pids[PROCESSES_MAX]; /* borrowed from the command line */
} arguments_t;

typedef struct {
    pair_t **pairs;
    unsigned pair_count;
    int epoll_fd;
    uint64_t received; /* messages, by all readers */
} load_t;

/* What has been used up at a moment, to be subtracted from a later one. */
typedef struct {
    int64_t at_ms;
    uint64_t received;
    uint64_t cpu_ns[PROCESSES_MAX];
} sample_t;

/* A number in these bounds, or the end of the program. */
static unsigned argument_number(const char *text, unsigned min, unsigned max, const char *what)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (errno || *end || end == text || number < min || number > max)
        errx(2, "%s is a number from %u to %u, and not `%s`", what, min, max, text);
    return (unsigned)number;
}

static void arguments_read(arguments_t *self, int argc, char **argv)
{
    if (argc < 5 || argc > 5 + PROCESSES_MAX) {
        fputs(usage_text, stderr);
        exit(2);
    }
    unsigned port = argument_number(argv[1], 1, 65535, "PORT");
    snprintf(self->endpoint, sizeof(self->endpoint), "tcp://127.0.0.1:%u", port);
    self->pair_count = argument_number(argv[2], 1, PAIRS_MAX, "PAIRS");
    self->text_size = argument_number(argv[3], PAIR_TEXT_MIN, PAIR_TEXT_MAX, "BYTES");
    self->seconds = argument_number(argv[4], 1, SECONDS_MAX, "SECONDS");
    for (int i = 5; i < argc; i++)
        self->pids[self->process_count++] = argv[i];
}

static sample_t sample_take(const load_t *load, const arguments_t *arguments)
{
    sample_t self = {.at_ms = deadline_now_ms(), .received = load->received};
    for (unsigned i = 0; i < arguments->process_count; i++)
        self.cpu_ns[i] = cpu_ns_of_process(arguments->pids[i]);
    return self;
}

/* Prints one line: key=value, as ferryd's log. */
static void sample_report(const sample_t *from, const sample_t *to, const arguments_t *arguments)
{
    uint64_t count = to->received - from->received, together_ns = 0;
    if (count == 0)
        errx(1, "nothing arrived");
    printf("pairs=%u bytes=%zu messages_per_s=%" PRIu64, arguments->pair_count, arguments->text_size,
        count * 1000 / (uint64_t)(to->at_ms - from->at_ms));
    for (unsigned i = 0; i < arguments->process_count; i++) {
        uint64_t cpu_ns = to->cpu_ns[i] - from->cpu_ns[i];
        printf(" cpu_ns_%s=%" PRIu64, arguments->pids[i], cpu_ns / count);
        together_ns += cpu_ns;
    }
    printf(" cpu_ns=%" PRIu64 "\n", together_ns / count);
}

/* Connects all, and waits until all are logged in. The readers come behind the senders: a gateway gives each connection
 * to the worker with the fewest, and in turns one worker would get all senders and the other all readers. */
static void load_init(load_t *self, const arguments_t *arguments)
{
    *self = (load_t){.pair_count = arguments->pair_count, .epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    self->pairs = calloc(self->pair_count, sizeof(*self->pairs));
    assert(self->epoll_fd >= 0 && self->pairs);
    for (unsigned i = 0; i < self->pair_count; i++) {
        self->pairs[i] = pair_new(i, arguments->text_size);
        pair_connect_sender(self->pairs[i], arguments->endpoint);
    }
    for (unsigned i = 0; i < self->pair_count; i++)
        pair_connect_reader(self->pairs[i], arguments->endpoint);
    for (unsigned i = 0; i < self->pair_count; i++)
        pair_await_login(self->pairs[i]);
    for (unsigned i = 0; i < self->pair_count; i++)
        pair_watch(self->pairs[i], self->epoll_fd);
}

/* Waits for sockets that are ready, and serves each. */
static void load_turn(load_t *self)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(self->epoll_fd, events, EVENTS_MAX, TURN_MS);
    for (int i = 0; i < count; i++) {
        pair_t *pair = self->pairs[events[i].data.u32 / 2];
        if (events[i].data.u32 % 2)
            self->received += pair_on_reader(pair);
        else
            pair_on_sender(pair, events[i].events);
    }
}

static void load_run(load_t *self, unsigned time_ms)
{
    int64_t end_ms = deadline_now_ms() + time_ms;
    while (deadline_now_ms() < end_ms)
        load_turn(self);
}

static uint64_t load_pending(const load_t *self)
{
    uint64_t pending = 0;
    for (unsigned i = 0; i < self->pair_count; i++)
        pending += pair_pending(self->pairs[i]);
    return pending;
}

/* Lets everything arrive that is under way, and logs everybody out. */
static void load_fini(load_t *self)
{
    deadline_t deadline = deadline_in(ARRIVAL_MS);
    for (unsigned i = 0; i < self->pair_count; i++)
        pair_stop(self->pairs[i]);
    while (load_pending(self) > 0 && !deadline_passed(deadline))
        load_turn(self);
    if (load_pending(self) > 0)
        errx(1, "%" PRIu64 " messages never arrived", load_pending(self));
    for (unsigned i = 0; i < self->pair_count; i++)
        pair_quit(self->pairs[i]);
    for (unsigned i = 0; i < self->pair_count; i++) {
        pair_await_end(self->pairs[i]);
        pair_destroy(&self->pairs[i]);
    }
    free(self->pairs);
    close(self->epoll_fd);
}

int main(int argc, char **argv)
{
    arguments_t arguments = {0};
    load_t load;
    arguments_read(&arguments, argc, argv);
    load_init(&load, &arguments);
    load_run(&load, WARM_UP_MS);
    sample_t from = sample_take(&load, &arguments);
    load_run(&load, arguments.seconds * 1000);
    sample_t to = sample_take(&load, &arguments);
    load_fini(&load);
    sample_report(&from, &to, &arguments);
    return 0;
}
