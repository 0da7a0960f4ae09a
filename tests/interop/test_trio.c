/* SPDX-License-Identifier: MPL-2.0 */
/* A line client, a program of libferry and one in Python share one group and one service, while their broker is killed
 * again and again. What the first two write to each other is neither lost, doubled, nor out of order; each request is
 * answered once, or its asker told; the Python program has what proto/plain.md says: nothing twice, and nothing out of
 * order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ferry.h"
#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/server.h"
#include "lib/test.h"

#define WAIT_MS (DEADLINE_USUAL_MS * (int)deadline_patience())

enum {
    MESSAGES = 4000, /* of each of the first two */
    REQUEST_EACH = 10,
    REQUESTS = MESSAGES / REQUEST_EACH,
    KILLS = 3,
    AHEAD = 200 /* messages of which the other has not read */
};

/* What one of the first two has sent and read. */
typedef struct {
    unsigned sent, requested;
    unsigned heard;  /* the last number of the other */
    unsigned python; /* the last number of the Python program */
    unsigned answered, told, faults;
    bool ended[REQUESTS + 1]; /* by number */
} member_t;

static server_t *broker, *gateway;
static process_t *python;
static client_t *line, *line_worker;
static ferry_t *library, *library_worker;
static member_t line_member, library_member;
static unsigned request_of[2 * MESSAGES]; /* by the message number of the library's */

static ferry_t *ferry_start(const char *name)
{
    ferry_t *ferry = ferry_new(name, server_broker(broker));
    assert_non_null(ferry);
    assert_int_equal(ferry_login(ferry, WAIT_MS), 0);
    return ferry;
}

static void start(void)
{
    char option[200], script[4096];
    line_member = library_member = (member_t){0};
    broker = server_start("broker", NULL);
    snprintf(option, sizeof option, "gateway/broker=%s", server_broker(broker));
    gateway = server_start("gateway", "-s", option, NULL);
    line = client_login(server_gateway(gateway), "line");
    client_send(line, "/join #room");
    client_expect(line, "ok join #room");
    line_worker = client_login(server_gateway(gateway), "line-worker");
    client_send(line_worker, "/serve @mill 4");
    client_expect(line_worker, "ok serve @mill");
    library = ferry_start("library");
    assert_int_equal(ferry_join(library, "#room", WAIT_MS), 0);
    library_worker = ferry_start("library-worker");
    assert_int_equal(ferry_serve(library_worker, "@mill", 4, WAIT_MS), 0);
    snprintf(script, sizeof script, "%s/tests/interop/trio.py", getenv("FERRY_SOURCE"));
    python = process_run("/usr/bin/python3", script, server_peers(broker), "python", "1000000", NULL);
    process_wait_output(python, "joined", WAIT_MS);
}

static void kill_broker(void)
{
    char listen[200], peers[200];
    snprintf(listen, sizeof listen, "broker/listen=%s", server_broker(broker));
    snprintf(peers, sizeof peers, "broker/peer_listen=%s", server_peers(broker));
    process_signal(server_process(broker), SIGKILL);
    process_wait_exit(server_process(broker), WAIT_MS);
    server_destroy(&broker);
    broker = server_start("broker", "-s", listen, "-s", peers, NULL);
}

/* A message to the room. */
static void member_hear(member_t *self, const char *sender, const char *text)
{
    unsigned number = (unsigned)atoi(text);
    bool is_python = strcmp(sender, "python") == 0;
    unsigned *last = is_python ? &self->python : &self->heard;
    if (number <= *last || (!is_python && number != *last + 1))
        fail_msg("%u of %s behind %u", number, sender, *last);
    *last = number;
}

/* The end of a request. */
static void member_end(member_t *self, unsigned number, bool is_answer)
{
    assert_in_range(number, 1, REQUESTS);
    assert_false(self->ended[number]);
    self->ended[number] = true;
    self->answered += is_answer;
    self->told += !is_answer;
}

/* A failure that is no request's is about the Python program's copies: it was lost with its broker. */
static void member_fail(member_t *self, const char *name, const char *text)
{
    if (strcmp(name, "#room") != 0 && strcmp(name, "python") != 0)
        fail_msg("reads `%s`", text);
    self->faults++;
}

static void read_line(const char *text)
{
    char sender[32], name[32], code[32], rest[64] = "";
    unsigned number, answer;
    if (sscanf(text, "from %31s #room: %31s", sender, rest) == 2)
        member_hear(&line_member, sender, rest);
    else if (sscanf(text, "ok r%u %u", &number, &answer) == 2 && number == answer)
        member_end(&line_member, number, true);
    else if (sscanf(text, "error %31s %31s %63[^\n]", code, name, rest) < 2)
        fail_msg("line reads `%s`", text);
    else if (strrchr(text, ' ')[1] == 'r' && sscanf(strrchr(text, ' '), " r%u", &number) == 1)
        member_end(&line_member, number, false);
    else
        member_fail(&line_member, name, text);
}

static void work_line(const char *text)
{
    unsigned job, number;
    assert_int_equal(sscanf(text, "from %*s @mill %u: %u", &job, &number), 2);
    client_sendf(line_worker, "/reply %u: %u", job, number);
}

static void read_library(const ferry_msg_t *msg)
{
    const char *text = ferry_msg_data(msg);
    unsigned number = request_of[ferry_msg_number(msg)];
    switch (ferry_msg_kind(msg)) {
    case FERRY_MESSAGE:
        assert_string_equal(ferry_msg_group(msg), "#room");
        member_hear(&library_member, ferry_msg_sender(msg), text);
        break;
    case FERRY_REPLY:
        assert_int_equal(atoi(text), number);
        member_end(&library_member, number, true);
        break;
    default:
        if (number)
            member_end(&library_member, number, false);
        else
            member_fail(&library_member, ferry_msg_recipient(msg), ferry_code(ferry_msg_error(msg)));
    }
}

static void work_library(const ferry_msg_t *msg)
{
    if (ferry_msg_kind(msg) != FERRY_JOB)
        return; /* an answer that came too late */
    int64_t rc = ferry_reply(library_worker, ferry_msg_job(msg), ferry_msg_data(msg), ferry_msg_size(msg), WAIT_MS);
    assert_true(rc > 0);
}

static void receive_all(ferry_t *ferry, void (*take)(const ferry_msg_t *msg))
{
    for (ferry_msg_t *msg; (msg = ferry_recv(ferry, 0)); ferry_msg_destroy(&msg))
        take(msg);
}

/* Reads what everybody has got. */
static void read_all(void)
{
    const char *text;
    while ((text = client_read_ready(line)))
        read_line(text);
    while ((text = client_read_ready(line_worker)))
        if (strncmp(text, "error", 5) != 0) /* an answer that came too late */
            work_line(text);
    receive_all(library, read_library);
    receive_all(library_worker, work_library);
}

/* Whether that one may send its next. Before each kill all wait until the Python program is back. */
static bool member_may_send(const member_t *self, const member_t *other, unsigned kills, bool is_back)
{
    unsigned mark = (kills + 1) * MESSAGES / (KILLS + 1);
    return self->sent < (is_back ? mark : mark - 2 * AHEAD) && self->sent - other->heard < AHEAD;
}

static void send_line(void)
{
    client_sendf(line, "#room: %u", ++line_member.sent);
    if (line_member.sent % REQUEST_EACH == 0) {
        line_member.requested++;
        client_sendf(line, "/request r%u 60s @mill: %u", line_member.requested, line_member.requested);
    }
}

static void send_library(void)
{
    char text[16];
    int size = snprintf(text, sizeof text, "%u", ++library_member.sent);
    assert_true(ferry_send(library, "#room", text, (size_t)size, WAIT_MS) > 0);
    if (library_member.sent % REQUEST_EACH != 0)
        return;
    size = snprintf(text, sizeof text, "%u", ++library_member.requested);
    int64_t number = ferry_request(library, "@mill", text, (size_t)size, 60000, WAIT_MS);
    assert_in_range(number, 1, 2 * MESSAGES - 1);
    request_of[number] = library_member.requested;
}

/* The Python program has come back since then, and goes on. */
static bool python_is_back(unsigned number)
{
    return line_member.python > number + 100;
}

static bool is_done(unsigned python_at_kill)
{
    return python_is_back(python_at_kill) && line_member.heard == MESSAGES && library_member.heard == MESSAGES &&
           line_member.answered + line_member.told == REQUESTS &&
           library_member.answered + library_member.told == REQUESTS;
}

/* What the Python program has printed: of each sender it has read, in order, each at most once. */
static void check_python(void)
{
    unsigned last[2] = {0}, count = 0, logins = 0;
    char *output = process_output(python), *at = output, sender[32];
    for (char *text; (text = strsep(&at, "\n"));) {
        unsigned number;
        logins += strcmp(text, "joined") == 0;
        if (sscanf(text, "%31s %u", sender, &number) != 2 || strcmp(sender, "sent") == 0)
            continue;
        unsigned *before = &last[strcmp(sender, "line") == 0];
        if (number <= *before)
            fail_msg("python reads %u of %s behind %u", number, sender, *before);
        *before = number;
        count++;
    }
    free(output);
    assert_int_equal(logins, 1 + KILLS);
    assert_true(count > MESSAGES / 4); /* and it was away for some */
    print_message("python read %u of %u\n", count, 2 * MESSAGES);
}

static void stop(void)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    client_send(line, "python: stop");
    while (!process_ended(python) && !deadline_passed(deadline))
        read_all(); /* since it may have sent more than fits */
    process_expect_exit(python, 0, WAIT_MS);
    check_python();
    assert_int_equal(ferry_destroy(&library, WAIT_MS), 0);
    assert_int_equal(ferry_destroy(&library_worker, WAIT_MS), 0);
    process_destroy(&python);
    server_stop(&gateway);
    server_stop(&broker);
}

static void three_kinds_share_a_group_and_a_service_through_the_death_of_their_broker(void **state)
{
    (void)state;
    deadline_t deadline = deadline_in(6 * DEADLINE_USUAL_MS);
    unsigned kills = 0, python_at_kill = 0;
    start();
    for (; !is_done(python_at_kill); read_all()) {
        if (deadline_passed(deadline))
            fail_msg("line: %u sent, %u heard, %u ended; library: %u, %u, %u", line_member.sent, line_member.heard,
                line_member.answered + line_member.told, library_member.sent, library_member.heard,
                library_member.answered + library_member.told);
        bool is_back = python_is_back(python_at_kill);
        if (member_may_send(&line_member, &library_member, kills, is_back))
            send_line();
        if (member_may_send(&library_member, &line_member, kills, is_back))
            send_library();
        if (kills < KILLS && is_back && line_member.sent > (kills + 1) * MESSAGES / (KILLS + 1) - AHEAD) {
            kill_broker();
            kills++;
            python_at_kill = line_member.python;
        }
    }
    assert_int_equal(kills, KILLS);
    assert_true(line_member.python > 0 && library_member.python > 0);
    print_message("%u requests answered, %u told; %u and %u failures told of python's copies\n",
        line_member.answered + library_member.answered, line_member.told + library_member.told, line_member.faults,
        library_member.faults);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(three_kinds_share_a_group_and_a_service_through_the_death_of_their_broker),
    };
    return TEST_RUN(tests);
}
