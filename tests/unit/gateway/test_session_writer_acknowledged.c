/* SPDX-License-Identifier: MPL-2.0 */
/* What a session writer makes of the acknowledgements of its client's kernel, on a TCP connection of little room. */
#include "writer_rig.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "lib/deadline.h"

static void set_option(int fd, int level, int option, int value)
{
    assert_int_equal(setsockopt(fd, level, option, &value, sizeof value), 0);
}

static int tcp_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    set_option(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_SIZE);
    return fd;
}

/* Puts a connection over loopback in the place of the pair of sockets. */
static int open_tcp(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    writer_open(state);
    close(server);
    close(client);
    int listener = tcp_socket();
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    client = tcp_socket();
    assert_int_equal(connect(client, (struct sockaddr *)&address, size), 0);
    server = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(server >= 0);
    close(listener);
    assert_int_equal(fcntl(client, F_SETFL, O_NONBLOCK), 0);
    set_option(server, SOL_SOCKET, SO_SNDBUF, 4 * SOCKET_SIZE);
    set_option(server, IPPROTO_TCP, TCP_NODELAY, 1);
    writer.is_tcp = true;
    return 0;
}

/* Bytes that lie in the client's kernel. */
static size_t received(void)
{
    int size;
    assert_int_equal(ioctl(client, FIONREAD, &size), 0);
    return (size_t)size;
}

/* Waits until what the client's kernel has, of which `read` bytes were read, is acknowledged. */
static void wait_acknowledged(size_t read)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    uint64_t written = writer.position - buffer_size(&writer.output);
    int left;
    do {
        assert_false(deadline_passed(deadline));
        assert_int_equal(ioctl(server, SIOCOUTQ, &left), 0);
    } while (written - (uint64_t)left < read + received());
}

/* Writes until the socket takes no more. Returns how many of 200 copies were written. */
static uint64_t fill(void)
{
    put_long(1, 200);
    while (writer_write(&writer, server) > 0)
        wait_acknowledged(0);
    assert_true(writer.blocked);
    assert_in_range(writer_queue(&writer)->written, 4, 199);
    return writer_queue(&writer)->written;
}

/* The client's connection ends with a reset. */
static void reset(void)
{
    struct linger linger = {.l_onoff = 1};
    struct pollfd poll_fd = {.fd = server};
    assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    close(client);
    client = -1;
    assert_int_equal(poll(&poll_fd, 1, DEADLINE_USUAL_MS), 1);
}

static void a_written_copy_is_pending_until_it_is_acknowledged(void **state)
{
    (void)state;
    put_copy(1, "hello");
    put_copy(2, "world");
    assert_int_equal(writer_write(&writer, server), 2);
    assert_int_equal(writer_pending(&writer), 2);
    assert_int_equal(writer_queued(&writer), 0);
    wait_acknowledged(0);
    assert_int_equal(acknowledge(), 2);
    assert_int_equal(writer_pending(&writer), 0);
}

static void what_is_on_its_way_is_unconfirmed_and_the_rest_returned(void **state)
{
    (void)state;
    uint64_t written = fill();
    wait_acknowledged(0);
    uint64_t delivered = acknowledge();
    assert_in_range(delivered, 1, written - 2);
    assert_in_range(delivered, 1, received() / long_line_size());
    assert_int_equal(doubt(FERRY_REASON_GONE), written - delivered);
    assert_int_equal(lose(FERRY_REASON_GONE), 200 - written);
    assert_int_equal(writer_pending(&writer), 0);
    tell();
    for (uint64_t number = delivered + 1; number <= 200; number++)
        expect_report_of(
            number <= written ? FERRY_ERROR_UNCONFIRMED : FERRY_ERROR_UNDELIVERED, number, FERRY_REASON_GONE);
    expect_nothing_told();
    assert_int_equal(origin->references, 1);
}

static void what_the_broker_held_for_ended_is_told_though_the_rest_is_disowned(void **state)
{
    (void)state;
    uint64_t written = fill();
    tell();
    expect_hold(written + 1, 200, false);
    wait_acknowledged(0);
    uint64_t delivered = acknowledge();
    writer_disown(&writer);
    assert_int_equal(doubt(FERRY_REASON_GONE), written - delivered);
    assert_int_equal(lose(FERRY_REASON_GONE), 200 - written);
    for (uint64_t number = delivered + 1; number <= written; number++)
        expect_report_of(FERRY_ERROR_UNCONFIRMED, number, FERRY_REASON_GONE);
    tell();
    expect_nothing_told();
}

static void the_kernel_still_tells_after_a_reset(void **state)
{
    (void)state;
    fill();
    wait_acknowledged(0);
    size_t size = received();
    reset();
    assert_in_range(acknowledge(), size / long_line_size(), writer_queue(&writer)->written - 1);
}

static void the_kernel_still_tells_when_a_write_has_failed(void **state)
{
    (void)state;
    fill();
    wait_acknowledged(0);
    size_t size = received();
    reset();
    assert_int_equal(writer_write(&writer, server), -1);
    assert_in_range(acknowledge(), size / long_line_size(), writer_queue(&writer)->written - 1);
}

static void a_copy_that_was_told_as_ended_is_unconfirmed_all_the_same(void **state)
{
    (void)state;
    char text[CLIENT_READ_SIZE];
    uint64_t written = fill();
    tell();
    expect_hold(written + 1, 200, false);
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    int more = 0;
    while (more == 0) {
        assert_false(deadline_passed(deadline));
        client_read(text);
        more = writer_write(&writer, server);
    }
    tell();
    expect_end((uint32_t)more);
    uint64_t delivered = acknowledge();
    assert_true(writer_unacknowledged(&writer) > 0);
    assert_int_equal(doubt(FERRY_REASON_STALLED), written + (uint64_t)more - delivered);
    unsigned returned = lose(FERRY_REASON_STALLED);
    assert_int_equal(returned, 200 - written - (uint64_t)more);
    tell();
    for (uint64_t number = delivered + 1; number <= 200; number++)
        expect_report_of(number <= written + (uint64_t)more ? FERRY_ERROR_UNCONFIRMED : FERRY_ERROR_UNDELIVERED, number,
            FERRY_REASON_STALLED);
    expect_end(returned);
    expect_nothing_told();
}

static void a_returned_copy_is_not_counted_as_delivered_too(void **state)
{
    (void)state;
    char text[CLIENT_READ_SIZE];
    uint64_t written = fill();
    uint64_t returned = give_back(FERRY_REASON_DRAINED), delivered = 0;
    assert_in_range(returned, 200 - written - 1, 200 - written);
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (writer_pending(&writer)) {
        assert_false(deadline_passed(deadline));
        client_read(text);
        assert_true(writer_write(&writer, server) >= 0);
        delivered += acknowledge();
    }
    assert_int_equal(delivered, 200 - returned);
}

static void the_end_of_the_stream_takes_nothing_away(void **state)
{
    (void)state;
    put_copy(1, "hello");
    writer_write(&writer, server);
    writer_end(&writer, server);
    wait_acknowledged(0);
    assert_int_equal(acknowledge(), 1);
    expect_read("from eve: hello\n");
}

static void a_look_that_helps_little_is_repeated_later(void **state)
{
    (void)state;
    put_copy(1, "hello");
    writer_write(&writer, server);
    assert_true(writer_must_look(&writer));
    wait_acknowledged(0);
    acknowledge();
    uint64_t least = writer_queue(&writer)->look_count;
    expect_read("from eve: hello\n");
    for (uint64_t number = 2; number <= 10000; number++)
        put_copy(number, "");
    while (writer_write(&writer, server) > 0)
        wait_acknowledged(strlen("from eve: hello\n"));
    assert_true(writer_must_look(&writer));
    acknowledge();
    assert_true(writer_unacknowledged(&writer) > least);
    assert_false(writer_must_look(&writer));
    assert_int_equal(writer_queue(&writer)->look_count, 2 * writer_unacknowledged(&writer));
}

#define TCP_TEST(function) cmocka_unit_test_setup_teardown(function, open_tcp, writer_close)

static void a_drain_waits_for_what_was_written_and_not_for_more(void **state)
{
    (void)state;
    char text[CLIENT_READ_SIZE];
    fill();
    put_long(201, 200);
    writer_await(&writer);
    assert_true(writer_is_awaited(&writer));
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (writer_is_awaited(&writer)) {
        assert_false(deadline_passed(deadline));
        client_read(text);
        writer_write(&writer, server);
        acknowledge();
    }
    assert_true(writer_unacknowledged(&writer) > 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TCP_TEST(a_written_copy_is_pending_until_it_is_acknowledged),
        TCP_TEST(what_is_on_its_way_is_unconfirmed_and_the_rest_returned),
        TCP_TEST(what_the_broker_held_for_ended_is_told_though_the_rest_is_disowned),
        TCP_TEST(the_kernel_still_tells_after_a_reset),
        TCP_TEST(the_kernel_still_tells_when_a_write_has_failed),
        TCP_TEST(a_copy_that_was_told_as_ended_is_unconfirmed_all_the_same),
        TCP_TEST(a_returned_copy_is_not_counted_as_delivered_too),
        TCP_TEST(the_end_of_the_stream_takes_nothing_away),
        TCP_TEST(a_look_that_helps_little_is_repeated_later),
        TCP_TEST(a_drain_waits_for_what_was_written_and_not_for_more),
    };
    return TEST_RUN(tests);
}
