/* SPDX-License-Identifier: MPL-2.0 */
/* `ferry ledger` with one process, with a deployment of several, and with endpoints that the test plays: one whose
 * ledger does not balance, one that is not at rest, one that answers nonsense, and one that is not there. */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/folder.h"
#include "lib/http.h"
#include "lib/played_endpoint.h"
#include "lib/process.h"
#include "lib/server.h"
#include "lib/shell.h"
#include "lib/test.h"

#define EVEN  "{\"role\":\"broker\",\"pid\":1,\"ledger\":{\"taken_over\":5,\"handed_over\":5}}"
#define BUSY  "{\"role\":\"broker\",\"pid\":1,\"ledger\":{\"taken_over\":4,\"handed_over\":4}}"
#define LEAKY "{\"role\":\"broker\",\"pid\":2,\"ledger\":{\"taken_over\":5,\"handed_over\":4}}"
#define SENT  "{\"role\":\"gateway\",\"pid\":3,\"ledger\":{\"accepted\":3,\"handed_over\":3}}"
#define TOOK  "{\"role\":\"gateway\",\"pid\":4,\"ledger\":{\"taken_over\":3,\"delivered\":3}}"
#define HOLDS "{\"role\":\"all\",\"pid\":5,\"ledger\":{\"accepted\":2,\"pending\":2}}"

enum { WORDS_MAX = 16, LEDGER_MS = 30000, MESSAGE_COUNT = 20 };

/* Runs `ferry ledger` with these words, ended by NULL, and waits for that exit code. */
static process_t *ledger_run(int exit_code, ...)
{
    const char *argv[WORDS_MAX + 1] = {"ferry", "ledger"};
    va_list words;
    va_start(words, exit_code);
    for (int i = 2; i < WORDS_MAX && (argv[i] = va_arg(words, const char *)) != NULL; i++)
        continue;
    va_end(words);
    process_t *process = process_start(argv);
    process_expect_exit(process, exit_code, LEDGER_MS);
    return process;
}

static void expect_error(process_t *process, const char *said)
{
    char *errors = process_errors(process);
    if (!strstr(errors, said))
        fail_msg("\"%s\" is not in: %s", said, errors);
    free(errors);
}

static void expect_output(process_t *process, const char *part)
{
    char *output = process_output(process);
    if (!strstr(output, part))
        fail_msg("\"%s\" is not in: %s", part, output);
    free(output);
}

/* The object that `ferry ledger --json` printed. */
static json_t *object_of(process_t *process)
{
    char *output = process_output(process);
    json_t *object = json_loads(output, 0, NULL);
    assert_true(json_is_object(object));
    free(output);
    return object;
}

static void expect_number(json_t *object, const char *path, json_int_t number)
{
    if (json_integer_value(json_at(object, path)) != number)
        fail_msg("%s is %" JSON_INTEGER_FORMAT, path, json_integer_value(json_at(object, path)));
}

/* Sends messages between two clients, some of them to nobody. */
static void converse(const char *one_gateway, const char *other_gateway)
{
    client_t *alice = client_login(one_gateway, "alice");
    client_t *bob = client_login(other_gateway, "bob");
    for (int i = 0; i < MESSAGE_COUNT; i++)
        client_send(alice, "bob, nobody: hello");
    for (int i = 0; i < MESSAGE_COUNT; i++) {
        client_expect(bob, "from alice: hello");
        client_expect(alice, "error no-such-peer nobody");
    }
}

static void one_process_balances(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    converse(server_gateway(server), server_gateway(server));
    process_t *process = ledger_run(0, "--wait", "20", "--admin", server_admin(server), NULL);
    expect_output(process, "refused no-such-peer      20\n");
    expect_output(process, "handed over - taken over       0\n");
    server_stop(&server);
}

/* Asks the processes until they are at rest; the sum must tell what `converse` did. */
static void expect_deployment(server_t *const *servers)
{
    process_t *process = ledger_run(0, "--json", "--wait", "20", server_admin(servers[0]), server_admin(servers[1]),
        server_admin(servers[2]), servers[3] ? server_admin(servers[3]) : NULL, NULL);
    json_t *object = object_of(process);
    assert_true(json_is_true(json_at(object, "at_rest")));
    assert_true(json_is_true(json_at(object, "balanced")));
    assert_int_equal(json_array_size(json_at(object, "processes")), servers[3] ? 4 : 3);
    expect_number(object, "sum.accepted", 2 * MESSAGE_COUNT);
    expect_number(object, "sum.delivered", MESSAGE_COUNT);
    expect_number(object, "sum.refused.no-such-peer", MESSAGE_COUNT);
    expect_number(object, "sum.balance", 0);
    expect_number(object, "between_processes", 0);
    json_decref(object);
}

static void two_gateways_and_a_broker_balance(void **state)
{
    (void)state;
    char option[200];
    server_t *servers[4] = {server_start("broker", NULL)};
    snprintf(option, sizeof(option), "gateway/broker=%s", server_broker(servers[0]));
    for (int i = 1; i < 3; i++)
        servers[i] = server_start("gateway", "-s", option, NULL);
    converse(server_gateway(servers[1]), server_gateway(servers[2]));
    expect_deployment(servers);
    for (int i = 2; i >= 0; i--)
        server_stop(&servers[i]);
}

static void two_gateways_and_two_brokers_balance(void **state)
{
    (void)state;
    static const char *const names[] = {"broker/name=east", "broker/name=west"};
    char options[2][200];
    server_t *servers[4];
    for (int i = 0; i < 2; i++) {
        servers[i] = server_start("broker", "-s", names[i], NULL);
        snprintf(options[i], sizeof(options[i]), "gateway/broker=%s=%s", strchr(names[i], '=') + 1,
            server_broker(servers[i]));
    }
    for (int i = 2; i < 4; i++)
        servers[i] = server_start("gateway", "-s", options[0], "-s", options[1], NULL);
    converse(server_gateway(servers[2]), server_gateway(servers[3]));
    expect_deployment(servers);
    for (int i = 3; i >= 0; i--)
        server_stop(&servers[i]);
}

static void what_a_killed_gateway_took_over_is_missing(void **state)
{
    (void)state;
    char option[200];
    server_t *broker = server_start("broker", NULL);
    snprintf(option, sizeof(option), "gateway/broker=%s", server_broker(broker));
    server_t *alices = server_start("gateway", "-s", option, NULL);
    server_t *bobs = server_start("gateway", "-s", option, NULL);
    converse(server_gateway(alices), server_gateway(bobs));
    ledger_run(0, "--wait", "20", server_admin(broker), server_admin(alices), server_admin(bobs), NULL);
    server_destroy(&bobs);
    process_t *process = ledger_run(3, "--wait", "20", server_admin(broker), server_admin(alices), NULL);
    expect_output(process, "handed over - taken over      20\n");
    expect_error(process, "nobody here took over: 20; they are in the ledger of a process that was not asked, or has");
    expect_error(process, "the ledger does not balance\n");
}

static void a_drained_gateway_is_accounted_for_by_what_its_drain_printed(void **state)
{
    (void)state;
    char option[200], file[200];
    server_t *broker = server_start("broker", NULL);
    snprintf(option, sizeof(option), "gateway/broker=%s", server_broker(broker));
    server_t *alices = server_start("gateway", "-s", option, NULL);
    server_t *bobs = server_start("gateway", "-s", option, NULL);
    converse(server_gateway(alices), server_gateway(bobs));
    client_close_all();
    snprintf(file, sizeof(file), "@%s/farewell", folder_new());
    shell_run("\"$FERRY_BIN/ferry\" drain -q --admin %s >%s", server_admin(bobs), file + 1);
    process_expect_exit(server_process(bobs), 0, LEDGER_MS);
    ledger_run(3, "--wait", "5", server_admin(broker), server_admin(alices), NULL);
    process_t *process = ledger_run(0, "--wait", "20", server_admin(broker), server_admin(alices), file, NULL);
    expect_output(process, "/farewell  ended");
    expect_error(ledger_run(1, "@/dev/null", NULL), "/dev/null holds no ledger");
    server_destroy(&bobs);
    server_stop(&alices);
    server_stop(&broker);
}

static void a_process_that_lost_a_copy_does_not_balance(void **state)
{
    (void)state;
    process_t *process = ledger_run(3, played_endpoint_open(EVEN, EVEN), played_endpoint_open(LEAKY, LEAKY), NULL);
    expect_output(process, "balance\n");
    expect_error(process, "the ledger does not balance\n");
}

static void halves_that_fit_balance_together_and_not_alone(void **state)
{
    (void)state;
    const char *sent = played_endpoint_open(SENT, SENT);
    const char *took = played_endpoint_open(TOOK, TOOK);
    ledger_run(0, sent, took, NULL);
    expect_error(ledger_run(3, sent, NULL), "handed over and nobody here took over: 3;");
    expect_error(ledger_run(3, took, NULL), "taken over and nobody here handed over: 3;");
}

static void a_process_that_counts_meanwhile_is_not_at_rest(void **state)
{
    (void)state;
    process_t *process = ledger_run(3, "--json", played_endpoint_open(BUSY, EVEN), NULL);
    expect_error(process, "not at rest");
    json_t *object = object_of(process);
    assert_true(json_is_false(json_at(object, "at_rest")));
    assert_true(json_is_false(json_at(object, "balanced")));
    json_decref(object);
    ledger_run(0, "--wait", "20", played_endpoint_open(BUSY, EVEN), NULL);
}

static void copies_that_stay_pending_balance_and_are_told(void **state)
{
    (void)state;
    expect_error(ledger_run(0, played_endpoint_open(HOLDS, HOLDS), NULL), "copies that have not ended: 2;");
}

static void what_is_no_ledger_is_no_answer(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        const char *why;
    } answers[] = {
        {"<html>", "is no ferryd: its answer is no JSON object"},
        {"[1]", "is no ferryd: its answer is no JSON object"},
        {"{\"role\":\"all\"}", "is no ferryd: its answer holds no ledger"},
        {"{\"ledger\":{\"accepted\":-1}}", "is no ferryd: its ledger holds what is no count"},
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        expect_error(ledger_run(1, played_endpoint_open(EVEN, EVEN),
                         played_endpoint_open(answers[i].answer, answers[i].answer), NULL),
            answers[i].why);
}

static void each_process_that_is_not_there_is_named(void **state)
{
    (void)state;
    process_t *process =
        ledger_run(1, "http://127.0.0.1:1", played_endpoint_open(EVEN, EVEN), "http://127.0.0.1:2", NULL);
    expect_error(process, "nobody answers at http://127.0.0.1:1/status");
    expect_error(process, "nobody answers at http://127.0.0.1:2/status");
    expect_error(ledger_run(2, "http://a:1", "http://a:1", NULL), "http://a:1 is named twice");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(one_process_balances),
        TEST(two_gateways_and_a_broker_balance),
        TEST(two_gateways_and_two_brokers_balance),
        TEST(what_a_killed_gateway_took_over_is_missing),
        TEST(a_drained_gateway_is_accounted_for_by_what_its_drain_printed),
        TEST(a_process_that_lost_a_copy_does_not_balance),
        TEST(halves_that_fit_balance_together_and_not_alone),
        TEST(a_process_that_counts_meanwhile_is_not_at_rest),
        TEST(copies_that_stay_pending_balance_and_are_told),
        TEST(what_is_no_ledger_is_no_answer),
        TEST(each_process_that_is_not_there_is_named),
    };
    return TEST_RUN(tests);
}
