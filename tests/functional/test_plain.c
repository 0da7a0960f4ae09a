/* SPDX-License-Identifier: MPL-2.0 */
/* ZeroMQ programs share the names of line clients: they log in, send, receive, and are told of everything that fails; a
 * broker that is killed does not know them afterwards, one that is drained loses nothing of theirs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/program.h"
#include "lib/server.h"
#include "lib/test.h"

#define SOON "broker/peer_probe_time=100ms"
#define MIB  ((size_t)1 << 20)

static void programs_and_clients_exchange_messages(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    program_t *alice = program_login(server_peers(server), "alice"), *bob = program_login(server_peers(server), "bob");
    client_t *carl = client_login(server_gateway(server), "carl");
    client_send(carl, "alice, bob: hello");
    program_expect(alice, "MESSAGE", "carl", "alice", "hello", NULL);
    program_expect(bob, "MESSAGE", "carl", "bob", "hello", NULL);
    program_say(alice, "SEND", "bob, carl,alice", " spaced ", NULL);
    program_expect(bob, "MESSAGE", "alice", "bob", " spaced ", NULL);
    program_expect(alice, "MESSAGE", "alice", "alice", " spaced ", NULL);
    client_expect(carl, "from alice:  spaced ");
    program_barrier(alice);
    server_stop(&server);
}

static void a_program_is_told_that_it_took_a_name_over(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "broker/name_policy=take-over", NULL);
    client_t *first = client_login(server_gateway(server), "alice");
    program_t *second = program_connect(server_peers(server));
    program_say(second, "LOGIN", "alice", NULL);
    program_expect(second, "OK", "LOGIN", "alice", NULL);
    program_expect(second, "INFO", "took-over", "alice", NULL);
    client_expect(first, "error name-taken alice");
    client_expect_eof(first);
    server_stop(&server);
}

/* Programs cannot join groups yet, nor serve, but they reach who does. */
static void a_program_writes_to_groups_and_services(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    client_t *carl = client_login(server_gateway(server), "carl");
    client_send(carl, "/join #room");
    client_expect(carl, "ok join #room");
    client_send(carl, "/serve @mill");
    client_expect(carl, "ok serve @mill");
    program_t *alice = program_login(server_peers(server), "alice");
    program_say(alice, "SEND", "#room,@mill", "rye", NULL);
    unsigned heard = 0; /* both, in any order */
    for (int i = 0; i < 2; i++) {
        const char *line = client_read(carl);
        heard |= strcmp(line, "from alice #room: rye") == 0 ? 1 : strcmp(line, "from alice @mill 1: rye") == 0 ? 2 : 4;
    }
    assert_int_equal(heard, 3);
    client_send(carl, "/done 1");
    program_say(alice, "SEND", "#void,@void", "rye", NULL);
    program_expect(alice, "ERROR", "no-such-peer", "#void", NULL);
    program_expect(alice, "ERROR", "no-such-peer", "@void", NULL);
    program_barrier(alice);
    server_stop(&server);
}

static void what_is_no_line_reaches_programs_and_is_returned_of_clients(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    program_t *alice = program_login(server_peers(server), "alice"), *bob = program_login(server_peers(server), "bob");
    client_t *carl = client_login(server_gateway(server), "carl");
    program_send(alice, "bob,carl", "\xff\0\n", 3);
    program_expect_bytes(bob, "alice", "\xff\0\n", 3);
    program_expect(alice, "ERROR", "undelivered", "carl", "not-a-line", NULL);
    client_barrier(carl);
    server_stop(&server);
}

static void a_mebibyte_arrives_as_it_was_sent(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    program_t *alice = program_login(server_peers(server), "alice"), *bob = program_login(server_peers(server), "bob");
    uint8_t *bytes = malloc(MIB + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i <= MIB; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    for (unsigned i = 0; i < 20; i++) {
        bytes[0] = (uint8_t)i;
        program_send(alice, "bob", bytes, MIB);
        program_expect_bytes(bob, "alice", bytes, MIB);
        program_say(bob, "PING", "read", NULL);
        program_expect(bob, "PONG", "read", NULL);
        program_sync(alice);
    }
    program_send(alice, "bob", bytes, MIB + 1);
    program_expect(alice, "ERROR", "line-too-long", NULL);
    free(bytes);
    server_stop(&server);
}

static void mistakes_are_answered_with_the_codes_of_lines(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    program_t *alice = program_connect(server_peers(server));
    program_say(alice, "SEND", "bob", "text", NULL);
    program_expect(alice, "ERROR", "unknown-peer", NULL);
    program_say(alice, "LOGIN", "a b", NULL);
    program_expect(alice, "ERROR", "bad-name", "a b", NULL);
    program_say(alice, "LOGIN", "alice", "s3cret", NULL);
    program_expect(alice, "ERROR", "secrets-not-enabled", NULL);
    program_say(alice, "LOGIN", "alice", NULL);
    program_expect(alice, "OK", "LOGIN", "alice", NULL);
    program_say(alice, "SEND", "bob", NULL);
    program_expect(alice, "ERROR", "bad-line", NULL);
    program_say(alice, "SEND", "", "text", NULL);
    program_expect(alice, "ERROR", "no-recipient", NULL);
    program_say(alice, "SEND", "no body", "text", NULL);
    program_expect(alice, "ERROR", "bad-name", "no body", NULL);
    program_say(alice, "SEND", "nobody,#room", "text", NULL);
    program_expect(alice, "ERROR", "no-such-peer", "nobody", NULL);
    program_expect(alice, "ERROR", "no-such-peer", "#room", NULL);
    program_say(alice, "CREDIT", "many", NULL);
    program_expect(alice, "ERROR", "bad-line", NULL);
    program_say(alice, "HELLO", NULL);
    program_expect(alice, "ERROR", "unknown-command", "HELLO", NULL);
    program_barrier(alice);
    server_stop(&server);
}

static void a_name_has_one_owner_of_either_kind(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "broker/max_peers=2", NULL);
    program_t *alice = program_login(server_peers(server), "alice");
    client_t *client = client_connect(server_gateway(server));
    client_send(client, "alice");
    client_expect(client, "error name-taken alice");
    program_t *other = program_connect(server_peers(server));
    program_say(other, "LOGIN", "alice", NULL);
    program_expect(other, "ERROR", "name-taken", "alice", NULL);
    program_say(other, "LOGIN", "bob", NULL);
    program_expect(other, "OK", "LOGIN", "bob", NULL);
    program_t *third = program_connect(server_peers(server));
    program_say(third, "LOGIN", "carol", NULL);
    program_expect(third, "ERROR", "too-many-sessions", NULL);
    program_barrier(alice);
    server_stop(&server);
}

static void who_says_leave_gets_what_it_is_owed_and_bye(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    program_t *alice = program_login(server_peers(server), "alice");
    program_t *bob = program_login_with(server_peers(server), "bob", "0");
    program_say(alice, "SEND", "bob", "one", NULL);
    program_sync(alice);
    program_say(bob, "SEND", "alice,nobody", "last", NULL);
    program_say(bob, "LEAVE", NULL);
    program_expect(bob, "ERROR", "no-such-peer", "nobody", NULL);
    program_expect(alice, "MESSAGE", "bob", "alice", "last", NULL);
    program_say(bob, "CREDIT", "5", NULL);
    program_expect(bob, "MESSAGE", "alice", "bob", "one", NULL);
    program_expect(bob, "BYE", NULL);
    program_say(bob, "PING", "", NULL);
    program_expect(bob, "ERROR", "unknown-peer", NULL);
    program_say(alice, "SEND", "bob", "two", NULL);
    program_expect(alice, "ERROR", "no-such-peer", "bob", NULL);
    server_stop(&server);
}

static void a_program_that_is_started_again_gets_its_name_at_once(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "broker/peer_probe_time=1h", NULL);
    for (unsigned i = 0; i < 5; i++) {
        program_t *alice = program_login(server_peers(server), "alice");
        program_barrier(alice);
        program_close(&alice);
    }
    for (unsigned i = 0; i < 5; i++) {
        program_t *bob = program_connect_as(server_peers(server), "fixed");
        program_say(bob, "LOGIN", "bob", NULL);
        program_expect(bob, "OK", "LOGIN", "bob", NULL);
        program_say(bob, "LOGIN", "bob", NULL);
        program_expect(bob, "OK", "LOGIN", "bob", NULL);
        program_close(&bob);
    }
    server_stop(&server);
}

static void the_senders_to_a_program_that_is_gone_are_told(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", SOON, NULL);
    client_t *carl = client_login(server_gateway(server), "carl");
    program_t *bob = program_login_with(server_peers(server), "bob", "1");
    client_send(carl, "bob: one");
    client_send(carl, "bob: two");
    client_barrier(carl);
    assert_string_equal(program_read(bob), "MESSAGE|carl|bob|one");
    program_close(&bob);
    client_expect(carl, "error unconfirmed bob gone");
    client_expect(carl, "error undelivered bob gone");
    client_send(carl, "bob: three");
    client_expect(carl, "error no-such-peer bob");
    server_stop(&server);
}

static void a_program_with_credit_gets_no_more_than_that(void **state)
{
    (void)state;
    char text[8];
    server_t *server = server_start("all", NULL);
    program_t *alice = program_login(server_peers(server), "alice");
    program_t *bob = program_login_with(server_peers(server), "bob", "0");
    for (unsigned i = 0; i < 10; i++) {
        snprintf(text, sizeof text, "%u", i);
        program_say(alice, "SEND", "bob", text, NULL);
    }
    program_sync(alice);
    program_barrier(bob);
    for (unsigned i = 0; i < 10; i++) {
        snprintf(text, sizeof text, "%u", i);
        program_say(bob, "CREDIT", "1", NULL);
        program_expect(bob, "MESSAGE", "alice", "bob", text, NULL);
        program_barrier(bob);
    }
    server_stop(&server);
}

#define NUMBERED_SIZE 1000

static void numbered(char text[NUMBERED_SIZE], unsigned number)
{
    memset(text, 0, NUMBERED_SIZE);
    snprintf(text, NUMBERED_SIZE, "%u", number);
}

/* Nothing that was refused arrives, everything else does. */
static void what_exceeds_the_window_is_refused_by_its_numbers(void **state)
{
    (void)state;
    enum { MESSAGES = 100 };
    char text[NUMBERED_SIZE];
    bool refused[MESSAGES + 1] = {false};
    unsigned first, last, count = 0;
    server_t *server = server_start("all", "-s", "broker/peer_window=16KiB", NULL);
    program_t *alice = program_login(server_peers(server), "alice");
    program_t *bob = program_login_with(server_peers(server), "bob", "0");
    for (unsigned i = 1; i <= MESSAGES; i++) {
        numbered(text, i);
        program_send(alice, "bob", text, sizeof text);
    }
    for (last = 0; last < MESSAGES;) {
        assert_int_equal(sscanf(program_read(alice), "ERROR|window|%u|%u", &first, &last), 2);
        for (unsigned i = first; i <= last; i++, count++)
            refused[i] = true;
    }
    assert_in_range(count, MESSAGES - 20, MESSAGES - 10);
    program_say(bob, "CREDIT", "1000", NULL);
    for (unsigned i = 1; i <= MESSAGES; i++)
        if (!refused[i]) {
            numbered(text, i);
            program_expect_bytes(bob, "alice", text, sizeof text);
        }
    program_barrier(bob);
    program_sync(alice);
    server_stop(&server);
}

/* Bob answers no PING, so that he gets a window and a bit, and what waits for him is returned. */
static void a_program_that_reads_nothing_stalls_its_senders_and_nobody_else(void **state)
{
    (void)state;
    enum { LINES = 200 };
    char line[1000];
    server_t *server =
        server_start("all", "-s", "broker/peer_window=16KiB", "-s", "broker/peer_stall_time=500ms", NULL);
    program_t *alice = program_login(server_peers(server), "alice"), *bob = program_login(server_peers(server), "bob");
    client_t *carl = client_login(server_gateway(server), "carl");
    for (unsigned i = 0; i < LINES; i++) {
        snprintf(line, sizeof line, "bob: %0900u", i);
        client_send(carl, line);
    }
    program_say(alice, "SEND", "alice", "nobody holds me", NULL);
    program_expect(alice, "MESSAGE", "alice", "alice", "nobody holds me", NULL);
    program_close(&alice);
    unsigned unconfirmed = 0, undelivered = 0, unknown = 0;
    while (unconfirmed + undelivered + unknown < LINES) {
        const char *told = client_read(carl);
        unconfirmed += strcmp(told, "error unconfirmed bob stalled") == 0;
        undelivered += strcmp(told, "error undelivered bob stalled") == 0;
        unknown += strcmp(told, "error no-such-peer bob") == 0;
    }
    assert_in_range(unconfirmed, 10, 20);
    assert_true(undelivered >= 10);
    unsigned messages = 0;
    while (strncmp(program_read(bob), "MESSAGE", 7) == 0)
        messages++;
    assert_int_equal(messages, unconfirmed);
    server_stop(&server);
}

/* A window of errors is told, and not more before that is read; no number is missing behind it. */
static void who_floods_without_reading_is_told_what_was_refused(void **state)
{
    (void)state;
    enum { MESSAGES = 20000 };
    server_t *server = server_start("all", "-s", "broker/peer_window=4KiB", NULL);
    program_t *alice = program_login(server_peers(server), "alice"), *bob = program_login(server_peers(server), "bob");
    for (unsigned i = 0; i < MESSAGES; i++)
        program_say(alice, "SEND", "nobody", "text", NULL);
    program_say(bob, "SEND", "bob", "text", NULL);
    program_expect(bob, "MESSAGE", "bob", "bob", "text", NULL);
    unsigned told = 0, first, last;
    while (told < MESSAGES) {
        const char *text = program_read(alice);
        if (strcmp(text, "ERROR|no-such-peer|nobody") == 0)
            told++;
        else if (sscanf(text, "ERROR|window|%u|%u", &first, &last) == 2)
            told += last - first + 1;
        else
            fail_msg("%s", text);
    }
    assert_int_equal(told, MESSAGES);
    program_barrier(alice);
    server_stop(&server);
}

static void hostile_programs_harm_nobody(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    program_t *alice = program_login(server_peers(server), "alice");
    program_t *bad = program_connect(server_peers(server));
    for (size_t frames = 1; frames < 20; frames++)
        program_send_frames(bad, frames, frames % 5);
    program_send_frames(bad, 5000, 10);
    for (unsigned i = 0; i < 10000; i++)
        program_say(bad, "SEND", "alice", "forged", NULL);
    program_t *huge = program_connect(server_peers(server));
    program_send_frames(huge, 1, 2 * MIB);
    program_t *named = program_connect(server_peers(server));
    for (unsigned i = 0; i < 1000; i++)
        program_say(named, "LOGIN", "alice", NULL);
    program_t *many = program_connect(server_peers(server));
    for (unsigned i = 0; i < 1000; i++)
        program_say(many, "LOGIN", i % 2 ? "odd" : "even", NULL);
    program_sync(many);
    for (unsigned i = 0; i < 64; i++)
        program_expect(bad, "ERROR", "unknown-peer", NULL);
    program_barrier(alice);
    program_close(&bad);
    program_close(&huge);
    program_close(&named);
    program_close(&many);
    server_stop(&server);
}

static void a_broker_that_was_killed_does_not_know_its_programs(void **state)
{
    (void)state;
    char links[160], listen[160], peers[160];
    server_t *broker = server_start("broker", NULL);
    snprintf(links, sizeof links, "gateway/broker=%s", server_broker(broker));
    snprintf(listen, sizeof listen, "broker/listen=%s", server_broker(broker));
    snprintf(peers, sizeof peers, "broker/peer_listen=%s", server_peers(broker));
    server_t *gateway = server_start("gateway", "-s", links, NULL);
    program_t *alice = program_login(server_peers(broker), "alice");
    client_t *carl = client_login(server_gateway(gateway), "carl");
    client_t *dave = client_login(server_gateway(gateway), "dave");
    client_send(dave, "alice: one");
    program_expect(alice, "MESSAGE", "dave", "alice", "one", NULL);
    client_send(dave, "/quit");
    client_expect(dave, "ok quit");
    process_signal(server_process(broker), SIGKILL);
    process_wait_exit(server_process(broker), DEADLINE_USUAL_MS);
    server_destroy(&broker);
    broker = server_start("broker", "-s", listen, "-s", peers, NULL);
    program_expect_restart(alice);
    program_say(alice, "LOGIN", "alice", NULL);
    program_expect(alice, "OK", "LOGIN", "alice", NULL);
    client_send(carl, "alice: two");
    program_expect(alice, "MESSAGE", "carl", "alice", "two", NULL);
    program_say(alice, "SEND", "carl", "three", NULL);
    client_expect(carl, "from alice: three");
    process_wait_log(server_process(broker), "event=settled missing=0", DEADLINE_USUAL_MS);
    server_stop(&gateway);
    server_stop(&broker);
}

static void programs_reach_the_names_of_every_broker(void **state)
{
    (void)state;
    static const char *const names[] = {"anna", "bert", "carl", "dora", "emil", "fred", "gina", "hans"};
    enum { NAMES = sizeof names / sizeof names[0] };
    char lists[2][160], listen[160], all[160] = "";
    server_t *west = server_start("broker", "-s", "broker/name=west", NULL);
    snprintf(listen, sizeof listen, "broker/listen=%s", server_broker(west));
    snprintf(lists[0], sizeof lists[0], "gateway/broker=west=%s", server_broker(west));
    server_t *east = server_start(
        "broker", "-s", "broker/name=east", "-s", lists[0], "-s", "gateway/broker=east=tcp://127.0.0.1:1", NULL);
    snprintf(lists[1], sizeof lists[1], "gateway/broker=east=%s", server_broker(east));
    server_t *gateway = server_start("gateway", "-s", lists[0], "-s", lists[1], NULL);
    client_t *clients[NAMES];
    for (size_t i = 0; i < NAMES; i++) {
        clients[i] = client_login(server_gateway(gateway), names[i]);
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? "," : "", names[i]);
    }
    program_t *alice = program_login(server_peers(east), "alice");
    program_say(alice, "SEND", all, "to all", NULL);
    for (size_t i = 0; i < NAMES; i++)
        client_expect(clients[i], "from alice: to all");
    client_send(clients[0], "alice: thanks");
    program_expect(alice, "MESSAGE", "anna", "alice", "thanks", NULL);
    server_stop(&gateway);
    server_stop(&east);
    server_stop(&west);
}

/* Says SENDs until it is told of the drain, and goes on a little; then reads to the end. Returns N,
 * less those that were refused. */
static unsigned send_through_drain(program_t *alice, server_t *server, unsigned signal_at)
{
    char text[16];
    unsigned accepted = 0, refused = 0, first, last;
    for (unsigned i = 1; i <= 2 * signal_at; i++) {
        snprintf(text, sizeof text, "%u", i);
        program_say(alice, "SEND", "bob", text, NULL);
        if (i == signal_at)
            process_signal(server_process(server), SIGTERM);
        if (i % 100 == 0 && i < signal_at)
            program_sync(alice);
    }
    for (;;) {
        const char *told = program_read(alice);
        if (strcmp(told, "BYE") == 0)
            return accepted - refused;
        if (sscanf(told, "ERROR|window|%u|%u", &first, &last) == 2)
            refused += last - first + 1;
        else if (sscanf(told, "INFO|accepted|%u", &accepted) != 1)
            if (strcmp(told, "INFO|draining") != 0 && strcmp(told, "ERROR|draining") != 0 &&
                strcmp(told, "ERROR|no-such-peer|bob") != 0)
                fail_msg("alice reads `%s`", told);
    }
}

/* What the program reads next but for the word of the drain, which may come before what was accepted until then. */
static const char *read_past_draining(program_t *self, bool *is_told)
{
    const char *told = program_read(self);
    if (strcmp(told, "INFO|draining") != 0)
        return told;
    *is_told = true;
    return program_read(self);
}

static void a_drain_loses_nothing_and_tells_how_much_it_took(void **state)
{
    (void)state;
    char expected[32];
    server_t *server = server_start("all", NULL);
    program_t *alice = program_login(server_peers(server), "alice"), *bob = program_login(server_peers(server), "bob");
    process_t *process = server_process(server);
    char text[16];
    enum { BEFORE = 300 };
    bool is_told = false;
    for (unsigned i = 1; i <= BEFORE; i++) {
        snprintf(text, sizeof text, "%u", i);
        program_say(alice, "SEND", "bob", text, NULL);
    }
    program_sync(alice);
    process_signal(process, SIGTERM);
    program_expect(alice, "INFO", "draining", NULL);
    program_say(alice, "SEND", "bob", "late", NULL);
    program_expect(alice, "ERROR", "draining", NULL);
    program_say(alice, "PING", "still", NULL);
    program_expect(alice, "PONG", "still", NULL);
    for (unsigned i = 1; i <= BEFORE; i++) {
        snprintf(expected, sizeof expected, "MESSAGE|alice|bob|%u", i);
        assert_string_equal(read_past_draining(bob, &is_told), expected);
    }
    assert_string_equal(read_past_draining(bob, &is_told), "INFO|accepted|0");
    assert_true(is_told);
    program_expect(bob, "BYE", NULL);
    program_expect(alice, "INFO", "accepted", "300", NULL);
    program_expect(alice, "BYE", NULL);
    process_expect_exit(process, 0, 60000);
    assert_int_equal(server_ledger(server, "balance"), 0);
    server_destroy(&server);
}

static void what_is_sent_into_a_drain_is_counted_exactly(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    program_t *alice = program_login(server_peers(server), "alice");
    unsigned accepted = send_through_drain(alice, server, 1000);
    process_expect_exit(server_process(server), 0, 60000);
    assert_int_equal(server_ledger(server, "accepted"), accepted);
    assert_int_equal(server_ledger(server, "balance"), 0);
    server_destroy(&server);
}

static void programs_can_be_turned_off(void **state)
{
    (void)state;
    server_t *server = server_start("broker", "-s", "broker/peer_listen=", NULL);
    assert_null(process_find_log(server_process(server), "event=listening role=peers"));
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(programs_and_clients_exchange_messages),
        TEST(a_program_is_told_that_it_took_a_name_over),
        TEST(a_program_writes_to_groups_and_services),
        TEST(what_is_no_line_reaches_programs_and_is_returned_of_clients),
        TEST(a_mebibyte_arrives_as_it_was_sent),
        TEST(mistakes_are_answered_with_the_codes_of_lines),
        TEST(a_name_has_one_owner_of_either_kind),
        TEST(who_says_leave_gets_what_it_is_owed_and_bye),
        TEST(a_program_that_is_started_again_gets_its_name_at_once),
        TEST(the_senders_to_a_program_that_is_gone_are_told),
        TEST(a_program_with_credit_gets_no_more_than_that),
        TEST(what_exceeds_the_window_is_refused_by_its_numbers),
        TEST(a_program_that_reads_nothing_stalls_its_senders_and_nobody_else),
        TEST(who_floods_without_reading_is_told_what_was_refused),
        TEST(hostile_programs_harm_nobody),
        TEST(a_broker_that_was_killed_does_not_know_its_programs),
        TEST(programs_reach_the_names_of_every_broker),
        TEST(a_drain_loses_nothing_and_tells_how_much_it_took),
        TEST(what_is_sent_into_a_drain_is_counted_exactly),
        TEST(programs_can_be_turned_off),
    };
    return TEST_RUN(tests);
}
