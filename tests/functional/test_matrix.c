/* SPDX-License-Identifier: MPL-2.0 */
/* Everybody writes to everybody: line clients, ZeroMQ programs and programs of libferry, as senders and as receivers,
 * by name, by group, by service and with a request, each at either of two brokers. A row is a kind of sender, a kind of
 * receiver, a way, and the broker that owns what is written to. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ferry.h"
#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/program.h"
#include "lib/server.h"
#include "lib/test.h"
#include "wire/rendezvous.h"

#define WAIT_MS (DEADLINE_USUAL_MS * (int)deadline_patience())

typedef enum { LINE, PLAIN, LIBRARY, KINDS } kind_t;
typedef enum { BY_NAME, BY_GROUP, BY_SERVICE, BY_REQUEST, WAYS } way_t;
enum { BROKERS = 2, TEXT_SIZE = 64, NAME_SIZE = 32 };

static const char *const kind_words[] = {"line", "plain", "libferry"};
static const char *const way_words[] = {"name", "group", "service", "request"};

static server_t *brokers[BROKERS], *gateway;
static char links[BROKERS][200], library_list[420];

/* One that takes part; what is not of its kind is NULL. */
typedef struct {
    kind_t kind;
    client_t *client;
    program_t *program;
    ferry_t *ferry;
    char name[NAME_SIZE];
} player_t;

static rendezvous_t *rendezvous;

/* A name like `word`, with that sign if it is not 0, which that broker owns; another one each time. */
static void choose_name(char name[NAME_SIZE], char sign, const char *word, unsigned broker)
{
    static unsigned count;
    do
        snprintf(name, NAME_SIZE, "%s%s%u", sign == '#' ? "#" : sign ? "@" : "", word, count++);
    while (rendezvous_pick(rendezvous, span_str(name)) != broker);
}

static player_t player_login(kind_t kind, const char *word, unsigned broker)
{
    player_t self = {.kind = kind};
    choose_name(self.name, 0, word, broker);
    if (kind == LINE) {
        self.client = client_login(server_gateway(gateway), self.name);
    } else if (kind == PLAIN) {
        self.program = program_login(server_peers(brokers[broker]), self.name);
    } else {
        self.ferry = ferry_new(self.name, library_list);
        assert_non_null(self.ferry);
        assert_int_equal(ferry_login(self.ferry, WAIT_MS), 0);
    }
    return self;
}

static void player_leave(player_t *self)
{
    if (self->client)
        client_close(&self->client);
    if (self->program) {
        program_say(self->program, "LEAVE", NULL);
        program_expect(self->program, "BYE", NULL);
        program_close(&self->program);
    }
    assert_int_equal(ferry_destroy(&self->ferry, WAIT_MS), 0);
}

/* Joins a group, or serves a service. */
static void player_enter(player_t *self, const char *place)
{
    bool is_group = *place == '#';
    if (self->kind == LINE) {
        client_sendf(self->client, "/%s %s", is_group ? "join" : "serve", place);
        client_expectf(self->client, "ok %s %s", is_group ? "join" : "serve", place);
    } else if (self->kind == PLAIN) {
        const char *verb = is_group ? "JOIN" : "SERVE";
        program_say(self->program, verb, place, NULL);
        program_expect(self->program, "OK", verb, place, NULL);
    } else {
        assert_int_equal(
            is_group ? ferry_join(self->ferry, place, WAIT_MS) : ferry_serve(self->ferry, place, 1, WAIT_MS), 0);
    }
}

/* Sends with the label "l1", or the receipt that a library has; or asks. */
static void player_send(player_t *self, const char *to, const char *text, bool is_request)
{
    size_t size = strlen(text);
    if (self->kind == LINE)
        client_sendf(self->client, is_request ? "/request l1 60s %s: %s" : "/send l1 %s: %s", to, text);
    else if (self->kind == PLAIN && is_request)
        program_say(self->program, "REQUEST", "l1", "60s", to, text, NULL);
    else if (self->kind == PLAIN)
        program_say(self->program, "SEND", to, text, "l1", NULL);
    else
        assert_int_equal(is_request ? ferry_request(self->ferry, to, text, size, 60000, WAIT_MS)
                                    : ferry_send_receipt(self->ferry, to, text, size, WAIT_MS),
            1);
}

/* The next message of a library's; those that tell what is settled are none. */
static ferry_msg_t *ferry_expect(ferry_t *ferry, int kind, const char *text)
{
    ferry_msg_t *msg = ferry_recv(ferry, WAIT_MS);
    assert_non_null(msg);
    assert_int_equal(ferry_msg_kind(msg), kind);
    assert_string_equal(ferry_msg_data(msg), text);
    return msg;
}

/* Receives a message to its name, or to a group. */
static void player_expect(player_t *self, const char *sender, const char *to, const char *text)
{
    bool is_group = *to == '#';
    if (self->kind == LINE) {
        client_expectf(self->client, "from %s%s%s: %s", sender, is_group ? " " : "", is_group ? to : "", text);
    } else if (self->kind == PLAIN) {
        program_expect(self->program, "MESSAGE", sender, to, text, NULL);
        program_sync(self->program);
    } else {
        ferry_msg_t *msg = ferry_expect(self->ferry, FERRY_MESSAGE, text);
        assert_string_equal(ferry_msg_sender(msg), sender);
        assert_string_equal(ferry_msg_group(msg), is_group ? to : "");
        ferry_msg_destroy(&msg);
    }
}

/* Receives its first job, and answers it in that way, or says that it is done. */
static void player_work(player_t *self, const char *sender, const char *service, const char *text, const char *answer)
{
    if (self->kind == LINE) {
        client_expectf(self->client, "from %s %s 1: %s", sender, service, text);
        client_sendf(self->client, answer ? "/reply 1: %s" : "/done 1", answer);
    } else if (self->kind == PLAIN) {
        program_expect(self->program, "JOB", "1", sender, service, text, NULL);
        program_say(self->program, answer ? "REPLY" : "DONE", "1", answer, NULL);
    } else {
        ferry_msg_t *msg = ferry_expect(self->ferry, FERRY_JOB, text);
        assert_string_equal(ferry_msg_sender(msg), sender);
        assert_string_equal(ferry_msg_service(msg), service);
        int64_t job = ferry_msg_job(msg);
        ferry_msg_destroy(&msg);
        assert_true(answer ? ferry_reply(self->ferry, job, answer, strlen(answer), WAIT_MS) > 0
                           : ferry_done(self->ferry, job) == 0);
    }
}

/* Reads the receipt, or the answer. */
static void player_expect_end(player_t *self, const char *answer)
{
    if (self->kind == LINE) {
        client_expectf(self->client, answer ? "ok l1 %s" : "ok l1", answer);
    } else if (self->kind == PLAIN && answer) {
        program_expect(self->program, "REPLY", "l1", answer, NULL);
    } else if (self->kind == PLAIN) {
        program_expect(self->program, "OK", "SEND", "l1", NULL);
    } else {
        ferry_msg_t *msg = ferry_expect(self->ferry, answer ? FERRY_REPLY : FERRY_RECEIPT, answer ? answer : "");
        assert_int_equal(ferry_msg_number(msg), 1);
        ferry_msg_destroy(&msg);
    }
}

static void run_row(kind_t from, kind_t to, way_t way, unsigned broker)
{
    char text[TEXT_SIZE], place[NAME_SIZE];
    snprintf(text, sizeof text, "%s to %s by %s at %u", kind_words[from], kind_words[to], way_words[way], broker);
    print_message("%s\n", text);
    player_t sender = player_login(from, "sender", 1 - broker);
    player_t receiver = player_login(to, "receiver", way == BY_NAME ? broker : 1 - broker);
    choose_name(place, way == BY_GROUP ? '#' : '@', "place", broker);
    if (way == BY_NAME)
        snprintf(place, sizeof place, "%s", receiver.name);
    else
        player_enter(&receiver, place);
    const char *answer = way == BY_REQUEST ? "an answer" : NULL;
    player_send(&sender, place, text, way == BY_REQUEST);
    if (way == BY_NAME || way == BY_GROUP)
        player_expect(&receiver, sender.name, place, text);
    else
        player_work(&receiver, sender.name, place, text, answer);
    player_expect_end(&sender, answer);
    player_leave(&sender);
    player_leave(&receiver);
}

static int open_all(void **state)
{
    char listen[200];
    (void)state;
    span_t names[BROKERS] = {span_str("east"), span_str("west")};
    rendezvous = rendezvous_new(names, BROKERS);
    brokers[1] = server_start("broker", "-s", "broker/name=west", NULL);
    snprintf(links[1], sizeof links[1], "gateway/broker=west=%s", server_broker(brokers[1]));
    /* N.B. east must know where west is to serve its programs, and west where east is. */
    snprintf(listen, sizeof listen, "broker/listen=%s", server_broker(brokers[1]));
    brokers[0] = server_start(
        "broker", "-s", "broker/name=east", "-s", links[1], "-s", "gateway/broker=east=tcp://127.0.0.1:1", NULL);
    snprintf(links[0], sizeof links[0], "gateway/broker=east=%s", server_broker(brokers[0]));
    process_signal(server_process(brokers[1]), SIGTERM);
    process_expect_exit(server_process(brokers[1]), 0, WAIT_MS);
    server_destroy(&brokers[1]);
    brokers[1] = server_start("broker", "-s", "broker/name=west", "-s", listen, "-s", links[0], "-s", links[1], NULL);
    gateway = server_start("gateway", "-s", links[0], "-s", links[1], NULL);
    snprintf(library_list, sizeof library_list, "%s,%s", strchr(links[0], '=') + 1, strchr(links[1], '=') + 1);
    return 0;
}

static int close_all(void **state)
{
    server_stop(&gateway);
    server_stop(&brokers[0]);
    server_stop(&brokers[1]);
    rendezvous_destroy(&rendezvous);
    return test_clear(state);
}

static void everybody_reaches_everybody_in_every_way(void **state)
{
    (void)state;
    for (kind_t from = 0; from < KINDS; from++)
        for (kind_t to = 0; to < KINDS; to++)
            for (way_t way = 0; way < WAYS; way++)
                for (unsigned broker = 0; broker < BROKERS; broker++)
                    run_row(from, to, way, broker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everybody_reaches_everybody_in_every_way, open_all, close_all),
    };
    return TEST_RUN(tests);
}
