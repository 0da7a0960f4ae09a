/* SPDX-License-Identifier: MPL-2.0 */
/* Garbage on every port: whoever sends it gets nothing out of it, and everybody else goes on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/http.h"
#include "lib/server.h"
#include "lib/test.h"

#define CONNECTIONS 40
#define GARBAGE     20000 /* bytes of each */

typedef struct {
    server_t *server;
    client_t *alice;
    client_t *bob;
} scene_t;

static scene_t start(void)
{
    scene_t scene = {.server = server_start("all", NULL)};
    scene.alice = client_login(server_gateway(scene.server), "alice");
    scene.bob = client_login(server_gateway(scene.server), "bob");
    return scene;
}

/* Everybody goes on: alice and bob chat, and the server stops in order. */
static void finish(scene_t *scene)
{
    for (int i = 0; i < 10; i++) {
        client_sendf(scene->alice, "bob: %d", i);
        client_expectf(scene->bob, "from alice: %d", i);
    }
    client_barrier(scene->alice);
    server_stop(&scene->server);
}

/* Bytes that are the same in every run. */
static void make_garbage(char *garbage, unsigned seed)
{
    for (size_t i = 0; i < GARBAGE; i++) {
        seed = seed * 1103515245 + 12345;
        garbage[i] = (char)(seed >> 16);
    }
}

/* Each connection sends its own garbage behind the same beginning. */
static void send_garbage(const char *endpoint, const void *beginning, size_t size)
{
    char garbage[GARBAGE];
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        client_t *client = client_connect(endpoint);
        make_garbage(garbage, i);
        client_try_send(client, beginning, size);
        client_try_send(client, garbage, sizeof(garbage));
        client_close(&client);
    }
}

static void random_bytes_to_the_gateway_harm_nobody(void **state)
{
    (void)state;
    scene_t scene = start();
    send_garbage(server_gateway(scene.server), "", 0);
    send_garbage(server_gateway(scene.server), "mallory\n", 8);
    finish(&scene);
}

static void a_web_browser_at_the_gateway_is_told_that_it_has_no_name(void **state)
{
    (void)state;
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    scene_t scene = start();
    client_t *browser = client_connect(server_gateway(scene.server));
    client_send_bytes(browser, request, strlen(request));
    client_expect(browser, "error secrets-not-enabled");
    client_expect_eof(browser);
    finish(&scene);
}

/* The greeting of ZMTP 3.1 with the NULL mechanism, so that what follows is taken for commands and messages. */
static void make_greeting(char greeting[64])
{
    memset(greeting, 0, 64);
    memcpy(greeting, "\xFF\0\0\0\0\0\0\0\1\x7F\3\1NULL", 16);
}

static void random_bytes_to_the_broker_harm_nobody(void **state)
{
    (void)state;
    char greeting[64];
    scene_t scene = start();
    make_greeting(greeting);
    send_garbage(server_broker(scene.server), "", 0);
    send_garbage(server_broker(scene.server), greeting, 1);
    send_garbage(server_broker(scene.server), greeting, 64);
    finish(&scene);
}

static void random_bytes_to_the_admin_endpoint_harm_nobody(void **state)
{
    (void)state;
    scene_t scene = start();
    send_garbage(server_admin(scene.server), "", 0);
    send_garbage(server_admin(scene.server), "GET /", 5);
    http_wait_status(server_admin(scene.server), "/livez", 200, DEADLINE_USUAL_MS);
    finish(&scene);
}

/* A ZeroMQ program that speaks something else; what it sends becomes longer and has more and more frames. */
static void messages_that_are_no_link_harm_nobody(void **state)
{
    (void)state;
    enum { MESSAGES = 2000 };
    char garbage[GARBAGE];
    scene_t scene = start();
    void *context = zmq_ctx_new();
    void *dealer = zmq_socket(context, ZMQ_DEALER);
    assert_int_equal(zmq_connect(dealer, server_broker(scene.server)), 0);
    for (unsigned i = 0; i < MESSAGES; i++) {
        make_garbage(garbage, i);
        unsigned frames = i % 5;
        for (unsigned k = 0; k < frames; k++)
            zmq_send(dealer, garbage + k, (size_t)i * k, ZMQ_SNDMORE);
        zmq_send(dealer, garbage, i, 0);
    }
    process_wait_log(server_process(scene.server), "event=link-refused reason=bad-frame", DEADLINE_USUAL_MS);
    int linger_ms = DEADLINE_USUAL_MS;
    zmq_setsockopt(dealer, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
    zmq_close(dealer);
    zmq_ctx_term(context);
    finish(&scene);
}

/* N.B. 30 connections that say nothing: they must not hold up the stop either. */
static void connections_that_say_nothing_harm_nobody(void **state)
{
    (void)state;
    scene_t scene = start();
    const char *endpoints[] = {server_gateway(scene.server), server_broker(scene.server), server_admin(scene.server)};
    for (int i = 0; i < 30; i++)
        client_connect(endpoints[i % 3]);
    client_sendf(scene.alice, "bob: hello");
    client_expect(scene.bob, "from alice: hello");
    process_t *process = server_process(scene.server);
    process_signal(process, SIGTERM);
    client_expect(scene.alice, "info draining");
    client_expect(scene.alice, "info accepted 2");
    client_expect_eof(scene.alice);
    client_expect(scene.bob, "info draining");
    client_expect(scene.bob, "info accepted 1");
    client_expect_eof(scene.bob);
    client_close(&scene.alice);
    client_close(&scene.bob);
    process_expect_exit(process, 0, DEADLINE_USUAL_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(random_bytes_to_the_gateway_harm_nobody),
        TEST(a_web_browser_at_the_gateway_is_told_that_it_has_no_name),
        TEST(random_bytes_to_the_broker_harm_nobody),
        TEST(random_bytes_to_the_admin_endpoint_harm_nobody),
        TEST(messages_that_are_no_link_harm_nobody),
        TEST(connections_that_say_nothing_harm_nobody),
    };
    return TEST_RUN(tests);
}
