/* SPDX-License-Identifier: MPL-2.0 */
/* dial: addresses as users write them, and connections to a listener of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "ferry/dial.h"

static void expect_tcp(const char *address, const char *host, const char *port)
{
    dial_target_t target;
    const char *why = NULL;
    if (dial_parse(&target, address, &why))
        fail_msg("%s: %s", address, why);
    assert_false(target.is_ipc);
    assert_string_equal(target.host, host);
    assert_string_equal(target.port, port);
}

static void expect_refused(const char *address)
{
    dial_target_t target;
    const char *why = NULL;
    if (!dial_parse(&target, address, &why))
        fail_msg("%s is taken as %s %s", address, target.host, target.port);
    assert_non_null(why);
}

static void hosts_and_ports_are_taken_apart(void **state)
{
    (void)state;
    expect_tcp("tcp://127.0.0.1:7400", "127.0.0.1", "7400");
    expect_tcp("gateway.example:65535", "gateway.example", "65535");
    expect_tcp("tcp://[::1]:1", "::1", "1");
    expect_tcp("[fe80::1%lo]:80", "fe80::1%lo", "80");
}

static void without_a_port_it_is_the_usual_one(void **state)
{
    (void)state;
    expect_tcp("localhost", "localhost", "7400");
    expect_tcp("tcp://[::1]", "::1", "7400");
}

static void a_path_is_a_unix_socket(void **state)
{
    (void)state;
    dial_target_t target;
    const char *why = NULL;
    assert_int_equal(dial_parse(&target, "ipc:///run/ferry.sock", &why), 0);
    assert_true(target.is_ipc);
    assert_string_equal(target.ipc.path, "/run/ferry.sock");
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "tcp://", ":7400", "host:", "host:0", "host:65536", "host:12x", "host:+1",
        "host: 1", "::1", "[::1", "[::1]7400", "[]:7400", "http://host:1", "inproc://x", "ipc://", "host:00000001"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_refused(bad[i]);
}

static void a_listener_is_reached_by_name_and_by_number(void **state)
{
    (void)state;
    static const char *const hosts[] = {"tcp://127.0.0.1", "localhost"};
    endpoint_t endpoint;
    const char *why = NULL;
    assert_int_equal(endpoint_parse(&endpoint, "tcp://127.0.0.1:0", &why), 0);
    int listener = endpoint_listen(&endpoint, 16);
    assert_true(listener >= 0);
    char bound[ENDPOINT_SIZE];
    endpoint_of_socket(listener, false, bound);
    int port = 0;
    assert_int_equal(sscanf(bound, "127.0.0.1:%d", &port), 1);
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char address[64];
        snprintf(address, sizeof address, "%s:%d", hosts[i], port);
        int fd = dial(address, false);
        assert_true(fd >= 0);
        close(fd);
    }
    close(listener);
}

static void a_unix_socket_is_reached(void **state)
{
    (void)state;
    char address[64];
    snprintf(address, sizeof address, "ipc://@ferry-test-dial-%d", (int)getpid());
    endpoint_t endpoint;
    const char *why = NULL;
    assert_int_equal(endpoint_parse(&endpoint, address, &why), 0);
    int listener = endpoint_listen(&endpoint, 16);
    assert_true(listener >= 0);
    int fd = dial(address, false);
    assert_true(fd >= 0);
    close(fd);
    close(listener);
    assert_int_equal(dial(address, false), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_and_ports_are_taken_apart),
        cmocka_unit_test(without_a_port_it_is_the_usual_one),
        cmocka_unit_test(a_path_is_a_unix_socket),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_listener_is_reached_by_name_and_by_number),
        cmocka_unit_test(a_unix_socket_is_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
