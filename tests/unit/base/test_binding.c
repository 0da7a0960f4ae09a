/* SPDX-License-Identifier: MPL-2.0 */
/* binding: one ROUTER and the endpoints that it gets; broker/test_listen.c has the rest of what may happen. */
#include "lib/test.h"

#include <czmq.h>

#include "base/binding.h"
#include "base/log.h"

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
    };
    return cmocka_run_group_tests(tests, NULL, group_teardown);
}
