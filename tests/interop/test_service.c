/* SPDX-License-Identifier: MPL-2.0 */
/* service: the complete example of proto/plain.md, cut out of the document and run as it stands there, by the system's
 * Python with its ZeroMQ: it serves line clients, and goes on when its broker was killed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/document.h"
#include "lib/folder.h"
#include "lib/program.h"
#include "lib/server.h"
#include "lib/test.h"

#define PYTHON    "/usr/bin/python3"
#define LINES_MAX 30

/* Writes the text to a file; returns its path, valid until the next call. */
static const char *write_script(const char *text)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/service.py", folder_new());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

/* The same for the only Python of the protocol. */
static const char *write_example(void)
{
    char *text = document_read("proto/plain.md", NULL);
    char *start = strstr(text, "```python\n");
    assert_non_null(start);
    start += strlen("```python\n");
    char *end = strstr(start, "```");
    assert_non_null(end);
    *end = '\0';
    unsigned lines = 0;
    for (const char *at = start; (at = strchr(at, '\n')); at++)
        lines++;
    assert_true(lines < LINES_MAX);
    const char *path = write_script(start);
    free(text);
    return path;
}

/* Starts the Python that stands in the README below that heading, at another endpoint than it says. */
static process_t *start_of_readme(server_t *server, const char *heading)
{
    static const char endpoint[] = "tcp://127.0.0.1:7411";
    char *readme = document_read("README.md", NULL), *at = strstr(readme, heading), text[4096] = "";
    assert_non_null(at);
    at = strstr(at, "    import zmq\n");
    assert_non_null(at);
    for (char *line; (line = strsep(&at, "\n")) && (*line == ' ' || *line == '\0');) {
        char *place = strstr(line, endpoint);
        size_t size = strlen(text), left = sizeof text - size;
        line += *line ? 4 : 0;
        if (place)
            snprintf(text + size, left, "%.*s%s%s\n", (int)(place - line), line, server_peers(server),
                place + strlen(endpoint));
        else
            snprintf(text + size, left, "%s\n", line);
    }
    free(readme);
    return process_run(PYTHON, write_script(text), NULL);
}

static process_t *start_service(server_t *broker, const char *name)
{
    char logged_in[80];
    process_t *service = process_run(PYTHON, write_example(), server_peers(broker), name, NULL);
    snprintf(logged_in, sizeof logged_in, "OK LOGIN %s\n", name);
    process_wait_output(service, logged_in, DEADLINE_USUAL_MS);
    return service;
}

static void a_client_and_a_python_program_exchange_messages(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    process_t *service = start_service(server, "shout");
    client_t *carl = client_login(server_gateway(server), "carl");
    for (unsigned i = 0; i < 1000; i++)
        client_sendf(carl, "shout: hello %u", i);
    for (unsigned i = 0; i < 1000; i++)
        client_expectf(carl, "from shout: HELLO %u", i);
    process_destroy(&service);
    server_stop(&server);
}

static void a_mebibyte_goes_to_python_and_back(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    char *bytes = malloc(SIZE);
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 31 % 251);
    server_t *server = server_start("all", NULL);
    process_t *service = start_service(server, "shout");
    program_t *alice = program_login(server_peers(server), "alice");
    program_send(alice, "shout", bytes, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        if (bytes[i] >= 'a' && bytes[i] <= 'z')
            bytes[i] = (char)(bytes[i] - 'a' + 'A');
    program_expect_bytes(alice, "shout", bytes, SIZE);
    program_sync(alice);
    process_destroy(&service);
    free(bytes);
    server_stop(&server);
}

/* The service is told that it is unknown, logs in again by itself, and answers as before. */
static void the_program_outlives_a_broker_that_is_killed(void **state)
{
    (void)state;
    char links[160], listen[160], peers[160];
    server_t *broker = server_start("broker", NULL);
    snprintf(links, sizeof links, "gateway/broker=%s", server_broker(broker));
    snprintf(listen, sizeof listen, "broker/listen=%s", server_broker(broker));
    snprintf(peers, sizeof peers, "broker/peer_listen=%s", server_peers(broker));
    server_t *gateway = server_start("gateway", "-s", links, NULL);
    process_t *service = start_service(broker, "shout");
    client_t *carl = client_login(server_gateway(gateway), "carl");
    client_send(carl, "shout: one");
    client_expect(carl, "from shout: ONE");
    process_signal(server_process(broker), SIGKILL);
    process_wait_exit(server_process(broker), DEADLINE_USUAL_MS);
    server_destroy(&broker);
    broker = server_start("broker", "-s", listen, "-s", peers, NULL);
    process_wait_output(service, "OK LOGIN shout\nOK LOGIN shout\n", 2 * DEADLINE_USUAL_MS);
    client_send(carl, "shout: two");
    const char *told = client_read(carl);
    while (strncmp(told, "error unconfirmed shout", 23) == 0)
        told = client_read(carl);
    assert_string_equal(told, "from shout: TWO");
    process_destroy(&service);
    server_stop(&gateway);
    server_stop(&broker);
}

static void the_services_of_the_readme_serve(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    client_t *carl = client_login(server_gateway(server), "carl");
    client_send(carl, "/watch shout");
    client_expect(carl, "ok watch shout away");
    process_t *shout = start_of_readme(server, "## A Python service");
    client_expect(carl, "info came shout");
    client_send(carl, "shout: hello");
    client_expect(carl, "from shout: HELLO");
    process_t *miller = start_of_readme(server, "## A work queue");
    do /* it may not serve yet */
        client_send(carl, "/who @");
    while (strcmp(client_read(carl), "info who @mill") != 0);
    client_expect(carl, "ok who 1");
    client_send(carl, "/request r1 60s @mill: rye");
    client_expect(carl, "ok r1 RYE");
    process_destroy(&shout);
    process_destroy(&miller);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_and_a_python_program_exchange_messages),
        TEST(a_mebibyte_goes_to_python_and_back),
        TEST(the_services_of_the_readme_serve),
        TEST(the_program_outlives_a_broker_that_is_killed),
    };
    return TEST_RUN(tests);
}
