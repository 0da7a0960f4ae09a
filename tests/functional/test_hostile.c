/* SPDX-License-Identifier: MPL-2.0 */
/* A real ferryd where the machine, or who started it, does it no favour. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/folder.h"
#include "lib/http.h"
#include "lib/server.h"
#include "lib/shell.h"
#include "lib/stream_socket.h"
#include "lib/test.h"

/* Waits until somebody listens, where no log can tell. */
static void wait_listening(const char *endpoint)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    int fd;
    while ((fd = stream_socket_connect(endpoint, 0, 0)) < 0 || stream_socket_wait(fd, deadline) != 0) {
        if (fd >= 0)
            close(fd);
        if (deadline_passed(deadline))
            fail_msg("nobody listens on %s", endpoint);
    }
    close(fd);
}

/* What a descriptor of another process is. */
static void read_descriptor(pid_t pid, int fd, char *text, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)pid, fd);
    ssize_t length = readlink(link, text, size - 1);
    text[length > 0 ? length : 0] = '\0';
}

static void closed_standard_streams_are_never_a_clients_socket(void **state)
{
    (void)state;
    char endpoint[160];
    snprintf(endpoint, sizeof endpoint, "ipc://%s/gateway", folder_new());
    char *ferryd = process_find_program("ferryd");
    process_t *process = shell_start("exec %s all -s gateway/listen=%s -s broker/listen=tcp://127.0.0.1:0"
                                     " -s broker/peer_listen= -s admin/listen= <&- >&- 2>&-",
        ferryd, endpoint);
    free(ferryd);
    wait_listening(endpoint);
    for (int fd = 0; fd <= 2; fd++) {
        char text[64];
        read_descriptor(process_pid(process), fd, text, sizeof text);
        assert_string_equal(text, "/dev/null");
    }
    client_t *alice = client_login(endpoint, "alice");
    client_send(alice, "alice: hello");
    client_expect(alice, "from alice: hello");
    client_close(&alice);
    process_signal(process, SIGTERM);
    assert_int_equal(process_wait_exit(process, DEADLINE_USUAL_MS), 0);
}

static void a_log_at_its_largest_size_loses_lines_only(void **state)
{
    (void)state;
    char path[160];
    snprintf(path, sizeof path, "ipc://%s/gateway", folder_new());
    char *ferryd = process_find_program("ferryd");
    process_t *process = shell_start("ulimit -f 1; exec %s all -s gateway/listen=%s -s broker/listen=tcp://127.0.0.1:0"
                                     " -s broker/peer_listen= -s admin/listen= 2>%s.log",
        ferryd, path, path + strlen("ipc://"));
    free(ferryd);
    wait_listening(path);
    for (int i = 0; i < 20; i++) {
        client_t *client = client_login(path, "alice");
        client_send(client, "/quit");
        client_expect(client, "ok quit");
        client_expect_eof(client);
        client_close(&client);
    }
    process_signal(process, SIGTERM);
    assert_int_equal(process_wait_exit(process, DEADLINE_USUAL_MS), 0);
}

static void a_start_that_fails_says_one_error(void **state)
{
    (void)state;
    server_t *first = server_start("all", NULL);
    char admin[128];
    snprintf(admin, sizeof admin, "admin/listen=%s", server_admin(first));
    server_t *second = server_launch("all", "-s", admin, NULL);
    assert_int_equal(process_wait_exit(server_process(second), DEADLINE_USUAL_MS), 1);
    char *errors = process_errors(server_process(second));
    unsigned lines = 0;
    for (const char *line = errors; *line; line = strchr(line, '\n') + 1) {
        lines += strstr(line, "level=error") && strstr(line, "level=error") < strchr(line, '\n');
        if (strncmp(line, "time=", 5) != 0)
            fail_msg("this is no event: %s", line);
    }
    assert_int_equal(lines, 1);
    free(errors);
    server_destroy(&second);
    server_stop(&first);
}

/* Starts ferryd with at most that many descriptors. */
static process_t *start_with_descriptors(unsigned count)
{
    char *ferryd = process_find_program("ferryd");
    process_t *process = shell_start("ulimit -n %u; exec %s all -s gateway/listen=tcp://127.0.0.1:0"
                                     " -s broker/listen=tcp://127.0.0.1:0 -s broker/peer_listen="
                                     " -s admin/listen=http://127.0.0.1:0",
        count, ferryd);
    free(ferryd);
    process_wait_log(process, "event=ready", DEADLINE_USUAL_MS);
    return process;
}

static void clients_beyond_the_descriptors_wait_and_harm_nobody(void **state)
{
    (void)state;
    enum { CLIENTS = 300 };
    process_t *process = start_with_descriptors(200);
    char gateway[64], admin[64];
    snprintf(gateway, sizeof gateway, "%s", process_join_log(process, "event=listening role=gateway", "endpoint"));
    snprintf(admin, sizeof admin, "%s", process_join_log(process, "event=listening role=admin", "endpoint"));
    client_t *alice = client_login(gateway, "alice"), *clients[CLIENTS];
    for (unsigned i = 0; i < CLIENTS; i++)
        clients[i] = client_connect(gateway);
    process_wait_log(process, "event=accept-paused", DEADLINE_USUAL_MS);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(http_status(admin, "/readyz"), 200);
    client_send(alice, "alice: hello");
    client_expect(alice, "from alice: hello");
    for (unsigned i = 0; i < CLIENTS; i++)
        client_close(&clients[i]);
    client_t *bob = client_login(gateway, "bob");
    process_wait_log(process, "event=accept-resumed", DEADLINE_USUAL_MS);
    client_close(&bob);
    client_close(&alice);
    process_signal(process, SIGTERM);
    assert_int_equal(process_wait_exit(process, DEADLINE_USUAL_MS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(closed_standard_streams_are_never_a_clients_socket),
        TEST(a_log_at_its_largest_size_loses_lines_only),
        TEST(a_start_that_fails_says_one_error),
        TEST(clients_beyond_the_descriptors_wait_and_harm_nobody),
    };
    return TEST_RUN(tests);
}
