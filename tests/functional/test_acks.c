/* SPDX-License-Identifier: MPL-2.0 */
/* A client that says what it has done with gets the rest when it comes back, at whatever gateway, whatever becomes of
 * the broker meanwhile; its senders' receipts come when it has said so. */
#include <stdio.h>
#include <string.h>

#include "ferry.h"
#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/program.h"
#include "lib/server.h"
#include "lib/test.h"

#define WAIT_MS (DEADLINE_USUAL_MS * (int)deadline_patience())

static server_t *broker, *gateways[2];
static client_t *ann, *bob;

/* A broker and two gateways; ann is at the first, and bob, who acknowledges, at the second. */
static void start(const char *option)
{
    char links[160];
    broker = server_start("broker", "-s", option, NULL);
    snprintf(links, sizeof links, "gateway/broker=%s", server_broker(broker));
    for (int i = 0; i < 2; i++)
        gateways[i] = server_start("gateway", "-s", links, "-s", option, NULL);
    ann = client_login(server_gateway(gateways[0]), "ann");
    bob = client_login(server_gateway(gateways[1]), "bob");
    client_send(bob, "/ack on");
    client_expect(bob, "ok ack on");
}

static void stop(void)
{
    for (int i = 0; i < 2; i++)
        server_stop(&gateways[i]);
    server_stop(&broker);
}

static void kill_broker(void)
{
    char listen[160];
    snprintf(listen, sizeof listen, "broker/listen=%s", server_broker(broker));
    process_signal(server_process(broker), SIGKILL);
    process_wait_exit(server_process(broker), DEADLINE_USUAL_MS);
    server_destroy(&broker);
    broker = server_start("broker", "-s", listen, NULL);
}

/* Ann sends these, each with its number as its label. */
static void send_numbers(unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++)
        client_sendf(ann, "/send %u bob: %u", i, i);
}

static void expect_numbers(unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++)
        client_expectf(bob, "%u from ann: %u", i, i);
}

/* Ann reads the receipts for these, in any order. */
static void expect_receipts(unsigned first, unsigned last)
{
    bool seen[512] = {false};
    for (unsigned i = first; i <= last; i++) {
        unsigned number = 0;
        const char *line = client_read(ann);
        if (sscanf(line, "ok %u", &number) != 1 || number < first || number > last || seen[number])
            fail_msg("ann reads `%s`", line);
        seen[number] = true;
    }
}

/* Bob's connection ends, and he is at that gateway then. */
static void come_back(int gateway)
{
    client_half_close(bob);
    client_expect_eof(bob);
    client_close(&bob);
    bob = client_connect(server_gateway(gateways[gateway]));
    client_send(bob, "bob");
    client_expect(bob, "info resumed");
}

static void who_comes_back_to_another_gateway_gets_the_rest_in_order(void **state)
{
    (void)state;
    start("gateway/resume_time=60s");
    send_numbers(1, 50);
    expect_numbers(1, 50);
    client_send(bob, "/ack 20");
    expect_receipts(1, 20);
    come_back(0);
    send_numbers(51, 60);
    expect_numbers(21, 60);
    come_back(1); /* and again, before he has said anything */
    send_numbers(61, 70);
    expect_numbers(21, 70);
    client_send(bob, "/ack 70");
    expect_receipts(21, 70);
    client_barrier(bob);
    stop();
}

/* He acknowledges some of what he reads, and is not there when the broker is killed. */
static void who_comes_and_goes_while_brokers_die_misses_nothing(void **state)
{
    (void)state;
    enum { TIMES = 6, EACH = 40, SAID = 30 };
    start("gateway/resume_time=60s");
    unsigned said = 0;
    for (unsigned i = 0; i < TIMES; i++) {
        send_numbers(i * EACH + 1, (i + 1) * EACH);
        expect_numbers(said + 1, (i + 1) * EACH);
        said = i * EACH + SAID;
        client_sendf(bob, "/ack %u", said);
        expect_receipts(i ? (i - 1) * EACH + SAID + 1 : 1, said);
        client_half_close(bob);
        client_expect_eof(bob);
        client_close(&bob);
        if (i % 2)
            kill_broker();
        bob = client_connect(server_gateway(gateways[i % 2]));
        client_send(bob, "bob");
        client_expect(bob, "info resumed");
    }
    expect_numbers(said + 1, TIMES * EACH);
    client_sendf(bob, "/ack %u", TIMES * EACH);
    expect_receipts(said + 1, TIMES * EACH);
    client_barrier(ann);
    stop();
}

static void what_is_sent_while_he_is_away_waits_for_him(void **state)
{
    (void)state;
    start("gateway/resume_time=60s");
    client_send(bob, "/join #room");
    client_expect(bob, "ok join #room");
    client_half_close(bob);
    client_expect_eof(bob);
    client_close(&bob);
    send_numbers(1, 3);
    client_send(ann, "/send r #room: all");
    client_send(ann, "/watch bob");
    client_expect(ann, "ok watch bob here"); /* and she hears nothing of what follows */
    kill_broker();
    bob = client_connect(server_gateway(gateways[0]));
    client_send(bob, "bob");
    client_expect(bob, "info resumed");
    expect_numbers(1, 3);
    client_expect(bob, "4 from ann #room: all");
    client_send(bob, "/ack 4");
    for (int i = 0; i < 4; i++) /* in any order */
        client_expect_prefix(ann, "ok ");
    client_barrier(ann);
    stop();
}

static void who_does_not_come_back_is_gone_for_the_senders(void **state)
{
    (void)state;
    start("gateway/resume_time=500ms");
    client_send(ann, "/send 1 bob: one");
    client_expect(bob, "1 from ann: one");
    client_close(&bob);
    client_expect(ann, "error unconfirmed bob gone 1");
    client_send(ann, "/watch bob");
    const char *line = client_read(ann);
    if (strcmp(line, "ok watch bob here") == 0)
        client_expect(ann, "info went bob");
    else
        assert_string_equal(line, "ok watch bob away");
    bob = client_login(server_gateway(gateways[0]), "bob"); /* and nothing is resumed */
    client_barrier(bob);
    stop();
}

static void who_takes_a_name_over_takes_the_rest_too(void **state)
{
    (void)state;
    start("broker/name_policy=take-over");
    send_numbers(1, 5);
    expect_numbers(1, 5);
    client_t *first = bob;
    bob = client_connect(server_gateway(gateways[0]));
    client_send(bob, "bob");
    client_expect(bob, "info resumed");
    client_expect(bob, "info took-over bob");
    expect_numbers(1, 5);
    client_expect(first, "error name-taken bob");
    client_send(bob, "/ack 5");
    expect_receipts(1, 5);
    stop();
}

static void programs_get_it_as_messages(void **state)
{
    (void)state;
    start("gateway/resume_time=60s");
    send_numbers(1, 2);
    expect_numbers(1, 2);
    client_half_close(bob);
    client_expect_eof(bob);
    program_t *program = program_connect(server_peers(broker));
    program_say(program, "LOGIN", "bob", NULL);
    program_expect(program, "OK", "LOGIN", "bob", NULL);
    program_expect(program, "MESSAGE", "ann", "bob", "1", NULL);
    program_expect(program, "MESSAGE", "ann", "bob", "2", NULL);
    program_sync(program);
    expect_receipts(1, 2);
    program_close(&program);
    stop();
}

static void programs_of_the_library_too(void **state)
{
    (void)state;
    start("gateway/resume_time=60s");
    send_numbers(1, 2);
    expect_numbers(1, 2);
    client_half_close(bob);
    client_expect_eof(bob);
    ferry_t *ferry = ferry_new("bob", server_broker(broker));
    assert_non_null(ferry);
    assert_int_equal(ferry_login(ferry, WAIT_MS), 0);
    for (int i = 1; i <= 2; i++) {
        ferry_msg_t *msg = ferry_recv(ferry, WAIT_MS);
        assert_non_null(msg);
        assert_int_equal(ferry_msg_kind(msg), FERRY_MESSAGE);
        assert_string_equal(ferry_msg_data(msg), i == 1 ? "1" : "2");
        ferry_msg_destroy(&msg);
    }
    expect_receipts(1, 2);
    assert_int_equal(ferry_destroy(&ferry, WAIT_MS), 0);
    stop();
}

static void a_drain_tells_the_senders_of_who_is_away(void **state)
{
    (void)state;
    start("gateway/resume_time=60s");
    client_send(ann, "/send 1 bob: one");
    client_expect(bob, "1 from ann: one");
    client_half_close(bob);
    client_expect_eof(bob);
    client_send(ann, "/send 2 bob: two");
    client_barrier(ann);
    process_signal(server_process(gateways[1]), SIGTERM);
    process_expect_exit(server_process(gateways[1]), 0, 60000);
    for (int i = 0; i < 2; i++) /* unconfirmed, undelivered, or no-such-peer if it came when the name had left */
        client_expect_prefix(ann, "error ");
    server_destroy(&gateways[1]);
    server_stop(&gateways[0]);
    server_stop(&broker);
}

static void a_drain_still_hears_what_was_acknowledged(void **state)
{
    (void)state;
    start("gateway/resume_time=60s");
    send_numbers(1, 3);
    expect_numbers(1, 3);
    process_signal(server_process(gateways[1]), SIGTERM);
    client_expect(bob, "info draining");
    client_send(bob, "/ack 2");
    expect_receipts(1, 2);
    client_send(bob, "/ack 3");
    client_send(bob, "ann: too late");
    client_send(bob, "/ack 3");
    expect_receipts(3, 3);
    client_expect(bob, "info accepted 4"); /* with the /ping of the login, and `/ack on` */
    client_expect_eof(bob);
    client_close(&bob);
    process_expect_exit(server_process(gateways[1]), 0, 60000);
    client_barrier(ann);
    server_destroy(&gateways[1]);
    server_stop(&gateways[0]);
    server_stop(&broker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_comes_back_to_another_gateway_gets_the_rest_in_order),
        TEST(who_comes_and_goes_while_brokers_die_misses_nothing),
        TEST(what_is_sent_while_he_is_away_waits_for_him),
        TEST(who_does_not_come_back_is_gone_for_the_senders),
        TEST(who_takes_a_name_over_takes_the_rest_too),
        TEST(programs_get_it_as_messages),
        TEST(programs_of_the_library_too),
        TEST(a_drain_tells_the_senders_of_who_is_away),
        TEST(a_drain_still_hears_what_was_acknowledged),
    };
    return TEST_RUN(tests);
}
