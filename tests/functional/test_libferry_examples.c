/* SPDX-License-Identifier: MPL-2.0 */
/* The examples of libferry, run as their readers would, and the one that the README shows. */
#include <stdio.h>
#include <string.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/document.h"
#include "lib/server.h"
#include "lib/test.h"

enum { LINES = 3000, EXIT_MS = 20000 };

/* Starts an example of this build; its log tells of its login. */
static process_t *example_start(const char *name, const char *const *arguments)
{
    char path[512];
    char *program = process_find_program("ferryd");
    snprintf(path, sizeof path, "%.*s/../examples/%s", (int)(strrchr(program, '/') - program), program, name);
    free(program);
    const char *argv[8] = {path};
    for (size_t i = 0; arguments[i]; i++)
        argv[i + 1] = arguments[i];
    setenv("FERRY_LOG", "info", 1);
    return process_start(argv);
}

static void the_echo_service_answers_until_it_is_stopped(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    client_t *alice = client_login(server_gateway(server), "alice");
    process_t *echo = example_start("echo", (const char *const[]){server_broker(server), NULL});
    process_wait_log(echo, "event=login name=echo", DEADLINE_USUAL_MS);
    for (int i = 0; i < 100; i++)
        client_sendf(alice, "echo: %d", i);
    for (int i = 0; i < 100; i++)
        client_expectf(alice, "from echo: %d", i);
    process_signal(echo, SIGTERM);
    process_expect_exit(echo, 0, EXIT_MS);
    client_send(alice, "echo: still there?");
    client_expect(alice, "error no-such-peer echo");
    server_stop(&server);
}

static void the_mill_works_until_it_is_stopped(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    client_t *alice = client_login(server_gateway(server), "alice"), *bob = client_login(server_gateway(server), "bob");
    client_send(bob, "/join #mill");
    client_expect(bob, "ok join #mill");
    process_t *mill = example_start("mill", (const char *const[]){server_broker(server), NULL});
    process_wait_log(mill, "event=login name=miller", DEADLINE_USUAL_MS);
    client_send(alice, "/who @"); /* it may not serve yet */
    for (const char *line; strcmp(line = client_read(alice), "ok who 1") != 0;)
        if (strcmp(line, "ok who 0") == 0)
            client_send(alice, "/who @");
    client_send(alice, "/request r1 60s @mill: rye");
    client_expect(alice, "ok r1 RYE");
    client_expect(bob, "from miller #mill: alice");
    process_signal(mill, SIGTERM);
    process_expect_exit(mill, 0, EXIT_MS);
    client_send(alice, "@mill: oats");
    client_expect(alice, "error no-such-peer @mill");
    server_stop(&server);
}

static void deliver_goes_on_through_the_death_of_a_broker(void **state)
{
    (void)state;
    char listen[200], option[200], text[16];
    server_t *broker = server_start("broker", NULL);
    snprintf(listen, sizeof listen, "broker/listen=%s", server_broker(broker));
    snprintf(option, sizeof option, "gateway/broker=%s", server_broker(broker));
    server_t *gateway = server_start("gateway", "-s", option, NULL);
    client_t *bob = client_login(server_gateway(gateway), "bob");
    process_t *deliver = example_start("deliver", (const char *const[]){server_broker(broker), "alice", "bob", NULL});
    process_wait_log(deliver, "event=login name=alice", DEADLINE_USUAL_MS);
    for (int i = 0; i < LINES; i++) {
        snprintf(text, sizeof text, "%d\n", i);
        process_write(deliver, text);
        if (i != LINES / 2)
            continue;
        server_destroy(&broker); /* SIGKILL */
        broker = server_launch("broker", "-s", listen, NULL);
    }
    process_close_input(deliver);
    for (int i = 0; i < LINES; i++)
        client_expectf(bob, "from alice: %d", i);
    process_expect_exit(deliver, 0, EXIT_MS);
    server_stop(&gateway);
    server_stop(&broker);
}

static void deliver_says_what_did_not_arrive(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    client_t *bob = client_login(server_gateway(server), "bob");
    process_t *deliver =
        example_start("deliver", (const char *const[]){server_broker(server), "alice", "bob, carol", NULL});
    process_write(deliver, "one\nt\x01wo\n");
    process_close_input(deliver);
    process_expect_exit(deliver, 1, EXIT_MS);
    char *output = process_output(deliver);
    assert_non_null(strstr(output, "line 1: no-such-peer carol"));
    assert_non_null(strstr(output, "line 2: undelivered bob not-a-line"));
    free(output);
    client_expect(bob, "from alice: one");
    server_stop(&server);
}

static void the_readme_shows_the_echo_service_as_it_is(void **state)
{
    (void)state;
    char *readme = document_read("README.md", NULL), *example = document_read("examples/echo.c", NULL);
    assert_non_null(strstr(readme, strstr(example, "#include")));
    free(readme);
    free(example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_echo_service_answers_until_it_is_stopped),
        TEST(the_mill_works_until_it_is_stopped),
        TEST(deliver_goes_on_through_the_death_of_a_broker),
        TEST(deliver_says_what_did_not_arrive),
        TEST(the_readme_shows_the_echo_service_as_it_is),
    };
    return TEST_RUN(tests);
}
