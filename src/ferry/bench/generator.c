/* SPDX-License-Identifier: MPL-2.0 */
/* generator: one loop that waits for sockets and for the board, serves them, and looks whether the phase is done. */
#include "ferry/bench/generator.h"

#include <czmq.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "ferry/bench/generator_internal.h"

enum {
    EVENTS_MAX = 256,
    LOGINS_AT_ONCE = 64, /* as many clients of a process log in at a time; what a listening socket surely holds */
    OUTPUT_SIZE = 65536, /* bytes of messages that a client makes at once, */
    OUTPUT_TOTAL = 1024 * OUTPUT_SIZE, /* unless there are more clients than this is enough for */
};

#define WAKE_PLACE UINT32_MAX /* stands for wake_fd among the events */

void generator_fail(generator_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(self->tally->complaint, sizeof self->tally->complaint, format, args);
    va_end(args);
    _exit(EXIT_FAILURE);
}

void generator_look_at_clock(generator_t *self)
{
    int64_t now = board_now_ns() - self->board->begin_ns;
    self->now_ns = now > 0 ? (uint64_t)now : 0;
}

static void epoll_open(generator_t *self)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = WAKE_PLACE};
    self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (self->epoll_fd < 0 || epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, self->options.wake_fd, &event))
        abort();
}

static void clients_make(generator_t *self)
{
    const plan_t *plan = self->plan;
    self->place_of = zmalloc(plan->client_count * sizeof *self->place_of);
    for (unsigned i = 0; i < plan->client_count; i++)
        self->place_of[i] = plan_process_of(plan, i) == self->options.process ? self->client_count++ : PLAN_NO_CLIENT;
    self->clients = zmalloc((self->client_count + 1) * sizeof *self->clients);
    self->ready = zmalloc((self->client_count + 1) * sizeof *self->ready);
    for (unsigned i = 0; i < plan->client_count; i++)
        if (self->place_of[i] != PLAN_NO_CLIENT)
            bench_client_init(self, &self->clients[self->place_of[i]], i);
    while (self->sender_count < self->client_count && self->clients[self->sender_count].index < plan->sender_count)
        self->sender_count++;
}

static void generator_init(generator_t *self, const generator_options_t *options)
{
    *self = (generator_t){.options = *options, .plan = options->plan, .board = options->board};
    self->tally = &self->board->tallies[options->process];
    self->input = zmalloc(HELD_MAX + INPUT_SIZE);
    self->schedule = (schedule_t){.rate = self->plan->rate, .sender_count = self->plan->sender_count};
    inlet_shape_init(&self->shape, self->plan);
    epoll_open(self);
    clients_make(self);
    if (plan_is_any(self->plan))
        self->windows = zmalloc(self->plan->client_count * sizeof *self->windows);
    size_t room = OUTPUT_TOTAL / (self->client_count + 1);
    self->room = room < OUTPUT_SIZE ? room : OUTPUT_SIZE;
}

static void generator_fini(generator_t *self)
{
    for (unsigned i = 0; i < self->client_count; i++)
        bench_client_fini(&self->clients[i]);
    for (unsigned i = 0; self->windows && i < self->plan->client_count; i++)
        window_fini(&self->windows[i]);
    inlet_shape_fini(&self->shape);
    free(self->windows);
    free(self->clients);
    free(self->place_of);
    free(self->ready);
    free(self->input);
    close(self->epoll_fd);
}

static void log_in_more(generator_t *self)
{
    for (; self->login_next < self->login_end && self->login_count < LOGINS_AT_ONCE; self->login_next++) {
        self->login_count++;
        bench_client_connect(self, &self->clients[self->login_next]);
    }
}

/* In `logins`, what is measured is how long a client has waited. */
static void measure_login(generator_t *self, const bench_client_t *client)
{
    int64_t now = board_now_ns(), began = client->began_ns - self->board->begin_ns;
    if (began >= (int64_t)self->board->measure_from_ns && began < (int64_t)self->board->measure_until_ns)
        histogram_add(&self->tally->latency, (uint64_t)(now - client->began_ns));
}

void generator_on_login(generator_t *self, bench_client_t *client)
{
    board_count(&self->tally->logins, 1);
    if (self->plan->work == WORK_LOGINS) {
        measure_login(self, client);
        bench_client_leave(self, client);
        return;
    }
    self->login_count--;
    log_in_more(self);
}

void generator_on_gone(generator_t *self, bench_client_t *client)
{
    if (self->plan->work == WORK_LOGINS && !self->is_stopping)
        bench_client_connect(self, client);
    else
        self->gone_count++;
}

static void begin_logins(generator_t *self, unsigned end)
{
    self->login_end = end;
    if (self->plan->work != WORK_LOGINS)
        log_in_more(self);
}

/* All processes begin at the same moment. */
static void begin_flow(generator_t *self)
{
    struct timespec at = {.tv_sec = self->board->begin_ns / 1000000000, .tv_nsec = self->board->begin_ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        continue;
    if (self->plan->work == WORK_LOGINS)
        for (unsigned i = 0; i < self->client_count; i++)
            bench_client_connect(self, &self->clients[i]);
    else
        flow_begin(self);
}

static void leave_all(generator_t *self)
{
    for (unsigned i = 0; i < self->client_count; i++)
        if (self->clients[i].state == CLIENT_READY)
            bench_client_leave(self, &self->clients[i]);
}

static void phase_begin(generator_t *self, phase_t phase)
{
    self->phase = phase;
    self->is_done = false;
    switch (phase) {
    case PHASE_NONE:
        break;
    case PHASE_SENDERS:
        begin_logins(self, self->sender_count);
        break;
    case PHASE_READERS:
        begin_logins(self, self->client_count);
        break;
    case PHASE_RUN:
        begin_flow(self);
        break;
    case PHASE_STOP:
        flow_stop(self);
        break;
    case PHASE_LEAVE:
        leave_all(self);
        break;
    }
}

static bool phase_is_done(generator_t *self)
{
    switch (self->phase) {
    case PHASE_SENDERS:
    case PHASE_READERS:
        return self->plan->work == WORK_LOGINS || (self->login_next == self->login_end && self->login_count == 0);
    case PHASE_STOP:
        return self->plan->work == WORK_LOGINS ? self->gone_count == self->client_count : flow_has_stopped(self);
    case PHASE_LEAVE:
        return self->gone_count == self->client_count;
    default:
        return false;
    }
}

static void look_at_phase(generator_t *self)
{
    /* One that is slow may find that the next phase has begun, too. */
    phase_t phase = atomic_load(&self->board->phase);
    while (self->phase < phase)
        phase_begin(self, self->phase + 1);
    if (self->is_done || !phase_is_done(self))
        return;
    self->is_done = true;
    atomic_store(&self->tally->done, phase);
    uint64_t one = 1;
    if (write(self->options.done_fd, &one, sizeof one) < 0)
        abort();
}

/* Somebody wants to be looked at: the board. */
static void on_wake(generator_t *self)
{
    uint64_t count;
    if (read(self->options.wake_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        abort();
}

static void turn(generator_t *self)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t sleep = flow_sleep_ns(self);
    struct timespec timeout = {.tv_sec = sleep / 1000000000, .tv_nsec = sleep % 1000000000};
    int count = epoll_pwait2(self->epoll_fd, events, EVENTS_MAX, sleep < 0 ? NULL : &timeout, NULL);
    for (int i = 0; i < count; i++) {
        if (events[i].data.u32 == WAKE_PLACE)
            on_wake(self);
        else if (self->clients[events[i].data.u32].fd >= 0)
            bench_client_on_event(self, &self->clients[events[i].data.u32], events[i].events);
    }
    flow_turn(self);
}

void generator_run(const generator_options_t *options)
{
    generator_t self;
    generator_init(&self, options);
    /* A message that is due is written then, and not 50 µs later. */
    prctl(PR_SET_TIMERSLACK, 1);
    look_at_phase(&self);
    while (self.phase != PHASE_LEAVE || !self.is_done) {
        turn(&self);
        look_at_phase(&self);
    }
    generator_fini(&self);
}
