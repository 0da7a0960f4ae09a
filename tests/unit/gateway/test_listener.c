/* SPDX-License-Identifier: MPL-2.0 */
/* A listener actor; the test is its main thread and its workers. */
#include "lib/test.h"

#include <arpa/inet.h>
#include <czmq.h>
#include <errno.h>
#include <jansson.h>

#include "base/handover.h"
#include "base/log.h"
#include "gateway/handoff.h"
#include "gateway/listener.h"
#include "lib/client.h"
#include "lib/deadline.h"
#include "lib/stream_socket.h"
#include "wire/error.h"

enum { WORKERS = 3, ENDPOINT_MAX = 128 };

static config_t *config;
static listener_args_t args;
static zactor_t *listener;
static zsock_t *workers[WORKERS]; /* the workers' ends of the pipes */
static zsock_t *outlets[WORKERS];
static char endpoint[ENDPOINT_MAX];

static void run_listener(zsock_t *pipe, void *arg)
{
    handover_acquire(arg);
    listener_actor(pipe, arg);
    handover_release(arg);
}

/* A word of the listener, and what follows it, for the caller to free. */
static char *expect_word(const char *word)
{
    char *got = NULL, *first = NULL;
    zsock_set_rcvtimeo(listener, deadline_left_ms(deadline_in(DEADLINE_USUAL_MS)));
    assert_int_not_equal(zstr_recvx(listener, &got, &first, NULL), -1);
    assert_string_equal(got, word);
    zstr_free(&got);
    return first;
}

static json_t *status(void)
{
    zstr_send(listener, "STATUS");
    char *text = expect_word("STATUS");
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    zstr_free(&text);
    return json;
}

static json_int_t counter(const char *key)
{
    json_t *json = status();
    json_int_t count = json_integer_value(json_object_get(json_object_get(json, "counters"), key));
    json_decref(json);
    return count;
}

/* Starts it with up to 8 options; the second signal of an actor says whether it could start. */
static int start(const char *const *options)
{
    const char *overrides[10] = {"gateway/listen=tcp://127.0.0.1:0"};
    size_t count = 1;
    zsys_init();
    zsys_handler_set(NULL);
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
    for (; options && *options; options++)
        overrides[count++] = *options;
    config = config_new(NULL, overrides, count, stderr);
    assert_non_null(config);
    for (size_t i = 0; i < WORKERS; i++)
        workers[i] = zsys_create_pipe(&outlets[i]);
    args = (listener_args_t){.config = config, .workers = outlets, .worker_count = WORKERS};
    handover_release(&args);
    listener = zactor_new(run_listener, &args);
    return zsock_wait(listener);
}

static void start_well(const char *const *options)
{
    assert_int_equal(start(options), 0);
    json_t *json = status();
    const char *text = json_string_value(json_array_get(json_object_get(json, "listening"), 0));
    snprintf(endpoint, sizeof endpoint, "%s", text);
    json_decref(json);
}

static int setup(void **state)
{
    (void)state;
    start_well(NULL);
    return 0;
}

static int teardown(void **state)
{
    zactor_destroy(&listener);
    handover_acquire(&args);
    for (size_t i = 0; i < WORKERS; i++)
        zsock_destroy(&workers[i]);
    config_destroy(&config);
    return test_clear(state);
}

/* What the next handoff to that worker is; waits for it. The descriptor is the caller's. */
static handoff_t expect_handoff(size_t worker)
{
    handoff_t handoff;
    zmq_pollitem_t item = {.socket = zsock_resolve(workers[worker]), .events = ZMQ_POLLIN};
    assert_int_equal(zmq_poll(&item, 1, deadline_left_ms(deadline_in(DEADLINE_USUAL_MS))), 1);
    assert_int_equal(handover_receive_bytes(item.socket, &handoff, sizeof handoff, 0), 0);
    return handoff;
}

/* That session has ended at its worker. */
static void forget(size_t worker, const handoff_t *handoff)
{
    close(handoff->fd);
    handover_send_bytes(zsock_resolve(workers[worker]), handoff, sizeof *handoff, 0);
}

static void a_client_is_handed_over_with_its_address(void **state)
{
    (void)state;
    client_t *client = client_connect(endpoint);
    handoff_t handoff = expect_handoff(0);
    assert_int_equal(handoff.error, 0);
    assert_memory_equal(handoff.address, "127.0.0.1:", 10);
    assert_int_equal(write(handoff.fd, "hello\n", 6), 6);
    client_expect(client, "hello");
    char byte;
    assert_int_equal(read(handoff.fd, &byte, 1), -1);
    assert_int_equal(errno, EAGAIN);
    close(handoff.fd);
    assert_int_equal(counter("connections_accepted"), 1);
}

static void the_worker_with_the_fewest_sessions_is_next(void **state)
{
    (void)state;
    handoff_t handoffs[WORKERS];
    for (size_t i = 0; i < WORKERS; i++) {
        client_connect(endpoint);
        handoffs[i] = expect_handoff(i);
    }
    forget(1, &handoffs[1]);
    json_decref(status()); /* by then it knows */
    client_connect(endpoint);
    handoffs[1] = expect_handoff(1);
    client_connect(endpoint);
    handoff_t more = expect_handoff(0);
    close(more.fd);
    for (size_t i = 0; i < WORKERS; i++)
        close(handoffs[i].fd);
}

static void clients_over_the_limit_are_handed_over_with_an_error(void **state)
{
    (void)state;
    start_well((const char *const[]){"gateway/max_sessions=2", NULL});
    handoff_t handoffs[3];
    for (size_t i = 0; i < 3; i++) {
        client_connect(endpoint);
        handoffs[i] = expect_handoff(i);
        assert_int_equal(handoffs[i].error, i < 2 ? 0 : FERRY_ERROR_TOO_MANY_SESSIONS);
    }
    assert_int_equal(counter("connections_refused"), 1);
    forget(0, &handoffs[0]);
    forget(2, &handoffs[2]);
    json_decref(status());
    client_connect(endpoint);
    handoff_t handoff = expect_handoff(0);
    assert_int_equal(handoff.error, 0);
    close(handoff.fd);
    close(handoffs[1].fd);
}

static void an_address_has_a_limit_of_its_own(void **state)
{
    (void)state;
    start_well((const char *const[]){"gateway/max_sessions_per_address=1", "gateway/listen=tcp://127.0.0.1:0",
        "gateway/listen=tcp://[::1]:0", NULL});
    json_t *json = status();
    char second[ENDPOINT_MAX];
    snprintf(second, sizeof second, "%s", json_string_value(json_array_get(json_object_get(json, "listening"), 2)));
    json_decref(json);
    client_connect(endpoint);
    handoff_t first = expect_handoff(0);
    assert_int_equal(first.error, 0);
    client_connect(endpoint);
    handoff_t refused = expect_handoff(1);
    assert_int_equal(refused.error, FERRY_ERROR_TOO_MANY_SESSIONS);
    client_connect(second);
    handoff_t other = expect_handoff(2);
    assert_int_equal(other.error, 0);
    assert_memory_equal(other.address, "[::1]:", 6);
    close(first.fd);
    close(refused.fd);
    close(other.fd);
}

static void logins_are_taken_at_the_rate(void **state)
{
    (void)state;
    enum { RATE = 20, MANY = 40 };
    start_well((const char *const[]){"gateway/login_rate=20", NULL});
    int64_t start_ms = deadline_now_ms();
    for (unsigned i = 0; i < MANY; i++)
        client_connect(endpoint);
    for (unsigned i = 0; i < MANY; i++) {
        handoff_t handoff = expect_handoff(i % WORKERS);
        assert_int_equal(handoff.error, 0);
        close(handoff.fd);
    }
    /* A second's worth at once, and the others at the rate. */
    assert_true(deadline_now_ms() - start_ms >= (MANY - RATE - 1) * 1000 / RATE);
}

static void a_drain_takes_what_is_queued_and_closes_the_door(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++)
        client_connect(endpoint);
    zstr_sendx(listener, "DRAIN", "60000", NULL);
    char *lost = expect_word("DRAINED");
    assert_string_equal(lost, "0");
    zstr_free(&lost);
    for (unsigned i = 0; i < 10; i++)
        close(expect_handoff(i % WORKERS).fd);
    int fd = stream_socket_connect(endpoint, 0, 0);
    assert_int_equal(fd < 0 ? fd : stream_socket_wait(fd, deadline_in(DEADLINE_USUAL_MS)), -ECONNREFUSED);
    if (fd >= 0)
        close(fd);
    json_t *json = status();
    assert_true(json_is_false(json_object_get(json, "accepting")));
    json_decref(json);
}

static void a_port_that_is_in_use_is_told(void **state)
{
    (void)state;
    char in_use[ENDPOINT_MAX];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    snprintf(in_use, sizeof in_use, "gateway/listen=tcp://127.0.0.1:%d", ntohs(address.sin_port));
    assert_int_equal(start((const char *const[]){in_use, NULL}), 1);
    close(fd);
}

#define LISTENER_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        LISTENER_TEST(a_client_is_handed_over_with_its_address),
        LISTENER_TEST(the_worker_with_the_fewest_sessions_is_next),
        cmocka_unit_test_teardown(clients_over_the_limit_are_handed_over_with_an_error, teardown),
        cmocka_unit_test_teardown(an_address_has_a_limit_of_its_own, teardown),
        cmocka_unit_test_teardown(logins_are_taken_at_the_rate, teardown),
        LISTENER_TEST(a_drain_takes_what_is_queued_and_closes_the_door),
        cmocka_unit_test_teardown(a_port_that_is_in_use_is_told, teardown),
    };
    return TEST_RUN(tests);
}
