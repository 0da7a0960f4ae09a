/* SPDX-License-Identifier: MPL-2.0 */
/* worker_rig: a real worker actor; the test is its main thread, its listener, its broker ("main") and its clients.
 * Include it once in a test program. */
#ifndef FERRY_TESTS_WORKER_RIG_H
#define FERRY_TESTS_WORKER_RIG_H

#include "lib/test.h"

#include <czmq.h>
#include <linux/sockios.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/handover.h"
#include "base/log.h"
#include "gateway/worker.h"
#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/router.h"
#include "wire/reason.h"

enum { ORIGIN = 2 }; /* the handle under which the broker knows another node */

static config_t *config;
static brokers_t *brokers;
static worker_args_t args;
static budget_t budget;
static zactor_t *worker;
static zsock_t *door; /* the listener's end of its pipe to the worker */
static router_t router;
static int client_fd; /* of the last client; the client's own */

static inline void run_worker(zsock_t *pipe, void *arg)
{
    handover_acquire(arg);
    worker_actor(pipe, arg);
    handover_release(arg);
}

/* Starts the worker with up to 12 options on top of what suits tests: long timeouts, so that only a test that wants one
 * meets it. The link is not up yet. */
static inline void worker_start(const char *const *options)
{
    char broker[ROUTER_ENDPOINT_SIZE + 32];
    signal(SIGPIPE, SIG_IGN);
    zsys_init();
    zsys_handler_set(NULL);
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
    router_open(&router, "tcp://127.0.0.1:*");
    snprintf(broker, sizeof broker, "gateway/broker=main=%s", router.endpoint);
    const char *overrides[16] = {broker, "gateway/login_timeout=60s", "link/backoff_max=20ms"};
    size_t count = 3;
    for (; options && *options; options++)
        overrides[count++] = *options;
    config = config_new(NULL, overrides, count, stderr);
    assert_non_null(config);
    brokers = brokers_new(config, NULL);
    budget_init(&budget, (size_t)config_number(config, "gateway/memory"));
    args = (worker_args_t){.config = config, .brokers = brokers, .budget = &budget};
    door = zsys_create_pipe(&args.listener);
    handover_release(&args);
    worker = zactor_new(run_worker, &args);
    assert_non_null(worker);
    assert_int_equal(zsock_wait(worker), 0);
}

static inline int setup_greeting(void **state)
{
    (void)state;
    worker_start(NULL);
    return 0;
}

/* The link is up, and the broker has told of another node. */
static inline int setup(void **state)
{
    setup_greeting(state);
    router_join(&router);
    router_put(&router, &(control_t){.type = RECORD_ORIGIN, .origin.handle = ORIGIN});
    router_flush(&router);
    return 0;
}

static inline int teardown(void **state)
{
    zactor_destroy(&worker);
    handover_acquire(&args);
    test_clear(state);
    zsock_destroy(&door);
    router_close(&router);
    brokers_destroy(&brokers);
    config_destroy(&config);
    return 0;
}

/* A client whose connection the worker gets. */
static inline client_t *client_new(void)
{
    int pair[2];
    handoff_t handoff = {.address = "unix"};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    handoff.fd = pair[0];
    assert_int_equal(handover_send_bytes(zsock_resolve(door), &handoff, sizeof handoff, 0), 0);
    client_fd = pair[1];
    return client_adopt(pair[1]);
}

/* The worker tells the listener that a session has ended. */
static inline void expect_forgotten(void)
{
    handoff_t handoff;
    zmq_pollitem_t item = {.socket = zsock_resolve(door), .events = ZMQ_POLLIN};
    assert_int_equal(zmq_poll(&item, 1, deadline_left_ms(deadline_in(DEADLINE_USUAL_MS))), 1);
    assert_int_equal(handover_receive_bytes(zsock_resolve(door), &handoff, sizeof handoff, 0), 0);
    assert_string_equal(handoff.address, "unix");
}

/* The broker is asked for that name. Returns the session. */
static inline uint64_t expect_register(const char *name, bool again)
{
    const router_event_t *event = router_expect(&router, RECORD_REGISTER);
    assert_true(span_equal(event->control.name.name, span_str(name)));
    assert_int_equal(event->control.name.again, again);
    return event->control.name.session;
}

static inline void answer(record_type_t type, uint64_t session)
{
    router_put_session(&router, type, session);
    router_flush(&router);
}

/* A client that says its name first. */
static inline client_t *client_open(const char *name, uint64_t *session)
{
    client_t *client = client_new();
    client_send(client, name);
    *session = expect_register(name, false);
    answer(RECORD_CONFIRMED, *session);
    client_barrier(client);
    return client;
}

static inline void deliver(uint64_t number, uint64_t session, const char *text)
{
    router_put_run(&router, ORIGIN);
    router_put_copy(&router, number, &session, 1, "eve", text);
    router_flush(&router);
}

static inline void answer_taken(uint64_t below)
{
    router_put_taken(&router, below);
    router_flush(&router);
}

static inline void expect_leaving(uint64_t session)
{
    assert_int_equal(router_expect(&router, RECORD_LEAVING)->control.name.session, session);
}

static inline void start_joined(const char *const *options)
{
    worker_start(options);
    router_join(&router);
    router_put(&router, &(control_t){.type = RECORD_ORIGIN, .origin.handle = ORIGIN});
    router_flush(&router);
}

/* What makes a client slow: a socket that takes little, and marks that are soon reached. */
static inline int setup_slow(void **state)
{
    (void)state;
    start_joined(
        (const char *const[]){"gateway/high_mark=64KiB", "gateway/low_mark=16KiB", "gateway/send_buffer=4KiB", NULL});
    return 0;
}

/* So many copies of a kilobyte each, in one batch, from message `first` on. */
static inline void deliver_many(uint64_t first, unsigned count, uint64_t session)
{
    char text[1001];
    memset(text, 'x', 1000);
    text[1000] = '\0';
    router_put_run(&router, ORIGIN);
    for (unsigned i = 0; i < count; i++)
        router_put_copy(&router, first + i, &session, 1, "eve", text);
    router_flush(&router);
}

static inline void expect_report(uint64_t number, const char *name, int reason)
{
    const body_report_t *report = &router_wait(&router, RECORD_REPORT)->record.report;
    assert_int_equal(report->number, number);
    assert_int_equal(report->error, FERRY_ERROR_UNDELIVERED);
    assert_int_equal(report->reason, reason);
    assert_true(span_equal(report->name, span_str(name)));
}

/* The worker's next word to main must be this; others that are given out too are returned, for the caller to free. */
static inline void expect_word(const char *word, char **first, char **second)
{
    char *got = NULL;
    zsock_set_rcvtimeo(worker, deadline_left_ms(deadline_in(DEADLINE_USUAL_MS)));
    assert_int_not_equal(zstr_recvx(worker, &got, first, second, NULL), -1);
    assert_string_equal(got, word);
    zstr_free(&got);
}

/* The worker's report, for the caller to free; READY is passed over. */
static inline json_t *worker_report(void)
{
    char *word = NULL, *text = NULL;
    zstr_send(worker, "STATUS");
    zsock_set_rcvtimeo(worker, deadline_left_ms(deadline_in(DEADLINE_USUAL_MS)));
    do {
        zstr_free(&word);
        zstr_free(&text);
        assert_int_not_equal(zstr_recvx(worker, &word, &text, NULL), -1);
    } while (streq(word, "READY"));
    assert_string_equal(word, "STATUS");
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    zstr_free(&word);
    zstr_free(&text);
    return json;
}

/* A number of the worker's ledger: "delivered", or "returned" with a reason. */
static inline json_int_t ledger_count(const char *key, const char *reason)
{
    json_t *report = worker_report();
    json_t *json = json_object_get(json_object_get(report, "ledger"), key);
    json_int_t count = json_integer_value(reason ? json_object_get(json, reason) : json);
    json_decref(report);
    return count;
}

static inline void check_balance(void)
{
    assert_int_equal(ledger_count("balance", NULL), 0);
}

/* Waits until the worker has read what was written to that descriptor. */
static inline void wait_taken(int fd)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    int left;
    do {
        assert_false(deadline_passed(deadline));
        json_decref(worker_report()); /* a turn */
        assert_int_equal(ioctl(fd, SIOCOUTQ, &left), 0);
    } while (left > 0);
}

#endif
