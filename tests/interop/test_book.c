/* SPDX-License-Identifier: MPL-2.0 */
/* book: a whole book is piped, line by line, through programs that know nothing of FerryMQ, from one name to three
 * others on different gateways; it must come out complete, in order and byte for byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/deadline.h"
#include "lib/server.h"
#include "lib/shell.h"
#include "lib/test.h"

#define BOOK    "\"$FERRY_SOURCE/tests/data/pentateuch.txt\""
#define PIPE_MS 60000

/* Programs that connect standard input and output to $port, and hand on the end of input as a half-close. */
#define NC     "nc -N 127.0.0.1 $port"
#define SOCAT  "socat -t 300 - TCP:127.0.0.1:$port"
#define PYTHON "python3 \"$FERRY_SOURCE/tests/interop/pipe.py\" 127.0.0.1 $port"

static const char *const names[] = {"bob", "carol", "dave"};
#define READER_COUNT (sizeof(names) / sizeof(names[0]))

static const char *port_of(server_t *gateway)
{
    return strrchr(server_gateway(gateway), ':') + 1;
}

static server_t *start_gateway(const char *brokers[2])
{
    if (brokers[1])
        return server_start("gateway", "-s", brokers[0], "-s", brokers[1], NULL);
    return server_start("gateway", "-s", brokers[0], NULL);
}

/* Starts the program as a client that is logged in and only reads. */
static process_t *start_reader(const char *program, server_t *gateway, const char *name)
{
    char login[64];
    process_t *reader = shell_start("port=%s\nexec %s", port_of(gateway), program);
    snprintf(login, sizeof(login), "%s\n/ping in\n", name);
    process_write(reader, login);
    process_wait_output(reader, "ok ping in\n", DEADLINE_USUAL_MS);
    return reader;
}

/* The writer's connection is closed by the gateway once every line has ended, so that readers who leave after it have
 * been given everything. */
static void write_book(const char *program, server_t *gateway)
{
    process_t *writer = shell_start("port=%s\n"
                                    "{ echo mark; sed 's/^/bob, carol, dave: /' " BOOK "; } | %s",
        port_of(gateway), program);
    assert_int_equal(process_wait_exit(writer, PIPE_MS), 0);
    char *answers = process_output(writer);
    assert_string_equal(answers, "");
    free(answers);
    process_destroy(&writer);
}

static void leave_and_compare(process_t *reader, const char *book)
{
    process_close_input(reader);
    assert_int_equal(process_wait_exit(reader, PIPE_MS), 0);
    char *text = process_output(reader);
    /* Not assert_string_equal, which would print both books. */
    assert_int_equal(strlen(text), strlen(book));
    assert_true(strcmp(text, book) == 0);
    free(text);
    process_destroy(&reader);
}

/* Pipes the book from the first of three gateways to a reader on each. `brokers` are options of the gateways. */
static void carry_book(const char *program, const char *brokers[2])
{
    server_t *gateways[READER_COUNT];
    process_t *readers[READER_COUNT];
    char *book = shell_read("echo ok ping in; sed 's/^/from mark: /' " BOOK);
    for (size_t i = 0; i < READER_COUNT; i++) {
        gateways[i] = start_gateway(brokers);
        readers[i] = start_reader(program, gateways[i], names[i]);
    }
    write_book(program, gateways[0]);
    for (size_t i = 0; i < READER_COUNT; i++)
        leave_and_compare(readers[i], book);
    for (size_t i = 0; i < READER_COUNT; i++)
        server_stop(&gateways[i]);
    free(book);
}

static void carry_book_through_one_broker(const char *program)
{
    char option[200];
    server_t *broker = server_start("broker", NULL);
    snprintf(option, sizeof(option), "gateway/broker=%s", server_broker(broker));
    carry_book(program, (const char *[2]){option, NULL});
    server_stop(&broker);
}

static void a_book_piped_by_nc_arrives_byte_for_byte(void **state)
{
    (void)state;
    carry_book_through_one_broker(NC);
}

static void a_book_piped_by_socat_arrives_byte_for_byte(void **state)
{
    (void)state;
    carry_book_through_one_broker(SOCAT);
}

static void a_book_piped_by_python_arrives_byte_for_byte(void **state)
{
    (void)state;
    carry_book_through_one_broker(PYTHON);
}

static void a_book_arrives_byte_for_byte_through_two_brokers(void **state)
{
    (void)state;
    char options[2][200];
    server_t *east = server_start("broker", "-s", "broker/name=east", NULL);
    server_t *west = server_start("broker", "-s", "broker/name=west", NULL);
    snprintf(options[0], sizeof(options[0]), "gateway/broker=east=%s", server_broker(east));
    snprintf(options[1], sizeof(options[1]), "gateway/broker=west=%s", server_broker(west));
    carry_book(NC, (const char *[2]){options[0], options[1]});
    server_stop(&east);
    server_stop(&west);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_book_piped_by_nc_arrives_byte_for_byte),
        TEST(a_book_piped_by_socat_arrives_byte_for_byte),
        TEST(a_book_piped_by_python_arrives_byte_for_byte),
        TEST(a_book_arrives_byte_for_byte_through_two_brokers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
