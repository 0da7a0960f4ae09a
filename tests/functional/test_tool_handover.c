/* SPDX-License-Identifier: MPL-2.0 */
/* `ferry send` and `ferry chat` with gateways that are stopped, killed and started again under them: the recipient, who
 * sits at a gateway that stays, gets every line once and in order, and what is in doubt is told exactly. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/process.h"
#include "lib/server.h"
#include "lib/terminal.h"
#include "lib/test.h"

enum { LINE_COUNT = 100000, ROUNDS = 5, KILL_COUNT = 40000, ROLL_MS = 60000, OPTION_SIZE = 200, LIST_SIZE = 400 };

/* Wide lines, so that far more bytes are sent than gateways may have under way. */
#define WIDE "................................................................................"

/* A broker, the two gateways that alice goes to, and bob's. */
typedef struct {
    server_t *broker;
    server_t *gateways[2];
    server_t *bobs;
    char list[LIST_SIZE]; /* of the two, for --gateway */
} site_t;

static server_t *start_gateway(const site_t *self, const char *endpoint)
{
    char options[2][OPTION_SIZE];
    snprintf(options[0], sizeof(options[0]), "gateway/broker=%s", server_broker(self->broker));
    snprintf(options[1], sizeof(options[1]), "gateway/listen=%s", endpoint);
    return server_start("gateway", "-s", options[0], "-s", options[1], NULL);
}

static void start_site(site_t *self)
{
    self->broker = server_start("broker", NULL);
    for (int i = 0; i < 2; i++)
        self->gateways[i] = start_gateway(self, "tcp://127.0.0.1:0");
    self->bobs = start_gateway(self, "tcp://127.0.0.1:0");
    snprintf(
        self->list, sizeof(self->list), "%s,%s", server_gateway(self->gateways[0]), server_gateway(self->gateways[1]));
}

static void stop_site(site_t *self)
{
    for (int i = 0; i < 2; i++)
        server_stop(&self->gateways[i]);
    server_stop(&self->bobs);
    server_stop(&self->broker);
}

static process_t *listen_start(const site_t *self)
{
    process_t *process = process_run("ferry", "listen", "-g", server_gateway(self->bobs), "bob", NULL);
    process_wait_text(process, " listens at ", DEADLINE_USUAL_MS);
    return process;
}

static process_t *send_start(const site_t *self, const char *option)
{
    return process_run("ferry", "send", "--reconnect", "120", "-g", self->list, "--as", "alice", "bob",
        option ? option : "-", option ? "-" : NULL, NULL);
}

/* Gives the sender the lines from `first` to before `end`, each a number and `tail`. */
static void write_lines(process_t *sender, unsigned first, unsigned end, const char *tail)
{
    size_t room = (end - first) * (strlen(tail) + 16);
    char *text = malloc(room);
    size_t size = 0;
    assert_non_null(text);
    for (unsigned i = first; i < end; i++)
        size += (size_t)snprintf(text + size, room - size, "%u%s\n", i, tail);
    process_write(sender, text);
    free(text);
}

/* Stops a gateway under load, and starts its successor at the same address. */
static void roll(site_t *self, int which)
{
    char endpoint[OPTION_SIZE];
    server_t **server = &self->gateways[which];
    snprintf(endpoint, sizeof(endpoint), "%s", server_gateway(*server));
    process_signal(server_process(*server), SIGTERM);
    process_expect_exit(server_process(*server), 0, ROLL_MS);
    assert_int_equal(server_ledger(*server, "balance"), 0);
    server_destroy(server);
    *server = start_gateway(self, endpoint);
}

static unsigned count_text(process_t *process, const char *part)
{
    char *errors = process_errors(process);
    unsigned count = 0;
    for (const char *at = errors; (at = strstr(at, part)); at++)
        count++;
    free(errors);
    return count;
}

/* Reads the number of each line that the listener wrote, and fails the test unless each is one more than the last. With
 * `again` it may also go back, as lines that are sent again do. Returns the last. */
static unsigned check_lines(process_t *listener, bool again)
{
    static const char head[] = "from alice: ";
    char *output = process_output(listener);
    unsigned last = 0;
    for (char *line = strtok(output, "\n"); line; line = strtok(NULL, "\n")) {
        assert_memory_equal(line, head, strlen(head));
        unsigned number = (unsigned)strtoul(line + strlen(head), NULL, 10);
        if (number != last + 1 && !(again && number <= last))
            fail_msg("%u comes after %u", number, last);
        last = number;
    }
    free(output);
    return last;
}

static void wait_line(process_t *listener, unsigned number, const char *tail)
{
    char text[200];
    snprintf(text, sizeof(text), "from alice: %u%s\n", number, tail);
    process_wait_output(listener, text, ROLL_MS);
}

static void every_line_arrives_once_while_gateways_are_restarted(void **state)
{
    (void)state;
    site_t site;
    start_site(&site);
    process_t *bob = listen_start(&site);
    process_t *sender = send_start(&site, NULL);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned first = round * (LINE_COUNT / ROUNDS) + 1;
        write_lines(sender, first, first + LINE_COUNT / ROUNDS, "");
        wait_line(bob, first, "");
        roll(&site, (int)(round % 2));
    }
    process_close_input(sender);
    process_expect_exit(sender, 0, ROLL_MS);
    wait_line(bob, LINE_COUNT, "");
    assert_int_equal(check_lines(bob, false), LINE_COUNT);
    assert_int_equal(count_text(sender, "ferry: the gateway was stopped; reconnecting\n"), ROUNDS);
    stop_site(&site);
}

/* Sends many lines and kills the gateway in the middle. Returns the sender. */
static process_t *send_and_kill(site_t *site, process_t *bob, const char *option)
{
    process_t *sender = send_start(site, option);
    write_lines(sender, 1, KILL_COUNT / 2, WIDE);
    wait_line(bob, KILL_COUNT / 4, WIDE);
    process_signal(server_process(site->gateways[0]), SIGKILL);
    return sender;
}

static void a_killed_gateway_leaves_lines_in_doubt_and_loses_none_of_the_others(void **state)
{
    (void)state;
    site_t site;
    start_site(&site);
    process_t *bob = listen_start(&site);
    process_t *sender = send_and_kill(&site, bob, NULL);
    process_expect_exit(sender, 5, ROLL_MS);
    unsigned taken, first, end, rest;
    const char *told = process_wait_text(sender, "in doubt", DEADLINE_USUAL_MS);
    assert_int_equal(sscanf(told, "ferry: lines taken: %u, in doubt: %u to %u, first line not taken: %u", &taken,
                         &first, &end, &rest),
        4);
    assert_true(taken > 0 && first == taken + 1 && end >= first && rest == end + 1);
    wait_line(bob, taken, WIDE);
    assert_in_range(check_lines(bob, false), taken, end);
}

static void lines_in_doubt_can_be_sent_again(void **state)
{
    (void)state;
    site_t site;
    start_site(&site);
    process_t *bob = listen_start(&site);
    process_t *sender = send_and_kill(&site, bob, "--resend");
    write_lines(sender, KILL_COUNT / 2, KILL_COUNT + 1, WIDE);
    process_close_input(sender);
    process_expect_exit(sender, 0, ROLL_MS);
    wait_line(bob, KILL_COUNT, WIDE);
    assert_int_equal(check_lines(bob, true), KILL_COUNT);
    assert_int_equal(count_text(sender, "ferry: the connection was lost; reconnecting\n"), 1);
}

/* Alice at a terminal, logged in at the first gateway, with bob at his. */
static terminal_t *chat_start(const site_t *site, client_t **bob)
{
    const char *const argv[] = {
        "ferry", "chat", "-q", "--reconnect", "120", "-g", server_gateway(site->gateways[0]), "alice", NULL};
    *bob = client_login(server_gateway(site->bobs), "bob");
    terminal_t *alice = terminal_start(12, 60, argv);
    terminal_expect(alice, "alice>");
    terminal_type(alice, "bob: one\r");
    client_expect(*bob, "from alice: one");
    return alice;
}

static void expect_chat_goes_on(terminal_t *alice, client_t *bob)
{
    client_expect(bob, "from alice: two");
    terminal_expect_part(alice, "* connected again\n");
    terminal_type(alice, "bob: three\r");
    client_expect(bob, "from alice: three");
    client_send(bob, "alice: and you?");
    terminal_expect_part(alice, "from bob: and you?\n");
    terminal_type(alice, "/quit\r");
}

static void a_chat_goes_on_when_its_gateway_is_restarted(void **state)
{
    (void)state;
    site_t site;
    client_t *bob;
    char endpoint[OPTION_SIZE];
    start_site(&site);
    terminal_t *alice = chat_start(&site, &bob);
    snprintf(endpoint, sizeof(endpoint), "%s", server_gateway(site.gateways[0]));
    process_signal(server_process(site.gateways[0]), SIGTERM);
    process_expect_exit(server_process(site.gateways[0]), 0, ROLL_MS);
    terminal_expect_part(alice, "* the gateway was stopped, reconnecting…\n");
    terminal_type(alice, "bob: two\r");
    terminal_expect_part(alice, "alice> bob: two\n");
    server_destroy(&site.gateways[0]);
    site.gateways[0] = start_gateway(&site, endpoint);
    expect_chat_goes_on(alice, bob);
    assert_int_equal(terminal_wait_exit(alice), 0);
    stop_site(&site);
}

static void a_chat_goes_on_when_its_gateway_is_killed(void **state)
{
    (void)state;
    site_t site;
    client_t *bob;
    char endpoint[OPTION_SIZE];
    start_site(&site);
    terminal_t *alice = chat_start(&site, &bob);
    terminal_type(alice, "/ping there\r");
    terminal_expect_part(alice, "ok ping there\n");
    snprintf(endpoint, sizeof(endpoint), "%s", server_gateway(site.gateways[0]));
    server_destroy(&site.gateways[0]);
    terminal_expect_part(alice, "* connection lost, reconnecting…\n");
    terminal_type(alice, "bob: two\r");
    terminal_expect_part(alice, "alice> bob: two\n");
    site.gateways[0] = start_gateway(&site, endpoint);
    expect_chat_goes_on(alice, bob);
    terminal_wait_exit(alice);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(every_line_arrives_once_while_gateways_are_restarted),
        TEST(a_killed_gateway_leaves_lines_in_doubt_and_loses_none_of_the_others),
        TEST(lines_in_doubt_can_be_sent_again),
        TEST(a_chat_goes_on_when_its_gateway_is_restarted),
        TEST(a_chat_goes_on_when_its_gateway_is_killed),
    };
    return TEST_RUN(tests);
}
