/* SPDX-License-Identifier: MPL-2.0 */
#include "fixture.h"

/* Opens node a and sends this instead of its usual HELLO. */
static void say(dealer_t *dealer, const control_t *hello)
{
    dealer_put(dealer, hello);
    dealer_flush(dealer);
}

static void welcome_tells_what_the_node_must_know(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    const control_t welcome = dealer_greet(&a)->control;
    assert_false(welcome.welcome.resumed);
    assert_int_equal(welcome.welcome.window_size, config_number(config, "link/window"));
    assert_int_equal(welcome.welcome.batch_size, config_number(config, "link/batch"));
    assert_int_equal(welcome.welcome.heartbeat_ms, 20000);
    assert_int_equal(welcome.welcome.timeout_ms, 60000);
    assert_int_equal(welcome.welcome.nodes.size, 0);
    assert_true(welcome.welcome.handle > 0);
    dealer_open(&b, ENDPOINT, 0xb);
    const control_t second = dealer_greet(&b)->control;
    assert_true(link_id_equal(&second.welcome.instance, &welcome.welcome.instance));
    assert_true(second.welcome.handle != welcome.welcome.handle);
    assert_int_equal(second.welcome.nodes.size, LINK_ID_SIZE);
    assert_memory_equal(second.welcome.nodes.data, a.id.bytes, LINK_ID_SIZE);
}

static void each_start_of_a_broker_is_another_instance(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    link_id_t first = dealer_greet(&a)->control.welcome.instance;
    teardown(NULL);
    setup(NULL);
    dealer_open(&a, ENDPOINT, 0xa);
    assert_false(link_id_equal(&dealer_greet(&a)->control.welcome.instance, &first));
}

static void a_node_that_expects_another_broker_is_refused(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    control_t hello = dealer_hello(&a);
    hello.hello.broker = span_str("east");
    say(&a, &hello);
    dealer_expect_refused(&a, CLOSE_WRONG_BROKER);
    assert_int_equal(broker_number("counters.links_refused.reason.wrong-broker"), 1);
    assert_int_equal(broker_number("gauges.nodes"), 0);
}

static void a_node_with_another_list_of_brokers_is_refused_while_there_are_nodes(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    dealer_join(&a);
    dealer_open(&b, ENDPOINT, 0xb);
    control_t hello = dealer_hello(&b);
    hello.hello.digest.bytes[0] = 1;
    say(&b, &hello);
    dealer_expect_refused(&b, CLOSE_WRONG_BROKERS);
    dealer_put(&a, &(control_t){.type = RECORD_BYE, .number = 0});
    dealer_flush(&a);
    dealer_expect(&a, RECORD_BYE_OK);
    dealer_reopen(&b, ENDPOINT);
    say(&b, &hello);
    dealer_expect(&b, RECORD_WELCOME);
}

static void a_node_of_another_version_is_refused(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    control_t hello = dealer_hello(&a);
    buffer_t frame = {0};
    frame_header_put(buffer_reserve(&frame, FRAME_HEADER_SIZE), &(frame_header_t){.epoch = 1});
    buffer_commit(&frame, FRAME_HEADER_SIZE);
    control_put(&frame, &hello);
    frame.data[FRAME_HEADER_SIZE + 4] = LINK_VERSION + 1;
    dealer_send_raw(&a, (const void *const[]){frame.data}, (const size_t[]){buffer_size(&frame)}, 1);
    buffer_fini(&frame);
    dealer_expect_refused(&a, CLOSE_BAD_VERSION);
}

static void an_epoch_that_is_not_higher_is_refused_and_harms_nobody(void **state)
{
    (void)state;
    pair_open();
    dealer_open(&c, ENDPOINT, 0xa);
    control_t hello = dealer_hello(&c);
    say(&c, &hello);
    dealer_expect_refused(&c, CLOSE_OLD_EPOCH);
    alice_sends("bob", "still here");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "still here");
}

static void a_higher_epoch_replaces_the_link(void **state)
{
    (void)state;
    pair_open();
    dealer_open(&c, ENDPOINT, 0xa);
    c.header.epoch = 5;
    dealer_join(&c);
    alice_sends("bob", "from the old link");
    a.header.epoch = 1;
    dealer_expect_refused(&a, CLOSE_OLD_EPOCH);
    assert_int_equal(broker_number("counters.messages"), 0);
    assert_int_equal(broker_number("gauges.nodes"), 2);
}

static void a_second_hello_on_a_link_ends_it(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    dealer_join(&a);
    control_t hello = dealer_hello(&a);
    say(&a, &hello);
    dealer_expect_refused(&a, CLOSE_BAD_RECORD);
}

static void a_hello_must_come_alone(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    control_t hello = dealer_hello(&a);
    dealer_put(&a, &hello);
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    dealer_expect_refused(&a, CLOSE_BAD_RECORD);
    dealer_reopen(&a, ENDPOINT);
    hello = dealer_hello(&a);
    dealer_put(&a, &hello);
    alice_sends("bob", "too early");
    dealer_expect_refused(&a, CLOSE_UNKNOWN_LINK);
}

static void numbers_go_on_from_what_hello_says(void **state)
{
    (void)state;
    pair_open();
    dealer_open(&c, ENDPOINT, 0xc);
    c.number = 100;
    dealer_join(&c);
    dealer_put_message(&c, SESSION(1, 3), "carol", "bob", "hello");
    dealer_flush(&c);
    assert_int_equal(dealer_expect_copy(&b, SESSION(1, 2), "carol", "hello")->record.copy.number, 101);
    dealer_acknowledge(&b);
    dealer_expect_taken(&c, 102);
}

static void the_term_is_above_the_highest_that_a_node_has_seen(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    control_t hello = dealer_hello(&a);
    hello.hello.term = 41;
    say(&a, &hello);
    assert_int_equal(dealer_expect(&a, RECORD_WELCOME)->control.welcome.term, 42);
}

/* A node over tcp is like one over inproc. */
static void nodes_come_over_tcp_too(void **state)
{
    (void)state;
    json_t *status = broker_status();
    const char *endpoint = json_string_value(json_array_get(json_object_get(status, "listening"), 1));
    dealer_open(&a, endpoint, 0xa);
    json_decref(status);
    dealer_join(&a);
    dealer_login(&a, SESSION(1, 1), "alice");
    dealer_open(&b, ENDPOINT, 0xb);
    dealer_join(&b);
    dealer_put_message(&b, SESSION(1, 2), "bob", "alice", "across");
    dealer_flush(&b);
    dealer_expect_copy(&a, SESSION(1, 1), "bob", "across");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(welcome_tells_what_the_node_must_know),
        BROKER_TEST(each_start_of_a_broker_is_another_instance),
        BROKER_TEST(a_node_that_expects_another_broker_is_refused),
        BROKER_TEST(a_node_with_another_list_of_brokers_is_refused_while_there_are_nodes),
        BROKER_TEST(a_node_of_another_version_is_refused),
        BROKER_TEST(an_epoch_that_is_not_higher_is_refused_and_harms_nobody),
        BROKER_TEST(a_higher_epoch_replaces_the_link),
        BROKER_TEST(a_second_hello_on_a_link_ends_it),
        BROKER_TEST(a_hello_must_come_alone),
        BROKER_TEST(numbers_go_on_from_what_hello_says),
        BROKER_TEST(the_term_is_above_the_highest_that_a_node_has_seen),
        BROKER_TEST(nodes_come_over_tcp_too),
    };
    return BROKER_RUN(tests);
}
