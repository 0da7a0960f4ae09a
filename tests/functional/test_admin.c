/* SPDX-License-Identifier: MPL-2.0 */
/* The admin endpoint of a real ferryd: what it tells while clients talk, readiness, and the drain over HTTP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/http.h"
#include "lib/process.h"
#include "lib/server.h"
#include "lib/test.h"

#define DRAIN_HEADER "X-Ferry-Drain: 1\r\n"

static const char *text_at(json_t *json, const char *path)
{
    const char *text = json_string_value(json_at(json, path));
    return text ? text : "";
}

static bool lists(json_t *list, const char *text)
{
    size_t i;
    json_t *item;
    bool found = false;
    json_array_foreach(list, i, item)
    {
        found = found || strcmp(json_string_value(item), text) == 0;
    }
    return found;
}

/* Waits until the number at `path` of /status is `expected`. */
static void wait_number(const char *admin, const char *path, json_int_t expected)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    json_int_t number;
    while ((number = http_number(admin, "/status", path)) != expected)
        if (deadline_passed(deadline))
            fail_msg("%s is %d instead of %d", path, (int)number, (int)expected);
}

/* alice writes bob three messages, and one to nobody. */
static void talk(client_t *alice, client_t *bob)
{
    for (int i = 0; i < 3; i++)
        client_send(alice, "bob: hello");
    client_send(alice, "nobody: hello");
    for (int i = 0; i < 3; i++)
        client_expect(bob, "from alice: hello");
    client_expect(alice, "error no-such-peer nobody");
}

static void the_status_tells_what_is_going_on(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "gateway/workers=2", NULL);
    const char *admin = server_admin(server);
    client_t *alice = client_login(server_gateway(server), "alice");
    client_t *bob = client_login(server_gateway(server), "bob");
    talk(alice, bob);
    wait_number(admin, "ledger.pending", 0);
    json_t *status = http_json(admin, "/status");
    assert_string_equal(text_at(status, "role"), "all");
    assert_int_equal(json_integer_value(json_at(status, "pid")), process_pid(server_process(server)));
    assert_true(json_is_true(json_at(status, "ready")));
    assert_string_equal(text_at(status, "drain.state"), "running");
    assert_true(lists(json_at(status, "listening"), server_gateway(server)));
    assert_true(lists(json_at(status, "listening"), server_broker(server)));
    assert_true(lists(json_at(status, "listening"), admin));
    assert_int_equal(json_integer_value(json_at(status, "sessions")), 2);
    assert_int_equal(json_integer_value(json_at(status, "names")), 2);
    assert_int_equal(json_array_size(json_at(status, "session_writers")), 2);
    assert_int_equal(json_array_size(json_at(status, "links")), 2);
    assert_int_equal(json_array_size(json_at(status, "dealer_writers")), 2);
    assert_string_equal(text_at(status, "links.0.state"), "up");
    assert_true(json_integer_value(json_at(status, "links.0.window_bytes")) > 0);
    assert_int_equal(json_integer_value(json_at(status, "links.0.open_bytes")), 0);
    assert_true(json_integer_value(json_at(status, "dealer_writers.0.window_bytes")) > 0);
    assert_int_equal(json_integer_value(json_at(status, "ledger.balance")), 0);
    assert_int_equal(json_integer_value(json_at(status, "ledger.refused.no-such-peer")), 1);
    assert_null(json_at(status, "malformed_reports"));
    json_decref(status);
    server_stop(&server);
}

/* Everything that the parser of Prometheus' own client found in /metrics. The caller frees it. */
static char *metrics_samples(const char *admin)
{
    char *script = NULL;
    http_answer_t *answer = http_get(admin, "/metrics");
    assert_int_equal(http_answer_status(answer), 200);
    if (strstr(http_answer_body(answer), "Not described"))
        fail_msg("a number is not in proto/counters.def:\n%s", strstr(http_answer_body(answer), "Not described") - 100);
    assert_true(asprintf(&script, "%s/tests/interop/parse_metrics.py", getenv("FERRY_SOURCE")) > 0);
    process_t *parser = process_run(script, NULL);
    process_write(parser, http_answer_body(answer));
    process_close_input(parser);
    if (process_wait_exit(parser, DEADLINE_USUAL_MS) != 0)
        fail_msg("the parser refused: %s", process_errors(parser));
    char *samples = process_output(parser);
    process_destroy(&parser);
    http_answer_destroy(&answer);
    free(script);
    return samples;
}

/* The sum of a family over all its labels. */
static double family_sum(const char *samples, const char *family)
{
    double sum = 0;
    size_t size = strlen(family);
    bool found = false;
    for (const char *line = samples; *line; line = strchr(line, '\n') + 1) {
        if (strncmp(line, family, size) != 0 || (line[size] != '{' && line[size] != ' '))
            continue;
        found = true;
        const char *end = strchr(line, '\n');
        while (*end != ' ')
            end--;
        sum += strtod(end, NULL);
    }
    if (!found)
        fail_msg("no sample of %s", family);
    return sum;
}

static void prometheus_reads_every_number_and_each_is_described(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "gateway/workers=2", NULL);
    const char *admin = server_admin(server);
    client_t *alice = client_login(server_gateway(server), "alice");
    client_t *bob = client_login(server_gateway(server), "bob");
    talk(alice, bob);
    client_close(&alice);
    wait_number(admin, "sessions", 1);
    wait_number(admin, "ledger.pending", 0);
    char *samples = metrics_samples(admin);
    assert_int_equal(family_sum(samples, "ferrymq_ready"), 1);
    assert_int_equal(family_sum(samples, "ferrymq_sessions"), 1);
    assert_int_equal(family_sum(samples, "ferrymq_connections_accepted_total"), 2);
    assert_int_equal(family_sum(samples, "ferrymq_logins_total"), 2);
    assert_int_equal(family_sum(samples, "ferrymq_sessions_closed_total"), 1);
    assert_int_equal(family_sum(samples, "ferrymq_ledger_delivered_copies_total"), 3);
    assert_int_equal(family_sum(samples, "ferrymq_ledger_refused_copies_total"), 1);
    assert_int_equal(family_sum(samples, "ferrymq_ledger_balance_copies"), 0);
    assert_int_equal(family_sum(samples, "ferrymq_dealer_writers"), 2);
    assert_true(family_sum(samples, "ferrymq_uplink_batch_records_count") > 0);
    assert_true(family_sum(samples, "ferrymq_batch_bytes_sum") > 0);
    free(samples);
    server_stop(&server);
}

static void gateway_and_broker_each_tell_their_part(void **state)
{
    (void)state;
    server_t *broker = server_start("broker", NULL);
    char link[128];
    snprintf(link, sizeof link, "gateway/broker=main=%s", server_broker(broker));
    server_t *gateway = server_start("gateway", "-s", link, NULL);
    client_t *alice = client_login(server_gateway(gateway), "alice");
    client_barrier(alice);
    assert_int_equal(http_number(server_admin(broker), "/status", "names"), 1);
    assert_int_equal(http_number(server_admin(gateway), "/status", "names"), 1);
    json_t *status = http_json(server_admin(broker), "/status");
    assert_string_equal(text_at(status, "role"), "broker");
    assert_int_equal(json_array_size(json_at(status, "links")), 0);
    assert_int_equal(json_array_size(json_at(status, "session_writers")), 0);
    json_decref(status);
    status = http_json(server_admin(gateway), "/status");
    assert_string_equal(text_at(status, "role"), "gateway");
    assert_int_equal(json_array_size(json_at(status, "dealer_writers")), 0);
    json_decref(status);
    free(metrics_samples(server_admin(broker)));
    free(metrics_samples(server_admin(gateway)));
    server_stop(&gateway);
    server_stop(&broker);
}

static void a_gateway_without_its_broker_lives_and_is_not_ready(void **state)
{
    (void)state;
    server_t *server = server_launch("gateway", "-s", "gateway/broker=main=tcp://127.0.0.1:1", NULL);
    const char *admin = server_admin(server);
    http_wait_status(admin, "/livez", 200, DEADLINE_USUAL_MS);
    http_answer_t *answer = http_get(admin, "/readyz");
    assert_int_equal(http_answer_status(answer), 503);
    assert_true(strlen(http_answer_body(answer)) > 1);
    http_answer_destroy(&answer);
    json_t *status = http_json(admin, "/status");
    assert_true(json_is_false(json_at(status, "ready")));
    assert_string_not_equal(text_at(status, "ready_reason"), "");
    json_decref(status);
    server_destroy(&server);
}

static void a_gateway_that_loses_its_broker_stays_ready_for_a_while(void **state)
{
    (void)state;
    char link[128];
    server_t *broker = server_start("broker", NULL);
    snprintf(link, sizeof link, "gateway/broker=main=%s", server_broker(broker));
    server_t *gateway = server_start("gateway", "-s", link, "-s", "admin/unready_after=2s", NULL);
    const char *admin = server_admin(gateway);
    http_wait_status(admin, "/readyz", 200, DEADLINE_USUAL_MS);
    int64_t start_ms = deadline_now_ms();
    process_signal(server_process(broker), SIGKILL);
    server_destroy(&broker);
    http_wait_status(admin, "/readyz", 503, DEADLINE_USUAL_MS);
    assert_true(deadline_now_ms() - start_ms >= 2000);
    assert_int_equal(http_status(admin, "/livez"), 200);
    server_destroy(&gateway);
}

static void a_drain_is_not_ready_from_its_first_moment(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "drain/delay=20s", NULL);
    const char *admin = server_admin(server);
    http_wait_status(admin, "/readyz", 200, DEADLINE_USUAL_MS);
    process_signal(server_process(server), SIGTERM);
    http_wait_status(admin, "/readyz", 503, DEADLINE_USUAL_MS);
    http_answer_t *answer = http_get(admin, "/readyz");
    assert_string_equal(http_answer_body(answer), "draining\n");
    http_answer_destroy(&answer);
    json_t *status = http_json(admin, "/status");
    assert_string_equal(text_at(status, "drain.state"), "draining");
    json_decref(status);
    assert_int_equal(http_status(admin, "/livez"), 200);
    server_destroy(&server);
}

static void assert_in_order(const char *text, const char *const *parts, size_t count)
{
    const char *at = text;
    for (size_t i = 0; i < count; i++) {
        at = strstr(at, parts[i]);
        if (!at)
            fail_msg("no `%s` where it should come in:\n%s", parts[i], text);
    }
}

static void a_drain_over_http_tells_its_steps_and_ends_the_process(void **state)
{
    (void)state;
    static const char *const steps[] = {"listener drained\n", "worker-0 settled\n", "worker-0 drained\n",
        "router drained\n", "\nledger {", "\"no-such-peer\":1", "\nresult 0\n"};
    server_t *server = server_start("all", "-s", "gateway/workers=1", NULL);
    client_t *alice = client_login(server_gateway(server), "alice");
    client_t *bob = client_login(server_gateway(server), "bob");
    talk(alice, bob);
    http_answer_t *answer = http_post(server_admin(server), "/drain", DRAIN_HEADER);
    assert_int_equal(http_answer_status(answer), 200);
    assert_in_order(http_answer_body(answer), steps, sizeof steps / sizeof steps[0]);
    http_answer_destroy(&answer);
    assert_int_equal(process_wait_exit(server_process(server), DEADLINE_USUAL_MS), 0);
    client_expect(bob, "info draining");
    client_expect(bob, "info accepted 1");
    client_expect_eof(bob);
    server_destroy(&server);
}

static process_t *curl_drain(const char *admin)
{
    char url[128];
    snprintf(url, sizeof url, "%s/drain", admin);
    return process_run(
        "curl", "--silent", "--no-buffer", "--request", "POST", "--header", "X-Ferry-Drain: 1", url, NULL);
}

static void two_who_ask_for_a_drain_watch_the_same_one(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "drain/delay=500ms", NULL);
    process_t *first = curl_drain(server_admin(server));
    process_wait_output(first, "begin\n", DEADLINE_USUAL_MS);
    process_t *second = curl_drain(server_admin(server));
    assert_int_equal(process_wait_exit(first, DEADLINE_USUAL_MS), 0);
    assert_int_equal(process_wait_exit(second, DEADLINE_USUAL_MS), 0);
    char *told_first = process_output(first), *told_second = process_output(second);
    assert_string_equal(told_first, told_second);
    assert_non_null(strstr(told_first, "\nresult 0\n"));
    assert_int_equal(process_wait_exit(server_process(server), DEADLINE_USUAL_MS), 0);
    assert_int_equal(process_count_log(server_process(server), "event=drain step=begin"), 1);
    free(told_first);
    free(told_second);
    server_destroy(&server);
}

static void a_drain_that_is_refused_changes_nothing(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    const char *admin = server_admin(server);
    http_answer_t *answer = http_post(admin, "/drain", "");
    assert_int_equal(http_answer_status(answer), 403);
    http_answer_destroy(&answer);
    assert_int_equal(http_status(admin, "/drain"), 405);
    http_wait_status(admin, "/readyz", 200, DEADLINE_USUAL_MS);
    client_t *alice = client_login(server_gateway(server), "alice");
    client_close(&alice);
    server_stop(&server);
}

static void a_port_that_is_in_use_ends_the_start_with_a_reason(void **state)
{
    (void)state;
    server_t *first = server_start("all", NULL);
    char listen[128];
    snprintf(listen, sizeof listen, "admin/listen=%s", server_admin(first));
    server_t *second = server_launch("all", "-s", listen, NULL);
    process_wait_log(server_process(second), "event=listen-failed role=admin", DEADLINE_USUAL_MS);
    assert_int_equal(process_wait_exit(server_process(second), DEADLINE_USUAL_MS), 1);
    server_destroy(&second);
    server_stop(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_status_tells_what_is_going_on),
        TEST(prometheus_reads_every_number_and_each_is_described),
        TEST(gateway_and_broker_each_tell_their_part),
        TEST(a_gateway_without_its_broker_lives_and_is_not_ready),
        TEST(a_gateway_that_loses_its_broker_stays_ready_for_a_while),
        TEST(a_drain_is_not_ready_from_its_first_moment),
        TEST(a_drain_over_http_tells_its_steps_and_ends_the_process),
        TEST(two_who_ask_for_a_drain_watch_the_same_one),
        TEST(a_drain_that_is_refused_changes_nothing),
        TEST(a_port_that_is_in_use_ends_the_start_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
