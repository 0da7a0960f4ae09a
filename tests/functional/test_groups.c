/* SPDX-License-Identifier: MPL-2.0 */
/* Groups over two brokers and two gateways: their members are on both, and each group belongs to one broker. */
#include <stdio.h>
#include <string.h>

#include "lib/client.h"
#include "lib/crowd.h"
#include "lib/deadline.h"
#include "lib/server.h"
#include "lib/test.h"

enum { MEMBERS = 24, STUCK_BUFFER = 4096 };

static server_t *brokers[2], *gateways[2];

static void start(const char *stall_time)
{
    char options[2][200];
    static const char *const names[] = {"broker/name=left", "broker/name=right"};
    for (int i = 0; i < 2; i++) {
        brokers[i] = server_start("broker", "-s", names[i], NULL);
        snprintf(options[i], sizeof(options[i]), "gateway/broker=%s=%s", strchr(names[i], '=') + 1,
            server_broker(brokers[i]));
    }
    for (int i = 0; i < 2; i++)
        gateways[i] = server_start("gateway", "-s", options[0], "-s", options[1], "-s", stall_time, "-s",
            "gateway/send_buffer=4KiB", "-s", "drain/timeout=60s", NULL);
}

static void stop(void)
{
    for (int i = 0; i < 2; i++)
        if (gateways[i])
            server_stop(&gateways[i]);
    for (int i = 0; i < 2; i++)
        server_stop(&brokers[i]);
}

static client_t *member_new(int gateway, const char *name, const char *group)
{
    client_t *client = client_login(server_gateway(gateways[gateway]), name);
    client_sendf(client, "/join %s", group);
    client_expectf(client, "ok join %s", group);
    return client;
}

static void members_at_both_gateways_read_what_one_writes(void **state)
{
    (void)state;
    start("gateway/stall_time=10s");
    static const char *const groups[] = {"#a", "#b", "#c", "#d"}; /* of both brokers */
    client_t *writer = client_login(server_gateway(gateways[0]), "writer");
    for (int i = 0; i < 4; i++) {
        char name[2][16];
        client_t *members[2];
        for (int k = 0; k < 2; k++) {
            snprintf(name[k], sizeof(name[k]), "m%d%d", i, k);
            members[k] = member_new(k, name[k], groups[i]);
        }
        client_sendf(writer, "%s: hello", groups[i]);
        client_sendf(members[1], "%s: to the other", groups[i]);
        client_expectf(members[1], "from writer %s: hello", groups[i]);
        unsigned heard = 0; /* of both, in any order */
        for (int k = 0; k < 2; k++) {
            const char *line = client_read(members[0]);
            heard |= strstr(line, ": hello") ? 1 : strstr(line, ": to the other") ? 2 : 4;
        }
        assert_int_equal(heard, 3);
        client_barrier(members[1]);
    }
    stop();
}

static void run_for(crowd_t *crowd, uint64_t copies)
{
    uint64_t received = crowd_totals(crowd).received + copies;
    crowd_run(crowd, crowd_has_received, &received, 30000);
}

/* Each member writes to a group of four others. */
static crowd_t *start_load(void)
{
    crowd_t *crowd = crowd_new("load", MEMBERS);
    for (unsigned i = 0; i < MEMBERS; i++)
        crowd_join(crowd, &(crowd_member_t){.endpoint = server_gateway(gateways[i % 2]),
                              .line_count = CROWD_ENDLESS,
                              .text_size = 100,
                              .write_rate = 8000});
    for (unsigned i = 0; i < MEMBERS; i++) {
        for (unsigned k = 1; k <= 4; k++)
            crowd_address(crowd, i, (i + k * k) % MEMBERS);
        crowd_gather(crowd, i);
    }
    crowd_login(crowd, MEMBERS, DEADLINE_USUAL_MS);
    crowd_start(crowd);
    return crowd;
}

static void restart_broker(crowd_t *crowd, int signal_number)
{
    char option[200];
    process_t *left = server_process(brokers[0]);
    snprintf(option, sizeof(option), "broker/listen=%s", server_broker(brokers[0]));
    process_signal(left, signal_number);
    crowd_run(crowd, crowd_process_ended, left, 60000);
    server_destroy(&brokers[0]);
    brokers[0] = server_start("broker", "-s", "broker/name=left", "-s", option, NULL);
}

static void a_group_outlives_a_broker_that_is_killed_and_one_that_drains(void **state)
{
    (void)state;
    start("gateway/stall_time=10s");
    crowd_t *crowd = start_load();
    run_for(crowd, 2000);
    restart_broker(crowd, SIGKILL);
    run_for(crowd, 2000);
    restart_broker(crowd, SIGTERM);
    run_for(crowd, 2000);
    crowd_stop(crowd);
    crowd_run(crowd, crowd_is_settled, NULL, 30000);
    crowd_check(crowd);
    assert_int_equal(crowd_totals(crowd).ended, crowd_totals(crowd).received);
    crowd_half_close(crowd);
    crowd_run(crowd, crowd_is_over, NULL, DEADLINE_USUAL_MS);
    crowd_destroy(&crowd);
    stop();
}

/* bob reads nothing: the group is as slow as he is until he is closed, and gets on then. */
static void a_member_that_takes_nothing_is_closed_and_the_others_miss_nothing(void **state)
{
    (void)state;
    enum { LINES = 800 };
    start("gateway/stall_time=1s");
    char text[1001];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    client_t *carol = member_new(1, "carol", "#room");
    client_t *bob = client_connect_sized(server_gateway(gateways[1]), STUCK_BUFFER, 0);
    client_send(bob, "bob");
    client_send(bob, "/join #room");
    client_expect(bob, "ok join #room");
    client_t *alice = client_login(server_gateway(gateways[0]), "alice");
    for (unsigned i = 0; i < LINES; i++)
        client_sendf(alice, "#room: %u %s", i, text);
    for (unsigned i = 0; i < LINES; i++) {
        char line[64];
        snprintf(line, sizeof(line), "from alice #room: %u x", i);
        client_expect_prefix(carol, line);
    }
    client_expect_prefix(alice, "error un"); /* undelivered, or unconfirmed what his kernel has not acknowledged */
    client_sendf(alice, "#room: still here");
    client_expect(carol, "from alice #room: still here");
    stop();
}

static void what_a_killed_gateway_had_of_a_group_is_told_to_who_wrote(void **state)
{
    (void)state;
    start("gateway/stall_time=60s");
    char text[3001];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    client_t *carol = member_new(0, "carol", "#room");
    client_t *bob = client_connect_sized(server_gateway(gateways[1]), STUCK_BUFFER, 0);
    client_send(bob, "bob");
    client_send(bob, "/join #room");
    client_expect(bob, "ok join #room");
    client_t *alice = client_login(server_gateway(gateways[0]), "alice");
    for (int i = 0; i < 60; i++)
        client_sendf(alice, "#room: %s", text);
    for (int i = 0; i < 60; i++)
        client_expect_prefix(carol, "from alice #room: x");
    process_signal(server_process(gateways[1]), SIGKILL);
    client_expect(alice, "error unconfirmed #room gateway-lost");
    client_reset(&bob);
    server_destroy(&gateways[1]);
    client_sendf(alice, "/send l1 #room: without bob");
    for (const char *line; strcmp(line = client_read(alice), "ok l1") != 0;)
        assert_string_equal(line, "error unconfirmed #room gateway-lost");
    client_expect(carol, "from alice #room: without bob");
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(members_at_both_gateways_read_what_one_writes),
        TEST(a_group_outlives_a_broker_that_is_killed_and_one_that_drains),
        TEST(a_member_that_takes_nothing_is_closed_and_the_others_miss_nothing),
        TEST(what_a_killed_gateway_had_of_a_group_is_told_to_who_wrote),
    };
    return TEST_RUN(tests);
}
