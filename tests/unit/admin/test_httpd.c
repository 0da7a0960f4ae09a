/* SPDX-License-Identifier: MPL-2.0 */
/* httpd: slow, hostile and many clients harm nobody else. */
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>

#include "unit/admin/fake_main.h"

#define OTHER_ADDRESS "http://127.0.0.2:0"

static void assert_others_are_served(void)
{
    assert_status(answer_of(ask("GET", "/readyz", "")), 503);
}

static void garbage_closes_its_connection_alone(void **state)
{
    (void)state;
    static const char *const garbage[] = {"\x16\x03\x01\x02\x01\xff\xff\xff\r\n\r\n", "\r\n\r\n\r\n\r\n", "GET\r\n\r\n",
        "GET /readyz HTTP/9.9\r\n\r\n", "FMQ\x01\n\n\n\n", "GET /readyz HTTP/1.1\r\n: : :\r\n\r\n",
        "POST /drain HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /drain HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n"};
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        int fd = client_open(NULL);
        client_write(fd, garbage[i]);
        shutdown(fd, SHUT_WR);
        answer_of(fd);
        assert_others_are_served();
    }
}

static void random_bytes_harm_nobody(void **state)
{
    (void)state;
    unsigned seed = 1;
    for (int i = 0; i < 500; i++) {
        char bytes[512];
        for (size_t at = 0; at < sizeof bytes; at++)
            bytes[at] = (char)(rand_r(&seed) >> 7);
        int fd = client_open(OTHER_ADDRESS);
        assert_true(send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) != 0);
        close(fd);
    }
    assert_others_are_served();
}

static void a_request_that_ends_too_early_is_closed_at_once(void **state)
{
    (void)state;
    int64_t start_ms = deadline_now_ms();
    int fd = client_open(NULL);
    client_write(fd, "GET /readyz HTTP/1.1\r\nHost: lo");
    shutdown(fd, SHUT_WR);
    answer_of(fd);
    fd = ask("POST", "/drain", "X-Ferry-Drain: 1\r\nContent-Length: 9\r\n");
    client_write(fd, "five!");
    shutdown(fd, SHUT_WR);
    answer_of(fd);
    assert_in_range(deadline_now_ms() - start_ms, 0, 4000);
}

static void a_head_without_end_is_refused(void **state)
{
    (void)state;
    static char line[1024] = "X-Long: ";
    memset(line + 8, 'x', sizeof line - 9);
    line[sizeof line - 2] = '\n';
    int fd = client_open(NULL);
    client_write(fd, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n");
    ssize_t sent = 0;
    for (int i = 0; i < 10000 && sent >= 0; i++)
        sent = send(fd, line, sizeof line - 1, MSG_NOSIGNAL);
    assert_int_equal(sent, -1);
    close(fd);
    assert_others_are_served();
}

static void one_address_cannot_take_every_connection(void **state)
{
    (void)state;
    enum { COUNT = 80 };
    int fds[COUNT];
    int64_t start_ms = deadline_now_ms();
    for (int i = 0; i < COUNT; i++) {
        fds[i] = client_open(OTHER_ADDRESS);
        send(fds[i], "GET /rea", 8, MSG_NOSIGNAL);
    }
    assert_others_are_served();
    assert_in_range(deadline_now_ms() - start_ms, 0, 4000); /* and not when the first of them are cut */
    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
    assert_others_are_served();
}

static int64_t cpu_ms(void)
{
    struct timespec used;
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
    return used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

static void more_clients_than_there_is_room_for_wait_in_the_kernel_and_get_their_turn(void **state)
{
    (void)state;
    enum { ADDRESSES = 4, COUNT = 100 };
    static const char *const sources[ADDRESSES] = {
        "http://127.0.0.2:0", "http://127.0.0.3:0", "http://127.0.0.4:0", "http://127.0.0.5:0"};
    int fds[COUNT];
    for (int i = 0; i < COUNT; i++) {
        fds[i] = client_open(sources[i % ADDRESSES]);
        client_write(fds[i], "GET /rea");
    }
    int64_t start_ms = cpu_ms();
    assert_int_equal(poll(&(struct pollfd){.fd = fds[COUNT - 1], .events = POLLIN}, 1, 1000), 0);
    assert_in_range(cpu_ms() - start_ms, 0, 500); /* those that wait do not keep it busy */
    for (int i = 0; i < COUNT; i++) {
        client_write(fds[i], "dyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_status(answer_of(fds[i]), 503);
    }
}

static void a_request_that_trickles_is_cut_in_the_end(void **state)
{
    (void)state;
    int64_t start_ms = deadline_now_ms();
    int fd = client_open(NULL);
    struct pollfd end = {.fd = fd, .events = POLLIN};
    client_write(fd, "GET /readyz HTTP/1.1\r\nX-Slow: ");
    do
        send(fd, "x", 1, MSG_NOSIGNAL);
    while (poll(&end, 1, 100) == 0 && deadline_now_ms() - start_ms < 30000);
    assert_in_range(deadline_now_ms() - start_ms, 4500, 15000);
    assert_string_equal(answer_of(fd), "");
    assert_others_are_served();
}

/* How many connections there are besides the one that asks. */
static long other_connections(void)
{
    int fd = ask("GET", "/metrics", "");
    expect_word("STATUS");
    zstr_sendx(fake_main.actor, "STATUS", HEAD_JSON, NULL);
    const char *line = strstr(answer_of(fd), "\nferrymq_http_connections{actor=\"admin\"} ");
    assert_non_null(line);
    return strtol(strchr(line, '}') + 1, NULL, 10) - 1;
}

static void a_client_that_does_not_read_its_answer_is_cut_in_the_end(void **state)
{
    (void)state;
    static char name[6 * 1024 * 1024]; /* more than the kernel takes for one connection */
    static char actor[sizeof name + 64];
    memset(name, 'n', sizeof name - 1);
    snprintf(actor, sizeof actor, "{\"actor\":\"%s\"}", name);
    int fd = client_open(NULL);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){1}, sizeof(int)), 0);
    client_write(fd, "GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect_word("STATUS");
    zstr_sendx(fake_main.actor, "STATUS", HEAD_JSON, actor, NULL);
    assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, DEADLINE_USUAL_MS), 1);
    assert_int_equal(other_connections(), 1);
    int64_t start_ms = deadline_now_ms();
    deadline_t deadline = deadline_in(2 * DEADLINE_USUAL_MS);
    while (other_connections() > 0 && !deadline_passed(deadline))
        poll(&(struct pollfd){.fd = fd, .events = POLLRDHUP}, 1, 100);
    assert_int_equal(other_connections(), 0);
    assert_in_range(deadline_now_ms() - start_ms, 9000, 20000);
    close(fd);
}

/* Lets the process have no more descriptors than it has now. Returns the limit that was. */
static struct rlimit forbid_descriptors(void)
{
    struct rlimit before, now;
    int lowest = dup(0);
    close(lowest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    now = before;
    now.rlim_cur = (rlim_t)lowest;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
    return before;
}

static void wait_logged(const char *event)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (!fake_main_logged(event))
        assert_false(deadline_passed(deadline));
}

static void it_pauses_accepting_until_there_are_descriptors_again(void **state)
{
    (void)state;
    int early = ask("GET", "/status", "");
    expect_word("STATUS");
    int late = client_open(NULL);
    assert_others_are_served(); /* both have been accepted by now */
    int last = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct rlimit before = forbid_descriptors();
    client_connect(last);
    wait_logged("accept-paused");
    client_write(late, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_status(answer_of(late), 503); /* those that are there are served */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    client_write(last, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_status(answer_of(last), 503);
    close(early);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADMIN_TEST(garbage_closes_its_connection_alone),
        ADMIN_TEST(random_bytes_harm_nobody),
        ADMIN_TEST(a_request_that_ends_too_early_is_closed_at_once),
        ADMIN_TEST(a_head_without_end_is_refused),
        ADMIN_TEST(one_address_cannot_take_every_connection),
        ADMIN_TEST(more_clients_than_there_is_room_for_wait_in_the_kernel_and_get_their_turn),
        ADMIN_TEST(a_request_that_trickles_is_cut_in_the_end),
        ADMIN_TEST(a_client_that_does_not_read_its_answer_is_cut_in_the_end),
        ADMIN_TEST(it_pauses_accepting_until_there_are_descriptors_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
