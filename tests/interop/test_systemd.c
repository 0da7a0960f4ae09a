/* SPDX-License-Identifier: MPL-2.0 */
/* systemd: what systemd's own checker says of the units, and how ferryd keeps what they promise: it tells the manager
 * that it is ready and that it stops, feeds the watchdog, and takes the manager's sockets. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/folder.h"
#include "lib/shell.h"
#include "lib/test.h"

#define EXPOSURE_MAX 20 /* of 100, as `systemd-analyze security` counts */
#define HANDED_FD    9  /* what the shell, which knows but one digit, hands on as descriptor 3 */
#define PORT_ZERO                                                                                                      \
    "-s gateway/listen=tcp://127.0.0.1:0 -s broker/listen=tcp://127.0.0.1:0 -s broker/peer_listen=tcp://127.0.0.1:0 "  \
    "-s admin/listen=http://127.0.0.1:0"

/* Stages an installation whose units start the ferryd of this build; returns their folder, which the caller frees. */
static char *stage_units(void)
{
    return shell_read("root='%s'\n"
                      "units=\"$root/usr/lib/systemd/system\"\n"
                      "DESTDIR=\"$root\" cmake --install \"$FERRY_BIN/..\" >/dev/null\n"
                      "sed -i \"s|/usr/sbin/ferryd|$(realpath \"$FERRY_BIN/ferryd\")|\" \"$units\"/*.service\n"
                      "printf %%s \"$units\"",
        folder_new());
}

static void systemd_finds_no_fault_with_the_units(void **state)
{
    (void)state;
    char *units = stage_units();
    char *faults = shell_read("cd '%s'\n"
                              "export SYSTEMD_UNIT_PATH=\"$PWD:\"\n"
                              "systemd-analyze verify --man=no \"$PWD/ferrymq-broker.service\" "
                              "\"$PWD/ferrymq-gateway@7401.service\" \"$PWD/ferrymq-gateway@7401.socket\" 2>&1",
        units);
    assert_string_equal(faults, "");
    free(faults);
    free(units);
}

static void the_services_are_hardly_exposed(void **state)
{
    (void)state;
    char *units = stage_units();
    shell_run("cd '%s'\n"
              "export SYSTEMD_UNIT_PATH=\"$PWD:\"\n"
              "for unit in ferrymq-broker.service ferrymq-gateway@.service; do\n"
              "    systemd-analyze security --no-pager --offline=yes --threshold=%d \"$PWD/$unit\"\n"
              "done",
        units, EXPOSURE_MAX);
    free(units);
}

/* Binds the socket that stands for the manager's and writes its path. */
static int bind_manager(char *path, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(path, size, "%s/notify", folder_new());
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Waits until ferryd has told the manager `what`, for example "READY=1". */
static void wait_notice(int fd, const char *what)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    char text[1024] = "";
    while (!strstr(text, what)) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        if (poll(&readable, 1, deadline_left_ms(deadline)) != 1)
            fail_msg("the manager was never told %s", what);
        ssize_t got = recv(fd, text, sizeof(text) - 1, 0);
        text[got > 0 ? got : 0] = '\0';
    }
}

static void the_manager_is_told_of_start_life_and_stop(void **state)
{
    (void)state;
    char path[108];
    int fd = bind_manager(path, sizeof(path));
    process_t *ferryd = shell_start("export NOTIFY_SOCKET='%s' WATCHDOG_USEC=1000000 WATCHDOG_PID=$$\n"
                                    "exec \"$FERRY_BIN/ferryd\" " PORT_ZERO,
        path);
    wait_notice(fd, "READY=1");
    wait_notice(fd, "WATCHDOG=1");
    wait_notice(fd, "WATCHDOG=1");
    process_signal(ferryd, SIGTERM);
    wait_notice(fd, "STOPPING=1");
    assert_int_equal(process_wait_exit(ferryd, DEADLINE_USUAL_MS), 0);
    close(fd);
}

static void a_gateway_without_its_broker_is_up_for_the_manager(void **state)
{
    (void)state;
    char path[108];
    int fd = bind_manager(path, sizeof(path));
    process_t *ferryd = shell_start("export NOTIFY_SOCKET='%s'\n"
                                    "exec \"$FERRY_BIN/ferryd\" gateway -s gateway/broker=tcp://127.0.0.1:1 "
                                    "-s gateway/listen=tcp://127.0.0.1:0 -s admin/listen=http://127.0.0.1:0",
        path);
    wait_notice(fd, "READY=1");
    process_signal(ferryd, SIGTERM);
    assert_int_equal(process_wait_exit(ferryd, DEADLINE_USUAL_MS), 0);
    close(fd);
}

static void a_socket_of_the_manager_replaces_the_configured_ones(void **state)
{
    (void)state;
    endpoint_t any;
    const char *why = NULL;
    char address[ENDPOINT_SIZE];
    char endpoint[ENDPOINT_SIZE + 8];
    assert_int_equal(endpoint_parse(&any, "tcp://127.0.0.1:0", &why), 0);
    int listener = endpoint_listen(&any, 16);
    assert_int_equal(fcntl(HANDED_FD, F_GETFD), -1); /* else dup2 would take it from somebody */
    assert_int_equal(dup2(listener, HANDED_FD), HANDED_FD);
    close(listener);
    endpoint_of_socket(HANDED_FD, false, address);
    snprintf(endpoint, sizeof(endpoint), "tcp://%s", address);

    process_t *ferryd = shell_start("export LISTEN_FDS=1 LISTEN_PID=$$\n"
                                    "exec \"$FERRY_BIN/ferryd\" " PORT_ZERO " 3<&%d %d<&-",
        HANDED_FD, HANDED_FD);
    close(HANDED_FD);
    process_wait_log(ferryd, "event=ready", DEADLINE_USUAL_MS);
    client_t *alice = client_login(endpoint, "alice");
    client_send(alice, "alice: hello");
    client_expect(alice, "from alice: hello");
    assert_int_equal(process_count_log(ferryd, "event=listening role=gateway"), 1);
    client_close(&alice);
    process_signal(ferryd, SIGTERM);
    assert_int_equal(process_wait_exit(ferryd, DEADLINE_USUAL_MS), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(systemd_finds_no_fault_with_the_units),
        TEST(the_services_are_hardly_exposed),
        TEST(the_manager_is_told_of_start_life_and_stop),
        TEST(a_gateway_without_its_broker_is_up_for_the_manager),
        TEST(a_socket_of_the_manager_replaces_the_configured_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
