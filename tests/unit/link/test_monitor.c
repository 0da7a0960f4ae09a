/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/test.h"

#include <arpa/inet.h>
#include <czmq.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "lib/deadline.h"
#include "link/monitor.h"

enum { PORT_FIRST = 20000, PORT_COUNT = 12000 };

typedef struct {
    reactor_t *reactor;
    uv_timer_t timer;
    void *dealer;
    monitor_t *monitor;
    int listener; /* a TCP socket that is no ZeroMQ */
    char endpoint[64];
    unsigned told;
    bool destroys; /* itself when it is told */
} rig_t;

static rig_t rig;

static void on_refused(void *arg)
{
    rig_t *self = arg;
    self->told++;
    if (self->destroys)
        monitor_destroy(&self->monitor);
}

static void on_turn(void *arg)
{
    (void)arg;
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
}

/* Binds the listener to a port below those that the kernel gives out by itself. */
static void rig_bind(void)
{
    rig.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(rig.listener >= 0);
    int rc = -1;
    for (int try = 0; rc != 0 && try < PORT_COUNT; try++) {
        int port = PORT_FIRST + (getpid() * 7 + try) % PORT_COUNT;
        struct sockaddr_in address = {
            .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        rc = bind(rig.listener, (struct sockaddr *)&address, sizeof address);
        snprintf(rig.endpoint, sizeof rig.endpoint, "tcp://127.0.0.1:%d", port);
    }
    assert_int_equal(rc, 0);
}

static int rig_open(void **state)
{
    (void)state;
    int never = -1, zero = 0;
    rig = (rig_t){0};
    zsys_init();
    zsys_handler_set(NULL);
    rig.reactor = reactor_new(on_turn, NULL);
    uv_timer_init(reactor_loop(rig.reactor), &rig.timer);
    uv_timer_start(&rig.timer, on_timer, 1, 1);
    rig.dealer = zmq_socket(zsys_init(), ZMQ_DEALER);
    zmq_setsockopt(rig.dealer, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(rig.dealer, ZMQ_RECONNECT_IVL, &never, sizeof never);
    rig.monitor = monitor_new(rig.reactor, rig.dealer, on_refused, &rig);
    assert_non_null(rig.monitor);
    rig_bind();
    return 0;
}

static int rig_close(void **state)
{
    (void)state;
    monitor_destroy(&rig.monitor);
    assert_null(rig.monitor);
    zmq_close(rig.dealer);
    uv_close((uv_handle_t *)&rig.timer, NULL);
    reactor_destroy(&rig.reactor);
    close(rig.listener);
    return 0;
}

static void rig_wait_told(void)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (rig.told == 0 && !deadline_passed(deadline))
        uv_run(reactor_loop(rig.reactor), UV_RUN_ONCE);
    assert_int_equal(rig.told, 1);
}

static void a_port_without_listener_is_told(void **state)
{
    (void)state;
    assert_int_equal(zmq_connect(rig.dealer, rig.endpoint), 0);
    rig_wait_told();
}

static void a_connection_that_is_cut_before_it_is_ready_is_told(void **state)
{
    (void)state;
    assert_int_equal(listen(rig.listener, 1), 0);
    assert_int_equal(zmq_connect(rig.dealer, rig.endpoint), 0);
    int fd = -1;
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (fd < 0 && !deadline_passed(deadline)) {
        uv_run(reactor_loop(rig.reactor), UV_RUN_ONCE);
        fd = accept(rig.listener, NULL, NULL);
    }
    assert_true(fd >= 0);
    assert_int_equal(rig.told, 0);
    close(fd);
    rig_wait_told();
}

static void it_is_told_once(void **state)
{
    (void)state;
    assert_int_equal(zmq_connect(rig.dealer, rig.endpoint), 0);
    rig_wait_told();
    assert_int_equal(zmq_connect(rig.dealer, rig.endpoint), 0);
    for (unsigned i = 0; i < 50; i++)
        uv_run(reactor_loop(rig.reactor), UV_RUN_ONCE);
    assert_int_equal(rig.told, 1);
}

static void it_may_be_destroyed_when_it_tells(void **state)
{
    (void)state;
    rig.destroys = true;
    assert_int_equal(zmq_connect(rig.dealer, rig.endpoint), 0);
    rig_wait_told();
    assert_null(rig.monitor);
}

static void a_connection_that_stands_is_not_told(void **state)
{
    (void)state;
    char endpoint[64];
    size_t size = sizeof endpoint;
    int zero = 0;
    void *router = zmq_socket(zsys_init(), ZMQ_ROUTER);
    zmq_setsockopt(router, ZMQ_LINGER, &zero, sizeof zero);
    close(rig.listener);
    assert_int_equal(zmq_bind(router, rig.endpoint), 0);
    assert_int_equal(zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    assert_int_equal(zmq_connect(rig.dealer, endpoint), 0);
    assert_int_equal(zmq_send(rig.dealer, "x", 1, 0), 1);
    zmq_pollitem_t item = {.socket = router, .events = ZMQ_POLLIN};
    assert_int_equal(zmq_poll(&item, 1, deadline_left_ms(deadline_in(DEADLINE_USUAL_MS))), 1);
    uv_run(reactor_loop(rig.reactor), UV_RUN_ONCE);
    assert_int_equal(rig.told, 0);
    zmq_close(router);
    rig.listener = -1;
}

#define RIG_TEST(function) cmocka_unit_test_setup_teardown(function, rig_open, rig_close)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RIG_TEST(a_port_without_listener_is_told),
        RIG_TEST(a_connection_that_is_cut_before_it_is_ready_is_told),
        RIG_TEST(it_is_told_once),
        RIG_TEST(it_may_be_destroyed_when_it_tells),
        RIG_TEST(a_connection_that_stands_is_not_told),
    };
    return TEST_RUN(tests);
}
