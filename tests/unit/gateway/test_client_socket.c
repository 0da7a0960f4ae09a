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

/* A connection to a listening socket that was set up as one: both of its ends. */
static int accept_one(const worker_limits_t *limits, int *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    client_socket_listen(door, limits);
    assert_int_equal(bind(door, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(door, 1), 0);
    assert_int_equal(getsockname(door, (struct sockaddr *)&address, &size), 0);
    *client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(*client, (struct sockaddr *)&address, size), 0);
    int fd = accept(door, NULL, NULL);
    close(door);
    return fd;
}

static void a_connection_has_from_its_listening_socket_what_it_would_be_given(void **state)
{
    (void)state;
    static const struct {
        int level, option;
    } options[] = {{SOL_SOCKET, SO_SNDBUF}, {SOL_SOCKET, SO_RCVBUF}, {SOL_SOCKET, SO_KEEPALIVE},
        {IPPROTO_TCP, TCP_KEEPIDLE}, {IPPROTO_TCP, TCP_KEEPINTVL}, {IPPROTO_TCP, TCP_KEEPCNT},
        {IPPROTO_TCP, TCP_NOTSENT_LOWAT}, {IPPROTO_TCP, TCP_NODELAY}, {IPPROTO_TCP, TCP_USER_TIMEOUT}};
    worker_limits_t limits = {.send_buffer_size = 20000, .receive_buffer_size = 30000};
    limits.writer.stall_time_ms = 77000;
    int client, own = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd = accept_one(&limits, &client);
    assert_true(client_socket_prepare(own, &limits));
    assert_true(client_socket_prepare(fd, &limits));
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        assert_int_equal(
            option_of(fd, options[i].level, options[i].option), option_of(own, options[i].level, options[i].option));
    close(fd);
    close(own);
    close(client);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_client_that_acknowledges_nothing_is_given_up_after_twice_the_stall_time),
        TEST(a_quiet_client_is_not_given_up_before_its_last_keepalive_probe),
        TEST(a_unix_socket_is_no_tcp_socket),
        TEST(a_connection_has_from_its_listening_socket_what_it_would_be_given),
    };
    return TEST_RUN(tests);
}
