/* SPDX-License-Identifier: MPL-2.0 */
/* reactor: libuv's prepare handle is the end of a turn, its check handle the place where sockets are read. A watch is
 * `due` when its socket may have events that no edge will tell of, and stays so after it was served: it is asked again
 * before the loop may sleep, and an idle handle keeps the loop awake while something is left. Nothing fails but by
 * assert. Owner: the actor's thread. */
#include "base/reactor.h"

#include <assert.h>
#include <stdlib.h>
#include <zmq.h>

struct watch {
    reactor_t *reactor;
    void *socket; /* borrowed */
    short wanted;
    short seen; /* the events when it was asked last */
    bool due;   /* on_events is owed, or events may be there: ask */
    bool hasty; /* on_events is called without asking */
    bool destroyed;
    void (*on_events)(void *arg, short events);
    void *arg;
    uv_poll_t poll;
    watch_t *next;
};

struct reactor {
    uv_loop_t loop;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    watch_t *watches;
    void (*on_turn)(void *arg);
    void *arg;
    bool woken;
    bool stopped;
};

/* Asks for the events; true if they are wanted, or ZMQ_POLLOUT is another than before. */
static bool watch_ask(watch_t *self)
{
    int events = 0;
    size_t size = sizeof events;
    int rc = zmq_getsockopt(self->socket, ZMQ_EVENTS, &events, &size);
    assert(rc == 0);
    (void)rc;
    bool changed = (events ^ self->seen) & ZMQ_POLLOUT;
    self->seen = (short)events;
    return changed || (events & self->wanted);
}

static void on_idle(uv_idle_t *handle)
{
    (void)handle;
}

static void on_prepare(uv_prepare_t *handle)
{
    reactor_t *self = handle->data;
    self->on_turn(self->arg);
    bool awake = self->woken;
    self->woken = false;
    for (watch_t *watch = self->watches; watch; watch = watch->next)
        if (watch->due && !watch->destroyed) {
            watch->due = watch_ask(watch);
            awake = awake || watch->due;
        }
    if (awake)
        uv_idle_start(&self->idle, on_idle);
    else
        uv_idle_stop(&self->idle);
}

static void on_check(uv_check_t *handle)
{
    reactor_t *self = handle->data;
    for (watch_t *watch = self->watches, *next; watch; watch = next) {
        next = watch->next;
        if (!watch->due || watch->destroyed)
            continue;
        if (!watch->hasty)
            watch_ask(watch);
        watch->on_events(watch->arg, watch->hasty ? watch->seen | ZMQ_POLLIN : watch->seen);
    }
}

static void on_descriptor(uv_poll_t *handle, int status, int events)
{
    watch_t *self = handle->data;
    (void)status;
    (void)events;
    self->due = true;
}

reactor_t *reactor_new(void (*on_turn)(void *arg), void *arg)
{
    reactor_t *self = calloc(1, sizeof *self);
    if (!self || uv_loop_init(&self->loop) != 0)
        abort();
    self->on_turn = on_turn;
    self->arg = arg;
    uv_prepare_init(&self->loop, &self->prepare);
    uv_check_init(&self->loop, &self->check);
    uv_idle_init(&self->loop, &self->idle);
    self->prepare.data = self->check.data = self->idle.data = self;
    uv_prepare_start(&self->prepare, on_prepare);
    uv_check_start(&self->check, on_check);
    return self;
}

void reactor_destroy(reactor_t **self_p)
{
    reactor_t *self = *self_p;
    if (!self)
        return;
    uv_close((uv_handle_t *)&self->prepare, NULL);
    uv_close((uv_handle_t *)&self->check, NULL);
    uv_close((uv_handle_t *)&self->idle, NULL);
    uv_run(&self->loop, UV_RUN_DEFAULT);
    assert(!self->watches);
    int rc = uv_loop_close(&self->loop);
    assert(rc == 0);
    (void)rc;
    free(self);
    *self_p = NULL;
}

uv_loop_t *reactor_loop(reactor_t *self)
{
    return &self->loop;
}

uint64_t reactor_now_ms(const reactor_t *self)
{
    return uv_now(&self->loop);
}

void reactor_run(reactor_t *self)
{
    while (!self->stopped)
        uv_run(&self->loop, UV_RUN_ONCE);
}

void reactor_stop(reactor_t *self)
{
    self->stopped = true;
    uv_stop(&self->loop);
}

void reactor_wake(reactor_t *self)
{
    self->woken = true;
}

watch_t *watch_new(
    reactor_t *reactor, void *socket, short wanted, void (*on_events)(void *arg, short events), void *arg)
{
    int fd = -1;
    size_t size = sizeof fd;
    int rc = zmq_getsockopt(socket, ZMQ_FD, &fd, &size);
    assert(rc == 0);
    (void)rc;
    watch_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->reactor = reactor;
    self->socket = socket;
    self->wanted = wanted;
    self->due = true;
    self->on_events = on_events;
    self->arg = arg;
    self->next = reactor->watches;
    reactor->watches = self;
    uv_poll_init(&reactor->loop, &self->poll, fd);
    self->poll.data = self;
    uv_poll_start(&self->poll, UV_READABLE, on_descriptor);
    return self;
}

static void on_watch_closed(uv_handle_t *handle)
{
    watch_t *self = handle->data;
    watch_t **at = &self->reactor->watches;
    while (*at != self)
        at = &(*at)->next;
    *at = self->next;
    free(self);
}

void watch_destroy(watch_t **self_p)
{
    watch_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    self->destroyed = true;
    uv_close((uv_handle_t *)&self->poll, on_watch_closed);
}

void watch_want(watch_t *self, short wanted)
{
    self->wanted = wanted;
    self->due = true;
}

void watch_hasten(watch_t *self)
{
    self->hasty = true;
}

void watch_touch(watch_t *self)
{
    self->due = true;
}
