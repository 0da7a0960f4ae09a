/* SPDX-License-Identifier: MPL-2.0 */
/* httpd: the HTTP side of the admin endpoint. The reactor watches the listening socket and libmicrohttpd's epoll
 * descriptor; a turn lets libmicrohttpd work and looks after deadlines. Sockets are accepted here and not by
 * libmicrohttpd, which spins when there are no descriptors left. A client can be slow or hostile: there are few
 * connections, fewer for each address, and each has a deadline that no trickle of bytes puts off. Owner: the admin
 * actor's thread. */
#include "admin/httpd.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum {
    CONNECTIONS_MAX = 64,
    CONNECTIONS_PER_ADDRESS_MAX = 32,
    CONNECTION_MEMORY_SIZE = 16 * 1024, /* holds a request's head; longer ones are answered with 431 */
    BODY_SIZE_MAX = 64 * 1024,
    READ_DEADLINE_MS = 5000,   /* from accepting a connection to the end of its request */
    WRITE_DEADLINE_MS = 10000, /* from the answer to its last byte */
    LAST_WORDS_MS = 1000,      /* the same for what was told of a drain */
    TICK_MS = 100,             /* how exactly deadlines are kept */
    ACCEPT_PAUSE_MS = 500,
};

struct httpd {
    reactor_t *reactor; /* borrowed */
    struct MHD_Daemon *daemon;
    int listen_fd;
    void (*on_request)(void *arg, request_t *request);
    void *arg;
    request_t requests[CONNECTIONS_MAX];
    uv_poll_t accept_poll;
    uv_poll_t daemon_poll;
    uv_timer_t tick;
    uint64_t accept_at_ms; /* accepting pauses until then */
    bool closing;
};

static request_t *httpd_find(httpd_t *self, request_state_t state, int fd)
{
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
        if (self->requests[i].state == state && (fd == -1 || self->requests[i].fd == fd))
            return &self->requests[i];
    return NULL;
}

static void on_mhd_log(void *arg, const char *format, va_list arguments)
{
    (void)arg;
    char text[512];
    vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http-error", log_str("message", text));
}

static void on_mhd_connection(
    void *arg, struct MHD_Connection *connection, void **request_p, enum MHD_ConnectionNotificationCode code)
{
    httpd_t *self = arg;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        request_t *request = httpd_find(self, REQUEST_ACCEPTED, fd);
        assert(request);
        request_start(request, connection);
        *request_p = request;
    } else {
        request_fini(*request_p);
    }
}

/* Called once with the head, then with each piece of the body, with its end, and again when it was suspended. */
static enum MHD_Result on_mhd_access(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *body, size_t *body_size, void **begun)
{
    (void)version;
    (void)body;
    httpd_t *self = arg;
    request_t *request = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    if (!*begun) {
        *begun = request;
        request->method = method;
        request->path = url;
        return MHD_YES;
    }
    if (*body_size > 0) {
        request->body_size += *body_size;
        *body_size = 0;
        return request->body_size > BODY_SIZE_MAX ? MHD_NO : MHD_YES;
    }
    if (request->state == REQUEST_READING) {
        request->deadline_ms = reactor_now_ms(self->reactor) + WRITE_DEADLINE_MS;
        self->on_request(self->arg, request);
    }
    return request_queue(request);
}

/* Without descriptors or memory there is nothing to do but to wait; the connection stays in the kernel's queue. */
static void httpd_pause_accepting(httpd_t *self)
{
    log_warning("accept-paused", log_str("role", "admin"), log_str("reason", strerror(errno)));
    self->accept_at_ms = reactor_now_ms(self->reactor) + ACCEPT_PAUSE_MS;
}

static bool accept_must_pause(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* Returns false when there is nothing more to accept now. */
static bool httpd_accept_one(httpd_t *self)
{
    request_t *request = httpd_find(self, REQUEST_FREE, -1);
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (!request)
        return false;
    int fd = accept4(self->listen_fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (accept_must_pause(errno))
            httpd_pause_accepting(self);
        return errno == ECONNABORTED || errno == EINTR;
    }
    request_init(request, fd, reactor_now_ms(self->reactor) + READ_DEADLINE_MS);
    if (MHD_add_connection(self->daemon, fd, (struct sockaddr *)&address, size) != MHD_YES)
        request_fini(request);
    return true;
}

static void on_acceptable(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    while (httpd_accept_one(handle->data))
        continue;
}

/* The turn that follows does the work. */
static void on_daemon_ready(uv_poll_t *handle, int status, int events)
{
    (void)handle;
    (void)status;
    (void)events;
}

/* N.B. libmicrohttpd reads once for an edge, and so misses an end of file that came together with the last bytes. */
static void request_look_for_end(request_t *request)
{
    char byte;
    if (request->state == REQUEST_READING && recv(request->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
        request_cut(request);
}

static void request_expire(request_t *request, uint64_t now_ms)
{
    if (request->deadline_ms == 0 || now_ms < request->deadline_ms)
        return;
    if (request->state == REQUEST_WAITING) {
        request->deadline_ms = now_ms + WRITE_DEADLINE_MS;
        request_say(request, MHD_HTTP_SERVICE_UNAVAILABLE, "The main thread does not answer.");
    } else if (request->state != REQUEST_FREE) {
        request_cut(request);
    }
}

static void on_tick(uv_timer_t *handle)
{
    httpd_t *self = handle->data;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        request_look_for_end(&self->requests[i]);
        request_expire(&self->requests[i], reactor_now_ms(self->reactor));
    }
}

static struct MHD_Daemon *daemon_start(httpd_t *self)
{
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
        NULL, NULL, on_mhd_access, self, MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, NULL, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_PER_ADDRESS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_SIZE, MHD_OPTION_CONNECTION_TIMEOUT, 0U,
        MHD_OPTION_NOTIFY_CONNECTION, on_mhd_connection, self, MHD_OPTION_END);
}

httpd_t *httpd_new(reactor_t *reactor, int listen_fd, void (*on_request)(void *arg, request_t *request), void *arg)
{
    httpd_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->reactor = reactor;
    self->listen_fd = listen_fd;
    self->on_request = on_request;
    self->arg = arg;
    self->daemon = daemon_start(self);
    if (!self->daemon)
        abort();
    uv_loop_t *loop = reactor_loop(reactor);
    uv_poll_init(loop, &self->accept_poll, listen_fd);
    uv_poll_init(loop, &self->daemon_poll, MHD_get_daemon_info(self->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
    uv_timer_init(loop, &self->tick);
    self->accept_poll.data = self->daemon_poll.data = self->tick.data = self;
    uv_poll_start(&self->daemon_poll, UV_READABLE, on_daemon_ready);
    return self;
}

/* Those that libmicrohttpd has not taken up in its run it has closed. */
static void httpd_free_refused(httpd_t *self)
{
    request_t *request;
    while ((request = httpd_find(self, REQUEST_ACCEPTED, -1)))
        request_fini(request);
}

unsigned httpd_connection_count(const httpd_t *self)
{
    unsigned count = 0;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
        count += self->requests[i].state != REQUEST_FREE;
    return count;
}

/* Accepts while there is room; keeps the tick while there is a deadline to keep. */
static void httpd_arm(httpd_t *self)
{
    bool paused = reactor_now_ms(self->reactor) < self->accept_at_ms;
    if (paused || !httpd_find(self, REQUEST_FREE, -1))
        uv_poll_stop(&self->accept_poll);
    else if (!uv_is_active((uv_handle_t *)&self->accept_poll))
        uv_poll_start(&self->accept_poll, UV_READABLE, on_acceptable);
    if (!paused && httpd_connection_count(self) == 0)
        uv_timer_stop(&self->tick);
    else if (!uv_is_active((uv_handle_t *)&self->tick))
        uv_timer_start(&self->tick, on_tick, TICK_MS, TICK_MS);
}

void httpd_turn(httpd_t *self)
{
    if (self->closing)
        return;
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    MHD_run(self->daemon);
    httpd_free_refused(self);
    httpd_arm(self);
    if (MHD_get_timeout(self->daemon, &timeout_ms) == MHD_YES && timeout_ms == 0)
        reactor_wake(self->reactor);
}

void httpd_each_waiting(httpd_t *self, void (*visit)(void *arg, request_t *request), void *arg)
{
    uint64_t deadline_ms = reactor_now_ms(self->reactor) + WRITE_DEADLINE_MS;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        request_t *request = &self->requests[i];
        if (request->state != REQUEST_WAITING)
            continue;
        visit(arg, request);
        if (request->state == REQUEST_ANSWERED)
            request->deadline_ms = deadline_ms;
    }
}

static bool request_is_follower(const request_t *request)
{
    return request->state == REQUEST_FOLLOWING || request->state == REQUEST_PARKED;
}

void httpd_wake_followers(httpd_t *self, bool finished)
{
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        request_t *request = &self->requests[i];
        if (finished && request_is_follower(request))
            request->deadline_ms = reactor_now_ms(self->reactor) + LAST_WORDS_MS;
        if (request->state == REQUEST_PARKED)
            request_wake(request);
    }
}

unsigned httpd_follower_count(const httpd_t *self)
{
    unsigned count = 0;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
        count += request_is_follower(&self->requests[i]);
    return count;
}

static void request_end(void *arg, request_t *request)
{
    (void)arg;
    request_say(request, MHD_HTTP_SERVICE_UNAVAILABLE, "The process ends.");
}

void httpd_close(httpd_t *self)
{
    httpd_each_waiting(self, request_end, NULL);
    httpd_turn(self);
    self->closing = true;
    uv_close((uv_handle_t *)&self->accept_poll, NULL);
    uv_close((uv_handle_t *)&self->daemon_poll, NULL);
    uv_close((uv_handle_t *)&self->tick, NULL);
}

void httpd_destroy(httpd_t **self_p)
{
    httpd_t *self = *self_p;
    if (!self)
        return;
    /* N.B. libmicrohttpd must not be stopped while a connection is suspended. */
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
        if (self->requests[i].state == REQUEST_PARKED)
            request_wake(&self->requests[i]);
    MHD_stop_daemon(self->daemon);
    close(self->listen_fd);
    free(self);
    *self_p = NULL;
}
