/* SPDX-License-Identifier: MPL-2.0 */
/* A relay must carry what it is given, and do the harm that it is told to and no other. */
#include "lib/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/stream_socket.h"
#include "lib/test.h"

typedef struct {
    int listener;
    int near;
    int far;
    relay_t *relay;
} line_t;

static void wait_for(int fd, short events)
{
    struct pollfd wanted = {.fd = fd, .events = events};
    assert_int_equal(poll(&wanted, 1, deadline_left_ms(deadline_in(DEADLINE_USUAL_MS))), 1);
}

static int lay(void **state)
{
    static line_t line;
    char destination[64];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    line.listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(line.listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(line.listener, 5), 0);
    assert_int_equal(getsockname(line.listener, (struct sockaddr *)&address, &size), 0);
    snprintf(destination, sizeof(destination), "tcp://127.0.0.1:%u", ntohs(address.sin_port));
    line.relay = relay_new(destination, 1);
    line.near = stream_socket_connect(relay_endpoint(line.relay), 0, 0);
    assert_int_equal(stream_socket_wait(line.near, deadline_in(DEADLINE_USUAL_MS)), 0);
    wait_for(line.listener, POLLIN);
    line.far = accept(line.listener, NULL, NULL);
    assert_true(line.far >= 0);
    *state = &line;
    return 0;
}

static int clear(void **state)
{
    line_t *line = *state;
    close(line->near);
    close(line->far);
    if (line->listener >= 0)
        close(line->listener);
    relay_destroy(&line->relay);
    return 0;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void expect(int fd, const char *text)
{
    char read[16] = "";
    wait_for(fd, POLLIN);
    assert_int_equal(recv(fd, read, strlen(text), 0), strlen(text));
    assert_string_equal(read, text);
}

static bool is_silent(int fd)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    return poll(&wanted, 1, 0) == 0;
}

static void bytes_pass_both_ways(void **state)
{
    line_t *line = *state;
    say(line->near, "forth");
    expect(line->far, "forth");
    say(line->far, "back");
    expect(line->near, "back");
    assert_int_equal(relay_connections(line->relay), 1);
}

static void an_end_passes_behind_what_was_written(void **state)
{
    line_t *line = *state;
    char none;
    say(line->near, "last");
    shutdown(line->near, SHUT_WR);
    expect(line->far, "last");
    wait_for(line->far, POLLIN);
    assert_int_equal(recv(line->far, &none, 1, 0), 0);
    say(line->far, "answer");
    expect(line->near, "answer");
}

static void a_stall_holds_one_direction_until_it_is_healed(void **state)
{
    line_t *line = *state;
    relay_stall(line->relay, RELAY_FORTH, 100);
    say(line->near, "held");
    say(line->far, "free");
    expect(line->near, "free");
    assert_true(is_silent(line->far));
    relay_heal(line->relay);
    expect(line->far, "held");
}

static void a_stalled_connection_does_not_hear_of_an_end(void **state)
{
    line_t *line = *state;
    char none;
    relay_stall(line->relay, RELAY_BOTH, 100);
    shutdown(line->near, SHUT_WR);
    assert_int_equal(relay_connections(line->relay), 1);
    assert_true(is_silent(line->far));
    relay_heal(line->relay);
    wait_for(line->far, POLLIN);
    assert_int_equal(recv(line->far, &none, 1, 0), 0);
}

static void a_delay_holds_bytes_for_its_time(void **state)
{
    line_t *line = *state;
    relay_delay(line->relay, RELAY_BACK, 50, 100);
    int64_t began_ms = deadline_now_ms();
    say(line->far, "late");
    expect(line->near, "late");
    assert_true(deadline_now_ms() - began_ms >= 50);
}

static void a_cut_with_a_reset_is_one_for_both(void **state)
{
    line_t *line = *state;
    char none;
    assert_int_equal(relay_cut(line->relay, RELAY_RESET, 100), 1);
    wait_for(line->near, POLLIN);
    assert_int_equal(recv(line->near, &none, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    wait_for(line->far, POLLIN);
    assert_int_equal(recv(line->far, &none, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
}

static void a_cut_with_an_end_delivers_what_was_carried(void **state)
{
    line_t *line = *state;
    char none;
    relay_delay(line->relay, RELAY_FORTH, 20, 100);
    say(line->near, "last");
    say(line->far, "read");
    expect(line->near, "read"); /* the relay has read what was written before, too */
    relay_cut(line->relay, RELAY_END, 100);
    expect(line->far, "last");
    wait_for(line->far, POLLIN);
    assert_int_equal(recv(line->far, &none, 1, 0), 0);
}

static void a_destination_that_refuses_is_a_reset(void **state)
{
    line_t *line = *state;
    char none;
    close(line->listener);
    line->listener = -1;
    int fd = stream_socket_connect(relay_endpoint(line->relay), 0, 0);
    wait_for(fd, POLLIN);
    assert_int_equal(recv(fd, &none, 1, 0), -1);
    close(fd);
}

#define RELAY_TEST(function) cmocka_unit_test_setup_teardown(function, lay, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RELAY_TEST(bytes_pass_both_ways),
        RELAY_TEST(an_end_passes_behind_what_was_written),
        RELAY_TEST(a_stall_holds_one_direction_until_it_is_healed),
        RELAY_TEST(a_stalled_connection_does_not_hear_of_an_end),
        RELAY_TEST(a_delay_holds_bytes_for_its_time),
        RELAY_TEST(a_cut_with_a_reset_is_one_for_both),
        RELAY_TEST(a_cut_with_an_end_delivers_what_was_carried),
        RELAY_TEST(a_destination_that_refuses_is_a_reset),
    };
    return TEST_RUN(tests);
}
