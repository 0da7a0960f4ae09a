/* SPDX-License-Identifier: MPL-2.0 */
/* request: which addresses are this machine's loopback, and connections that send their request in odd ways. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "admin/request.h"
#include "unit/admin/fake_main.h"

static bool is_local(int family, const char *text)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
    void *address = family == AF_INET ? (void *)&ipv4.sin_addr : (void *)&ipv6.sin6_addr;
    assert_int_equal(inet_pton(family, text, address), 1);
    return request_address_is_local(family == AF_INET ? (const void *)&ipv4 : (const void *)&ipv6);
}

static void loopback_is_local(void **state)
{
    (void)state;
    assert_true(is_local(AF_INET, "127.0.0.1"));
    assert_true(is_local(AF_INET, "127.255.0.9"));
    assert_true(is_local(AF_INET6, "::1"));
    assert_true(is_local(AF_INET6, "::ffff:127.0.0.1"));
}

static void every_other_address_is_not(void **state)
{
    (void)state;
    assert_false(is_local(AF_INET, "128.0.0.1"));
    assert_false(is_local(AF_INET, "10.0.0.127"));
    assert_false(is_local(AF_INET, "0.0.0.0"));
    assert_false(is_local(AF_INET6, "::"));
    assert_false(is_local(AF_INET6, "::2"));
    assert_false(is_local(AF_INET6, "::127.0.0.1"));
    assert_false(is_local(AF_INET6, "::ffff:192.168.0.1"));
    assert_false(is_local(AF_INET6, "7f00::1"));
    assert_false(request_address_is_local(&(struct sockaddr){.sa_family = AF_UNIX}));
}

static void a_request_that_comes_byte_by_byte_is_answered(void **state)
{
    (void)state;
    int fd = client_open(NULL);
    for (const char *at = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"; *at; at++)
        client_write(fd, (char[]){*at, '\0'});
    assert_status(answer_of(fd), 503);
}

static void a_body_is_read_and_ignored(void **state)
{
    (void)state;
    static char body[60000];
    memset(body, 'b', sizeof body - 1);
    char head[128];
    snprintf(head, sizeof head, "X-Ferry-Drain: 1\r\nContent-Length: %zu\r\n", strlen(body));
    int plain = ask("POST", "/drain", head);
    client_write(plain, body);
    expect_word("DRAIN");
    int chunked = ask("POST", "/drain", "X-Ferry-Drain: 1\r\nTransfer-Encoding: chunked\r\n");
    client_write(chunked, "3\r\nabc\r\n0\r\n\r\n");
    zstr_sendx(fake_main.actor, "RESULT", "0", "{}", NULL);
    const char *answer = answer_of(plain);
    assert_status(answer, 200);
    assert_contains(answer, "\nresult 0\n");
    assert_contains(answer_of(chunked), "\nresult 0\n");
}

static void a_body_without_end_closes_the_connection(void **state)
{
    (void)state;
    static char body[8192];
    memset(body, 'b', sizeof body - 1);
    int fd = ask("POST", "/drain", "X-Ferry-Drain: 1\r\nContent-Length: 1000000000\r\n");
    ssize_t sent = 0;
    for (int i = 0; i < 10000 && sent >= 0; i++)
        sent = send(fd, body, sizeof body, MSG_NOSIGNAL);
    assert_int_equal(sent, -1);
    close(fd);
}

static void a_second_request_on_a_connection_is_not_read(void **state)
{
    (void)state;
    int fd = client_open(NULL);
    client_write(
        fd, "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\nPOST /drain HTTP/1.1\r\nHost: a\r\nX-Ferry-Drain: 1\r\n\r\n");
    const char *answer = answer_of(fd);
    assert_status(answer, 503);
    assert_contains(answer, "\r\nConnection: close\r\n");
    assert_null(strstr(answer + 1, "HTTP/1.1"));
    close(ask("GET", "/status", ""));
    expect_word("STATUS"); /* and no DRAIN before it */
}

static void a_client_of_http_1_0_reads_a_drain_to_the_end_of_file(void **state)
{
    (void)state;
    int fd = client_open(NULL);
    client_write(fd, "POST /drain HTTP/1.0\r\nX-Ferry-Drain: 1\r\n\r\n");
    expect_word("DRAIN");
    zstr_sendx(fake_main.actor, "STEP", "one", NULL);
    zstr_sendx(fake_main.actor, "RESULT", "0", "{}", NULL);
    assert_string_equal(body_of(answer_of(fd)), "one\nledger {}\nresult 0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_is_local),
        cmocka_unit_test(every_other_address_is_not),
        ADMIN_TEST(a_request_that_comes_byte_by_byte_is_answered),
        ADMIN_TEST(a_body_is_read_and_ignored),
        ADMIN_TEST(a_body_without_end_closes_the_connection),
        ADMIN_TEST(a_second_request_on_a_connection_is_not_read),
        ADMIN_TEST(a_client_of_http_1_0_reads_a_drain_to_the_end_of_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
