/* SPDX-License-Identifier: MPL-2.0 */
/* request: answers of a server that the test plays, whole, streamed, cut and refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "ferry/request.h"

enum { REQUEST_SIZE = 4096, DEADLINE_MS = 20000 };

typedef struct {
    int listener;
    const char *answer;
    bool stays;                 /* the connection is not closed before the client does */
    pthread_barrier_t *meeting; /* no answer before all servers that share it were asked; or NULL */
    char request[REQUEST_SIZE];
    char base[ENDPOINT_SIZE + 8];
    pthread_t thread;
    char lines[REQUEST_SIZE]; /* what request_post handed on, each line in brackets */
} server_t;

static void *serve(void *arg)
{
    server_t *self = arg;
    struct pollfd wait = {.fd = self->listener, .events = POLLIN};
    int fd = poll(&wait, 1, DEADLINE_MS) == 1 ? accept(self->listener, NULL, NULL) : -1;
    size_t size = 0;
    while (fd >= 0 && !strstr(self->request, "\r\n\r\n")) {
        ssize_t more = recv(fd, self->request + size, REQUEST_SIZE - 1 - size, 0);
        if (more <= 0)
            break;
        size += (size_t)more;
    }
    char byte;
    if (self->meeting)
        pthread_barrier_wait(self->meeting);
    if (fd >= 0)
        send(fd, self->answer, strlen(self->answer), MSG_NOSIGNAL);
    while (fd >= 0 && self->stays && recv(fd, &byte, 1, 0) > 0)
        continue;
    close(fd);
    return NULL;
}

static void server_start(server_t *self, const char *answer)
{
    endpoint_t endpoint;
    const char *why = NULL;
    char bound[ENDPOINT_SIZE];
    assert_int_equal(endpoint_parse(&endpoint, "tcp://127.0.0.1:0", &why), 0);
    self->answer = answer;
    self->listener = endpoint_listen(&endpoint, 4);
    assert_true(self->listener >= 0);
    endpoint_of_socket(self->listener, false, bound);
    snprintf(self->base, sizeof self->base, "http://%s", bound);
    assert_int_equal(pthread_create(&self->thread, NULL, serve, self), 0);
}

static void server_end(server_t *self)
{
    pthread_join(self->thread, NULL);
    close(self->listener);
}

static bool on_line(void *arg, span_t line)
{
    server_t *self = arg;
    size_t size = strlen(self->lines);
    snprintf(self->lines + size, sizeof self->lines - size, "[%.*s]", (int)line.size, line.data);
    return !span_equal(line, span_str("stop"));
}

/* Posts to a server that answers so; returns what request_post does. */
static int post(server_t *self, const char *answer)
{
    server_start(self, answer);
    int result = request_post(self->base, "/drain", "X-Ferry-Drain: 1", on_line, self);
    server_end(self);
    return result;
}

static void a_body_is_returned_whole(void **state)
{
    (void)state;
    server_t server = {0};
    server_start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nready\n");
    char *body = request_get(server.base, "/status");
    server_end(&server);
    assert_string_equal(body, "ready\n");
    assert_ptr_equal(strstr(server.request, "GET /status HTTP/1.1\r\n"), server.request);
    free(body);
}

static void a_proxy_is_not_asked(void **state)
{
    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    server_t server = {0};
    server_start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    char *body = request_get(server.base, "/");
    server_end(&server);
    unsetenv("http_proxy");
    assert_string_equal(body, "");
    free(body);
}

static void another_status_is_no_body(void **state)
{
    (void)state;
    server_t server = {0};
    server_start(&server, "HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nwhy\n");
    assert_null(request_get(server.base, "/status"));
    server_end(&server);
}

static void a_cut_answer_is_no_body(void **state)
{
    (void)state;
    server_t server = {0};
    server_start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\nready\n");
    assert_null(request_get(server.base, "/status"));
    server_end(&server);
}

static void several_are_asked_and_each_answers_for_itself(void **state)
{
    (void)state;
    server_t servers[3] = {0};
    server_start(&servers[0], "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\none\n");
    server_start(&servers[1], "HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nwhy\n");
    server_start(&servers[2], "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nthree\n");
    const char *const bases[] = {servers[0].base, "http://127.0.0.1:1", servers[1].base, servers[2].base};
    char *bodies[4];
    assert_int_equal(request_get_all(bases, 4, "/status", bodies), 2);
    for (int i = 0; i < 3; i++)
        server_end(&servers[i]);
    assert_string_equal(bodies[0], "one\n");
    assert_null(bodies[1]);
    assert_null(bodies[2]);
    assert_string_equal(bodies[3], "three\n");
    free(bodies[0]);
    free(bodies[3]);
}

static void all_are_asked_before_the_first_has_answered(void **state)
{
    (void)state;
    pthread_barrier_t meeting;
    server_t servers[3] = {0};
    const char *bases[3];
    char *bodies[3];
    pthread_barrier_init(&meeting, NULL, 3);
    for (int i = 0; i < 3; i++) {
        servers[i].meeting = &meeting;
        server_start(&servers[i], "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        bases[i] = servers[i].base;
    }
    assert_int_equal(request_get_all(bases, 3, "/status", bodies), 0);
    for (int i = 0; i < 3; i++) {
        server_end(&servers[i]);
        free(bodies[i]);
    }
    pthread_barrier_destroy(&meeting);
}

static void a_post_carries_its_header_and_no_body(void **state)
{
    (void)state;
    server_t server = {0};
    assert_int_equal(post(&server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 0);
    assert_ptr_equal(strstr(server.request, "POST /drain HTTP/1.1\r\n"), server.request);
    assert_non_null(strstr(server.request, "\r\nX-Ferry-Drain: 1\r\n"));
    assert_non_null(strstr(server.request, "\r\nContent-Length: 0\r\n"));
}

static void lines_are_handed_on_however_they_are_cut(void **state)
{
    (void)state;
    server_t server = {0};
    assert_int_equal(post(&server, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "5\r\none\nt\r\n3\r\nwo\n\r\n6\r\n\nthree\r\n0\r\n\r\n"),
        0);
    assert_string_equal(server.lines, "[one][two][]");
}

static void a_caller_that_has_enough_does_not_wait_for_the_end(void **state)
{
    (void)state;
    server_t server = {.stays = true};
    assert_int_equal(
        post(&server, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf\r\none\nstop\nthree\n\r\n"), 0);
    assert_string_equal(server.lines, "[one][stop]");
}

static void a_stream_that_breaks_off_is_a_failure(void **state)
{
    (void)state;
    server_t server = {0};
    assert_int_equal(post(&server, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n"), -1);
    assert_string_equal(server.lines, "[one]");
}

static void lines_of_a_refusal_are_not_handed_on(void **state)
{
    (void)state;
    server_t server = {0};
    assert_int_equal(post(&server, "HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nwhy\n"), -1);
    assert_string_equal(server.lines, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_returned_whole),
        cmocka_unit_test(a_proxy_is_not_asked),
        cmocka_unit_test(another_status_is_no_body),
        cmocka_unit_test(a_cut_answer_is_no_body),
        cmocka_unit_test(several_are_asked_and_each_answers_for_itself),
        cmocka_unit_test(all_are_asked_before_the_first_has_answered),
        cmocka_unit_test(a_post_carries_its_header_and_no_body),
        cmocka_unit_test(lines_are_handed_on_however_they_are_cut),
        cmocka_unit_test(a_caller_that_has_enough_does_not_wait_for_the_end),
        cmocka_unit_test(a_stream_that_breaks_off_is_a_failure),
        cmocka_unit_test(lines_of_a_refusal_are_not_handed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
