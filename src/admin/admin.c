/* SPDX-License-Identifier: MPL-2.0 */
/* admin: the actor of the HTTP endpoint. One reactor serves HTTP and the pipe to the main thread; what the main thread
 * says goes to the pages, and what the pages want to know goes to it. Only listening can fail. Owner: its own thread.
 */
#include "admin/admin.h"

#include <stdbool.h>
#include <string.h>

#include "admin/httpd.h"
#include "admin/pages.h"
#include "base/endpoint.h"
#include "base/log.h"

enum { BACKLOG = 128 };

typedef struct {
    zsock_t *pipe; /* borrowed */
    reactor_t *reactor;
    watch_t *watch;
    httpd_t *httpd;
    pages_t *pages;
} admin_t;

static void on_say(void *arg, const char *word)
{
    admin_t *self = arg;
    zstr_send(self->pipe, word);
    watch_touch(self->watch);
}

/* The next frame as a string, "" when there is none. The caller frees it. */
static char *message_string(zmsg_t *message)
{
    char *string = zmsg_popstr(message);
    return string ? string : strdup("");
}

static span_t frame_span(zframe_t *frame)
{
    return frame ? span_of((const char *)zframe_data(frame), zframe_size(frame)) : span_of(NULL, 0);
}

static void admin_take_ready(admin_t *self, zmsg_t *message)
{
    char *ready = message_string(message);
    char *why = message_string(message);
    pages_set_ready(self->pages, strcmp(ready, "1") == 0, why);
    free(ready);
    free(why);
}

static void admin_take_status(admin_t *self, zmsg_t *message)
{
    report_t *report = report_new(frame_span(zmsg_first(message)));
    for (zframe_t *frame = zmsg_next(message); frame; frame = zmsg_next(message))
        report_add(report, frame_span(frame));
    pages_report(self->pages, &report);
}

static void admin_take_step(admin_t *self, zmsg_t *message)
{
    char *line = message_string(message);
    pages_step(self->pages, line);
    free(line);
}

static void admin_take_result(admin_t *self, zmsg_t *message)
{
    char *result = message_string(message);
    char *ledger = message_string(message);
    pages_result(self->pages, ledger, result);
    free(result);
    free(ledger);
}

static void admin_take_term(admin_t *self, zmsg_t *message)
{
    (void)message;
    httpd_close(self->httpd);
    watch_destroy(&self->watch);
    reactor_stop(self->reactor);
}

static const struct {
    const char *word;
    void (*take)(admin_t *self, zmsg_t *message);
} words[] = {
    {"READY", admin_take_ready},
    {"STATUS", admin_take_status},
    {"STEP", admin_take_step},
    {"RESULT", admin_take_result},
    {"$TERM", admin_take_term},
};

static void admin_take(admin_t *self, zmsg_t *message)
{
    char *word = message_string(message);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].word, word) == 0)
            words[i].take(self, message);
    free(word);
}

static void on_pipe(void *arg, short events)
{
    admin_t *self = arg;
    zmsg_t *message = events & ZMQ_POLLIN ? zmsg_recv(self->pipe) : NULL;
    if (message)
        admin_take(self, message);
    zmsg_destroy(&message);
}

static void on_turn(void *arg)
{
    admin_t *self = arg;
    httpd_turn(self->httpd);
    pages_turn(self->pages);
}

static void on_request(void *arg, request_t *request)
{
    admin_t *self = arg;
    pages_take(self->pages, request);
}

/* Returns the listening socket, or -1 after logging why not. */
static int admin_listen(const admin_args_t *args)
{
    endpoint_t endpoint;
    const char *why = NULL;
    int fd = -EINVAL;
    if (endpoint_parse(&endpoint, args->listen, &why) == 0 && endpoint.kind == ENDPOINT_HTTP)
        fd = endpoint_listen(&endpoint, BACKLOG);
    else if (!why)
        why = "An admin endpoint is http://ADDRESS:PORT.";
    if (fd < 0)
        log_error("listen-failed", log_str("role", "admin"), log_str("endpoint", args->listen),
            log_str("reason", why ? why : strerror(-fd)));
    return fd < 0 ? -1 : fd;
}

static void admin_start(admin_t *self, int fd)
{
    char address[ENDPOINT_SIZE];
    char text[ENDPOINT_SIZE + sizeof "http://"];
    endpoint_of_socket(fd, false, address);
    snprintf(text, sizeof text, "http://%s", address);
    self->reactor = reactor_new(on_turn, self);
    self->watch = watch_new(self->reactor, zsock_resolve(self->pipe), ZMQ_POLLIN, on_pipe, self);
    self->pages = pages_new(self->reactor, on_say, self);
    self->httpd = httpd_new(self->reactor, fd, on_request, self);
    pages_serve(self->pages, self->httpd, text);
    log_info("listening", log_str("role", "admin"), log_str("endpoint", text));
}

void admin_actor(zsock_t *pipe, void *args)
{
    admin_t self = {.pipe = pipe};
    zsock_signal(pipe, 0);
    int fd = admin_listen(args);
    if (fd < 0) {
        zsock_signal(pipe, 1);
        return;
    }
    admin_start(&self, fd);
    zsock_signal(pipe, 0);
    watch_touch(self.watch);
    reactor_run(self.reactor);
    reactor_destroy(&self.reactor);
    httpd_destroy(&self.httpd);
    pages_destroy(&self.pages);
}
