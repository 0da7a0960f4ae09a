/* SPDX-License-Identifier: MPL-2.0 */
/* Two brokers divide the names, and two gateways hold the clients: nobody notices which is whose. */
#include <stdio.h>
#include <string.h>

#include "lib/client.h"
#include "lib/crowd.h"
#include "lib/deadline.h"
#include "lib/http.h"
#include "lib/server.h"
#include "lib/test.h"
#include "wire/rendezvous.h"

typedef struct {
    server_t *brokers[2];
    server_t *gateways[2];
} deployment_t;

static void start(deployment_t *self)
{
    char options[2][200];
    static const char *const names[] = {"broker/name=left", "broker/name=right"};
    for (int i = 0; i < 2; i++) {
        self->brokers[i] = server_start("broker", "-s", names[i], "-s", "drain/timeout=60s", NULL);
        snprintf(options[i], sizeof(options[i]), "gateway/broker=%s=%s", strchr(names[i], '=') + 1,
            server_broker(self->brokers[i]));
    }
    for (int i = 0; i < 2; i++)
        self->gateways[i] =
            server_start("gateway", "-s", options[i], "-s", options[1 - i], "-s", "drain/timeout=60s", NULL);
}

static void stop(deployment_t *self)
{
    for (int i = 0; i < 2; i++)
        server_stop(&self->gateways[i]);
    for (int i = 0; i < 2; i++)
        server_stop(&self->brokers[i]);
}

/* Writes a name that belongs to the broker, 0 for left, 1 for right; another one for every `number`. */
static void write_name(char name[16], size_t broker, unsigned number)
{
    const span_t brokers[] = {span_str("left"), span_str("right")};
    rendezvous_t *rendezvous = rendezvous_new(brokers, 2);
    unsigned found = 0;
    for (unsigned i = 0; found <= number; i++) {
        snprintf(name, 16, "peer%u", i);
        found += rendezvous_pick(rendezvous, span_str(name)) == broker;
    }
    rendezvous_destroy(&rendezvous);
}

static void a_line_may_name_peers_of_two_brokers_on_two_gateways(void **state)
{
    (void)state;
    deployment_t deployment;
    start(&deployment);
    client_t *peers[4];
    char names[4][16];
    for (unsigned i = 0; i < 4; i++) {
        write_name(names[i], i % 2, i / 2);
        peers[i] = client_login(server_gateway(deployment.gateways[i / 2]), names[i]);
    }
    for (unsigned from = 0; from < 4; from++) {
        client_sendf(peers[from], "%s, %s, %s, %s: hello", names[0], names[1], names[2], names[3]);
        for (unsigned to = 0; to < 4; to++)
            client_expectf(peers[to], "from %s: hello", names[from]);
    }
    stop(&deployment);
}

static void each_broker_refuses_the_names_that_it_does_not_know(void **state)
{
    (void)state;
    deployment_t deployment;
    start(&deployment);
    char left[16];
    char right[16];
    write_name(left, 0, 7);
    write_name(right, 1, 7);
    client_t *alice = client_login(server_gateway(deployment.gateways[0]), "alice");
    client_sendf(alice, "%s: hello", left);
    client_expectf(alice, "error no-such-peer %s", left);
    client_sendf(alice, "%s: hello", right);
    client_expectf(alice, "error no-such-peer %s", right);
    stop(&deployment);
}

static void a_name_has_one_owner_whatever_the_gateway(void **state)
{
    (void)state;
    deployment_t deployment;
    start(&deployment);
    char name[16];
    for (unsigned broker = 0; broker < 2; broker++) {
        write_name(name, broker, 3);
        client_t *owner = client_login(server_gateway(deployment.gateways[0]), name);
        client_t *other = client_connect(server_gateway(deployment.gateways[1]));
        client_send(other, name);
        client_expectf(other, "error name-taken %s", name);
        client_expect_eof(other);
        client_send(owner, "/quit");
        client_expect(owner, "ok quit");
        client_expect_eof(owner);
        client_t *heir = client_login(server_gateway(deployment.gateways[1]), name);
        client_sendf(heir, "%s: mine now", name);
        client_expectf(heir, "from %s: mine now", name);
    }
    stop(&deployment);
}

/* Adds members on both gateways, each of which writes to four others. */
static crowd_t *start_load(deployment_t *deployment, unsigned count, bool returns)
{
    crowd_t *crowd = crowd_new("load", count);
    for (unsigned i = 0; i < count; i++)
        crowd_join(crowd, &(crowd_member_t){.endpoint = server_gateway(deployment->gateways[i % 2]),
                              .line_count = CROWD_ENDLESS,
                              .text_size = 100,
                              .read_rate = 40000,
                              .write_rate = 8000,
                              .returns = returns});
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 1; k <= 4; k++)
            crowd_address(crowd, i, (i + k * k) % count);
    crowd_login(crowd, count, DEADLINE_USUAL_MS);
    crowd_start(crowd);
    return crowd;
}

static void run_for(crowd_t *crowd, uint64_t copies)
{
    uint64_t received = crowd_totals(crowd).received + copies;
    crowd_run(crowd, crowd_has_received, &received, 30000);
}

/* Ends a crowd of which everybody is connected. */
static void settle(crowd_t *crowd)
{
    crowd_stop(crowd);
    crowd_run(crowd, crowd_is_settled, NULL, 30000);
    crowd_check(crowd);
    crowd_half_close(crowd);
    crowd_run(crowd, crowd_is_over, NULL, DEADLINE_USUAL_MS);
}

static void one_broker_of_two_may_be_stopped_and_started_again(void **state)
{
    (void)state;
    deployment_t deployment;
    start(&deployment);
    crowd_t *crowd = start_load(&deployment, 40, false);
    run_for(crowd, 5000);

    char option[200];
    process_t *left = server_process(deployment.brokers[0]);
    snprintf(option, sizeof(option), "broker/listen=%s", server_broker(deployment.brokers[0]));
    process_signal(left, SIGTERM);
    crowd_run(crowd, crowd_process_ended, left, 60000);
    process_expect_exit(left, 0, DEADLINE_USUAL_MS);
    server_destroy(&deployment.brokers[0]);
    deployment.brokers[0] = server_start("broker", "-s", "broker/name=left", "-s", option, NULL);
    run_for(crowd, 10000);

    settle(crowd);
    assert_int_equal(crowd_totals(crowd).ended, crowd_totals(crowd).received);
    crowd_destroy(&crowd);
    stop(&deployment);
}

static void clients_of_a_gateway_that_stops_go_on_at_the_other(void **state)
{
    (void)state;
    deployment_t deployment;
    start(&deployment);
    crowd_t *crowd = start_load(&deployment, 40, true);
    run_for(crowd, 5000);

    process_t *stopped = server_process(deployment.gateways[1]);
    process_signal(stopped, SIGTERM);
    for (unsigned i = 1; i < 40; i += 2)
        crowd_move(crowd, i, server_gateway(deployment.gateways[0]));
    crowd_run(crowd, crowd_process_ended, stopped, 60000);
    process_expect_exit(stopped, 0, DEADLINE_USUAL_MS);
    assert_int_equal(server_ledger(deployment.gateways[1], "balance"), 0);
    run_for(crowd, 5000);

    settle(crowd);
    crowd_destroy(&crowd);
    server_destroy(&deployment.gateways[1]);
    server_stop(&deployment.gateways[0]);
    server_stop(&deployment.brokers[0]);
    server_stop(&deployment.brokers[1]);
}

static void a_gateway_with_another_list_of_brokers_is_not_ready_and_says_why(void **state)
{
    (void)state;
    deployment_t deployment;
    start(&deployment);
    char option[200];
    snprintf(option, sizeof(option), "gateway/broker=left=%s", server_broker(deployment.brokers[0]));
    server_t *odd = server_launch("gateway", "-s", option, NULL);
    process_wait_log(server_process(odd), "reason=wrong-brokers", DEADLINE_USUAL_MS);
    assert_null(process_find_log(server_process(odd), "event=ready"));
    client_t *alice = client_login(server_gateway(deployment.gateways[0]), "alice");
    client_send(alice, "alice: unharmed");
    client_expect(alice, "from alice: unharmed");
    server_stop(&odd);
    stop(&deployment);
}

/* Nobody listens on this port: a server had it, and is gone. */
static void find_free_endpoint(char endpoint[64])
{
    server_t *broker = server_start("broker", NULL);
    snprintf(endpoint, 64, "%s", server_broker(broker));
    server_stop(&broker);
}

static void a_gateway_without_its_broker_waits_for_it_and_says_so(void **state)
{
    (void)state;
    char endpoint[64];
    char options[2][100];
    find_free_endpoint(endpoint);
    snprintf(options[0], sizeof(options[0]), "gateway/broker=%s", endpoint);
    snprintf(options[1], sizeof(options[1]), "broker/listen=%s", endpoint);
    server_t *gateway = server_launch("gateway", "-s", options[0], NULL);
    process_wait_log(server_process(gateway), "event=not-ready reason=", DEADLINE_USUAL_MS);
    http_wait_status(server_admin(gateway), "/readyz", 503, DEADLINE_USUAL_MS);
    client_t *alice = client_connect(server_gateway(gateway));
    client_send(alice, "alice");
    client_send(alice, "alice: at last");

    server_t *broker = server_start("broker", "-s", options[1], NULL);
    server_wait_ready(gateway);
    http_wait_status(server_admin(gateway), "/readyz", 200, DEADLINE_USUAL_MS);
    client_expect(alice, "from alice: at last");
    server_stop(&gateway);
    server_stop(&broker);
}

static void names_are_there_again_after_a_broker_was_killed(void **state)
{
    (void)state;
    deployment_t deployment;
    start(&deployment);
    char option[200];
    char names[2][16];
    client_t *peers[2];
    for (unsigned i = 0; i < 2; i++) {
        write_name(names[i], 0, i);
        peers[i] = client_login(server_gateway(deployment.gateways[i]), names[i]);
    }
    snprintf(option, sizeof(option), "broker/listen=%s", server_broker(deployment.brokers[0]));
    server_destroy(&deployment.brokers[0]);
    deployment.brokers[0] = server_start("broker", "-s", "broker/name=left", "-s", option, NULL);
    client_sendf(peers[0], "%s: are you still there?", names[1]);
    client_expectf(peers[1], "from %s: are you still there?", names[0]);
    client_sendf(peers[1], "%s: yes", names[0]);
    client_expectf(peers[0], "from %s: yes", names[1]);
    stop(&deployment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_may_name_peers_of_two_brokers_on_two_gateways),
        TEST(each_broker_refuses_the_names_that_it_does_not_know),
        TEST(a_name_has_one_owner_whatever_the_gateway),
        TEST(one_broker_of_two_may_be_stopped_and_started_again),
        TEST(clients_of_a_gateway_that_stops_go_on_at_the_other),
        TEST(a_gateway_without_its_broker_waits_for_it_and_says_so),
        TEST(names_are_there_again_after_a_broker_was_killed),
        TEST(a_gateway_with_another_list_of_brokers_is_not_ready_and_says_why),
    };
    return TEST_RUN(tests);
}
