/* SPDX-License-Identifier: MPL-2.0 */
/* fake_main: plays the main thread to a real admin actor, and HTTP clients on raw sockets, so that a test decides what
 * happens in which order. The log is a double that remembers where the endpoint listens. Whatever does not come in time
 * fails the running cmocka test. The test's thread; one actor at a time. */
#ifndef FERRY_TESTS_FAKE_MAIN_H
#define FERRY_TESTS_FAKE_MAIN_H

#include "lib/test.h"

#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/endpoint.h"
#include "base/log.h"
#include "lib/deadline.h"

static struct {
    zactor_t *actor;
    char endpoint[ENDPOINT_SIZE]; /* where it listens */
    char logged_endpoint[ENDPOINT_SIZE];
    char last_event[64];
    pthread_mutex_t lock; /* of the two above: the actor logs in its own thread */
} fake_main = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool log_enabled(log_level_t level)
{
    return level >= LOG_LEVEL_INFO;
}

void log_write(log_level_t level, const char *event, const log_field_t *fields)
{
    (void)level;
    pthread_mutex_lock(&fake_main.lock);
    snprintf(fake_main.last_event, sizeof fake_main.last_event, "%s", event);
    for (; fields->kind != LOG_FIELD_END; fields++)
        if (strcmp(event, "listening") == 0 && strcmp(fields->key, "endpoint") == 0)
            snprintf(fake_main.logged_endpoint, ENDPOINT_SIZE, "%.*s", (int)fields->value.span.size,
                fields->value.span.data);
    pthread_mutex_unlock(&fake_main.lock);
}

/* Whether the newest line of the log is of that event. */
static inline bool fake_main_logged(const char *event)
{
    pthread_mutex_lock(&fake_main.lock);
    bool same = strcmp(fake_main.last_event, event) == 0;
    pthread_mutex_unlock(&fake_main.lock);
    return same;
}

/* Returns the actor's second signal: 0 if it listens. */
static inline int fake_main_launch(const char *listen)
{
    admin_args_t args = {.listen = listen};
    zsys_handler_set(NULL);
    fake_main.actor = zactor_new(admin_actor, &args);
    assert_non_null(fake_main.actor);
    int failed = zsock_wait(fake_main.actor);
    pthread_mutex_lock(&fake_main.lock);
    memcpy(fake_main.endpoint, fake_main.logged_endpoint, ENDPOINT_SIZE);
    pthread_mutex_unlock(&fake_main.lock);
    zsock_set_rcvtimeo(fake_main.actor, deadline_left_ms(deadline_in(DEADLINE_USUAL_MS)));
    return failed;
}

static inline void fake_main_start(const char *listen)
{
    assert_int_equal(fake_main_launch(listen), 0);
}

static inline int fake_main_setup(void **state)
{
    (void)state;
    fake_main_start("http://127.0.0.1:0");
    return 0;
}

static inline int fake_main_teardown(void **state)
{
    (void)state;
    zactor_destroy(&fake_main.actor);
    return 0;
}

#define ADMIN_TEST(function) cmocka_unit_test_setup_teardown(function, fake_main_setup, fake_main_teardown)

/* The actor's next word must be this one. */
static inline void expect_word(const char *expected)
{
    char *word = zstr_recv(fake_main.actor);
    assert_non_null(word);
    assert_string_equal(word, expected);
    free(word);
}

static inline void client_connect(int fd)
{
    endpoint_t to;
    const char *why;
    assert_int_equal(endpoint_parse(&to, fake_main.endpoint, &why), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to.address, to.address_size), 0);
}

/* Opens a connection, from the address `source` unless that is NULL. */
static inline int client_open(const char *source)
{
    endpoint_t from;
    const char *why;
    assert_int_equal(endpoint_parse(&from, source ? source : fake_main.endpoint, &why), 0);
    int fd = socket(from.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (source)
        assert_int_equal(bind(fd, (struct sockaddr *)&from.address, from.address_size), 0);
    client_connect(fd);
    return fd;
}

static inline void client_write(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Opens a connection and asks: ask ("GET", "/status", ""). Headers are complete lines. */
static inline int ask(const char *method, const char *path, const char *headers)
{
    char text[1024];
    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", method, path, headers);
    int fd = client_open(NULL);
    client_write(fd, text);
    return fd;
}

/* Reads until the text ends with `end`, or, when that is NULL, to the end of file. Appends to `text`. */
static inline void client_read_to(int fd, char *text, size_t size, const char *end)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    size_t used = strlen(text);
    for (;;) {
        if (end && used >= strlen(end) && strcmp(text + used - strlen(end), end) == 0)
            return;
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        if (poll(&readable, 1, deadline_left_ms(deadline)) == 0)
            fail_msg("in time came only: %s", text);
        ssize_t count = recv(fd, text + used, size - used - 1, 0);
        if (count <= 0 && !end)
            return;
        if (count <= 0)
            fail_msg("end of file after: %s", text);
        used += (size_t)count;
        text[used] = '\0';
    }
}

/* The whole answer to its end; valid until the next call. Closes the socket. */
static inline const char *answer_of(int fd)
{
    static char text[256 * 1024];
    text[0] = '\0';
    client_read_to(fd, text, sizeof text, NULL);
    close(fd);
    return text;
}

static inline void assert_status(const char *answer, int status)
{
    char start[32];
    snprintf(start, sizeof start, "HTTP/1.1 %d ", status);
    if (strncmp(answer, start, strlen(start)) != 0)
        fail_msg("expected status %d, came: %s", status, answer);
}

static inline const char *body_of(const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    return body + 4;
}

static inline void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no `%s` in: %s", part, text);
}

#define HEAD_JSON                                                                                                      \
    "{\"role\":\"gateway\",\"version\":\"0.1.0\",\"pid\":1,\"uptime_s\":12,\"ready\":true,\"ready_reason\":\"\","      \
    "\"drain\":{\"state\":\"running\",\"step\":\"\"}}"

#endif
