/* SPDX-License-Identifier: MPL-2.0 */
/* binding: one ROUTER and the endpoints that it gets; broker/test_listen.c has the rest of what may happen. */
#include "lib/test.h"

#include <czmq.h>

#include "base/binding.h"
#include "base/log.h"
#include "lib/client.h"
#include "lib/deadline.h"

static void a_router_listens_for_its_role_at_a_port_of_its_own(void **state)
{
    (void)state;
    void *first = zmq_socket(zsys_init(), ZMQ_ROUTER), *second = zmq_socket(zsys_init(), ZMQ_ROUTER);
    json_t *listening = json_array();
    binding_prepare(first, 4096);
    binding_prepare(second, 4096);
    assert_int_equal(binding_open(first, "peers", "tcp://127.0.0.1:0", listening), 0);
    assert_int_equal(binding_open(second, "peers", json_string_value(json_array_get(listening, 0)), listening), -1);
    assert_int_equal(binding_open(second, "peers", "nonsense", listening), -1);
    assert_int_equal(json_array_size(listening), 1);
    zmq_close(first);
    zmq_close(second);
    json_decref(listening);
}

static void no_frame_may_be_larger_than_was_said(void **state)
{
    (void)state;
    void *router = zmq_socket(zsys_init(), ZMQ_ROUTER);
    binding_prepare(router, 5000);
    int64_t size = 0;
    size_t size_size = sizeof size;
    assert_int_equal(zmq_getsockopt(router, ZMQ_MAXMSGSIZE, &size, &size_size), 0);
    assert_int_equal(size, 5000);
    zmq_close(router);
}

/* A ROUTER that listens at a port of its own, which `endpoint` names. Owner: caller. */
static void *open_router(char endpoint[static 64])
{
    void *router = zmq_socket(zsys_init(), ZMQ_ROUTER);
    json_t *listening = json_array();
    binding_prepare(router, 4096);
    assert_int_equal(binding_open(router, "peers", "tcp://127.0.0.1:0", listening), 0);
    snprintf(endpoint, 64, "%s", json_string_value(json_array_get(listening, 0)));
    json_decref(listening);
    return router;
}

/* What a DEALER without routing id says before its first message "x", as ZMTP 1.0, 1.1 and 2.0 have it. */
static const struct {
    const char *bytes;
    size_t size;
} old_peers[] = {
    {"\1\0\2\0x", 5},
    {"\xFF\0\0\0\0\0\0\0\1\x7F\0\5\1\0\2\0x", 17},
    {"\xFF\0\0\0\0\0\0\0\1\x7F\1\5\0\0\0\1x", 17},
};
enum { OLD_PEERS = sizeof old_peers / sizeof *old_peers };

static void no_peer_of_zmtp_1_or_2_is_heard(void **state)
{
    (void)state;
    char endpoint[64], first[4];
    void *router = open_router(endpoint);
    for (int i = 0; i < OLD_PEERS; i++) {
        client_t *old = client_connect(endpoint);
        client_send_bytes(old, old_peers[i].bytes, old_peers[i].size);
        client_count_to_end(old, "");
        client_close(&old);
    }
    void *dealer = zmq_socket(zsys_init(), ZMQ_DEALER);
    assert_int_equal(zmq_connect(dealer, endpoint), 0);
    assert_int_equal(zmq_send(dealer, "new", 3, 0), 3);
    int timeout_ms = DEADLINE_USUAL_MS;
    zmq_setsockopt(router, ZMQ_RCVTIMEO, &timeout_ms, sizeof timeout_ms);
    assert_true(zmq_recv(router, NULL, 0, 0) > 0);
    assert_int_equal(zmq_recv(router, first, sizeof first, 0), 3);
    assert_memory_equal(first, "new", 3);
    zmq_close(dealer);
    zmq_close(router);
}

/* N.B. libzmq 4.3.4 aborts in one of three of these closes if it lets peers of ZMTP 1.0 in. */
static void a_close_amid_old_handshakes_aborts_nothing(void **state)
{
    (void)state;
    enum { CLOSES = 30, CLIENTS = 100 };
    for (int i = 0; i < CLOSES; i++) {
        char endpoint[64];
        client_t *clients[CLIENTS];
        void *router = open_router(endpoint);
        for (int k = 0; k < CLIENTS; k++) {
            clients[k] = client_connect(endpoint);
            client_try_send(clients[k], "\5", 2);
        }
        for (int k = 0; k < CLIENTS; k++) {
            if (k == i * CLIENTS / CLOSES)
                zmq_close(router);
            client_try_send(clients[k], "peer", 4);
        }
        for (int k = 0; k < CLIENTS; k++)
            client_close(&clients[k]);
    }
}

static int group_teardown(void **state)
{
    (void)state;
    zsys_shutdown();
    return 0;
}

int main(void)
{
    log_setup(LOG_LEVEL_ERROR + 1, LOG_FORMAT_LOGFMT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_router_listens_for_its_role_at_a_port_of_its_own),
        cmocka_unit_test(no_frame_may_be_larger_than_was_said),
        cmocka_unit_test(no_peer_of_zmtp_1_or_2_is_heard),
        cmocka_unit_test(a_close_amid_old_handshakes_aborts_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, group_teardown);
}
