/* SPDX-License-Identifier: MPL-2.0 */
/* A client is lost with messages in its kernel, in the gateway's kernel and in the gateway: every copy ends once, and
 * none is delivered that its kernel does not have. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/http.h"
#include "lib/packets.h"
#include "lib/process.h"
#include "lib/server.h"
#include "lib/stream_socket.h"
#include "lib/test.h"

/* More than the kernels hold, and nobody is paused for it. */
#define MANY_OPTIONS "-s", "gateway/workers=2", "-s", "gateway/send_buffer=64KiB", "-s", "gateway/high_mark=16MiB"
enum { MANY = 1000, TEXT_SIZE = 1000, FEW = 5 };

typedef struct {
    unsigned delivered, returned, unconfirmed, refused;
} ends_t;

static json_int_t ledger_of(json_t *status, const char *path)
{
    json_t *value = json_at(status, path);
    return value ? json_integer_value(value) : 0;
}

/* Waits until nothing is pending, and reads how the sender's messages to the deaf one, lost for that reason, have
 * ended: what the ledger does not call delivered must be told, once, and told as what the ledger calls it. */
static ends_t read_ends(server_t *server, client_t *sender, unsigned count, const char *reason)
{
    ends_t ends = {0};
    char returned[80], unconfirmed[80], path[80];
    snprintf(returned, sizeof returned, "error undelivered deaf %s", reason);
    snprintf(unconfirmed, sizeof unconfirmed, "error unconfirmed deaf %s", reason);
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (http_number(server_admin(server), "/status", "ledger.pending") != 0)
        assert_false(deadline_passed(deadline));
    json_t *status = http_json(server_admin(server), "/status");
    assert_int_equal(ledger_of(status, "ledger.balance"), 0);
    ends.delivered = (unsigned)ledger_of(status, "ledger.delivered");
    assert_true(ends.delivered <= count);
    for (unsigned i = ends.delivered; i < count; i++) {
        const char *line = client_read(sender);
        ends.returned += strcmp(line, returned) == 0;
        ends.unconfirmed += strcmp(line, unconfirmed) == 0;
        ends.refused += strcmp(line, "error no-such-peer deaf") == 0;
        if (ends.delivered + ends.returned + ends.unconfirmed + ends.refused != i + 1)
            fail_msg("the sender reads `%s`", line);
    }
    client_barrier(sender);
    snprintf(path, sizeof path, "ledger.returned.%s", reason);
    assert_int_equal(ledger_of(status, path), ends.returned);
    snprintf(path, sizeof path, "ledger.unconfirmed.%s", reason);
    assert_int_equal(ledger_of(status, path), ends.unconfirmed);
    json_decref(status);
    return ends;
}

/* A client with little room that says its name. */
static client_t *deaf_login(server_t *server, int *fd)
{
    *fd = stream_socket_connect(server_gateway(server), 4096, 0);
    assert_true(*fd >= 0);
    assert_int_equal(stream_socket_wait(*fd, deadline_in(DEADLINE_USUAL_MS)), 0);
    client_t *deaf = client_adopt(*fd);
    client_send(deaf, "deaf");
    client_barrier(deaf);
    return deaf;
}

static client_t *send_numbered(server_t *server, unsigned count, int size)
{
    client_t *sender = client_login(server_gateway(server), "sender");
    for (unsigned i = 0; i < count; i++)
        client_sendf(sender, "deaf: %0*u", size, i);
    client_barrier(sender);
    return sender;
}

/* Waits until the client's connection takes no more: something waits in the gateway for it. */
static void wait_clogged(server_t *server)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (http_number(server_admin(server), "/status", "ledger.pending") < MANY / 2)
        assert_false(deadline_passed(deadline));
}

static void check_mixed(ends_t ends)
{
    assert_true(ends.delivered > 0);
    assert_true(ends.returned > 0);
    assert_true(ends.unconfirmed > 0);
}

static void a_client_that_resets_its_connection_leaves_no_copy_unaccounted(void **state)
{
    (void)state;
    int fd;
    server_t *server = server_start("all", MANY_OPTIONS, NULL);
    client_t *deaf = deaf_login(server, &fd);
    client_t *sender = send_numbered(server, MANY, TEXT_SIZE);
    wait_clogged(server);
    client_reset(&deaf);
    check_mixed(read_ends(server, sender, MANY, "gone"));
    server_stop(&server);
}

/* What its kernel has, and what it may still get, can be read after the gateway has closed the connection. */
static void a_client_that_is_closed_as_stalled_has_all_that_is_called_delivered(void **state)
{
    (void)state;
    int fd;
    char number[TEXT_SIZE + 1];
    server_t *server = server_start("all", MANY_OPTIONS, "-s", "gateway/stall_time=1s", NULL);
    client_t *deaf = deaf_login(server, &fd);
    client_t *sender = send_numbered(server, MANY, TEXT_SIZE);
    ends_t ends = read_ends(server, sender, MANY, "stalled");
    check_mixed(ends);
    for (unsigned i = 0; i < ends.delivered; i++) {
        snprintf(number, sizeof number, "%0*u", TEXT_SIZE, i);
        client_expectf(deaf, "from sender: %s", number);
    }
    assert_true(client_count_to_end(deaf, "from sender: ") <= ends.unconfirmed);
    server_stop(&server);
}

static unsigned count_lines(process_t *process)
{
    char *output = process_output(process);
    unsigned count = 0;
    for (const char *at = output; (at = strchr(at, '\n')); at++)
        count++;
    free(output);
    return count;
}

static void a_client_that_is_killed_leaves_no_copy_unaccounted(void **state)
{
    (void)state;
    server_t *server = server_start("all", MANY_OPTIONS, NULL);
    process_t *deaf = process_run("ferry", "listen", "-g", server_gateway(server), "deaf", NULL);
    client_t *sender = client_login(server_gateway(server), "sender");
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (http_number(server_admin(server), "/status", "names") < 2)
        assert_false(deadline_passed(deadline));
    client_send(sender, "deaf: hello");
    process_wait_output(deaf, "hello", DEADLINE_USUAL_MS);
    process_signal(deaf, SIGSTOP);
    enum { FLOOD = 12 * MANY };
    for (unsigned i = 1; i < FLOOD; i++)
        client_sendf(sender, "deaf: %0*u", TEXT_SIZE, i);
    client_barrier(sender);
    wait_clogged(server);
    process_signal(deaf, SIGKILL);
    process_wait_exit(deaf, DEADLINE_USUAL_MS);
    ends_t ends = read_ends(server, sender, FLOOD, "gone");
    check_mixed(ends);
    assert_true(ends.delivered >= count_lines(deaf));
    server_stop(&server);
}

/* The port of this end of the connection. */
/* Drops what comes for that client, and for no other connection that happens to have its port. */
static void drop_for(int fd)
{
    struct sockaddr_in ours, theirs;
    socklen_t size = sizeof ours;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&ours, &size), 0);
    assert_int_equal(getpeername(fd, (struct sockaddr *)&theirs, &size), 0);
    packets_rule("tcp sport %u tcp dport %u drop", ntohs(theirs.sin_port), ntohs(ours.sin_port));
}

static bool may_drop(void)
{
    const char *lack = packets_lack();
    if (lack)
        print_message("SKIP: %s\n", lack);
    return !lack;
}

static void wait_written(server_t *server)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (http_number(server_admin(server), "/status", "ledger.pending") != FEW)
        assert_false(deadline_passed(deadline));
}

/* Messages to a client whose kernel hears nothing any more, though it can still speak. */
static client_t *send_unheard(server_t *server, client_t **deaf)
{
    int fd;
    *deaf = deaf_login(server, &fd);
    drop_for(fd);
    client_t *sender = send_numbered(server, FEW, 0);
    wait_written(server);
    return sender;
}

static void what_never_arrived_is_unconfirmed(void **state)
{
    (void)state;
    if (!may_drop())
        skip();
    client_t *deaf;
    server_t *server = server_start("all", NULL);
    client_t *sender = send_unheard(server, &deaf);
    client_reset(&deaf);
    ends_t ends = read_ends(server, sender, FEW, "gone");
    assert_int_equal(ends.unconfirmed, FEW);
    packets_allow();
    server_stop(&server);
}

static void an_orderly_end_waits_until_everything_has_arrived(void **state)
{
    (void)state;
    if (!may_drop())
        skip();
    client_t *deaf;
    server_t *server = server_start("all", "-s", "gateway/stall_time=60s", NULL);
    client_t *sender = send_unheard(server, &deaf);
    client_half_close(deaf);
    client_t *heir = client_login(server_gateway(server), "deaf");
    assert_int_equal(http_number(server_admin(server), "/status", "ledger.pending"), FEW);
    packets_allow();
    for (unsigned i = 0; i < FEW; i++)
        client_expectf(deaf, "from sender: %u", i);
    client_expect_eof(deaf);
    ends_t ends = read_ends(server, sender, FEW, "gone");
    assert_int_equal(ends.delivered, FEW);
    client_barrier(heir);
    server_stop(&server);
}

static void an_orderly_end_that_nobody_acknowledges_is_unconfirmed(void **state)
{
    (void)state;
    if (!may_drop())
        skip();
    client_t *deaf;
    server_t *server = server_start("all", "-s", "gateway/stall_time=1s", NULL);
    client_t *sender = send_unheard(server, &deaf);
    client_half_close(deaf);
    ends_t ends = read_ends(server, sender, FEW, "gone");
    assert_int_equal(ends.unconfirmed, FEW);
    packets_allow();
    server_stop(&server);
}

static void a_drain_says_what_never_arrived_before_it_ends(void **state)
{
    (void)state;
    if (!may_drop())
        skip();
    client_t *deaf;
    char option[200];
    server_t *broker = server_start("broker", NULL);
    snprintf(option, sizeof option, "gateway/broker=%s", server_broker(broker));
    server_t *drained = server_start("gateway", "-s", option, "-s", "drain/timeout=3s", NULL);
    server_t *other = server_start("gateway", "-s", option, NULL);
    int fd;
    deaf = deaf_login(drained, &fd);
    drop_for(fd);
    client_t *sender = send_numbered(other, FEW, 0);
    wait_written(drained);
    process_signal(server_process(drained), SIGTERM);
    process_expect_exit(server_process(drained), 0, 20000);
    for (unsigned i = 0; i < FEW; i++)
        client_expect(sender, "error unconfirmed deaf drained");
    assert_int_equal(server_ledger(drained, "unconfirmed"), FEW);
    assert_int_equal(server_ledger(drained, "delivered"), 0);
    assert_int_equal(server_ledger(drained, "balance"), 0);
    packets_allow();
    client_close(&deaf);
    server_stop(&other);
    server_stop(&broker);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_client_that_resets_its_connection_leaves_no_copy_unaccounted),
        TEST(a_client_that_is_closed_as_stalled_has_all_that_is_called_delivered),
        TEST(a_client_that_is_killed_leaves_no_copy_unaccounted),
        TEST(what_never_arrived_is_unconfirmed),
        TEST(an_orderly_end_waits_until_everything_has_arrived),
        TEST(an_orderly_end_that_nobody_acknowledges_is_unconfirmed),
        TEST(a_drain_says_what_never_arrived_before_it_ends),
    };
    return TEST_RUN(tests);
}
