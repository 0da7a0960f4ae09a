/* SPDX-License-Identifier: MPL-2.0 */
/* admin: the actor's messages to and from the main thread, its start and its end. */
#include "unit/admin/fake_main.h"

static void the_port_that_was_chosen_is_logged(void **state)
{
    (void)state;
    endpoint_t endpoint;
    const char *why;
    assert_int_equal(endpoint_parse(&endpoint, fake_main.endpoint, &why), 0);
    assert_int_equal(endpoint.kind, ENDPOINT_HTTP);
    assert_int_not_equal(endpoint_port(&endpoint), 0);
    assert_status(answer_of(ask("GET", "/readyz", "")), 503);
}

static void an_address_that_is_in_use_fails_with_a_reason(void **state)
{
    (void)state;
    zactor_t *first = fake_main.actor;
    char taken[ENDPOINT_SIZE];
    snprintf(taken, sizeof taken, "%s", fake_main.endpoint);
    assert_int_equal(fake_main_launch(taken), 1);
    assert_true(fake_main_logged("listen-failed"));
    zactor_destroy(&fake_main.actor);
    fake_main.actor = first;
}

static void an_address_that_is_no_http_endpoint_fails_with_a_reason(void **state)
{
    (void)state;
    static const char *const wrong[] = {"tcp://127.0.0.1:0", "inproc://admin", "http://nowhere:x", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(fake_main_launch(wrong[i]), 1);
        assert_true(fake_main_logged("listen-failed"));
        zactor_destroy(&fake_main.actor);
    }
}

/* Waits until the actor has taken everything that it was told. */
static void settle(void)
{
    int fd = ask("GET", "/status", "");
    expect_word("STATUS");
    zstr_sendx(fake_main.actor, "STATUS", HEAD_JSON, NULL);
    assert_status(answer_of(fd), 200);
}

static void it_is_ready_when_and_while_the_main_thread_says_so(void **state)
{
    (void)state;
    const char *answer = answer_of(ask("GET", "/readyz", ""));
    assert_status(answer, 503);
    assert_string_equal(body_of(answer), "starting\n");
    zstr_sendx(fake_main.actor, "READY", "1", "", NULL);
    settle();
    answer = answer_of(ask("GET", "/readyz", ""));
    assert_status(answer, 200);
    assert_string_equal(body_of(answer), "ready\n");
    zstr_sendx(fake_main.actor, "READY", "0", "draining", NULL);
    settle();
    answer = answer_of(ask("GET", "/readyz", ""));
    assert_status(answer, 503);
    assert_string_equal(body_of(answer), "draining\n");
}

static void the_status_is_made_of_what_the_actors_report(void **state)
{
    (void)state;
    int fd = ask("GET", "/status", "");
    expect_word("STATUS");
    zstr_sendx(fake_main.actor, "STATUS", HEAD_JSON, "{\"actor\":\"worker-0\",\"sessions\":3}",
        "{\"actor\":\"worker-1\",\"sessions\":4}", NULL);
    const char *answer = answer_of(fd);
    assert_status(answer, 200);
    assert_contains(answer, "Content-Type: application/json\r\n");
    json_t *status = json_loads(body_of(answer), 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(status, "sessions")), 7);
    assert_int_equal(json_integer_value(json_object_get(status, "uptime_s")), 12);
    assert_string_equal(json_string_value(json_array_get(json_object_get(status, "listening"), 0)), fake_main.endpoint);
    json_decref(status);
}

static void requests_that_come_meanwhile_share_one_answer(void **state)
{
    (void)state;
    enum { COUNT = 10 };
    int fds[COUNT];
    fds[0] = ask("GET", "/status", "");
    expect_word("STATUS");
    for (int i = 1; i < COUNT; i++)
        fds[i] = ask("GET", i % 2 ? "/metrics" : "/status", "");
    assert_status(answer_of(ask("GET", "/readyz", "")), 503); /* the others have been taken by now */
    zstr_sendx(fake_main.actor, "STATUS", HEAD_JSON, NULL);
    for (int i = 0; i < COUNT; i++)
        assert_status(answer_of(fds[i]), 200);
    int fd = ask("GET", "/status", "");
    expect_word("STATUS"); /* the first since then: no other was said */
    close(fd);
}

static void a_main_thread_that_does_not_answer_is_503_and_is_not_asked_again(void **state)
{
    (void)state;
    int64_t start_ms = deadline_now_ms();
    int status = ask("GET", "/status", "");
    int livez = ask("GET", "/livez", "");
    assert_status(answer_of(status), 503);
    assert_status(answer_of(livez), 503);
    assert_in_range(deadline_now_ms() - start_ms, 1900, 10000);
    int fd = ask("GET", "/status", "");
    expect_word("STATUS");
    assert_status(answer_of(ask("GET", "/readyz", "")), 503);
    assert_int_equal(zsock_events(fake_main.actor) & ZMQ_POLLIN, 0);
    zstr_sendx(fake_main.actor, "STATUS", HEAD_JSON, NULL);
    assert_status(answer_of(fd), 200);
}

static void malformed_reports_do_not_harm_the_others(void **state)
{
    (void)state;
    int status = ask("GET", "/status", "");
    expect_word("STATUS");
    int metrics = ask("GET", "/metrics", "");
    assert_status(answer_of(ask("GET", "/readyz", "")), 503);
    zstr_sendx(fake_main.actor, "STATUS", "}{", "", "[[[[", "\xff", "{\"actor\":\"worker-0\",\"sessions\":3}", NULL);
    const char *answer = answer_of(status);
    assert_status(answer, 200);
    assert_contains(answer, "\"malformed_reports\": 4");
    assert_contains(answer, "\"sessions\": 3");
    answer = answer_of(metrics);
    assert_status(answer, 200);
    assert_contains(answer, "\nferrymq_malformed_reports 4\n");
    assert_contains(answer, "\nferrymq_sessions{actor=\"worker-0\"} 3\n");
}

static void messages_that_mean_nothing_are_ignored(void **state)
{
    (void)state;
    zstr_send(fake_main.actor, "");
    zstr_send(fake_main.actor, "NONSENSE");
    zstr_send(fake_main.actor, "READY");
    zstr_send(fake_main.actor, "STATUS");
    settle();
    const char *answer = answer_of(ask("GET", "/readyz", ""));
    assert_status(answer, 503);
    assert_string_equal(body_of(answer), "not ready\n");
}

static void its_end_answers_what_waits_and_closes_what_follows(void **state)
{
    (void)state;
    char followed[1024] = "";
    int waiting = ask("GET", "/status", "");
    expect_word("STATUS");
    int following = ask("POST", "/drain", "X-Ferry-Drain: 1\r\n");
    expect_word("DRAIN");
    zstr_sendx(fake_main.actor, "STEP", "listener closed", NULL);
    client_read_to(following, followed, sizeof followed, "listener closed\n\r\n");
    int idle = client_open(NULL);
    zactor_destroy(&fake_main.actor);
    assert_status(answer_of(waiting), 503);
    assert_string_equal(answer_of(following), "");
    assert_string_equal(answer_of(idle), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADMIN_TEST(the_port_that_was_chosen_is_logged),
        ADMIN_TEST(an_address_that_is_in_use_fails_with_a_reason),
        cmocka_unit_test(an_address_that_is_no_http_endpoint_fails_with_a_reason),
        ADMIN_TEST(it_is_ready_when_and_while_the_main_thread_says_so),
        ADMIN_TEST(the_status_is_made_of_what_the_actors_report),
        ADMIN_TEST(requests_that_come_meanwhile_share_one_answer),
        ADMIN_TEST(a_main_thread_that_does_not_answer_is_503_and_is_not_asked_again),
        ADMIN_TEST(malformed_reports_do_not_harm_the_others),
        ADMIN_TEST(messages_that_mean_nothing_are_ignored),
        ADMIN_TEST(its_end_answers_what_waits_and_closes_what_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
