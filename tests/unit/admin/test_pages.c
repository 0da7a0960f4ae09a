/* SPDX-License-Identifier: MPL-2.0 */
/* pages: what each path answers to whom, and the progress of a drain. */
#include <ifaddrs.h>
#include <netinet/in.h>

#include "unit/admin/fake_main.h"

#define DRAIN_HEADER "X-Ferry-Drain: 1\r\n"

static void pages_that_do_not_exist_are_404(void **state)
{
    (void)state;
    static const char *const paths[] = {"/", "/statu", "/status/", "/../status", "//status", "*"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_status(answer_of(ask("GET", paths[i], "")), 404);
}

static void a_method_that_a_page_does_not_know_is_405_and_says_which_it_does(void **state)
{
    (void)state;
    const char *answer = answer_of(ask("GET", "/drain", DRAIN_HEADER));
    assert_status(answer, 405);
    assert_contains(answer, "\r\nAllow: POST\r\n");
    answer = answer_of(ask("POST", "/readyz", "Content-Length: 0\r\n"));
    assert_status(answer, 405);
    assert_contains(answer, "\r\nAllow: GET, HEAD\r\n");
    assert_status(answer_of(ask("OPTIONS", "/drain", "")), 405);
    assert_status(answer_of(ask("DELETE", "/status", "")), 405);
}

static void head_is_answered_without_a_body(void **state)
{
    (void)state;
    const char *answer = answer_of(ask("HEAD", "/readyz", ""));
    assert_status(answer, 503);
    assert_contains(answer, "\r\nContent-Length: 9\r\n");
    assert_string_equal(body_of(answer), "");
}

static void a_query_does_not_change_the_page(void **state)
{
    (void)state;
    assert_status(answer_of(ask("GET", "/readyz?verbose=1", "")), 503);
}

static void it_lives_while_the_main_thread_answers(void **state)
{
    (void)state;
    int fd = ask("GET", "/livez", "");
    expect_word("STATUS");
    zstr_sendx(fake_main.actor, "STATUS", HEAD_JSON, NULL);
    const char *answer = answer_of(fd);
    assert_status(answer, 200);
    assert_string_equal(body_of(answer), "alive\n");
    assert_status(answer_of(ask("GET", "/livez", "")), 200); /* nobody answers STATUS: that was proof enough */
}

static void metrics_say_their_format_and_count_the_requests(void **state)
{
    (void)state;
    assert_status(answer_of(ask("GET", "/readyz", "")), 503);
    int fd = ask("GET", "/metrics", "");
    expect_word("STATUS");
    zstr_sendx(fake_main.actor, "STATUS", HEAD_JSON, NULL);
    const char *answer = answer_of(fd);
    assert_status(answer, 200);
    assert_contains(answer, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    assert_contains(answer, "\nferrymq_http_requests_total{actor=\"admin\",page=\"/readyz\"} 1\n");
    assert_contains(answer, "\nferrymq_http_requests_total{actor=\"admin\",page=\"/metrics\"} 1\n");
}

static void a_drain_without_its_header_is_403(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "X-Ferry-Drain: 0\r\n", "X-Ferry-Drain:\r\n", "X-Ferry-Drain: 11\r\n",
        (DRAIN_HEADER "Origin: http://localhost\r\n")};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *answer = answer_of(ask("POST", "/drain", wrong[i]));
        assert_status(answer, 403);
        assert_contains(body_of(answer), "drain");
        assert_true(fake_main_logged("drain-refused"));
    }
    close(ask("GET", "/status", ""));
    expect_word("STATUS"); /* and no DRAIN before it */
}

/* An address of this machine that others could come from, as an endpoint on port 0; false if there is none. */
static bool find_outer_address(char *text, size_t size)
{
    struct ifaddrs *all;
    bool found = false;
    assert_int_equal(getifaddrs(&all), 0);
    for (struct ifaddrs *at = all; at && !found; at = at->ifa_next) {
        if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET)
            continue;
        const struct sockaddr_in *address = (const void *)at->ifa_addr;
        const uint8_t *bytes = (const uint8_t *)&address->sin_addr;
        found = bytes[0] != 127;
        snprintf(text, size, "http://%u.%u.%u.%u:0", bytes[0], bytes[1], bytes[2], bytes[3]);
    }
    freeifaddrs(all);
    return found;
}

static void a_drain_from_another_address_is_403(void **state)
{
    (void)state;
    char outer[64];
    if (!find_outer_address(outer, sizeof outer))
        skip();
    fake_main_start(outer);
    const char *answer = answer_of(ask("POST", "/drain", DRAIN_HEADER));
    assert_status(answer, 403);
    assert_contains(body_of(answer), "loopback");
}

static bool ipv6_is_there(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool there = fd >= 0 && bind(fd, (struct sockaddr *)&loopback, sizeof loopback) == 0;
    close(fd);
    return there;
}

static void a_drain_from_the_loopback_of_ipv6_is_local(void **state)
{
    (void)state;
    if (!ipv6_is_there())
        skip();
    fake_main_start("http://[::1]:0");
    close(ask("POST", "/drain", DRAIN_HEADER));
    expect_word("DRAIN");
}

static void a_drain_tells_its_steps_as_they_happen_and_then_its_result(void **state)
{
    (void)state;
    char text[2048] = "";
    int fd = ask("POST", "/drain", DRAIN_HEADER);
    expect_word("DRAIN");
    assert_true(fake_main_logged("drain-requested"));
    zstr_sendx(fake_main.actor, "STEP", "listener closed", NULL);
    client_read_to(fd, text, sizeof text, "listener closed\n\r\n");
    assert_status(text, 200);
    assert_contains(text, "\r\nTransfer-Encoding: chunked\r\n");
    assert_contains(text, "\r\nContent-Type: text/plain; charset=utf-8\r\n");
    zstr_sendx(fake_main.actor, "STEP", "readers stopped", NULL);
    client_read_to(fd, text, sizeof text, "readers stopped\n\r\n");
    zstr_sendx(fake_main.actor, "RESULT", "3", "{\"accepted\":1}", NULL);
    expect_word("DRAINED");
    client_read_to(fd, text, sizeof text, NULL);
    assert_contains(text, "\nledger {\"accepted\":1}\nresult 3\n");
    assert_string_equal(text + strlen(text) - 5, "0\r\n\r\n");
    close(fd);
}

static void those_who_join_a_drain_read_it_from_its_beginning_and_ask_only_once(void **state)
{
    (void)state;
    enum { COUNT = 4 };
    int fds[COUNT];
    char text[COUNT][1024] = {""};
    fds[0] = ask("POST", "/drain", DRAIN_HEADER);
    expect_word("DRAIN");
    zstr_sendx(fake_main.actor, "STEP", "first", NULL);
    for (int i = 1; i < COUNT; i++) {
        fds[i] = ask("POST", "/drain", DRAIN_HEADER "Content-Length: 5\r\n");
        client_write(fds[i], "hello");
        client_read_to(fds[i], text[i], sizeof text[i], "first\n\r\n");
    }
    zstr_sendx(fake_main.actor, "STEP", "second", NULL);
    for (int i = 0; i < COUNT; i++)
        client_read_to(fds[i], text[i], sizeof text[i], "second\n\r\n");
    zstr_sendx(fake_main.actor, "RESULT", "0", "{}", NULL);
    expect_word("DRAINED"); /* and no DRAIN before it */
    for (int i = 0; i < COUNT; i++) {
        client_read_to(fds[i], text[i], sizeof text[i], NULL);
        assert_contains(text[i], "\nresult 0\n");
        close(fds[i]);
    }
}

static void a_drain_that_nobody_watches_is_done_at_once(void **state)
{
    (void)state;
    int64_t start_ms = deadline_now_ms();
    zstr_sendx(fake_main.actor, "STEP", "a signal came", NULL);
    zstr_sendx(fake_main.actor, "RESULT", "0", "{}", NULL);
    expect_word("DRAINED");
    assert_in_range(deadline_now_ms() - start_ms, 0, 900);
    const char *answer = answer_of(ask("POST", "/drain", DRAIN_HEADER));
    assert_status(answer, 200);
    assert_contains(answer, "a signal came\nledger {}\nresult 0\n");
}

static void a_watcher_that_reads_nothing_holds_up_the_end_of_a_drain_for_a_second(void **state)
{
    (void)state;
    static char line[16 * 1024 * 1024]; /* more than the kernel takes for one connection */
    int fd = client_open(NULL);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){1}, sizeof(int)), 0);
    client_write(fd, "POST /drain HTTP/1.1\r\nHost: localhost\r\n" DRAIN_HEADER "\r\n");
    expect_word("DRAIN");
    memset(line, 'x', sizeof line - 1);
    int64_t start_ms = deadline_now_ms();
    zstr_sendx(fake_main.actor, "RESULT", "0", line, NULL);
    expect_word("DRAINED");
    assert_in_range(deadline_now_ms() - start_ms, 900, 5000);
    close(fd);
}

static void a_watcher_that_has_gone_does_not_hold_up_the_end_of_a_drain(void **state)
{
    (void)state;
    char text[1024] = "";
    int fd = ask("POST", "/drain", DRAIN_HEADER);
    expect_word("DRAIN");
    zstr_sendx(fake_main.actor, "STEP", "first", NULL);
    client_read_to(fd, text, sizeof text, "first\n\r\n");
    close(fd);
    zstr_sendx(fake_main.actor, "STEP", "second", NULL);
    zstr_sendx(fake_main.actor, "STEP", "third", NULL);
    zstr_sendx(fake_main.actor, "RESULT", "0", "{}", NULL);
    expect_word("DRAINED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADMIN_TEST(pages_that_do_not_exist_are_404),
        ADMIN_TEST(a_method_that_a_page_does_not_know_is_405_and_says_which_it_does),
        ADMIN_TEST(head_is_answered_without_a_body),
        ADMIN_TEST(a_query_does_not_change_the_page),
        ADMIN_TEST(it_lives_while_the_main_thread_answers),
        ADMIN_TEST(metrics_say_their_format_and_count_the_requests),
        ADMIN_TEST(a_drain_without_its_header_is_403),
        cmocka_unit_test_teardown(a_drain_from_another_address_is_403, fake_main_teardown),
        cmocka_unit_test_teardown(a_drain_from_the_loopback_of_ipv6_is_local, fake_main_teardown),
        ADMIN_TEST(a_drain_tells_its_steps_as_they_happen_and_then_its_result),
        ADMIN_TEST(those_who_join_a_drain_read_it_from_its_beginning_and_ask_only_once),
        ADMIN_TEST(a_drain_that_nobody_watches_is_done_at_once),
        ADMIN_TEST(a_watcher_that_reads_nothing_holds_up_the_end_of_a_drain_for_a_second),
        ADMIN_TEST(a_watcher_that_has_gone_does_not_hold_up_the_end_of_a_drain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
