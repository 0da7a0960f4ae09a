/* SPDX-License-Identifier: MPL-2.0 */
#include "lib/folder.h"
#include "lib/test.h"

#include <czmq.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "base/log.h"
#include "broker/listen.h"

static void *router;
static json_t *listening;
static config_t *config;

static int setup(void **state)
{
    (void)state;
    router = zmq_socket(zsys_init(), ZMQ_ROUTER);
    listening = json_array();
    listen_prepare(router, 4096);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    listen_release(router, "main");
    zmq_close(router);
    json_decref(listening);
    config_destroy(&config);
    folder_remove_all();
    return 0;
}

static int bind_to(const char *const *options, size_t count)
{
    config = config_new(NULL, options, count, stderr);
    assert_non_null(config);
    return listen_bind(router, config, "main", listening);
}

static const char *bound(size_t index)
{
    return json_string_value(json_array_get(listening, index));
}

static void port_0_becomes_a_free_port_that_clients_do_not_get(void **state)
{
    (void)state;
    const char *const options[] = {
        "broker/listen=tcp://127.0.0.1:0", "broker/listen=tcp://127.0.0.1:0", "broker/listen=tcp://[::1]:0"};
    assert_int_equal(bind_to(options, 3), 0);
    assert_int_equal(json_array_size(listening), 4);
    assert_string_equal(bound(0), "inproc://ferrymq-broker-main");
    assert_string_not_equal(bound(1), bound(2));
    for (size_t i = 1; i < 4; i++) {
        endpoint_t endpoint;
        const char *reason;
        assert_int_equal(endpoint_parse(&endpoint, bound(i), &reason), 0);
        assert_in_range(endpoint_port(&endpoint), 1024, 32767);
    }
}

/* Another broker cannot listen where this one does. */
static void refuse_another(const char *endpoint)
{
    void *other = zmq_socket(zsys_init(), ZMQ_ROUTER);
    json_t *none = json_array();
    char override[128];
    snprintf(override, sizeof override, "broker/listen=%s", endpoint);
    const char *const taken[] = {override};
    config_t *second = config_new(NULL, taken, 1, stderr);
    log_setup(LOG_LEVEL_ERROR + 1, LOG_FORMAT_LOGFMT);
    assert_int_equal(listen_bind(other, second, "other", none), -1);
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
    assert_int_equal(json_array_size(none), 1);
    listen_release(other, "other");
    zmq_close(other);
    json_decref(none);
    config_destroy(&second);
}

static void an_address_in_use_is_refused(void **state)
{
    (void)state;
    const char *const options[] = {"broker/listen=tcp://127.0.0.1:0"};
    assert_int_equal(bind_to(options, 1), 0);
    refuse_another(bound(1));
}

static void the_socket_of_a_broker_that_lives_is_not_taken_from_it(void **state)
{
    (void)state;
    char option[160];
    snprintf(option, sizeof option, "broker/listen=ipc://%s/broker", folder_new());
    const char *const options[] = {option};
    assert_int_equal(bind_to(options, 1), 0);
    refuse_another(bound(1));
}

static void a_file_at_the_path_of_a_socket_is_left_alone(void **state)
{
    (void)state;
    char option[160];
    snprintf(option, sizeof option, "broker/listen=ipc://%s/broker", folder_new());
    const char *path = strstr(option, "://") + 3;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    log_setup(LOG_LEVEL_ERROR + 1, LOG_FORMAT_LOGFMT);
    const char *const options[] = {option};
    assert_int_equal(bind_to(options, 1), -1);
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
    assert_int_equal(access(path, F_OK), 0);
}

static void an_open_address_is_bound_when_the_configuration_allows_it(void **state)
{
    (void)state;
    const char *const options[] = {"broker/listen=tcp://0.0.0.0:0", "security/allow_plaintext=1"};
    assert_int_equal(bind_to(options, 2), 0);
    assert_int_equal(json_array_size(listening), 2);
}

static void options_of_a_link_are_set(void **state)
{
    (void)state;
    static const struct {
        int option, value;
    } expected[] = {{ZMQ_LINGER, 0}, {ZMQ_SNDHWM, 0}, {ZMQ_RCVHWM, 0}, {ZMQ_BACKLOG, 4096}, {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_HEARTBEAT_IVL, 0}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        int value = -2;
        size_t size = sizeof value;
        assert_int_equal(zmq_getsockopt(router, expected[i].option, &value, &size), 0);
        assert_int_equal(value, expected[i].value);
    }
    int64_t message_size = 0;
    size_t size = sizeof message_size;
    assert_int_equal(zmq_getsockopt(router, ZMQ_MAXMSGSIZE, &message_size, &size), 0);
    assert_int_equal(message_size, 4096 + LISTEN_MESSAGE_SLACK);
}

static int group_setup(void **state)
{
    (void)state;
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    zsys_shutdown();
    return 0;
}

#define LISTEN_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LISTEN_TEST(port_0_becomes_a_free_port_that_clients_do_not_get),
        LISTEN_TEST(an_address_in_use_is_refused),
        LISTEN_TEST(the_socket_of_a_broker_that_lives_is_not_taken_from_it),
        LISTEN_TEST(a_file_at_the_path_of_a_socket_is_left_alone),
        LISTEN_TEST(an_open_address_is_bound_when_the_configuration_allows_it),
        LISTEN_TEST(options_of_a_link_are_set),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
