/* SPDX-License-Identifier: MPL-2.0 */
/* A service under load, which Python plays: who serves it goes now and then, and its broker is killed, drained, and
 * started again. Every request is answered once, or its asker told. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/deadline.h"
#include "lib/server.h"
#include "lib/test.h"

#define ANSWERS 200 /* that the program says at a time */

static server_t *broker, *gateways[2];
static process_t *mill;
static unsigned answers; /* that it has said */

static void start(void)
{
    char option[200], script[4096];
    broker = server_start("broker", NULL);
    snprintf(option, sizeof(option), "gateway/broker=%s", server_broker(broker));
    for (int i = 0; i < 2; i++)
        gateways[i] = server_start("gateway", "-s", option, "-s", "drain/timeout=60s", NULL);
    snprintf(script, sizeof(script), "%s/tests/interop/mill.py", getenv("FERRY_SOURCE"));
    mill = process_run("python3", script, "0.1", server_gateway(gateways[0]) + sizeof("tcp://") - 1,
        server_gateway(gateways[1]) + sizeof("tcp://") - 1, NULL);
    answers = 0;
}

/* The service goes on. */
static void expect_answers(unsigned times)
{
    char text[40];
    answers += times * ANSWERS;
    snprintf(text, sizeof(text), "answered=%u", answers);
    process_wait_text(mill, text, 60000);
}

/* Another broker is where the last one was. */
static void renew_broker(void)
{
    char option[200];
    snprintf(option, sizeof(option), "broker/listen=%s", server_broker(broker));
    server_destroy(&broker);
    broker = server_start("broker", "-s", option, NULL);
}

static void stop(void)
{
    process_close_input(mill);
    process_expect_exit(mill, 0, 90000);
    process_destroy(&mill);
    server_stop(&gateways[0]);
    server_stop(&gateways[1]);
    server_stop(&broker);
}

static void requests_are_answered_while_those_who_serve_come_and_go(void **state)
{
    (void)state;
    start();
    expect_answers(40);
    stop();
}

static void requests_outlive_a_broker_that_is_killed_and_one_that_drains(void **state)
{
    (void)state;
    start();
    for (int i = 0; i < 3; i++) {
        expect_answers(10);
        process_signal(server_process(broker), SIGKILL);
        renew_broker();
    }
    expect_answers(10);
    process_signal(server_process(broker), SIGTERM);
    process_expect_exit(server_process(broker), 0, 60000);
    renew_broker();
    expect_answers(10);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_are_answered_while_those_who_serve_come_and_go),
        TEST(requests_outlive_a_broker_that_is_killed_and_one_that_drains),
    };
    return TEST_RUN(tests);
}
