/* SPDX-License-Identifier: MPL-2.0 */
/* Messages with a label: each is answered once, whatever is lost on the way, and not before it is delivered. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/process.h"
#include "lib/server.h"
#include "lib/test.h"

enum { ROUNDS = 10, EACH = 200, LONG_COUNT = 64, LONG_SIZE = 8000, NAMES = 8 };

typedef struct {
    server_t *broker, *near, *far;
    char endpoint[128], list[160];
    client_t *alice, *bob;
} scene_t;

static scene_t scene;

/* Two gateways, with alice at one and bob at the other, whose socket has that much room (0: the system's). */
static void open_scene(int room)
{
    scene.broker = server_start("broker", NULL);
    snprintf(scene.endpoint, sizeof scene.endpoint, "broker/listen=%s", server_broker(scene.broker));
    snprintf(scene.list, sizeof scene.list, "gateway/broker=%s", server_broker(scene.broker));
    scene.near = server_start("gateway", "-s", scene.list, NULL);
    scene.far = server_start("gateway", "-s", scene.list, "-s", "gateway/send_buffer=8KiB", "-s",
        "gateway/stall_time=1h", "-s", "gateway/high_mark=4MiB", NULL);
    scene.alice = client_login(server_gateway(scene.near), "alice");
    scene.bob = client_connect_sized(server_gateway(scene.far), room, 0);
    client_send(scene.bob, "bob\n/ping in");
    client_expect(scene.bob, "ok ping in");
}

static void close_scene(void)
{
    client_close(&scene.alice);
    if (scene.bob)
        client_close(&scene.bob);
    server_stop(&scene.near);
    if (scene.far)
        server_stop(&scene.far);
    server_stop(&scene.broker);
}

static void replace_broker(void)
{
    process_signal(server_process(scene.broker), SIGKILL);
    process_wait_exit(server_process(scene.broker), DEADLINE_USUAL_MS);
    server_destroy(&scene.broker);
    scene.broker = server_start("broker", "-s", scene.endpoint, NULL);
}

/* Reads one answer for each label from 1 to `count`, of which none may come twice. */
static void expect_all(unsigned count)
{
    char *seen = calloc(count + 1, 1);
    assert_non_null(seen);
    for (unsigned i = 0; i < count; i++) {
        unsigned label = (unsigned)atoi(client_expect_prefix(scene.alice, "ok ") + 3);
        assert_in_range(label, 1, count);
        assert_false(seen[label]);
        seen[label] = 1;
    }
    free(seen);
    client_barrier(scene.alice);
}

static void each_label_is_answered_once_though_the_broker_is_killed(void **state)
{
    (void)state;
    open_scene(0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 1; i <= EACH; i++) {
            client_sendf(scene.alice, "/send %u bob: %u", i, i);
            if (i == EACH / 2)
                replace_broker();
        }
        for (unsigned i = 1; i <= EACH; i++)
            client_expectf(scene.bob, "from alice: %u", i);
        expect_all(EACH);
    }
    close_scene();
}

/* More than the kernels hold. */
static void send_long(void)
{
    char text[LONG_SIZE + 1];
    memset(text, 'x', LONG_SIZE);
    text[LONG_SIZE] = '\0';
    for (unsigned i = 1; i <= LONG_COUNT; i++)
        client_sendf(scene.alice, "/send %u bob: %s", i, text);
}

/* Reads what has been answered, up to what is answered only when everything before it was taken. */
static unsigned count_answers(const char *prefix)
{
    unsigned count = 0;
    client_send(scene.alice, "/ping so far");
    for (const char *line; strcmp(line = client_read(scene.alice), "ok ping so far") != 0; count++)
        if (strncmp(line, prefix, strlen(prefix)) != 0)
            fail_msg("alice reads `%s`", line);
    return count;
}

static void no_answer_comes_before_the_recipient_has_the_message(void **state)
{
    (void)state;
    open_scene(4096);
    send_long();
    unsigned answered = count_answers("ok ");
    assert_in_range(answered, 0, LONG_COUNT / 2);
    for (unsigned i = 1; i <= LONG_COUNT; i++)
        client_expect_prefix(scene.bob, "from alice: xxx");
    for (unsigned i = answered; i < LONG_COUNT; i++)
        client_expect_prefix(scene.alice, "ok ");
    client_barrier(scene.alice);
    close_scene();
}

static void what_a_killed_gateway_had_is_told_with_its_label(void **state)
{
    (void)state;
    open_scene(4096);
    send_long();
    unsigned answered = count_answers("ok ");
    process_signal(server_process(scene.far), SIGKILL);
    process_wait_exit(server_process(scene.far), DEADLINE_USUAL_MS);
    server_destroy(&scene.far);
    for (unsigned i = answered; i < LONG_COUNT; i++) {
        const char *line = client_read(scene.alice);
        unsigned label = 0;
        if (sscanf(line, "ok %u", &label) == 0 && sscanf(line, "error unconfirmed bob gateway-lost %u", &label) == 0)
            fail_msg("alice reads `%s`", line);
        assert_in_range(label, 1, LONG_COUNT);
    }
    client_barrier(scene.alice);
    close_scene();
}

static void a_client_that_goes_is_told_with_the_label(void **state)
{
    (void)state;
    open_scene(4096);
    send_long();
    unsigned answered = count_answers("ok ");
    client_reset(&scene.bob);
    for (unsigned i = answered; i < LONG_COUNT; i++) {
        const char *line = client_read(scene.alice);
        unsigned label = 0;
        if (sscanf(line, "error undelivered bob gone %u", &label) != 1 &&
            sscanf(line, "error unconfirmed bob gone %u", &label) != 1 &&
            sscanf(line, "error no-such-peer bob %u", &label) != 1) /* it had left before that came */
            fail_msg("alice reads `%s`", line);
        assert_in_range(label, answered + 1, LONG_COUNT);
    }
    client_barrier(scene.alice);
    close_scene();
}

static void a_message_over_two_brokers_is_answered_once(void **state)
{
    (void)state;
    char first[160], second[160];
    server_t *brokers[2] = {server_start("broker", "-s", "broker/name=first", NULL),
        server_start("broker", "-s", "broker/name=second", NULL)};
    snprintf(first, sizeof first, "gateway/broker=first=%s", server_broker(brokers[0]));
    snprintf(second, sizeof second, "gateway/broker=second=%s", server_broker(brokers[1]));
    server_t *gateway = server_start("gateway", "-s", first, "-s", second, NULL);
    char name[NAMES][8], line[200] = "";
    client_t *clients[NAMES];
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(name[i], sizeof name[i], "n%u", i);
        clients[i] = client_login(server_gateway(gateway), name[i]);
        snprintf(line + strlen(line), sizeof line - strlen(line), "%s%s", i ? ", " : "", name[i]);
    }
    client_sendf(clients[0], "/send all %s: hello", line);
    for (unsigned i = 0; i < NAMES; i++)
        client_expect(clients[i], "from n0: hello");
    client_expect(clients[0], "ok all");
    client_sendf(clients[1], "/send most %s, nobody, none: hello", line);
    for (unsigned i = 0; i < NAMES; i++)
        if (i != 1)
            client_expect(clients[i], "from n1: hello");
    unsigned errors = 0;
    for (unsigned i = 0; i < 3; i++) {
        const char *got = client_read(clients[1]);
        errors +=
            strcmp(got, "error no-such-peer nobody most") == 0 || strcmp(got, "error no-such-peer none most") == 0;
    }
    assert_int_equal(errors, 2);
    client_barrier(clients[1]);
    for (unsigned i = 0; i < NAMES; i++)
        client_close(&clients[i]);
    server_stop(&gateway);
    server_stop(&brokers[0]);
    server_stop(&brokers[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_label_is_answered_once_though_the_broker_is_killed),
        TEST(no_answer_comes_before_the_recipient_has_the_message),
        TEST(what_a_killed_gateway_had_is_told_with_its_label),
        TEST(a_client_that_goes_is_told_with_the_label),
        TEST(a_message_over_two_brokers_is_answered_once),
    };
    return TEST_RUN(tests);
}
