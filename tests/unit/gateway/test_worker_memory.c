/* SPDX-License-Identifier: MPL-2.0 */
/* What a worker does while the memory of its process is short: the test holds the rest of the budget. */
#include "worker_rig.h"

enum { CROWD = 1000, SHARE = BUDGET_SHARE_MIN, LONG = 8 * SHARE };

static budget_account_t others;

/* As many other sessions as make the shares small. */
static int setup_crowd(void **state)
{
    worker_start((const char *const[]){
        "gateway/memory=2MiB", "gateway/high_mark=16KiB", "gateway/low_mark=4KiB", "gateway/send_buffer=4KiB", NULL});
    router_join(&router);
    router_put(&router, &(control_t){.type = RECORD_ORIGIN, .origin.handle = ORIGIN});
    router_flush(&router);
    budget_account_init(&others, &budget);
    for (unsigned i = 0; i < CROWD; i++)
        budget_join(&budget);
    (void)state;
    return 0;
}

/* The others hold that many 32nds of the budget; after two turns the worker has noticed. */
static void others_hold(client_t *client, unsigned parts)
{
    budget_account_change(&others, others.held, budget.limit / 32 * parts);
    budget_account_tell(&others);
    client_barrier(client);
    client_barrier(client);
}

static json_int_t gauge(const char *key)
{
    json_t *report = worker_report();
    json_int_t size = json_integer_value(json_object_get(json_object_get(report, "gauges"), key));
    json_decref(report);
    return size;
}

static void wait_gauge(const char *key, json_int_t least, json_int_t most)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    for (json_int_t now = gauge(key); now < least || now > most; now = gauge(key))
        if (deadline_passed(deadline))
            fail_msg("%s is %lld", key, (long long)now);
}

static void a_long_line_waits_in_the_kernel_until_its_end_has_come(void **state)
{
    (void)state;
    uint64_t session;
    char line[LONG];
    client_t *client = client_open("alice", &session);
    others_hold(client, 17);
    memset(line, 'x', sizeof line);
    memcpy(line, "bob:", 4);
    client_send_bytes(client, line, sizeof line);
    wait_gauge("sessions_starved", 1, 1);
    wait_gauge("memory_reader_bytes", 0, SHARE);
    client_send_bytes(client, "\nbob: short\nbob: ha", 19);
    assert_int_equal(router_expect(&router, RECORD_MESSAGE)->record.message.text.size, LONG - 4);
    answer_taken(2);
    router_expect_message(&router, 2, "short");
    client_send(client, "lf");
    router_expect_message(&router, 3, "half");
}

static void a_beginning_that_was_read_before_is_put_before_the_rest(void **state)
{
    (void)state;
    uint64_t session, other;
    char line[LONG];
    client_t *friend = client_open("bob", &other), *client = client_open("alice", &session);
    memset(line, 'x', sizeof line);
    memcpy(line, "bob:", 4);
    client_send_bytes(client, line, LONG);
    wait_taken(client_fd);
    others_hold(friend, 17);
    client_send_bytes(client, line + 4, LONG - 4);
    client_send(client, "\nbob: next");
    assert_int_equal(router_expect(&router, RECORD_MESSAGE)->record.message.text.size, 2 * LONG - 8);
    answer_taken(2);
    router_expect_message(&router, 2, "next");
}

static void an_end_of_input_within_a_line_that_waits_is_told(void **state)
{
    (void)state;
    uint64_t session;
    char line[LONG] = "bob:";
    client_t *client = client_open("alice", &session);
    others_hold(client, 17);
    memset(line + 4, 'x', sizeof line - 4);
    client_send_bytes(client, line, sizeof line);
    wait_gauge("sessions_starved", 1, 1);
    client_half_close(client);
    client_expect(client, "error incomplete-line");
}

static void a_session_with_its_share_waiting_is_paused_and_not_read(void **state)
{
    (void)state;
    enum { MANY = 120 }; /* less than high_mark, more than the kernel takes */
    uint64_t session, other;
    char text[101];
    client_t *friend = client_open("bob", &other), *slow = client_open("alice", &session);
    others_hold(friend, 17);
    memset(text, 'x', 100);
    text[100] = '\0';
    router_put_run(&router, ORIGIN);
    for (unsigned i = 1; i <= MANY; i++)
        router_put_copy(&router, i, &session, 1, "eve", text);
    router_flush(&router);
    assert_true(span_equal(router_expect(&router, RECORD_PAUSE)->control.name.name, span_str("alice")));
    assert_int_equal(send(client_fd, "/ping x\n", 8, 0), 8); /* client_send would read, too */
    wait_gauge("sessions_starved", 1, 1);
    router_expect(&router, RECORD_HOLD);
    client_send(friend, "carol: I go on");
    router_expect_message(&router, 1, "I go on");
    for (unsigned i = 0; i < MANY; i++)
        client_expect_prefix(slow, "from eve: xxx");
    client_expect(slow, "ok ping x");
    router_expect(&router, RECORD_RESUME);
}

static void what_is_under_way_counts_for_its_sender(void **state)
{
    (void)state;
    enum { MANY = 200 };
    uint64_t session, other, taken = 0;
    client_t *friend = client_open("bob", &other), *client = client_open("alice", &session);
    others_hold(friend, 17);
    for (unsigned i = 0; i < MANY; i++)
        client_send(client, "bob: hello");
    wait_gauge("sessions_starved", 1, 1);
    assert_in_range(ledger_count("accepted", NULL), 2, MANY / 2);
    for (unsigned i = 1; i <= MANY; i++) {
        router_expect_message(&router, i, "hello");
        if (i >= taken + 10)
            answer_taken(taken = i);
    }
}

static void a_full_budget_stops_reading_until_it_is_not(void **state)
{
    (void)state;
    uint64_t session;
    client_t *client = client_open("alice", &session);
    others_hold(client, 29);
    budget_account_change(&others, others.held, budget.limit);
    budget_account_tell(&others);
    wait_gauge("memory_bytes", 0, 1 << 20);
    client_send(client, "/ping x");
    wait_gauge("sessions_starved", 1, 1);
    budget_account_fini(&others);
    client_expect(client, "ok ping x");
    assert_int_equal(gauge("sessions_starved"), 0);
}

/* 64 KiB of a short command ask for megabytes of answers. */
static void answers_that_are_not_read_keep_further_lines_waiting(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    uint64_t session, other;
    char text[6 * MANY + 1];
    client_t *friend = client_open("bob", &other), *client = client_open("alice", &session);
    for (unsigned i = 0; i < MANY; i++)
        memcpy(text + (size_t)i * 6, "/help\n", 6);
    client_send_bytes(client, text, 6 * MANY);
    client_barrier(friend);
    client_barrier(friend);
    assert_in_range(gauge("memory_writer_bytes"), 0, 128 * 1024);
    client_send(client, "/ping x");
    while (strcmp(client_read(client), "ok ping x") != 0)
        ;
}

#define MEMORY_TEST(function) cmocka_unit_test_setup_teardown(function, setup_crowd, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        MEMORY_TEST(a_long_line_waits_in_the_kernel_until_its_end_has_come),
        MEMORY_TEST(a_beginning_that_was_read_before_is_put_before_the_rest),
        MEMORY_TEST(an_end_of_input_within_a_line_that_waits_is_told),
        MEMORY_TEST(a_session_with_its_share_waiting_is_paused_and_not_read),
        MEMORY_TEST(what_is_under_way_counts_for_its_sender),
        MEMORY_TEST(a_full_budget_stops_reading_until_it_is_not),
        MEMORY_TEST(answers_that_are_not_read_keep_further_lines_waiting),
    };
    return TEST_RUN(tests);
}
