/* SPDX-License-Identifier: MPL-2.0 */
/* How the socket of a client is set up. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/client_socket.h"
#include "lib/test.h"

static int option_of(int fd, int level, int option)
{
    int value;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(fd, level, option, &value, &size), 0);
    return value;
}

/* The time that a client's kernel has for its acknowledgement, in ms, with that stall time. */
static int patience_of(uint64_t stall_time_ms)
{
    worker_limits_t limits = {.send_buffer_size = 8192, .receive_buffer_size = 8192};
    limits.writer.stall_time_ms = stall_time_ms;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client_socket_prepare(fd, &limits));
    int patience = option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT);
    close(fd);
    return patience;
}

static void a_client_that_acknowledges_nothing_is_given_up_after_twice_the_stall_time(void **state)
{
    (void)state;
    assert_int_equal(patience_of(45000), 90000);
    assert_int_equal(patience_of(3600000), 7200000);
}

static void a_quiet_client_is_not_given_up_before_its_last_keepalive_probe(void **state)
{
    (void)state;
    worker_limits_t limits = {.send_buffer_size = 8192, .receive_buffer_size = 8192};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client_socket_prepare(fd, &limits));
    assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    int probes_s = option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL) * option_of(fd, IPPROTO_TCP, TCP_KEEPCNT);
    assert_int_equal(patience_of(100), 1000 * (option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE) + probes_s));
    close(fd);
}

static void a_unix_socket_is_no_tcp_socket(void **state)
{
    (void)state;
    worker_limits_t limits = {.send_buffer_size = 8192, .receive_buffer_size = 8192};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_false(client_socket_prepare(fd, &limits));
    close(fd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_client_that_acknowledges_nothing_is_given_up_after_twice_the_stall_time),
        TEST(a_quiet_client_is_not_given_up_before_its_last_keepalive_probe),
        TEST(a_unix_socket_is_no_tcp_socket),
    };
    return TEST_RUN(tests);
}
