/* SPDX-License-Identifier: MPL-2.0 */
/* `ferry bench` with a ferryd, for a fraction of a second each; with a router that the test plays, which loses,
 * doubles, reorders and damages; and with command lines that are wrong. */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/folder.h"
#include "lib/played_gateway.h"
#include "lib/process.h"
#include "lib/server.h"
#include "lib/shell.h"
#include "lib/test.h"

enum { WORDS_MAX = 32, BENCH_MS = 60000, MESSAGE_COUNT = 20, LINE_SIZE = 128 };

/* Starts `ferry bench` with these words, ended by NULL. */
static process_t *bench_start_words(va_list words)
{
    const char *argv[WORDS_MAX + 1] = {"ferry", "bench"};
    for (int i = 2; i < WORDS_MAX && (argv[i] = va_arg(words, const char *)) != NULL; i++)
        continue;
    return process_start(argv);
}

__attribute__((sentinel)) static process_t *bench_start(const char *first, ...)
{
    va_list words;
    const char *argv[WORDS_MAX + 1] = {"ferry", "bench", first};
    va_start(words, first);
    for (int i = 3; i < WORDS_MAX && (argv[i] = va_arg(words, const char *)) != NULL; i++)
        continue;
    va_end(words);
    return process_start(argv);
}

/* Waits for the end, and for this on standard error. */
static void expect_end(process_t *process, int exit_code, const char *said)
{
    assert_int_equal(process_wait_exit(process, BENCH_MS), exit_code);
    char *errors = process_errors(process);
    if (!strstr(errors, said))
        fail_msg("\"%s\" is not in: %s", said, errors);
    free(errors);
}

static json_t *object_of(process_t *process)
{
    char *output = process_output(process);
    json_t *object = json_loads(output, 0, NULL);
    if (!json_is_object(object))
        fail_msg("no object: %s", output);
    free(output);
    return object;
}

static double number_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("there is no number %s", key);
    return json_number_value(value);
}

static server_t *ferryd;
static char ferryd_pid[32];

static void ferryd_start(void)
{
    ferryd = server_start("all", NULL);
    snprintf(ferryd_pid, sizeof ferryd_pid, "ferryd=%d", (int)process_pid(server_process(ferryd)));
}

/* Runs a work against ferryd, with further options ended by NULL. The caller owns the object that it printed. */
__attribute__((sentinel)) static json_t *measure(const char *work, ...)
{
    const char *argv[WORDS_MAX + 1] = {"ferry", "bench", work, "--json", "--gateway", server_gateway(ferryd),
        "--duration", "0.3", "--warm-up", "0.1", "--watch", ferryd_pid};
    va_list words;
    va_start(words, work);
    for (int i = 12; i < WORDS_MAX && (argv[i] = va_arg(words, const char *)) != NULL; i++)
        continue;
    va_end(words);
    process_t *process = process_start(argv);
    process_expect_exit(process, 0, BENCH_MS);
    json_t *object = object_of(process);
    process_destroy(&process);
    assert_string_equal(json_string_value(json_object_get(object, "work")), work);
    assert_true(number_at(json_object_get(object, "pss_bytes"), "ferryd") > 100000);
    return object;
}

/* All that was sent arrived, and a latency is there if one is wanted. */
static void expect_messages(json_t *object, bool timed)
{
    assert_true(number_at(object, "delivered") > 0);
    assert_true(number_at(object, "throughput_per_s") > 0);
    assert_true(number_at(object, "lost") == 0);
    assert_true(number_at(object, "doubled") == 0);
    assert_true(number_at(object, "late") == 0);
    assert_true(number_at(json_object_get(object, "cpu_ns"), "ferryd") > 0);
    const json_t *latency = json_object_get(object, "latency_us");
    assert_int_equal(json_is_object(latency), timed);
    if (timed) {
        assert_true(number_at(latency, "p50") > 0);
        assert_true(number_at(latency, "p50") <= number_at(latency, "p999"));
        assert_true(number_at(latency, "p999") <= number_at(latency, "max"));
    }
    json_decref(object);
}

static void each_work_with_messages_is_measured(void **state)
{
    (void)state;
    ferryd_start();
    expect_messages(measure("pairs", "--clients", "10", "--size", "8", NULL), false);
    expect_messages(measure("pairs", "--clients", "10", "--size", "16", "--pipeline", "10", NULL), true);
    expect_messages(measure("pairs", "--clients", "4", "--size", "60000", NULL), false);
    expect_messages(measure("any", "--clients", "10", NULL), false);
    expect_messages(measure("any", "--clients", "10", "--pipeline", "3", NULL), true);
    expect_messages(measure("fanout", "--clients", "10", NULL), true);
    expect_messages(measure("fanout", "--clients", "10", "--pipeline", "0", NULL), false);
    expect_messages(measure("pingpong", "--clients", "4", NULL), true);
    server_stop(&ferryd);
}

static void messages_are_sent_when_they_are_due(void **state)
{
    (void)state;
    ferryd_start();
    json_t *object = measure("pairs", "--clients", "10", "--rate", "2000", NULL);
    double delivered = number_at(object, "delivered");
    if (deadline_patience() == 1)
        assert_true(delivered > 300 && delivered < 900);
    expect_messages(object, true);
    expect_messages(measure("any", "--clients", "10", "--rate", "2000", NULL), true);
    expect_messages(measure("fanout", "--clients", "10", "--rate", "200", NULL), true);
    server_stop(&ferryd);
}

static void several_processes_do_the_same(void **state)
{
    (void)state;
    ferryd_start();
    expect_messages(measure("pairs", "--clients", "10", "--processes", "3", NULL), false);
    expect_messages(measure("any", "--clients", "10", "--processes", "3", NULL), false);
    expect_messages(measure("any", "--clients", "10", "--processes", "3", "--pipeline", "2", NULL), true);
    expect_messages(measure("fanout", "--clients", "10", "--processes", "3", NULL), true);
    expect_messages(measure("any", "--clients", "10", "--processes", "3", "--rate", "1000", NULL), true);
    server_stop(&ferryd);
}

static void idle_clients_cost_memory(void **state)
{
    (void)state;
    ferryd_start();
    json_t *object = measure("idle", "--clients", "200", NULL);
    assert_true(number_at(json_object_get(object, "pss_bytes_per_session"), "ferryd") > 0);
    assert_null(json_object_get(object, "delivered"));
    json_decref(object);
    expect_messages(measure("idle", "--clients", "20", "--rate", "500", NULL), true);
    server_stop(&ferryd);
}

static void logins_are_counted(void **state)
{
    (void)state;
    ferryd_start();
    json_t *object = measure("logins", "--clients", "5", NULL);
    assert_true(number_at(object, "logins") > 0);
    assert_true(number_at(object, "logins_per_s") > 0);
    assert_true(number_at(json_object_get(object, "latency_us"), "p50") > 0);
    json_decref(object);
    server_stop(&ferryd);
}

static void clients_take_several_gateways_in_turns(void **state)
{
    (void)state;
    server_t *broker = server_start("broker", NULL);
    char option[128], addresses[256];
    snprintf(option, sizeof option, "gateway/broker=%s", server_broker(broker));
    server_t *one = server_start("gateway", "-s", option, NULL);
    server_t *other = server_start("gateway", "-s", option, NULL);
    snprintf(addresses, sizeof addresses, "%s,%s", server_gateway(one), server_gateway(other));
    process_t *process = bench_start("any", "-g", addresses, "--clients", "10", "--duration", "0.2", NULL);
    process_expect_exit(process, 0, BENCH_MS);
    char *output = process_output(process);
    assert_non_null(strstr(output, "none lost, doubled or out of order"));
    free(output);
    server_stop(&one);
    server_stop(&other);
    server_stop(&broker);
}

static void what_the_gateway_refuses_is_shown(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "gateway/max_sessions=5", NULL);
    process_t *process = bench_start("pairs", "-g", server_gateway(server), "--clients", "10", NULL);
    expect_end(process, 1, "error too-many-sessions");
    server_destroy(&server);
}

/* A played router, with one sender and one reader. */
typedef struct {
    process_t *process;
    client_t *sender, *reader;
    char name[LINE_SIZE]; /* the sender's */
} played_t;

static client_t *accept_login(char *name)
{
    client_t *client = played_gateway_accept();
    snprintf(name, LINE_SIZE, "%s", client_read(client));
    client_expect(client, "/ping in");
    client_send(client, "ok ping in");
    return client;
}

static void played_start(played_t *self)
{
    char reader[LINE_SIZE];
    self->process = bench_start("pairs", "-g", played_gateway_open(), "--clients", "2", "--size", "16", "--rate", "200",
        "--duration", "0.1", "--warm-up", "0", "--wait", "1", "--json", NULL);
    client_t *probe = played_gateway_accept();
    client_expect_eof(probe);
    client_close(&probe);
    self->sender = accept_login(self->name);
    self->reader = accept_login(reader);
}

/* The text of the next message. */
static const char *played_take(played_t *self)
{
    const char *line = client_read(self->sender);
    const char *colon = strchr(line, ':');
    assert_non_null(colon);
    return colon + 2;
}

static void played_hand(played_t *self, const char *text)
{
    client_sendf(self->reader, "from %s: %s", self->name, text);
}

static void played_quit(client_t **client)
{
    client_expect(*client, "/quit");
    client_send(*client, "ok quit");
    played_gateway_leave(client);
}

static void expect_counts(process_t *process, double lost, double doubled, double late)
{
    json_t *object = object_of(process);
    assert_true(number_at(object, "lost") == lost);
    assert_true(number_at(object, "doubled") == doubled);
    assert_true(number_at(object, "late") == late);
    json_decref(object);
}

static void a_router_that_keeps_its_word_is_left_in_order(void **state)
{
    (void)state;
    played_t played;
    played_start(&played);
    for (int i = 0; i < MESSAGE_COUNT; i++)
        played_hand(&played, played_take(&played));
    played_quit(&played.sender);
    played_quit(&played.reader);
    process_expect_exit(played.process, 0, BENCH_MS);
    expect_counts(played.process, 0, 0, 0);
}

static void lost_doubled_and_late_messages_are_counted(void **state)
{
    (void)state;
    played_t played;
    char overtaken[LINE_SIZE];
    played_start(&played);
    for (int i = 0; i < MESSAGE_COUNT; i++) {
        const char *text = played_take(&played);
        if (i == 7)
            snprintf(overtaken, sizeof overtaken, "%s", text);
        if (i != 3 && i != 7)
            played_hand(&played, text);
        if (i == 5)
            played_hand(&played, text);
        if (i == 8)
            played_hand(&played, overtaken);
    }
    expect_end(played.process, 1, "1 were lost, 1 doubled, and 1 late");
    expect_counts(played.process, 1, 1, 1);
}

static void a_loss_at_the_very_end_is_found(void **state)
{
    (void)state;
    played_t played;
    played_start(&played);
    for (int i = 0; i < MESSAGE_COUNT - 1; i++)
        played_hand(&played, played_take(&played));
    expect_end(played.process, 1, "1 were lost, 0 doubled, and 0 late");
}

static void a_damaged_message_ends_the_run(void **state)
{
    (void)state;
    played_t played;
    char text[LINE_SIZE];
    played_start(&played);
    snprintf(text, sizeof text, "%s", played_take(&played));
    played_hand(&played, strcat(text, "y"));
    expect_end(played.process, 1, "reads a message that nobody wrote: from b");
}

static void a_message_from_somebody_else_ends_the_run(void **state)
{
    (void)state;
    played_t played;
    played_start(&played);
    played.name[strlen(played.name) - 1] = '1';
    played_hand(&played, played_take(&played));
    expect_end(played.process, 1, "reads a message that nobody wrote: from b");
}

static void an_error_line_ends_the_run(void **state)
{
    (void)state;
    played_t played;
    played_start(&played);
    client_send(played.sender, "error undelivered somebody gone");
    expect_end(played.process, 1, "reads an error: error undelivered somebody gone");
}

static void a_connection_that_ends_ends_the_run(void **state)
{
    (void)state;
    played_t played;
    played_start(&played);
    client_half_close(played.reader);
    expect_end(played.process, 1, "is cut: end of file");
}

static void an_interrupt_ends_all_processes(void **state)
{
    (void)state;
    played_t played;
    played_start(&played);
    process_signal(played.process, SIGINT);
    expect_end(played.process, 1, "interrupted");
    client_count_to_end(played.reader, "");
    client_count_to_end(played.sender, "");
}

static void nobody_there_is_one_sentence(void **state)
{
    (void)state;
    expect_end(bench_start("pairs", "-g", "tcp://127.0.0.1:1", NULL), 1, "cannot connect to tcp://127.0.0.1:1");
}

__attribute__((sentinel)) static void expect_usage(const char *said, ...)
{
    va_list words;
    va_start(words, said);
    process_t *process = bench_start_words(words);
    va_end(words);
    expect_end(process, 2, said);
    process_destroy(&process);
}

static void a_wrong_command_line_is_one_sentence(void **state)
{
    (void)state;
    expect_usage("something is missing", NULL);
    expect_usage("there is no work \"nonsense\"", "nonsense", NULL);
    expect_usage("there is no protocol \"smoke\"", "pairs", "--protocol", "smoke", NULL);
    expect_usage("--clients is a number", "pairs", "--clients", "3", NULL);
    expect_usage("--clients is a number", "any", "--clients", "1", NULL);
    expect_usage("--clients is a number", "any", "--clients", "1000000", NULL);
    expect_usage("--size is a number from 8 to 60000", "pairs", "--size", "7", NULL);
    expect_usage("--size is a number from 16 to 60000", "pairs", "--size", "15", "--rate", "5", NULL);
    expect_usage("--size is a number from 8 to 60000", "pairs", "--size", "60001", NULL);
    expect_usage("--size is a number from 8 to 400", "pairs", "--size", "401", "--protocol", "irc", NULL);
    expect_usage("--rate has no meaning for pingpong", "pingpong", "--rate", "5", NULL);
    expect_usage("--rate has no meaning for logins", "logins", "--rate", "5", NULL);
    expect_usage("--pipeline has no meaning for idle", "idle", "--pipeline", "5", NULL);
    expect_usage("give one", "pairs", "--pipeline", "5", "--rate", "5", NULL);
    expect_usage("--duration wants seconds", "pairs", "--duration", "0", NULL);
    expect_usage("--duration wants seconds", "pairs", "--duration", "soon", NULL);
    expect_usage("--processes", "pairs", "--processes", "65", NULL);
    expect_usage("--watch wants NAME=PID", "pairs", "--watch", "1234", NULL);
    expect_usage("--watch wants NAME=PID", "pairs", "--watch", "a=1,x", NULL);
    expect_usage("there is no such process", "pairs", "--watch", "a=2147483647", NULL);
    expect_usage("ends in .svg or .png", "pairs", "--plot", "a.pdf", NULL);
}

static void clients_are_as_many_as_there_are_descriptors_for(void **state)
{
    (void)state;
    ferryd_start();
    process_limit_descriptors(200);
    expect_usage("are too many for --processes 2", "any", "--clients", "300", "--processes", "2", NULL);
    expect_usage("are too many for --processes 64", "any", "--clients", "20000", NULL);
    json_t *object = measure("idle", "--clients", "300", NULL);
    process_limit_descriptors(0);
    assert_true(number_at(object, "processes") == 3);
    json_decref(object);
    server_stop(&ferryd);
}

static void without_gnuplot_nothing_is_begun(void **state)
{
    (void)state;
    char *ferry = process_find_program("ferry");
    expect_end(shell_start("PATH=/nonexistent exec %s bench pairs --plot a.svg", ferry), 2, "needs gnuplot");
    free(ferry);
}

static void a_picture_is_drawn(void **state)
{
    (void)state;
    process_t *which = process_run("sh", "-c", "command -v gnuplot", NULL);
    if (process_wait_exit(which, DEADLINE_USUAL_MS) != 0)
        skip();
    ferryd_start();
    const char *folder = folder_new();
    char path[512];
    snprintf(path, sizeof path, "%s/latency.svg", folder);
    json_decref(measure("pairs", "--clients", "4", "--rate", "500", "--plot", path, NULL));
    shell_run("grep -q '99 %%' '%s'", path);
    snprintf(path, sizeof path, "%s/throughput.png", folder);
    json_decref(measure("pairs", "--clients", "4", "--plot", path, NULL));
    shell_run("head -c 4 '%s' | grep -q PNG", path);
    server_stop(&ferryd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_work_with_messages_is_measured),
        TEST(messages_are_sent_when_they_are_due),
        TEST(several_processes_do_the_same),
        TEST(idle_clients_cost_memory),
        TEST(logins_are_counted),
        TEST(clients_take_several_gateways_in_turns),
        TEST(what_the_gateway_refuses_is_shown),
        TEST(a_router_that_keeps_its_word_is_left_in_order),
        TEST(lost_doubled_and_late_messages_are_counted),
        TEST(a_loss_at_the_very_end_is_found),
        TEST(a_damaged_message_ends_the_run),
        TEST(a_message_from_somebody_else_ends_the_run),
        TEST(an_error_line_ends_the_run),
        TEST(a_connection_that_ends_ends_the_run),
        TEST(an_interrupt_ends_all_processes),
        TEST(nobody_there_is_one_sentence),
        TEST(a_wrong_command_line_is_one_sentence),
        TEST(clients_are_as_many_as_there_are_descriptors_for),
        TEST(without_gnuplot_nothing_is_begun),
        TEST(a_picture_is_drawn),
    };
    return TEST_RUN(tests);
}
