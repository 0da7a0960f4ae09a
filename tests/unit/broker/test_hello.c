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
    assert_int_equal(welcome.welcome.batch_size, config_number(config, "broker/peer_max_message") + 64 + 65 + 64 * 65);
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

/* The node of the broker's own process, with the list of brokers whose digest begins so, says HELLO. */
static void own_node_comes(uint8_t digest)
{
    dealer_open(&a, ENDPOINT, 0xa);
    memcpy(a.id.bytes, args.instance.bytes, LINK_ID_OF_SIZE);
    control_t hello = dealer_hello(&a);
    hello.hello.digest.bytes[0] = digest;
    say(&a, &hello);
}

static void the_own_node_gives_way_to_one_with_another_list_of_brokers(void **state)
{
    (void)state;
    own_node_comes(1);
    dealer_expect(&a, RECORD_WELCOME);
    dealer_open(&b, ENDPOINT, 0xb);
    dealer_join(&b);
    assert_int_equal(broker_number("gauges.nodes"), 1);
    dealer_flush(&a);
    dealer_wait(&a, RECORD_REFUSE);
}

static void the_own_node_is_refused_if_others_have_another_list_of_brokers(void **state)
{
    (void)state;
    dealer_open(&b, ENDPOINT, 0xb);
    dealer_join(&b);
    own_node_comes(1);
    dealer_expect_refused(&a, CLOSE_WRONG_BROKERS);
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

/* A HELLO of node a with a higher epoch, from another DEALER. */
static void say_newer(const control_t *hello, uint64_t acknowledged)
{
    dealer_open(&c, ENDPOINT, 0xa);
    c.header.epoch = 5;
    c.header.acknowledged = acknowledged;
    say(&c, hello);
}

static void a_higher_epoch_resumes_the_link_and_the_old_one_is_refused(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "one");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    control_t hello = dealer_hello(&a);
    hello.hello.instance = a.instance;
    say_newer(&hello, 0);
    const dealer_event_t *welcome = dealer_expect(&c, RECORD_WELCOME);
    assert_true(welcome->control.welcome.resumed);
    assert_int_equal(welcome->header.acknowledged, 1);
    assert_int_equal(welcome->header.sequence, 0);
    alice_sends("bob", "from the old link");
    dealer_expect_refused(&a, CLOSE_OLD_EPOCH);
    assert_int_equal(broker_number("counters.messages"), 1);
    assert_int_equal(broker_number("gauges.nodes"), 2);
}

static void a_resumed_node_keeps_its_handle_and_a_fresh_one_gets_another(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    uint32_t handle = dealer_greet(&a)->control.welcome.handle;
    assert_int_equal(dealer_resume(&a, ENDPOINT, 0)->control.welcome.handle, handle);
    dealer_reopen(&a, ENDPOINT);
    assert_int_not_equal(dealer_greet(&a)->control.welcome.handle, handle);
}

/* What the broker knew of it is of a link that the node does not remember. */
static void a_known_node_that_names_another_instance_begins_anew(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "one");
    control_t hello = dealer_hello(&b);
    hello.hello.instance.bytes[0] = 1;
    dealer_reopen(&b, ENDPOINT);
    say(&b, &hello);
    assert_false(dealer_expect(&b, RECORD_WELCOME)->control.welcome.resumed);
    dealer_expect_notice(&a, FERRY_ERROR_UNCONFIRMED, FERRY_REASON_GATEWAY_LOST, 1, "bob");
    assert_false(dealer_expect(&a, RECORD_GONE)->control.origin.orderly);
    assert_int_equal(broker_number("names"), 1);
    assert_int_equal(broker_number("gauges.nodes"), 2);
}

static void a_node_that_was_given_up_begins_anew(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    dealer_join(&a);
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    dealer_expect_refused(&a, CLOSE_BAD_RECORD);
    control_t hello = dealer_hello(&a);
    hello.hello.instance = a.instance;
    dealer_reopen(&a, ENDPOINT);
    say(&a, &hello);
    assert_false(dealer_expect(&a, RECORD_WELCOME)->control.welcome.resumed);
}

static void a_link_is_not_resumed_behind_what_was_sent(void **state)
{
    (void)state;
    pair_open();
    control_t hello = dealer_hello(&a);
    hello.hello.instance = a.instance;
    say_newer(&hello, 1);
    dealer_expect_refused(&c, CLOSE_BAD_SEQUENCE);
    alice_sends("bob", "still here");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "still here");
}

/* Three batches were sent, the node took one: it gets the others again as they were, behind the answers to what it
 * registers. */
static void a_resumed_link_sends_again_what_was_not_taken(void **state)
{
    (void)state;
    pair_open();
    static const char *const texts[] = {"one", "two", "three"};
    for (unsigned i = 0; i < 3; i++) {
        alice_sends("bob", texts[i]);
        dealer_expect_copy(&b, SESSION(1, 2), "alice", texts[i]);
    }
    dealer_resume(&b, ENDPOINT, 1);
    dealer_put_again(&b, SESSION(1, 2), "bob", 1, 2);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    assert_int_equal(dealer_expect(&b, RECORD_CONFIRMED)->header.sequence, 0);
    for (unsigned i = 1; i < 3; i++) {
        const dealer_event_t *copy = dealer_expect_copy(&b, SESSION(1, 2), "alice", texts[i]);
        assert_int_equal(copy->header.sequence, i + 1);
        assert_int_equal(copy->record.copy.number, i + 1);
        assert_false(copy->run.again);
    }
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 4);
    assert_int_equal(broker_number("ledger.handed_over"), 3);
    broker_assert_balance();
}

/* The HOLDs that HELLO's acknowledgement rests on come before REGISTERED. */
static void what_was_taken_before_counts_with_registered(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "one");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    dealer_resume(&b, ENDPOINT, 1);
    dealer_put_again(&b, SESSION(1, 2), "bob", 1, 2);
    dealer_flush(&b);
    dealer_expect(&b, RECORD_CONFIRMED);
    assert_int_equal(broker_number("ledger.handed_over"), 0);
    b.header.acknowledged = 0;
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect_taken(&a, 2);
    assert_int_equal(broker_number("ledger.handed_over"), 1);
}

static void a_resumed_link_tells_again_what_is_taken(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "one");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 2);
    assert_int_equal(dealer_resume(&a, ENDPOINT, 0)->header.acknowledged, 1);
    dealer_put_again(&a, SESSION(1, 1), "alice", 1, 1);
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    dealer_expect(&a, RECORD_CONFIRMED);
    dealer_barrier(&a, 9);
    assert_int_equal(a.taken, 2);
    alice_sends("bob", "two");
    assert_int_equal(dealer_expect_copy(&b, SESSION(1, 2), "alice", "two")->record.copy.number, 2);
}

/* ORIGIN of that handle comes before the batch that needs it, and GONE behind. */
static void a_resumed_link_tells_who_is_gone_since(void **state)
{
    (void)state;
    pair_open();
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
    dealer_put_message(&c, SESSION(1, 3), "carol", "bob", "farewell");
    dealer_flush(&c);
    uint32_t handle = dealer_expect_copy(&b, SESSION(1, 2), "carol", "farewell")->run.handle;
    dealer_put(&c, &(control_t){.type = RECORD_BYE, .number = 0});
    dealer_flush(&c);
    assert_true(dealer_expect(&b, RECORD_GONE)->control.origin.orderly);
    b.hears_origins = true;
    dealer_rejoin(&b, ENDPOINT, 0);
    assert_int_equal(dealer_wait(&b, RECORD_COPY)->run.handle, handle);
    const dealer_event_t *event;
    do
        event = dealer_wait(&b, RECORD_ORIGIN);
    while (event->control.origin.handle != handle);
    assert_true(link_id_equal(&event->control.origin.node, &c.id));
    assert_int_equal(event->header.sequence, 1); /* and so it is handled before the body */
    b.hears_origins = false;
    event = dealer_wait(&b, RECORD_GONE);
    assert_int_equal(event->control.origin.handle, handle);
    assert_true(event->control.origin.orderly);
}

/* A notice that is sent again must not come behind what says that its copy has ended. */
static void a_resumed_link_tells_of_copies_behind_the_notices_that_it_sends_again(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "one");
    uint32_t handle = dealer_expect_copy(&b, SESSION(1, 2), "alice", "one")->run.handle;
    dealer_put(&b,
        &(control_t){.type = RECORD_HOLD, .held = {.session = SESSION(1, 2), .handle = handle, .numbers.first = 1}});
    dealer_acknowledge(&b);
    dealer_expect(&a, RECORD_HELD);
    dealer_expect_taken(&a, 2);
    alice_sends("nobody", "two");
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 2, "nobody");
    dealer_resume(&a, ENDPOINT, 0);
    dealer_put(&b, &(control_t){.type = RECORD_END, .held = {.session = SESSION(1, 2), .count = 1}});
    dealer_flush(&b);
    dealer_barrier(&b, 9);
    a.hears_settled = true;
    a.is_resumed = false;
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    dealer_expect_notice(&a, FERRY_ERROR_NO_SUCH_PEER, 0, 2, "nobody");
    dealer_expect(&a, RECORD_SETTLED);
    dealer_expect_taken(&a, 3);
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
        BROKER_TEST(the_own_node_gives_way_to_one_with_another_list_of_brokers),
        BROKER_TEST(the_own_node_is_refused_if_others_have_another_list_of_brokers),
        BROKER_TEST(a_node_of_another_version_is_refused),
        BROKER_TEST(an_epoch_that_is_not_higher_is_refused_and_harms_nobody),
        BROKER_TEST(a_higher_epoch_resumes_the_link_and_the_old_one_is_refused),
        BROKER_TEST(a_resumed_node_keeps_its_handle_and_a_fresh_one_gets_another),
        BROKER_TEST(a_known_node_that_names_another_instance_begins_anew),
        BROKER_TEST(a_node_that_was_given_up_begins_anew),
        BROKER_TEST(a_link_is_not_resumed_behind_what_was_sent),
        BROKER_TEST(a_resumed_link_sends_again_what_was_not_taken),
        BROKER_TEST(what_was_taken_before_counts_with_registered),
        BROKER_TEST(a_resumed_link_tells_again_what_is_taken),
        BROKER_TEST(a_resumed_link_tells_who_is_gone_since),
        BROKER_TEST(a_resumed_link_tells_of_copies_behind_the_notices_that_it_sends_again),
        BROKER_TEST(a_second_hello_on_a_link_ends_it),
        BROKER_TEST(a_hello_must_come_alone),
        BROKER_TEST(numbers_go_on_from_what_hello_says),
        BROKER_TEST(the_term_is_above_the_highest_that_a_node_has_seen),
        BROKER_TEST(nodes_come_over_tcp_too),
    };
    return BROKER_RUN(tests);
}
