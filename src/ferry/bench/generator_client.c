/* SPDX-License-Identifier: MPL-2.0 */
/* generator_client: connects, says who it is, reads, and leaves. What is read goes to the flow if it is a message as it
 * must be, and moves the conversation on if it is the answer that is waited for; all else ends the process. */
#include <czmq.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ferry/bench/generator_internal.h"

enum { SHOWN_MAX = 120 };

void bench_client_init(generator_t *generator, bench_client_t *self, unsigned index)
{
    *self = (bench_client_t){.index = index, .fd = -1, .sender = plan_only_sender(generator->plan, index)};
    outlet_init(&self->outlet, index);
    inlet_init(&self->inlet, &generator->shape, index);
}

void bench_client_fini(bench_client_t *self)
{
    if (self->fd >= 0)
        close(self->fd);
    outlet_fini(&self->outlet);
    inlet_fini(&self->inlet);
    window_fini(&self->window);
}

__attribute__((noreturn)) static void client_fail(
    generator_t *generator, const bench_client_t *self, const char *what, span_t text)
{
    char name[PLAN_NAME_SIZE];
    plan_client_name(generator->plan, self->index, name);
    const char *end = text.size ? memchr(text.data, '\n', text.size) : NULL;
    size_t size = end ? (size_t)(end - text.data) : text.size;
    generator_fail(generator, "client %s %s%s%.*s", name, what, size ? ": " : "",
        (int)(size < SHOWN_MAX ? size : SHOWN_MAX), text.data ? text.data : "");
}

static void watch(generator_t *generator, bench_client_t *self, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u32 = (uint32_t)(self - generator->clients)};
    if (epoll_ctl(generator->epoll_fd, operation, self->fd, &event))
        abort();
}

void bench_client_arm(generator_t *generator, bench_client_t *self, bool armed)
{
    if (armed == self->is_armed)
        return;
    self->is_armed = armed;
    watch(generator, self, EPOLL_CTL_MOD, armed ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* What is said here is little, and fits into an empty buffer of a socket. */
static void say(generator_t *generator, bench_client_t *self, const char *text, size_t size)
{
    if (send(self->fd, text, size, MSG_NOSIGNAL) != (ssize_t)size)
        client_fail(generator, self, "cannot write", span_str(strerror(errno)));
}

void bench_client_connect(generator_t *generator, bench_client_t *self)
{
    self->began_ns = board_now_ns();
    self->fd = gateways_connect(generator->options.gateways, self->index);
    if (self->fd < 0)
        client_fail(generator, self, "cannot connect", span_str(strerror(-self->fd)));
    self->state = CLIENT_CONNECTING;
    self->is_armed = true;
    watch(generator, self, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

static void log_in(generator_t *generator, bench_client_t *self)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(self->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error)
        client_fail(generator, self, "cannot connect", span_str(strerror(error)));
    char name[PLAN_NAME_SIZE], text[PROTOCOL_SAY_MAX];
    plan_client_name(generator->plan, self->index, name);
    say(generator, self, text, generator->plan->protocol->login(text, name));
    self->state = CLIENT_LOGGING_IN;
    bench_client_arm(generator, self, false);
}

/* Says what it wants to read. Returns false if it needs not. */
static bool join(generator_t *generator, bench_client_t *self)
{
    const plan_t *plan = generator->plan;
    char name[PLAN_NAME_SIZE], text[PROTOCOL_SAY_MAX];
    bool is_group = plan->work == WORK_FANOUT;
    if (!plan_reads(plan, self->index) && !(is_group && plan->protocol->writers_join))
        return false;
    if (is_group)
        plan_group_name(plan, name);
    else
        plan_client_name(plan, self->index, name);
    size_t size = plan->protocol->subscribe(text, (destination_t){.name = name, .is_group = is_group});
    if (size > 0)
        say(generator, self, text, size);
    return size > 0;
}

void bench_client_leave(generator_t *generator, bench_client_t *self)
{
    char text[PROTOCOL_SAY_MAX];
    say(generator, self, text, generator->plan->protocol->leave(text));
    self->state = CLIENT_LEAVING;
}

static void end(generator_t *generator, bench_client_t *self)
{
    close(self->fd);
    self->fd = -1;
    self->state = CLIENT_GONE;
    inlet_hold(&self->inlet, NULL, 0);
    generator_on_gone(generator, self);
}

/* An answer that the client has waited for. */
static void on_confirmed(generator_t *generator, bench_client_t *self, span_t text)
{
    switch (self->state) {
    case CLIENT_LOGGING_IN:
        if (join(generator, self)) {
            self->state = CLIENT_JOINING;
            return;
        }
        __attribute__((fallthrough));
    case CLIENT_JOINING:
        self->state = CLIENT_READY;
        generator_on_login(generator, self);
        return;
    case CLIENT_LEAVING:
        self->state = CLIENT_LEFT;
        return;
    default:
        client_fail(generator, self, "reads an answer that it did not ask for", text);
    }
}

static void on_message(generator_t *generator, bench_client_t *self, span_t text, span_t frame)
{
    arrival_t arrival;
    if (self->inlet.head || !inlet_match_text(&generator->shape, text, &arrival))
        client_fail(generator, self, "reads a message that nobody wrote", frame);
    flow_take(generator, self, &arrival);
}

static void on_decoded(generator_t *generator, bench_client_t *self, const event_t *event, span_t frame)
{
    switch (event->kind) {
    case EVENT_NOTHING:
        return;
    case EVENT_CONFIRMED:
        on_confirmed(generator, self, frame);
        return;
    case EVENT_MESSAGE:
        on_message(generator, self, event->text, frame);
        return;
    case EVENT_PING:
        outlet_answer(&self->outlet, event->text);
        flow_write(generator, self);
        return;
    case EVENT_ERROR:
        /* IRC says goodbye with an error. */
        if (self->state < CLIENT_LEAVING || generator->plan->protocol->leave_is_confirmed)
            client_fail(generator, self, "reads an error", event->text);
        return;
    }
}

/* Takes whole frames off the input. Returns how much was taken. */
static size_t take(generator_t *generator, bench_client_t *self, const char *input, size_t size)
{
    const protocol_t *protocol = generator->plan->protocol;
    size_t at = 0;
    arrival_t arrival;
    while (at < size) {
        while (inlet_match(&self->inlet, &generator->shape, input + at, size - at, &arrival)) {
            flow_take(generator, self, &arrival);
            at += generator->shape.layout.size;
        }
        event_t event = at < size ? protocol->decode(span_of(input + at, size - at)) : (event_t){0};
        if (event.size == 0)
            break;
        on_decoded(generator, self, &event, span_of(input + at, event.size));
        at += event.size;
        if (protocol->closes_itself && self->state == CLIENT_LEFT)
            return size;
    }
    return at;
}

static void on_end(generator_t *generator, bench_client_t *self, const char *why)
{
    bool leaves =
        self->state == CLIENT_LEFT || (self->state == CLIENT_LEAVING && !generator->plan->protocol->leave_is_confirmed);
    if (!leaves)
        client_fail(generator, self, "is cut", span_str(why));
    end(generator, self);
}

static void on_readable(generator_t *generator, bench_client_t *self)
{
    inlet_t *inlet = &self->inlet;
    if (inlet->held_size > HELD_MAX)
        client_fail(generator, self, "reads a line without an end", span_of(inlet->held, SHOWN_MAX));
    if (inlet->held_size > 0)
        memcpy(generator->input, inlet->held, inlet->held_size);
    ssize_t got = recv(self->fd, generator->input + inlet->held_size, INPUT_SIZE, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        on_end(generator, self, got < 0 ? strerror(errno) : "end of file");
        return;
    }
    if (generator->plan->is_timed)
        generator_look_at_clock(generator);
    size_t size = inlet->held_size + (size_t)got;
    size_t taken = take(generator, self, generator->input, size);
    if (taken < size || inlet->held_size > 0)
        inlet_hold(inlet, generator->input + taken, size - taken);
    flow_publish(generator);
    if (self->state == CLIENT_LEFT && generator->plan->protocol->closes_itself)
        end(generator, self);
}

void bench_client_on_event(generator_t *generator, bench_client_t *self, uint32_t events)
{
    if (self->state == CLIENT_CONNECTING) {
        log_in(generator, self);
        return;
    }
    if (events & ~(uint32_t)EPOLLOUT)
        on_readable(generator, self);
    if ((events & EPOLLOUT) && self->fd >= 0)
        flow_write(generator, self);
}
