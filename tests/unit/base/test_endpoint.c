/* SPDX-License-Identifier: MPL-2.0 */
/* endpoint: texts that are endpoints and texts that are not, and listening on tcp and on Unix sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/endpoint.h"

static endpoint_t parsed(const char *text)
{
    endpoint_t endpoint;
    const char *why = NULL;
    if (endpoint_parse(&endpoint, text, &why) != 0)
        fail_msg("%s: %s", text, why);
    return endpoint;
}

static void expect_text(const char *text, const char *written)
{
    endpoint_t endpoint = parsed(text);
    char back[ENDPOINT_SIZE];
    endpoint_text(&endpoint, back);
    assert_string_equal(back, written);
}

static void expect_refused(const char *text, const char *reason)
{
    endpoint_t endpoint;
    const char *why = NULL;
    assert_int_equal(endpoint_parse(&endpoint, text, &why), -1);
    assert_non_null(why);
    if (!strstr(why, reason))
        fail_msg("%s is refused because %s", text, why);
}

static void every_kind_of_endpoint_is_read_and_written(void **state)
{
    (void)state;
    expect_text("tcp://127.0.0.1:7400", "tcp://127.0.0.1:7400");
    expect_text("tcp://0.0.0.0:65535", "tcp://0.0.0.0:65535");
    expect_text("tcp://*:0", "tcp://0.0.0.0:0");
    expect_text("tcp://localhost:1", "tcp://127.0.0.1:1");
    expect_text("tcp://[::1]:7400", "tcp://[::1]:7400");
    expect_text("tcp://[2001:DB8:0::7]:7400", "tcp://[2001:db8::7]:7400");
    expect_text("http://127.0.0.1:7480", "http://127.0.0.1:7480");
    expect_text("ipc:///run/ferryd.sock", "ipc:///run/ferryd.sock");
    expect_text("ipc://@ferryd", "ipc://@ferryd");
    expect_text("inproc://main", "inproc://main");
}

static void a_text_without_a_known_scheme_is_refused(void **state)
{
    (void)state;
    expect_refused("", "begin with tcp://");
    expect_refused("127.0.0.1:7400", "begin with tcp://");
    expect_refused("udp://127.0.0.1:7400", "begin with tcp://");
    expect_refused("TCP://127.0.0.1:7400", "begin with tcp://");
    expect_refused(" tcp://127.0.0.1:7400", "begin with tcp://");
}

static void a_bad_port_is_refused(void **state)
{
    (void)state;
    expect_refused("tcp://127.0.0.1", "port");
    expect_refused("tcp://127.0.0.1:", "port");
    expect_refused("tcp://127.0.0.1:65536", "port");
    expect_refused("tcp://127.0.0.1:-1", "port");
    expect_refused("tcp://127.0.0.1:+1", "port");
    expect_refused("tcp://127.0.0.1:7400x", "port");
    expect_refused("tcp://127.0.0.1:0000007400", "port");
    expect_refused("tcp://127.0.0.1:*", "port");
    expect_refused("tcp://[::1]", "port");
    expect_refused("http://127.0.0.1:7480/", "port");
}

static void a_bad_host_is_refused(void **state)
{
    (void)state;
    expect_refused("tcp://:7400", "host");
    expect_refused("tcp://example.org:7400", "host");
    expect_refused("tcp://127.1:7400", "host");
    expect_refused("tcp://256.0.0.1:7400", "host");
    expect_refused("tcp://::1:7400", "host");
    expect_refused("tcp://[]:7400", "host");
    expect_refused("tcp://[127.0.0.1]:7400", "host");
    expect_refused("tcp://[:7400", "host");
    expect_refused(
        "tcp://1111111111111111111111111111111111111111111111111111111111111111111111111111111111:1", "host");
}

/* `scheme` and `size` bytes of path behind it, in static memory. */
static const char *path_of(const char *scheme, size_t size)
{
    static char text[256];
    snprintf(text, sizeof text, "%s%0*d", scheme, (int)size, 0);
    return text;
}

static void a_path_must_fit_into_a_socket_address(void **state)
{
    (void)state;
    expect_refused("ipc://", "must follow");
    expect_refused("ipc://*", "must follow");
    expect_refused("inproc://", "must follow");
    expect_text(path_of("ipc://", 107), path_of("ipc://", 107));
    expect_text(path_of("inproc://", 107), path_of("inproc://", 107));
    expect_refused(path_of("ipc://", 108), "107");
    expect_refused(path_of("inproc://", 108), "107");
}

static void expect_local(const char *text, bool expected)
{
    endpoint_t endpoint = parsed(text);
    if (endpoint_is_local(&endpoint) != expected)
        fail_msg("%s is%s local", text, expected ? " not" : "");
}

static void only_what_this_machine_alone_can_reach_is_local(void **state)
{
    (void)state;
    expect_local("tcp://127.0.0.1:1", true);
    expect_local("tcp://127.255.0.9:1", true);
    expect_local("tcp://[::1]:1", true);
    expect_local("tcp://[::ffff:127.0.0.1]:1", true);
    expect_local("http://localhost:1", true);
    expect_local("ipc://x", true);
    expect_local("inproc://x", true);
    expect_local("tcp://*:1", false);
    expect_local("tcp://10.0.0.1:1", false);
    expect_local("tcp://128.0.0.1:1", false);
    expect_local("tcp://[::]:1", false);
    expect_local("tcp://[::ffff:10.0.0.1]:1", false);
    expect_local("tcp://[fe80::1]:1", false);
}

static void the_port_is_told(void **state)
{
    (void)state;
    endpoint_t endpoint = parsed("tcp://[::1]:7400");
    assert_int_equal(endpoint_port(&endpoint), 7400);
    endpoint = parsed("http://127.0.0.1:65535");
    assert_int_equal(endpoint_port(&endpoint), 65535);
    endpoint = parsed("ipc://x");
    assert_int_equal(endpoint_port(&endpoint), 0);
}

static int listen_on(const char *text)
{
    endpoint_t endpoint = parsed(text);
    return endpoint_listen(&endpoint, 8);
}

static int connect_to(const char *text)
{
    endpoint_t endpoint = parsed(text);
    int fd = socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&endpoint.address, endpoint.address_size), 0);
    return fd;
}

static void a_listening_tcp_socket_takes_clients(const char *listen_text, const char *host)
{
    int listener = listen_on(listen_text);
    assert_true(listener >= 0);
    char where[ENDPOINT_SIZE], text[2 * ENDPOINT_SIZE], peer[ENDPOINT_SIZE];
    endpoint_of_socket(listener, false, where);
    assert_memory_equal(where, host, strlen(host));
    assert_true(atoi(strrchr(where, ':') + 1) > 0);
    snprintf(text, sizeof text, "tcp://%s", where);
    int client = connect_to(text);
    endpoint_of_socket(client, true, peer);
    assert_string_equal(peer, where);
    assert_int_equal(listen_on(text), -EADDRINUSE);
    close(client);
    close(listener);
}

static void port_0_listens_on_a_free_port_that_is_read_back(void **state)
{
    (void)state;
    a_listening_tcp_socket_takes_clients("tcp://127.0.0.1:0", "127.0.0.1:");
    a_listening_tcp_socket_takes_clients("tcp://[::1]:0", "[::1]:");
}

static void the_descriptor_does_not_block_and_is_closed_on_exec(void **state)
{
    (void)state;
    int fd = listen_on("tcp://127.0.0.1:0");
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
}

/* Another program may hold the IPv4 port of the same number: then with another one, at most 20 times. */
static void both_wildcards_may_share_a_port(void **state)
{
    (void)state;
    int ipv4 = -EADDRINUSE;
    for (int attempt = 0; attempt < 20 && ipv4 == -EADDRINUSE; attempt++) {
        int ipv6 = listen_on("tcp://[::]:0");
        char where[ENDPOINT_SIZE], text[ENDPOINT_SIZE];
        endpoint_of_socket(ipv6, false, where);
        snprintf(text, sizeof text, "tcp://0.0.0.0:%d", atoi(strrchr(where, ':') + 1));
        ipv4 = listen_on(text);
        close(ipv6);
    }
    assert_true(ipv4 >= 0);
    close(ipv4);
}

static void a_foreign_address_cannot_be_listened_on(void **state)
{
    (void)state;
    assert_int_equal(listen_on("tcp://192.0.2.1:0"), -EADDRNOTAVAIL);
    assert_int_equal(listen_on("inproc://main"), -EAFNOSUPPORT);
}

static void a_descriptor_that_is_no_socket_is_unknown(void **state)
{
    (void)state;
    char text[ENDPOINT_SIZE];
    endpoint_of_socket(-1, true, text);
    assert_string_equal(text, "unknown");
}

static char folder[] = "/tmp/ferry-endpoint-XXXXXX";
static char socket_path[64];
static char socket_text[80];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(socket_path, sizeof socket_path, "%s/sock", folder);
    snprintf(socket_text, sizeof socket_text, "ipc://%s", socket_path);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(socket_path);
    return rmdir(folder);
}

static int remove_socket(void **state)
{
    (void)state;
    unlink(socket_path);
    return 0;
}

static void a_unix_socket_takes_clients(void **state)
{
    (void)state;
    int listener = listen_on(socket_text);
    assert_true(listener >= 0);
    int client = connect_to(socket_text);
    char text[ENDPOINT_SIZE];
    endpoint_of_socket(client, true, text);
    assert_string_equal(text, "unix");
    close(client);
    close(listener);
}

static void a_stale_unix_socket_is_replaced(void **state)
{
    (void)state;
    close(listen_on(socket_text));
    assert_int_equal(access(socket_path, F_OK), 0);
    int listener = listen_on(socket_text);
    assert_true(listener >= 0);
    close(connect_to(socket_text));
    close(listener);
}

static void a_live_unix_socket_is_in_use(void **state)
{
    (void)state;
    int listener = listen_on(socket_text);
    assert_int_equal(listen_on(socket_text), -EADDRINUSE);
    close(connect_to(socket_text));
    close(listener);
}

static void a_file_that_is_no_socket_is_never_removed(void **state)
{
    (void)state;
    close(open(socket_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal(listen_on(socket_text), -EADDRINUSE);
    assert_int_equal(access(socket_path, F_OK), 0);
}

static void a_folder_that_is_missing_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(listen_on("ipc:///nonexistent/sock"), -ENOENT);
}

static void an_abstract_unix_socket_takes_clients(void **state)
{
    (void)state;
    char text[80];
    snprintf(text, sizeof text, "ipc://@%s", folder);
    int listener = listen_on(text);
    assert_true(listener >= 0);
    close(connect_to(text));
    assert_int_equal(listen_on(text), -EADDRINUSE);
    close(listener);
}

int main(void)
{
#define path_test(name) cmocka_unit_test_teardown(name, remove_socket)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_endpoint_is_read_and_written),
        cmocka_unit_test(a_text_without_a_known_scheme_is_refused),
        cmocka_unit_test(a_bad_port_is_refused),
        cmocka_unit_test(a_bad_host_is_refused),
        cmocka_unit_test(a_path_must_fit_into_a_socket_address),
        cmocka_unit_test(only_what_this_machine_alone_can_reach_is_local),
        cmocka_unit_test(the_port_is_told),
        cmocka_unit_test(port_0_listens_on_a_free_port_that_is_read_back),
        cmocka_unit_test(the_descriptor_does_not_block_and_is_closed_on_exec),
        cmocka_unit_test(both_wildcards_may_share_a_port),
        cmocka_unit_test(a_foreign_address_cannot_be_listened_on),
        cmocka_unit_test(a_descriptor_that_is_no_socket_is_unknown),
        path_test(a_unix_socket_takes_clients),
        path_test(a_stale_unix_socket_is_replaced),
        path_test(a_live_unix_socket_is_in_use),
        path_test(a_file_that_is_no_socket_is_never_removed),
        path_test(a_folder_that_is_missing_is_an_error),
        path_test(an_abstract_unix_socket_takes_clients),
    };
    return cmocka_run_group_tests_name("endpoint", tests, make_folder, remove_folder);
}
