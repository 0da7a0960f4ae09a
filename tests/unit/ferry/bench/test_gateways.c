/* SPDX-License-Identifier: MPL-2.0 */
#include "ferry/bench/gateways.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/test.h"

/* A listening socket on a free port, which is written into `address`. */
static int listen_at(char *address, size_t size)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t at_size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, at_size), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &at_size), 0);
    snprintf(address, size, "127.0.0.1:%d", ntohs(at.sin_port));
    return fd;
}

/* Somebody has connected there. */
static void expect_connection(int listener)
{
    int fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    close(fd);
}

static void clients_take_them_in_turns(void **state)
{
    (void)state;
    char one_address[32], other_address[32], addresses[80];
    int one = listen_at(one_address, sizeof one_address);
    int other = listen_at(other_address, sizeof other_address);
    snprintf(addresses, sizeof addresses, "%s,tcp://%s", one_address, other_address);
    gateways_t gateways;
    assert_int_equal(gateways_init(&gateways, addresses), 0);
    assert_int_equal(gateways.count, 2);
    expect_connection(one);
    expect_connection(other);
    for (unsigned client = 0; client < 4; client++) {
        int fd = gateways_connect(&gateways, client);
        assert_true(fd >= 0);
        expect_connection(client % 2 ? other : one);
        close(fd);
    }
    close(one);
    close(other);
}

static void what_is_no_gateway_is_refused(void **state)
{
    (void)state;
    gateways_t gateways;
    assert_int_equal(gateways_init(&gateways, ""), -1);
    assert_int_equal(gateways_init(&gateways, ",,"), -1);
    assert_int_equal(gateways_init(&gateways, "ipc:///nowhere/at/all"), -1);
    assert_int_equal(gateways_init(&gateways, "http://127.0.0.1"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_take_them_in_turns),
        cmocka_unit_test(what_is_no_gateway_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
