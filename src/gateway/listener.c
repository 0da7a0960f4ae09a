/* SPDX-License-Identifier: MPL-2.0 */
/* listener: accepts in bursts. A client over a limit is handed over too, with the error that it is to read, so that
 * there is one way to close a client. Before descriptors run out, accepting pauses until sessions have ended, and the
 * log says so; a login rate is kept by leaving connections in the kernel's queue. Owner: this actor's thread. */
#include "gateway/listener.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "base/handover.h"
#include "base/log.h"
#include "base/reactor.h"
#include "base/table.h"
#include "gateway/client_socket.h"
#include "gateway/handoff.h"
#include "wire/error.h"

#define LISTENER_BACKLOG       4096
#define LISTENER_ACCEPT_BUDGET 256 /* connections a turn and socket */
#define LISTENER_PAUSE_MS      100 /* without descriptors */
#define LISTENER_REFILL_MS     10  /* of the login rate's bucket */
#define LISTENER_KEPT          64  /* descriptors that clients do not get: links and the admin endpoint need some */

typedef struct listener listener_t;

typedef struct {
    listener_t *listener;
    int fd;
    uv_poll_t poll;
    char text[ENDPOINT_SIZE];
} door_t;

typedef struct {
    zsock_t *pipe;
    watch_t *watch;
    size_t session_count;
    listener_t *listener;
} outlet_t;

typedef struct {
    table_item_t item; /* an address without its port */
    size_t session_count;
    char text[HANDOFF_ADDRESS_SIZE];
} visitor_t;

struct listener {
    reactor_t *reactor;
    zsock_t *pipe;
    watch_t *pipe_watch;
    door_t *doors;
    size_t door_count;
    outlet_t *outlets;
    size_t outlet_count;
    table_t *visitors;
    size_t session_count, session_max, session_max_per_address;
    double rate, tokens; /* logins a second, and those that may come now */
    uv_timer_t timer;    /* ends a pause, refills the bucket */
    uint64_t refilled_ms;
    bool paused;
    bool full;                /* descriptors were short, and nobody was accepted since */
    int descriptor_max;       /* a connection with this number or more is the last for now */
    size_t session_count_max; /* as many as there were when descriptors became short; 0: never yet */
    bool closed;
    uint64_t accepted, refused, pauses;
};

static void door_watch(door_t *self, bool open);

static void listener_pause(listener_t *self, uint64_t ms);

/* The address without its port. */
static span_t address_host(const char *address)
{
    const char *colon = strrchr(address, ':');
    return colon ? span_of(address, (size_t)(colon - address)) : span_str(address);
}

static visitor_t *listener_visitor(listener_t *self, const char *address)
{
    span_t host = address_host(address);
    visitor_t *visitor = (visitor_t *)table_get(self->visitors, host);
    if (visitor)
        return visitor;
    visitor = zmalloc(sizeof *visitor);
    memcpy(visitor->text, host.data, host.size);
    visitor->item.key = span_of(visitor->text, host.size);
    table_put(self->visitors, &visitor->item);
    return visitor;
}

static outlet_t *listener_least(listener_t *self)
{
    outlet_t *least = &self->outlets[0];
    for (size_t i = 1; i < self->outlet_count; i++)
        if (self->outlets[i].session_count < least->session_count)
            least = &self->outlets[i];
    return least;
}

static void listener_hand_over(listener_t *self, int fd, const struct sockaddr_storage *from)
{
    char address[ENDPOINT_SIZE];
    endpoint_of_address(from, address);
    handoff_t handoff = {.fd = fd};
    snprintf(handoff.address, sizeof handoff.address, "%.*s", HANDOFF_ADDRESS_SIZE - 1, address);
    visitor_t *visitor = listener_visitor(self, handoff.address);
    if ((self->session_max && self->session_count >= self->session_max) ||
        (self->session_max_per_address && visitor->session_count >= self->session_max_per_address)) {
        handoff.error = FERRY_ERROR_TOO_MANY_SESSIONS;
        self->refused++;
    }
    outlet_t *outlet = listener_least(self);
    if (handover_send_bytes(zsock_resolve(outlet->pipe), &handoff, sizeof handoff, ZMQ_DONTWAIT) != 0) {
        close(fd);
        return;
    }
    watch_touch(outlet->watch);
    visitor->session_count++;
    outlet->session_count++;
    self->session_count++;
    self->accepted++;
}

/* Waits for descriptors, and says so once. */
static void listener_wait_descriptors(listener_t *self, int error)
{
    if (!self->full)
        log_error("accept-paused", log_str("reason", strerror(error)), log_uint("sessions", self->session_count));
    self->full = true;
    self->pauses++;
    listener_pause(self, LISTENER_PAUSE_MS);
}

static void listener_take(listener_t *self, int fd, const struct sockaddr_storage *from)
{
    if (self->full)
        log_info("accept-resumed", log_uint("sessions", self->session_count));
    self->full = false;
    self->tokens -= 1;
    listener_hand_over(self, fd, from);
    if (fd >= self->descriptor_max)
        self->session_count_max = self->session_count;
}

/* Accepts one connection. Returns false when there is none, or none can be taken now. */
static bool door_accept(door_t *self)
{
    listener_t *listener = self->listener;
    if (listener->rate > 0 && listener->tokens < 1) {
        listener_pause(listener, LISTENER_REFILL_MS);
        return false;
    }
    if (listener->session_count_max && listener->session_count >= listener->session_count_max) {
        listener_wait_descriptors(listener, EMFILE);
        return false;
    }
    struct sockaddr_storage from = {0};
    socklen_t size = sizeof from;
    int fd = accept4(self->fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        listener_take(listener, fd, &from);
        return true;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        listener_wait_descriptors(listener, errno);
        return false;
    }
    return errno == EINTR || errno == ECONNABORTED;
}

static void on_door(uv_poll_t *handle, int status, int events)
{
    door_t *self = handle->data;
    (void)status;
    (void)events;
    for (int budget = LISTENER_ACCEPT_BUDGET; budget > 0 && door_accept(self); budget--)
        ;
}

static void door_watch(door_t *self, bool open)
{
    if (open)
        uv_poll_start(&self->poll, UV_READABLE, on_door);
    else
        uv_poll_stop(&self->poll);
}

static void listener_refill(listener_t *self)
{
    uint64_t now = reactor_now_ms(self->reactor);
    self->tokens += self->rate * (double)(now - self->refilled_ms) / 1000;
    if (self->tokens > self->rate)
        self->tokens = self->rate;
    self->refilled_ms = now;
}

static void on_pause_end(uv_timer_t *timer)
{
    listener_t *self = timer->data;
    listener_refill(self);
    self->paused = false;
    for (size_t i = 0; i < self->door_count && !self->closed; i++)
        door_watch(&self->doors[i], true);
}

static void listener_pause(listener_t *self, uint64_t ms)
{
    self->paused = true;
    for (size_t i = 0; i < self->door_count; i++)
        door_watch(&self->doors[i], false);
    uv_timer_start(&self->timer, on_pause_end, ms, 0);
}

/* A worker says that a session has ended. */
static void on_outlet(void *arg, short events)
{
    outlet_t *outlet = arg;
    listener_t *self = outlet->listener;
    handoff_t handoff;
    (void)events;
    for (int budget = LISTENER_ACCEPT_BUDGET; budget > 0; budget--) {
        if (handover_receive_bytes(zsock_resolve(outlet->pipe), &handoff, sizeof handoff, ZMQ_DONTWAIT) != 0)
            return;
        visitor_t *visitor = listener_visitor(self, handoff.address);
        outlet->session_count--;
        self->session_count--;
        if (--visitor->session_count == 0) {
            table_take(self->visitors, &visitor->item);
            free(visitor);
        }
    }
}

static void listener_say(listener_t *self, const char *first, const char *second, const char *third)
{
    zmsg_t *message = zmsg_new();
    zmsg_addstr(message, first);
    zmsg_addstr(message, second);
    if (third)
        zmsg_addstr(message, third);
    zmsg_send(&message, self->pipe);
    watch_touch(self->pipe_watch);
}

static void listener_status(listener_t *self)
{
    json_t *listening = json_array();
    for (size_t i = 0; i < self->door_count; i++)
        json_array_append_new(listening, json_string(self->doors[i].text));
    json_t *json =
        json_pack("{s:s, s:o, s:b, s:{s:I, s:I, s:I}}", "actor", "listener", "listening", listening, "accepting",
            (int)(!self->closed && !self->paused), "counters", "connections_accepted", (json_int_t)self->accepted,
            "connections_refused", (json_int_t)self->refused, "accept_pauses", (json_int_t)self->pauses);
    char *text = json_dumps(json, JSON_COMPACT);
    listener_say(self, "STATUS", text, NULL);
    free(text);
    json_decref(json);
}

/* Accepts what the kernel has queued already, then closes. */
static void listener_drain(listener_t *self)
{
    if (self->closed)
        return;
    self->closed = true;
    self->rate = 0;
    uv_timer_stop(&self->timer);
    for (size_t i = 0; i < self->door_count; i++) {
        while (door_accept(&self->doors[i]))
            ;
        uv_close((uv_handle_t *)&self->doors[i].poll, NULL);
        close(self->doors[i].fd);
    }
    uv_timer_stop(&self->timer);
    listener_say(self, "DRAINED", "0", "{}");
}

static void on_pipe(void *arg, short events)
{
    listener_t *self = arg;
    if (!(events & ZMQ_POLLIN))
        return;
    zmsg_t *message = zmsg_recv(self->pipe);
    char *command = message ? zmsg_popstr(message) : NULL;
    if (command && streq(command, "STATUS"))
        listener_status(self);
    else if (command && streq(command, "DRAIN"))
        listener_drain(self);
    else if (command && streq(command, "$TERM"))
        reactor_stop(self->reactor);
    zstr_free(&command);
    zmsg_destroy(&message);
}

static void on_turn(void *arg)
{
    (void)arg;
}

/* Opens one door. Returns 0, or -1 after it has said why not. */
static int listener_open(listener_t *self, const char *text)
{
    endpoint_t endpoint;
    const char *why;
    int fd = endpoint_parse(&endpoint, text, &why) == 0 ? endpoint_listen(&endpoint, LISTENER_BACKLOG) : -EINVAL;
    if (fd < 0) {
        log_error(
            "listen-failed", log_str("role", "gateway"), log_str("endpoint", text), log_str("reason", strerror(-fd)));
        return -1;
    }
    self->doors[self->door_count++].fd = fd;
    return 0;
}

static void door_init(door_t *self, listener_t *listener)
{
    char address[ENDPOINT_SIZE];
    endpoint_of_socket(self->fd, false, address);
    bool is_unix = strncmp(address, "unix", 4) == 0;
    if (!is_unix || self->text[0] == '\0')
        snprintf(self->text, sizeof self->text, "%s%.150s", is_unix ? "" : "tcp://", address);
    self->listener = listener;
    uv_poll_init(reactor_loop(listener->reactor), &self->poll, self->fd);
    self->poll.data = self;
    door_watch(self, true);
    log_info("listening", log_str("role", "gateway"), log_str("endpoint", self->text));
}

static int listener_open_all(listener_t *self, const listener_args_t *args)
{
    size_t count = args->socket_count ? args->socket_count : config_count(args->config, "gateway/listen");
    self->doors = zmalloc(count * sizeof *self->doors);
    for (size_t i = 0; i < count; i++) {
        if (args->socket_count) {
            self->doors[self->door_count++].fd = args->sockets[i];
            continue;
        }
        const char *text = config_item(args->config, "gateway/listen", i);
        if (strncmp(text, "ipc://", 6) == 0)
            snprintf(self->doors[i].text, sizeof self->doors[i].text, "%s", text);
        if (listener_open(self, text) != 0)
            return -1;
    }
    worker_limits_t limits = {0};
    worker_limits_init(&limits, args->config);
    for (size_t i = 0; i < self->door_count; i++) {
        client_socket_listen(self->doors[i].fd, &limits);
        door_init(&self->doors[i], self);
    }
    return 0;
}

static void listener_connect(listener_t *self, const listener_args_t *args)
{
    self->outlet_count = args->worker_count;
    self->outlets = zmalloc(self->outlet_count * sizeof *self->outlets);
    for (size_t i = 0; i < self->outlet_count; i++) {
        outlet_t *outlet = &self->outlets[i];
        outlet->pipe = args->workers[i];
        outlet->listener = self;
        outlet->watch = watch_new(self->reactor, zsock_resolve(outlet->pipe), ZMQ_POLLIN, on_outlet, outlet);
    }
}

static void on_visitor_free(table_item_t *item)
{
    free(item);
}

static void listener_destroy(listener_t *self)
{
    for (size_t i = 0; i < self->door_count && !self->closed; i++) {
        uv_close((uv_handle_t *)&self->doors[i].poll, NULL);
        close(self->doors[i].fd);
    }
    for (size_t i = 0; i < self->outlet_count; i++)
        watch_destroy(&self->outlets[i].watch);
    watch_destroy(&self->pipe_watch);
    uv_close((uv_handle_t *)&self->timer, NULL);
    reactor_destroy(&self->reactor);
    for (size_t i = 0; i < self->outlet_count; i++)
        zsock_destroy(&self->outlets[i].pipe);
    table_destroy(&self->visitors, on_visitor_free);
    free(self->outlets);
    free(self->doors);
}

/* The first descriptor that is kept: of few, a quarter. */
static int listener_descriptor_max(void)
{
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t kept = limit.rlim_cur / 4 < LISTENER_KEPT ? limit.rlim_cur / 4 : LISTENER_KEPT;
    return limit.rlim_cur > INT_MAX ? INT_MAX : (int)(limit.rlim_cur - kept);
}

void listener_actor(zsock_t *pipe, void *args_pointer)
{
    const listener_args_t *args = args_pointer;
    listener_t self = {.pipe = pipe};
    self.session_max = (size_t)config_number(args->config, "gateway/max_sessions");
    self.session_max_per_address = (size_t)config_number(args->config, "gateway/max_sessions_per_address");
    self.rate = self.tokens = (double)config_number(args->config, "gateway/login_rate");
    self.descriptor_max = listener_descriptor_max();
    self.visitors = table_new();
    self.reactor = reactor_new(on_turn, &self);
    uv_timer_init(reactor_loop(self.reactor), &self.timer);
    self.timer.data = &self;
    self.refilled_ms = reactor_now_ms(self.reactor);
    self.pipe_watch = watch_new(self.reactor, zsock_resolve(pipe), ZMQ_POLLIN, on_pipe, &self);
    listener_connect(&self, args);
    zsock_signal(pipe, 0);
    if (listener_open_all(&self, args) != 0) {
        for (size_t i = 0; i < self.door_count; i++)
            close(self.doors[i].fd);
        self.closed = true;
        zsock_signal(pipe, 1);
    } else {
        zsock_signal(pipe, 0);
    }
    reactor_run(self.reactor);
    listener_destroy(&self);
}
