/* SPDX-License-Identifier: MPL-2.0 */
/* haproxy: the shipped configuration, with the ports of a test put in, in front of two gateways that are stopped and
 * started under load. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "lib/client.h"
#include "lib/crowd.h"
#include "lib/deadline.h"
#include "lib/folder.h"
#include "lib/http.h"
#include "lib/server.h"
#include "lib/shell.h"
#include "lib/test.h"

#define CONFIGURATION "\"$FERRY_SOURCE/deploy/haproxy/haproxy.cfg\""
#define MEMBER_COUNT  100
#define ROUND_COUNT   2
#define ROLL_MS       60000
#define MESSAGE_SHARE 5000 /* copies that are received between two stops */

/* A broker, two gateways and HAProxy before them. */
typedef struct {
    server_t *broker;
    server_t *gateways[2];
    process_t *haproxy;
    int listener_fd;                  /* what HAProxy inherits instead of a port, since it knows no port 0 */
    char endpoint[ENDPOINT_SIZE + 8]; /* HAProxy's */
    unsigned visitor_count;
} site_t;

static const char *port_of(const char *endpoint)
{
    return strrchr(endpoint, ':') + 1;
}

/* `listen` and `admin` are endpoints; port 0 for the first start, the same ports again for a restart. */
static server_t *start_gateway(const site_t *site, const char *listen, const char *admin)
{
    char options[3][ENDPOINT_SIZE + 32];
    snprintf(options[0], sizeof(options[0]), "gateway/broker=%s", server_broker(site->broker));
    snprintf(options[1], sizeof(options[1]), "gateway/listen=%s", listen);
    snprintf(options[2], sizeof(options[2]), "admin/listen=%s", admin);
    return server_start("gateway", "-s", options[0], "-s", options[1], "-s", options[2], "-s", "drain/delay=3s", NULL);
}

static void listen_for_haproxy(site_t *self)
{
    endpoint_t any;
    const char *why = NULL;
    char address[ENDPOINT_SIZE];
    assert_int_equal(endpoint_parse(&any, "tcp://127.0.0.1:0", &why), 0);
    self->listener_fd = endpoint_listen(&any, 1024);
    assert_int_equal(fcntl(self->listener_fd, F_SETFD, 0), 0);
    endpoint_of_socket(self->listener_fd, false, address);
    snprintf(self->endpoint, sizeof(self->endpoint), "tcp://%s", address);
}

/* Only ports change, and what needs root or more descriptors than a test may have. */
static void start_haproxy(site_t *self)
{
    self->haproxy = shell_start(
        "cfg='%s/haproxy.cfg'\n"
        "sed -e '/user haproxy/d; /group haproxy/d' -e 's/maxconn 20000/maxconn 1000/; s/bind :7400/bind fd@%d/' "
        "-e 's/:7401 port 17401/:%s port %s/' -e 's/:7402 port 17402/:%s port %s/' " CONFIGURATION " >\"$cfg\"\n"
        "exec haproxy -db -f \"$cfg\"",
        folder_new(), self->listener_fd, port_of(server_gateway(self->gateways[0])),
        port_of(server_admin(self->gateways[0])), port_of(server_gateway(self->gateways[1])),
        port_of(server_admin(self->gateways[1])));
}

static void start_site(site_t *self)
{
    self->broker = server_start("broker", NULL);
    for (unsigned i = 0; i < 2; i++)
        self->gateways[i] = start_gateway(self, "tcp://127.0.0.1:0", "http://127.0.0.1:0");
    listen_for_haproxy(self);
    start_haproxy(self);
}

static void stop_site(site_t *self)
{
    for (unsigned i = 0; i < 2; i++)
        server_stop(&self->gateways[i]);
    server_stop(&self->broker);
    process_destroy(&self->haproxy);
    close(self->listener_fd);
}

/* A client that nobody has seen before gets in, and is served. */
static void visit(site_t *self)
{
    char name[32];
    snprintf(name, sizeof(name), "visitor-%u", ++self->visitor_count);
    client_t *visitor = client_login(self->endpoint, name);
    client_sendf(visitor, "%s: here", name);
    client_expectf(visitor, "from %s: here", name);
    client_send(visitor, "/quit");
    client_expect(visitor, "ok quit");
    client_expect_eof(visitor);
    client_close(&visitor);
}

/* Stops one gateway under load, starts its successor on the same ports, and waits, as an operator has to, until HAProxy
 * gives it clients. */
static void roll(site_t *self, unsigned which, crowd_t *crowd)
{
    server_t *old = self->gateways[which];
    char listen[ENDPOINT_SIZE];
    char admin[ENDPOINT_SIZE];
    snprintf(listen, sizeof(listen), "%s", server_gateway(old));
    snprintf(admin, sizeof(admin), "%s", server_admin(old));
    process_mark_log(self->haproxy);
    process_signal(server_process(old), SIGTERM);
    visit(self);
    crowd_run(crowd, crowd_process_ended, server_process(old), ROLL_MS);
    assert_int_equal(process_wait_exit(server_process(old), ROLL_MS), 0);
    assert_int_equal(server_ledger(old, "balance"), 0);
    server_destroy(&old);
    visit(self);
    self->gateways[which] = start_gateway(self, listen, admin);
    process_wait_text(self->haproxy, which == 0 ? "gateway-7401 is UP" : "gateway-7402 is UP", ROLL_MS);
    crowd_run(crowd, crowd_is_in, NULL, ROLL_MS);
    visit(self);
}

/* Each member sends to the one that sits opposite, for as long as the crowd is not stopped. */
static crowd_t *gather_crowd(const site_t *site)
{
    crowd_t *crowd = crowd_new("member", MEMBER_COUNT);
    crowd_member_t member = {.endpoint = site->endpoint,
        .line_count = CROWD_ENDLESS,
        .text_size = 100,
        .write_rate = 20000,
        .returns = true};
    for (unsigned i = 0; i < MEMBER_COUNT; i++)
        crowd_join(crowd, &member);
    for (unsigned i = 0; i < MEMBER_COUNT; i++)
        crowd_address(crowd, i, (i + MEMBER_COUNT / 2) % MEMBER_COUNT);
    return crowd;
}

static void the_shipped_configuration_is_valid(void **state)
{
    (void)state;
    shell_run("haproxy -c -dW -f " CONFIGURATION);
}

static void a_client_that_half_closes_reads_its_answers_through_haproxy(void **state)
{
    (void)state;
    site_t site = {.visitor_count = 0};
    start_site(&site);
    char *answers = shell_read(
        "printf 'mark\nmark: one\nnobody: two\n/ping end\n' | nc -N 127.0.0.1 %s | sort", port_of(site.endpoint));
    assert_string_equal(answers, "error no-such-peer nobody\nfrom mark: one\nok ping end\n");
    free(answers);
    stop_site(&site);
}

static void gateways_are_stopped_and_started_under_load_without_a_loss(void **state)
{
    (void)state;
    site_t site = {.visitor_count = 0};
    start_site(&site);
    crowd_t *crowd = gather_crowd(&site);
    crowd_login(crowd, MEMBER_COUNT, ROLL_MS);
    crowd_start(crowd);
    uint64_t received = 0;
    for (unsigned i = 0; i < 2 * ROUND_COUNT; i++) {
        received = crowd_totals(crowd).received + MESSAGE_SHARE;
        crowd_run(crowd, crowd_has_received, &received, ROLL_MS);
        roll(&site, i % 2, crowd);
    }
    crowd_stop(crowd);
    crowd_run(crowd, crowd_is_settled, NULL, ROLL_MS);
    assert_true(crowd_totals(crowd).told >= MEMBER_COUNT);
    crowd_check(crowd);
    crowd_destroy(&crowd);
    stop_site(&site);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(the_shipped_configuration_is_valid),
        TEST(a_client_that_half_closes_reads_its_answers_through_haproxy),
        TEST(gateways_are_stopped_and_started_under_load_without_a_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
