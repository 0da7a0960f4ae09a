/* SPDX-License-Identifier: MPL-2.0 */
/* What clients write, in any pieces, and what a worker makes of it. */
#include "worker_rig.h"

enum { LINE_SIZE = 256 };

/* With short lines. */
static int setup_short(void **state)
{
    (void)state;
    worker_start((const char *const[]){"gateway/max_line=256B", "gateway/max_errors=5", NULL});
    router_join(&router);
    return 0;
}

/* A line of that many bytes, with its end, to "bob". */
static void send_line_of(client_t *client, size_t size, const char *end)
{
    char line[2 * LINE_SIZE];
    memset(line, 'x', size);
    memcpy(line, "bob:", 4);
    memcpy(line + size, end, strlen(end));
    client_send_bytes(client, line, size + strlen(end));
}

static void lines_may_come_in_any_pieces(void **state)
{
    (void)state;
    static const char text[] = "alice\nbob: one\r\nbob:two\n/ping x\n";
    client_t *client = client_new();
    for (size_t i = 0; text[i]; i++) {
        client_send_bytes(client, text + i, 1);
        if (i == 5)
            answer(RECORD_CONFIRMED, expect_register("alice", false));
        wait_taken(client_fd);
    }
    client_expect(client, "ok ping x");
    router_expect_message(&router, 1, "one");
    router_expect_message(&router, 2, "two");
}

static void many_lines_may_come_at_once(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    uint64_t session;
    client_t *client = client_open("alice", &session);
    char *text = malloc(MANY * 16);
    size_t size = 0;
    for (unsigned i = 0; i < MANY; i++)
        size += (size_t)sprintf(text + size, "bob: %u\n", i);
    client_send_bytes(client, text, size);
    for (unsigned i = 0; i < MANY; i++) {
        char expected[16];
        snprintf(expected, sizeof expected, "%u", i);
        router_expect_message(&router, i + 1, expected);
        if (i % 500 == 499)
            answer_taken(i + 2);
    }
    free(text);
}

static void nothing_behind_the_name_is_taken_before_it_is_confirmed(void **state)
{
    (void)state;
    client_t *client = client_new();
    client_send(client, "alice\nbob: hello");
    uint64_t session = expect_register("alice", false);
    router_put(
        &router, &(control_t){.type = RECORD_DENIED, .name = {.session = session, .error = FERRY_ERROR_NAME_TAKEN}});
    router_flush(&router);
    client_expect(client, "error name-taken alice");
    client_expect_eof(client);
    client_close(&client);
    client = client_open("carol", &session);
    client_send(client, "bob: mine");
    router_expect_message(&router, 1, "mine");
}

static void a_quit_that_comes_in_two_parts_harms_nobody(void **state)
{
    (void)state;
    uint64_t session, other;
    client_t *friend = client_open("bob", &other), *client = client_open("alice", &session);
    client_send_bytes(client, "/qu", 3);
    wait_taken(client_fd);
    client_send_bytes(client, "it\nbob: too late\n", 17);
    expect_leaving(session);
    answer(RECORD_LEFT, session);
    client_expect(client, "ok quit");
    client_expect_eof(client);
    /* Long enough for the worker to count its memory. */
    for (deadline_t deadline = deadline_in(300); !deadline_passed(deadline);)
        client_barrier(friend);
    json_t *report = worker_report();
    json_int_t memory = json_integer_value(json_object_get(json_object_get(report, "gauges"), "memory_bytes"));
    assert_in_range(memory, 0, 1000);
    json_decref(report);
}

static void a_line_of_just_the_size_is_taken_and_a_longer_one_refused(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    send_line_of(client, LINE_SIZE, "\n");
    assert_int_equal(router_expect(&router, RECORD_MESSAGE)->record.message.text.size, LINE_SIZE - 4);
    send_line_of(client, LINE_SIZE, "\r\n");
    assert_int_equal(router_expect(&router, RECORD_MESSAGE)->record.message.text.size, LINE_SIZE - 4);
    send_line_of(client, LINE_SIZE + 1, "\n");
    client_expect(client, "error line-too-long");
    send_line_of(client, LINE_SIZE + 2, "\r\n");
    client_expect(client, "error line-too-long");
    client_send(client, "bob: short");
    router_expect_message(&router, 3, "short");
}

static void the_rest_of_a_line_that_is_too_long_is_dropped(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    for (unsigned i = 0; i < 100; i++)
        send_line_of(client, LINE_SIZE, "");
    client_send(client, "bob: not a line of its own");
    client_expect(client, "error line-too-long");
    client_send(client, "bob: a line");
    router_expect_message(&router, 1, "a line");
}

static void a_client_that_keeps_breaking_the_protocol_is_closed(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    for (unsigned i = 0; i < 4; i++)
        client_send(client, "no colon");
    client_send(client, "bob: good");
    for (unsigned i = 0; i < 5; i++)
        client_send(client, "no colon");
    client_send(client, "bob: not taken");
    for (unsigned i = 0; i < 9; i++)
        client_expect(client, "error bad-line");
    client_expect(client, "error too-many-errors");
    router_expect_message(&router, 1, "good");
    answer_taken(2);
    expect_leaving(session);
    answer(RECORD_LEFT, session);
    client_expect_eof(client);
}

static void the_end_of_input_is_a_quit(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send(client, "bob: last");
    client_half_close(client);
    router_expect_message(&router, 1, "last");
    answer_taken(2);
    expect_leaving(session);
    deliver(1, session, "on its way");
    answer(RECORD_LEFT, session);
    client_expect(client, "from eve: on its way");
    client_expect_eof(client);
    client_close(&client);
    expect_forgotten();
}

static void an_end_of_input_within_a_line_is_told(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    client_send_bytes(client, "bob: half", 9);
    client_half_close(client);
    client_expect(client, "error incomplete-line");
    expect_leaving(session);
    client_t *stranger = client_new();
    client_send_bytes(stranger, "ali", 3);
    client_half_close(stranger);
    client_expect(stranger, "error incomplete-line");
    client_expect_eof(stranger);
    stranger = client_new();
    client_half_close(stranger);
    client_expect_eof(stranger);
}

static void a_login_that_is_none_is_answered_and_closed(void **state)
{
    (void)state;
    static const char *const logins[][2] = {
        {"\n", "error no-name"},
        {"a,b\n", "error bad-name a,b"},
        {"alice s3cret\n", "error secrets-not-enabled"},
        {"\xff\n", "error bad-utf8"},
    };
    for (size_t i = 0; i < sizeof logins / sizeof *logins; i++) {
        client_t *client = client_new();
        client_send_bytes(client, logins[i][0], strlen(logins[i][0]));
        client_expect(client, logins[i][1]);
        client_expect_eof(client);
        client_close(&client);
        expect_forgotten();
    }
    client_t *client = client_new();
    send_line_of(client, LINE_SIZE + 2, "\n");
    client_expect(client, "error line-too-long");
    client_expect_eof(client);
}

static void a_line_to_a_paused_name_waits_with_all_behind_it(void **state)
{
    (void)state;
    uint64_t session, other;
    client_t *client = client_open("alice", &session), *friend = client_open("carol", &other);
    router_put(&router, &(control_t){.type = RECORD_PAUSE, .name.name = span_str("bob")});
    router_flush(&router);
    deliver(1, session, "the pause is known");
    client_expect(client, "from eve: the pause is known");
    client_send(client, "dave: one\nbob: two\ndave: three\n/ping four");
    router_expect_message(&router, 1, "one");
    client_send(friend, "dave: others go on");
    router_expect_message(&router, 2, "others go on");
    client_barrier(friend);
    router_put(&router, &(control_t){.type = RECORD_RESUME, .name.name = span_str("bob")});
    router_flush(&router);
    router_expect_message(&router, 3, "two");
    router_expect_message(&router, 4, "three");
    client_expect(client, "ok ping four");
}

static void a_full_window_stops_reading_until_there_is_room(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    router_stop(&router);
    router_start(&router);
    router.welcome.welcome.window_size = 100;
    router_join(&router);
    for (unsigned i = 0; i < 10; i++)
        client_send(client, "bob: a text of some forty bytes, more or less");
    router_expect(&router, RECORD_MESSAGE);
    router_expect(&router, RECORD_MESSAGE);
    assert_int_equal(ledger_count("accepted", NULL), 2);
    for (uint64_t number = 3; number <= 10; number++) {
        answer_taken(number);
        router_expect(&router, RECORD_MESSAGE);
    }
}

static void a_client_that_does_not_read_its_answers_is_not_read(void **state)
{
    (void)state;
    enum { PIECE = 1000 };
    uint64_t session, other;
    size_t written = 0;
    client_t *friend = client_open("bob", &other);
    client_open("alice", &session);
    char ping[PIECE];
    memset(ping, 'x', sizeof ping);
    memcpy(ping, "/ping ", 6);
    ping[PIECE - 1] = '\n';
    for (unsigned quiet = 0; quiet < 20;) {
        ssize_t taken = send(client_fd, ping, PIECE, MSG_DONTWAIT);
        written += taken > 0 ? (size_t)taken : 0;
        quiet = taken > 0 ? 0 : quiet + 1;
        client_barrier(friend); /* the worker has had a turn */
        assert_true(written < 8 * 1024 * 1024);
    }
}

#define READER_TEST(function)       cmocka_unit_test_setup_teardown(function, setup, teardown)
#define READER_SHORT_TEST(function) cmocka_unit_test_setup_teardown(function, setup_short, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        READER_TEST(lines_may_come_in_any_pieces),
        READER_TEST(many_lines_may_come_at_once),
        READER_TEST(nothing_behind_the_name_is_taken_before_it_is_confirmed),
        READER_TEST(a_quit_that_comes_in_two_parts_harms_nobody),
        READER_SHORT_TEST(a_line_of_just_the_size_is_taken_and_a_longer_one_refused),
        READER_SHORT_TEST(the_rest_of_a_line_that_is_too_long_is_dropped),
        READER_SHORT_TEST(a_client_that_keeps_breaking_the_protocol_is_closed),
        READER_TEST(the_end_of_input_is_a_quit),
        READER_TEST(an_end_of_input_within_a_line_is_told),
        READER_SHORT_TEST(a_login_that_is_none_is_answered_and_closed),
        READER_TEST(a_line_to_a_paused_name_waits_with_all_behind_it),
        READER_TEST(a_full_window_stops_reading_until_there_is_room),
        READER_TEST(a_client_that_does_not_read_its_answers_is_not_read),
    };
    return TEST_RUN(tests);
}
