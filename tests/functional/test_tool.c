/* SPDX-License-Identifier: MPL-2.0 */
/* The command-line tool with a real ferryd: messages from one to the other, a book, the status, a drain in the middle,
 * and command lines that are wrong. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/deadline.h"
#include "lib/process.h"
#include "lib/server.h"
#include "lib/terminal.h"
#include "lib/test.h"

enum { BOOK_LINES = 5852, BOOK_MS = 60000, DRAIN_MS = 60000 };

static void expect_exit(process_t *process, int exit_code)
{
    int code = process_wait_exit(process, DEADLINE_USUAL_MS);
    char *errors = process_errors(process);
    if (code != exit_code)
        fail_msg("exit code %d: %s", code, errors);
    free(errors);
}

static void expect_error(process_t *process, const char *said)
{
    char *errors = process_errors(process);
    if (!strstr(errors, said))
        fail_msg("\"%s\" is not in: %s", said, errors);
    free(errors);
}

static void expect_output(process_t *process, const char *part)
{
    char *output = process_output(process);
    if (!strstr(output, part))
        fail_msg("\"%s\" is not in: %s", part, output);
    free(output);
}

/* A listener that is logged in. Without a count (NULL) it listens until its end. */
static process_t *listen_start(server_t *server, const char *name, const char *count)
{
    const char *gateway = server_gateway(server);
    process_t *process = count ? process_run("ferry", "listen", "-g", gateway, "-n", count, name, NULL)
                               : process_run("ferry", "listen", "-g", gateway, name, NULL);
    process_wait_text(process, " listens at ", DEADLINE_USUAL_MS);
    return process;
}

static process_t *send_start(server_t *server, const char *to, const char *text)
{
    return process_run("ferry", "send", "-g", server_gateway(server), "--as", "alice", to, text, NULL);
}

static void a_message_goes_from_send_to_listen(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    process_t *bob = listen_start(server, "bob", "1");
    process_t *carol = listen_start(server, "carol", "1");
    expect_exit(send_start(server, "bob, carol", "hello: you two"), 0);
    expect_exit(bob, 0);
    expect_exit(carol, 0);
    expect_output(bob, "from alice: hello: you two\n");
    expect_output(carol, "from alice: hello: you two\n");
    server_stop(&server);
}

static void a_gateway_may_listen_on_a_unix_socket(void **state)
{
    (void)state;
    server_t *server = server_start("all", "-s", "gateway/listen=ipc://@ferry-test-tool", NULL);
    process_t *bob = process_run("ferry", "listen", "-g", "ipc://@ferry-test-tool", "-n", "1", "bob", NULL);
    process_wait_text(bob, " listens at ", DEADLINE_USUAL_MS);
    expect_exit(process_run("ferry", "send", "-g", "ipc://@ferry-test-tool", "--as", "alice", "bob", "hi", NULL), 0);
    expect_exit(bob, 0);
    server_stop(&server);
}

static void a_message_to_nobody_fails_and_the_others_get_it(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    process_t *bob = listen_start(server, "bob", "1");
    process_t *sender = send_start(server, "nobody,bob", "hello");
    expect_exit(sender, 1);
    expect_error(sender, "error no-such-peer nobody\n");
    expect_exit(bob, 0);
    server_stop(&server);
}

static void a_name_that_is_taken_is_refused(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    listen_start(server, "alice", NULL);
    process_t *sender = send_start(server, "alice", "hello");
    expect_exit(sender, 1);
    expect_error(sender, "error name-taken alice\n");
    server_stop(&server);
}

static char *book_text(void)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/data/pentateuch.txt", getenv("FERRY_SOURCE"));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = NULL;
    size_t room = 0;
    assert_true(getdelim(&text, &room, '\0', file) > 0);
    fclose(file);
    return text;
}

/* Takes "from alice: " off each line of `output` and compares the rest with the book. */
static void expect_book(const char *output)
{
    static const char head[] = "from alice: ";
    char *book = book_text();
    const char *at = book;
    int count = 0;
    for (const char *line = output; *line; count++) {
        size_t size = strcspn(line, "\n") + 1;
        assert_memory_equal(line, head, strlen(head));
        assert_memory_equal(line + strlen(head), at, size - strlen(head));
        at += size - strlen(head);
        line += size;
    }
    assert_int_equal(count, BOOK_LINES);
    assert_int_equal(*at, '\0');
    free(book);
}

static void a_book_arrives_line_by_line(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    process_t *bob = listen_start(server, "bob", "5852");
    process_t *sender = process_run("sh", "-c",
        "exec \"$FERRY_BIN/ferry\" send -g \"$1\" --as alice bob < \"$FERRY_SOURCE/tests/data/pentateuch.txt\"", "sh",
        server_gateway(server), NULL);
    assert_int_equal(process_wait_exit(sender, BOOK_MS), 0);
    assert_int_equal(process_wait_exit(bob, BOOK_MS), 0);
    char *output = process_output(bob);
    expect_book(output);
    free(output);
    server_stop(&server);
}

static void two_people_chat(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    const char *const argv[][7] = {
        {"ferry", "chat", "-q", "-g", server_gateway(server), "alice", NULL},
        {"ferry", "chat", "-q", "-g", server_gateway(server), "bob", NULL},
    };
    terminal_t *alice = terminal_start(10, 60, argv[0]);
    terminal_t *bob = terminal_start(10, 60, argv[1]);
    terminal_expect(alice, "alice>");
    terminal_expect(bob, "bob>");
    terminal_type(bob, "/ping there\r");
    terminal_expect(bob, "bob> /ping there\nok ping there\nbob>");
    terminal_type(bob, "alice: I was about to");
    terminal_type(alice, "bob: hello\r");
    terminal_expect(bob, "bob> /ping there\nok ping there\nfrom alice: hello\nbob> alice: I was about to");
    terminal_type(bob, " say so\r");
    terminal_expect(alice, "alice> bob: hello\nfrom bob: I was about to say so\nalice>");
    terminal_type(alice, "\004");
    assert_int_equal(terminal_wait_exit(alice), 0);
    terminal_type(bob, "/quit\r");
    assert_int_equal(terminal_wait_exit(bob), 0);
    server_stop(&server);
}

static void the_status_shows_what_happened(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    process_t *bob = listen_start(server, "bob", NULL);
    expect_exit(send_start(server, "bob", "hello"), 0);
    expect_exit(send_start(server, "nobody", "hello"), 1);
    process_wait_output(bob, "from alice: hello\n", DEADLINE_USUAL_MS);
    process_t *status = process_run("ferry", "status", "--admin", server_admin(server), NULL);
    expect_exit(status, 0);
    const char *const parts[] = {"role all", "  ready      yes\n", "  state      running\n", "  sessions   1\n",
        "  names      1\n", server_gateway(server), "Links to brokers\n", "DEALER writers\n", "Ledger\n",
        "refused, no-such-peer      1\n", "balance                    0\n"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        expect_output(status, parts[i]);
    server_stop(&server);
}

static void the_status_is_there_as_json(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    process_t *status = process_run("ferry", "status", "--json", "--admin", server_admin(server), NULL);
    expect_exit(status, 0);
    char *output = process_output(status);
    json_t *json = json_loads(output, 0, NULL);
    assert_true(json_is_object(json));
    assert_true(json_is_true(json_object_get(json, "ready")));
    json_decref(json);
    free(output);
    server_stop(&server);
}

static void a_drain_is_shown_and_ends_with_its_result(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    process_t *bob = listen_start(server, "bob", NULL);
    process_t *drain = process_run("ferry", "drain", "--admin", server_admin(server), NULL);
    assert_int_equal(process_wait_exit(drain, DRAIN_MS), 0);
    expect_output(drain, "\"accepted\":");
    expect_output(drain, "\nresult 0\n");
    expect_error(drain, "everything ended");
    expect_exit(bob, 0);
    expect_error(bob, "the gateway was stopped");
    assert_int_equal(process_wait_exit(server_process(server), DRAIN_MS), 0);
    server_destroy(&server);
}

static void a_drain_while_lines_are_sent_loses_none(void **state)
{
    (void)state;
    server_t *server = server_start("all", NULL);
    process_t *bob = listen_start(server, "bob", NULL);
    process_t *sender =
        process_run("ferry", "send", "-g", server_gateway(server), "--as", "alice", "--reconnect", "0", "bob", NULL);
    process_write(sender, "one\ntwo\nthree\n");
    process_wait_output(bob, "from alice: three\n", DEADLINE_USUAL_MS);
    process_t *drain = process_run("ferry", "drain", "-q", "--admin", server_admin(server), NULL);
    assert_int_equal(process_wait_exit(drain, DRAIN_MS), 0);
    expect_exit(sender, 1);
    expect_error(sender, "lines taken: 3, first line not taken: 4");
    expect_exit(bob, 0);
    char *output = process_output(bob);
    assert_string_equal(output, "from alice: one\nfrom alice: two\nfrom alice: three\n");
    free(output);
    server_destroy(&server);
}

static void without_a_process_the_admin_commands_say_so(void **state)
{
    (void)state;
    static const char *const commands[] = {"status", "ledger", "drain"};
    for (size_t i = 0; i < 3; i++) {
        process_t *process = process_run("ferry", commands[i], "--admin", "http://127.0.0.1:1", NULL);
        expect_exit(process, 1);
        expect_error(process, "nobody answers at http://127.0.0.1:1/");
    }
}

static void a_wrong_command_line_is_an_error_of_its_own(void **state)
{
    (void)state;
    static const char *const lines[][5] = {{NULL}, {"dance"}, {"--bogus"}, {"send", "bob", "hi"}, {"send", "--as", "a"},
        {"send", "--as", "a b", "bob"}, {"listen"}, {"listen", "a", "b"}, {"listen", "--json", "a"}, {"chat", "#group"},
        {"status", "x"}, {"ledger", "--wait", "-1"}, {"drain", "--count", "1"}};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *const argv[] = {"ferry", lines[i][0], lines[i][1], lines[i][2], lines[i][3], NULL};
        process_t *process = process_start(argv);
        expect_exit(process, 2);
        expect_error(process, "ferry");
    }
}

static void every_command_explains_itself(void **state)
{
    (void)state;
    static const char *const commands[] = {"chat", "send", "listen", "status", "ledger", "drain"};
    process_t *all = process_run("ferry", "--help", NULL);
    expect_exit(all, 0);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        char usage[64];
        snprintf(usage, sizeof usage, "Usage: ferry %s ", commands[i]);
        process_t *process = process_run("ferry", commands[i], "--help", NULL);
        expect_exit(process, 0);
        expect_output(process, usage);
        expect_output(process, "\nExit code: ");
        expect_output(all, usage + strlen("Usage: "));
    }
    process_t *version = process_run("ferry", "--version", NULL);
    expect_exit(version, 0);
    expect_output(version, "ferry " FERRY_VERSION "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_goes_from_send_to_listen),
        TEST(a_gateway_may_listen_on_a_unix_socket),
        TEST(a_message_to_nobody_fails_and_the_others_get_it),
        TEST(a_name_that_is_taken_is_refused),
        TEST(a_book_arrives_line_by_line),
        TEST(two_people_chat),
        TEST(the_status_shows_what_happened),
        TEST(the_status_is_there_as_json),
        TEST(a_drain_is_shown_and_ends_with_its_result),
        TEST(a_drain_while_lines_are_sent_loses_none),
        TEST(without_a_process_the_admin_commands_say_so),
        TEST(a_wrong_command_line_is_an_error_of_its_own),
        TEST(every_command_explains_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
