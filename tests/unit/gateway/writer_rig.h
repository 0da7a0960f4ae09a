/* SPDX-License-Identifier: MPL-2.0 */
/* writer_rig: a session writer on one end of a pair of sockets, with a real link to a broker that the test plays.
 * Include it once in a test program. */
#ifndef FERRY_TESTS_WRITER_RIG_H
#define FERRY_TESTS_WRITER_RIG_H

#include "unit/link/link_rig.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include "gateway/session_writer.h"

enum { SESSION = 5, ORIGIN = 2, TEXT_SIZE = 1000, SOCKET_SIZE = 8192, CLIENT_READ_SIZE = 65536 };

static session_writer_t writer;
static int server, client; /* the two ends; the client's is read by hand */
static origin_t *origin;

/* A link that is up, the origin of all copies, and an empty writer. */
static inline int writer_open(void **state)
{
    int pair[2], size = SOCKET_SIZE;
    link_id_t node = {{7}};
    signal(SIGPIPE, SIG_IGN);
    rig_open(state);
    rig_join();
    origins_put(link_origins(rig.link), ORIGIN, &node);
    origin = origins_get(link_origins(rig.link), ORIGIN);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    server = pair[0];
    client = pair[1];
    assert_int_equal(setsockopt(server, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    writer = (session_writer_t){0};
    return 0;
}

static inline int writer_close(void **state)
{
    writer_forget(&writer, rig.link);
    writer_fini(&writer);
    close(server);
    close(client);
    return rig_close(state);
}

static inline void put_copy(uint64_t number, const char *text)
{
    body_copy_t copy = {.number = number, .session = number + 1000, .sender = span_str("eve"), .text = span_str(text)};
    writer_copy(&writer, &copy, origin);
}

static inline void put_line(const char *text)
{
    span_t parts[] = {span_str("info "), span_str(text)};
    writer_line(&writer, parts, 2);
}

/* Copies with the numbers from first to last, whose texts are long. */
static inline void put_long(uint64_t first, uint64_t last)
{
    char text[TEXT_SIZE + 1];
    memset(text, 'x', TEXT_SIZE);
    text[TEXT_SIZE] = '\0';
    for (uint64_t number = first; number <= last; number++)
        put_copy(number, text);
}

static inline size_t long_line_size(void)
{
    return strlen("from eve: ") + TEXT_SIZE + 1;
}

/* What the client can read now, NUL-terminated. */
static inline size_t client_read(char text[CLIENT_READ_SIZE])
{
    ssize_t size = read(client, text, CLIENT_READ_SIZE - 1);
    size = size < 0 ? 0 : size;
    text[size] = '\0';
    return (size_t)size;
}

static inline void expect_read(const char *text)
{
    char got[CLIENT_READ_SIZE];
    client_read(got);
    assert_string_equal(got, text);
}

/* Writes, and lets the client read, until nothing is left. Returns the copies that were written; *size is what was
 * read. */
static inline unsigned write_all(size_t *size)
{
    char text[CLIENT_READ_SIZE];
    unsigned count = 0;
    *size = client_read(text);
    while (!writer_is_empty(&writer)) {
        int written = writer_write(&writer, server);
        assert_true(written >= 0);
        count += (unsigned)written;
        *size += client_read(text);
    }
    return count;
}

static inline void tell(void)
{
    writer_tell(&writer, rig.link, SESSION);
}

static inline void expect_end(uint32_t count)
{
    const control_t *record = &router_expect(&rig.router, RECORD_END)->control;
    assert_int_equal(record->held.session, SESSION);
    assert_int_equal(record->held.count, count);
}

/* HOLD of the numbers from first to last, in one record. */
static inline void expect_hold(uint64_t first, uint64_t last, bool again)
{
    const control_t *record = &router_expect(&rig.router, RECORD_HOLD)->control;
    assert_int_equal(record->held.session, SESSION);
    assert_int_equal(record->held.again, again);
    assert_int_equal(record->held.handle, again ? 1 : ORIGIN);
    assert_int_equal(control_numbers_count(&record->held.numbers), last - first + 1);
    for (uint64_t number = first; number <= last; number++)
        assert_int_equal(control_numbers_at(&record->held.numbers, number - first), number);
}

static inline void expect_report_of(int error, uint64_t number, int reason)
{
    const body_report_t *report = &router_expect(&rig.router, RECORD_REPORT)->record.report;
    assert_int_equal(report->error, error);
    assert_int_equal(report->reason, reason);
    assert_int_equal(report->number, number);
    assert_int_equal(report->session, number + 1000);
    assert_true(link_id_equal(&report->origin, &origin->node));
    assert_true(span_equal(report->name, span_str("bob")));
}

static inline void expect_report(uint64_t number, int reason)
{
    expect_report_of(FERRY_ERROR_UNDELIVERED, number, reason);
}

/* Nothing was told to the broker: an END that is, is the next thing that it hears. */
static inline void expect_nothing_told(void)
{
    link_end(rig.link, SESSION, 4711);
    expect_end(4711);
}

static inline uint64_t acknowledge(void)
{
    return writer_acknowledge(&writer, rig.link, server);
}

static inline writer_loss_t loss_of(int reason)
{
    return (writer_loss_t){.link = rig.link, .session = SESSION, .name = span_str("bob"), .reason = reason};
}

static inline unsigned give_back(int reason)
{
    writer_loss_t loss = loss_of(reason);
    return writer_return(&writer, &loss);
}

static inline unsigned doubt(int reason)
{
    writer_loss_t loss = loss_of(reason);
    acknowledge();
    return writer_doubt(&writer, &loss);
}

/* The connection is lost. Returns the copies that were returned, which are all that had not ended. */
static inline unsigned lose(int reason)
{
    writer_loss_t loss = loss_of(reason);
    assert_int_equal(doubt(reason), 0);
    return writer_lose(&writer, &loss);
}

#define WRITER_TEST(function) cmocka_unit_test_setup_teardown(function, writer_open, writer_close)

#endif
