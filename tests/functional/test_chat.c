/* SPDX-License-Identifier: MPL-2.0 */
/* What clients say to each other, beyond the conversations of proto/transcripts: every cut, every way to connect and to
 * leave, and many at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"
#include "lib/crowd.h"
#include "lib/deadline.h"
#include "lib/folder.h"
#include "lib/process.h"
#include "lib/server.h"
#include "lib/test.h"

/* Proves that the only worker has read what was sent before on any other connection. */
static void wait_for_worker(client_t *pacer)
{
    client_barrier(pacer);
}

/* A conversation whose bytes are to be cut apart: login, both ends of line, wide characters, errors and a command. The
 * name has room for a number, so that each cut has its own. */
static size_t write_conversation(char *text, size_t size, size_t number)
{
    int length = snprintf(
        text, size, "d%05zu\r\nbob: h\xC3\xA9 \xF0\x9F\x9A\xA2\n\nbob , d%05zu:me\r\n/ping x\n", number, number);
    return (size_t)length;
}

static void expect_conversation(client_t *client, client_t *bob, size_t number)
{
    client_expect(client, "error bad-line");
    client_expectf(bob, "from d%05zu: h\xC3\xA9 \xF0\x9F\x9A\xA2", number);
    client_expectf(bob, "from d%05zu: me", number);
    const char *line = client_read(client);
    if (strcmp(line, "ok ping x") == 0) {
        client_expectf(client, "from d%05zu: me", number);
    } else {
        assert_int_equal(strncmp(line, "from d", 6), 0);
        client_expect(client, "ok ping x");
    }
}

static void a_line_may_be_cut_at_every_byte(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "gateway/workers=1", NULL);
    client_t *bob = client_login(server_gateway(server), "bob");
    client_t *pacer = client_login(server_gateway(server), "pacer");
    char text[200];
    size_t size = write_conversation(text, sizeof(text), 0);
    for (size_t cut = 1; cut < size; cut++) {
        write_conversation(text, sizeof(text), cut);
        client_t *client = client_connect(server_gateway(server));
        client_send_bytes(client, text, cut);
        wait_for_worker(pacer);
        client_send_bytes(client, text + cut, size - cut);
        expect_conversation(client, bob, cut);
        client_close(&client);
    }
    server_stop(&server);
}

static void a_client_may_write_byte_by_byte(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "gateway/workers=1", NULL);
    client_t *bob = client_login(server_gateway(server), "bob");
    client_t *pacer = client_login(server_gateway(server), "pacer");
    client_t *client = client_connect(server_gateway(server));
    char text[200];
    size_t size = write_conversation(text, sizeof(text), 1);
    for (size_t i = 0; i < size; i++) {
        client_send_bytes(client, text + i, 1);
        wait_for_worker(pacer);
    }
    expect_conversation(client, bob, 1);
    server_stop(&server);
}

static void clients_come_over_ipv6_and_unix_sockets_too(void **state)
{
    (void)state;
    char path[200];
    snprintf(path, sizeof(path), "ipc://%s/ferry.sock", folder_new());
    char option[240];
    snprintf(option, sizeof(option), "gateway/listen=%s", path);
    server_t *server = server_start("all", "-s", "gateway/listen=tcp://[::1]:0", "-s", option, NULL);
    client_t *alice = client_login(server_gateway(server), "alice");
    client_t *bob = client_login(path, "bob");
    client_send(alice, "bob: over the hill");
    client_expect(bob, "from alice: over the hill");
    client_send(bob, "alice: and back");
    client_expect(alice, "from bob: and back");
    client_half_close(bob);
    client_expect_eof(bob);
    client_close(&bob);
    server_stop(&server);
}

static void the_name_of_a_client_that_is_gone_is_free(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    client_t *alice = client_login(server_gateway(server), "alice");
    for (int i = 0; i < 20; i++) {
        client_t *bob = client_connect(server_gateway(server));
        client_send(bob, "bob");
        client_send(bob, "bob: me");
        client_expect(bob, "from bob: me");
        client_send(alice, "bob: are you there?");
        client_expect(bob, "from alice: are you there?");
        client_send(bob, "/quit");
        client_expect(bob, "ok quit");
        client_expect_eof(bob);
        client_close(&bob);
    }
    client_send(alice, "bob: gone?");
    client_expect(alice, "error no-such-peer bob");
    server_stop(&server);
}

/* N.B. bob closes with a line unread in his socket, which is a reset for the gateway. */
static void a_client_that_resets_its_connection_harms_nobody(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    client_t *alice = client_login(server_gateway(server), "alice");
    client_t *bob = client_login(server_gateway(server), "bob");
    client_send(alice, "bob: unread");
    client_wait_input(bob);
    client_close(&bob);
    process_wait_log(server_process(server), "event=close name=bob reason=client-gone", DEADLINE_USUAL_MS);
    client_t *heir = client_connect(server_gateway(server));
    client_send(heir, "bob");
    client_send(heir, "alice: I am bob");
    client_expect(alice, "from bob: I am bob");
    server_stop(&server);
}

static void two_logins_under_one_name_leave_one_owner(void **state)
{
    (void)state;
    enum { ROUNDS = 50 };
    server_t *server = server_start("all", "-s", "gateway/workers=2", NULL);
    client_t *bob = client_login(server_gateway(server), "bob");
    for (int i = 0; i < ROUNDS; i++) {
        client_t *twins[2];
        unsigned refused = 0;
        for (int k = 0; k < 2; k++)
            twins[k] = client_connect(server_gateway(server));
        for (int k = 0; k < 2; k++)
            client_sendf(twins[k], "twin%d\nbob: %d %d\n/ping", i, i, k);
        for (int k = 0; k < 2; k++) {
            const char *line = client_read(twins[k]);
            refused += strncmp(line, "error name-taken", 16) == 0;
            if (strcmp(line, "ok ping") == 0)
                client_expectf(bob, "from twin%d: %d %d", i, i, k);
        }
        assert_int_equal(refused, 1);
        client_close(&twins[0]);
        client_close(&twins[1]);
    }
    client_barrier(bob);
    server_stop(&server);
}

static void an_endless_line_is_dropped_and_costs_no_memory(void **state)
{
    (void)state;
    enum { BLOCK = 1 << 20, BLOCKS = 64 };
    server_t *server = server_start("all", NULL);
    client_t *alice = client_login(server_gateway(server), "alice");
    client_t *bob = client_login(server_gateway(server), "bob");
    long before = process_memory_kib(server_process(server));
    char *block = malloc(BLOCK);
    memset(block, 'x', BLOCK);
    client_send_bytes(alice, "bob: ", 5);
    for (int i = 0; i < BLOCKS; i++)
        client_send_bytes(alice, block, BLOCK);
    free(block);
    client_send(alice, "");
    client_expect(alice, "error line-too-long");
    assert_true(process_memory_kib(server_process(server)) < before + BLOCKS / 4 * (BLOCK >> 10));
    client_send(alice, "bob: short");
    client_expect(bob, "from alice: short");
    server_stop(&server);
}

/* Checks a crowd whose members are all still there, and ends it in order. */
static void settle(crowd_t *crowd)
{
    crowd_start(crowd);
    crowd_run(crowd, crowd_is_settled, NULL, 30000);
    crowd_half_close(crowd);
    crowd_run(crowd, crowd_is_over, NULL, DEADLINE_USUAL_MS);
    crowd_totals_t totals = crowd_totals(crowd);
    crowd_check(crowd);
    assert_int_equal(totals.received, totals.ended);
    assert_int_equal(totals.eofs, totals.members);
}

static void a_line_to_64_recipients_reaches_each(void **state)
{
    (void)state;
    enum { RECIPIENTS = 64, LINES = 200 };
    server_t *server = server_start("all", NULL);
    crowd_t *crowd = crowd_new("fan", RECIPIENTS + 1);
    crowd_member_t member = {.endpoint = server_gateway(server), .line_count = LINES, .text_size = 300};
    unsigned from = crowd_join(crowd, &member);
    member.line_count = 0;
    for (int i = 0; i < RECIPIENTS; i++)
        crowd_address(crowd, from, crowd_join(crowd, &member));
    crowd_login(crowd, RECIPIENTS + 1, DEADLINE_USUAL_MS);
    settle(crowd);
    assert_int_equal(crowd_totals(crowd).received, RECIPIENTS * LINES);
    server_stop(&server);
}

static void everybody_writes_to_everybody_in_order(void **state)
{
    (void)state;
    enum { MEMBERS = 30, LINES = 100 };
    server_t *server = server_start("all", "-s", "gateway/workers=3", NULL);
    crowd_t *crowd = crowd_new("ring", MEMBERS);
    for (unsigned i = 0; i < MEMBERS; i++)
        crowd_join(crowd,
            &(crowd_member_t){.endpoint = server_gateway(server), .line_count = LINES, .text_size = 10 + 40 * i});
    for (unsigned from = 0; from < MEMBERS; from++)
        for (unsigned to = 0; to < MEMBERS; to++)
            crowd_address(crowd, from, to);
    crowd_login(crowd, MEMBERS, DEADLINE_USUAL_MS);
    settle(crowd);
    assert_int_equal(crowd_totals(crowd).received, MEMBERS * MEMBERS * LINES);
    server_stop(&server);
}

static void a_login_says_who_came_and_a_close_says_why_he_went(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    client_t *alice = client_login(server_gateway(server), "alice");
    process_wait_log(server_process(server), "event=login name=alice address=", DEADLINE_USUAL_MS);
    client_send(alice, "/quit");
    client_expect(alice, "ok quit");
    client_expect_eof(alice);
    client_close(&alice);
    process_wait_log(server_process(server), "event=close name=alice reason=quit address=", DEADLINE_USUAL_MS);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_may_be_cut_at_every_byte),
        TEST(a_client_may_write_byte_by_byte),
        TEST(clients_come_over_ipv6_and_unix_sockets_too),
        TEST(the_name_of_a_client_that_is_gone_is_free),
        TEST(a_client_that_resets_its_connection_harms_nobody),
        TEST(two_logins_under_one_name_leave_one_owner),
        TEST(an_endless_line_is_dropped_and_costs_no_memory),
        TEST(a_line_to_64_recipients_reaches_each),
        TEST(everybody_writes_to_everybody_in_order),
        TEST(a_login_says_who_came_and_a_close_says_why_he_went),
    };
    return TEST_RUN(tests);
}
