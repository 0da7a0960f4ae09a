/* SPDX-License-Identifier: MPL-2.0 */
/* How a link is opened, lost and opened again. Its orderly ends are in test_link_stop.c, and what becomes
 * of all that was under way is in test_link_resume.c. */
#include "link_rig.h"

#include <sched.h>

static void register_bob(link_t *link)
{
    link_register(link, 5, span_str("bob"), (link_claim_t){.term = 7, .serial = 3}, false);
    link_pause(link, span_str("bob"), true);
}

static void hello_says_who_the_node_is(void **state)
{
    (void)state;
    static const link_id_t none;
    rig_link();
    const router_event_t *event = router_expect(&rig.router, RECORD_HELLO);
    assert_int_equal(event->header.epoch, 1);
    assert_int_equal(event->header.acknowledged, 0);
    assert_int_equal(event->header.floor, 1);
    assert_int_equal(event->control.hello.version, LINK_VERSION);
    assert_int_equal(event->control.hello.first, 1);
    assert_true(link_id_equal(&event->control.hello.node, &rig.options.node));
    assert_true(link_id_equal(&event->control.hello.digest, &rig.options.digest));
    assert_true(link_id_equal(&event->control.hello.instance, &none));
    assert_true(span_equal(event->control.hello.broker, span_str("main")));
    assert_string_equal(link_broker(rig.link), "main");
}

static void a_link_is_up_when_it_is_welcomed(void **state)
{
    (void)state;
    rig_link();
    assert_int_equal(link_state(rig.link), LINK_DOWN);
    router_hello(&rig.router);
    rig_expect_said("state:connecting state:greeting ");
    assert_false(link_is_up(rig.link));
    assert_false(link_has_room(rig.link));
    router_put_welcome(&rig.router);
    router_flush(&rig.router);
    rig_wait("state:up welcome ");
    rig_wait("room ");
    assert_true(link_is_up(rig.link));
    assert_true(link_has_room(rig.link));
    assert_int_equal(link_loss(rig.link), CLOSE_NONE);
    router_expect(&rig.router, RECORD_REGISTERED);
}

static void a_link_works_over_inproc_and_ipc(void **state)
{
    (void)state;
    char ipc[ROUTER_ENDPOINT_SIZE];
    snprintf(ipc, sizeof ipc, "ipc://@ferrymq-test-%d", (int)getpid());
    const char *const endpoints[] = {"inproc://ferrymq-test", ipc};
    for (size_t i = 0; i < 2; i++) {
        router_close(&rig.router);
        router_open(&rig.router, endpoints[i]);
        rig.router.turn = rig_turn;
        rig_join();
        rig_send(1, "bob", "text");
        router_expect_message(&rig.router, i + 1 - i, "text");
        router_stop(&rig.router);
        rig_wait("state:down ");
        assert_string_equal(close_code(link_loss(rig.link)), "connection");
        router_start(&rig.router);
        router_join(&rig.router);
        link_destroy(&rig.link);
    }
}

static void a_lost_connection_is_made_anew_and_everything_stated_again(void **state)
{
    (void)state;
    uint32_t epoch = 0;
    link_id_t instance = {{0}};
    rig.on_up = register_bob;
    rig_link();
    for (unsigned i = 0; i < 3; i++) {
        const router_event_t *event = router_hello(&rig.router);
        assert_true(event->header.epoch > epoch);
        epoch = event->header.epoch;
        assert_true(link_id_equal(&event->control.hello.instance, &instance));
        instance = rig.router.welcome.welcome.instance;
        router_put_welcome(&rig.router);
        router_flush(&rig.router);
        event = router_expect(&rig.router, RECORD_REGISTER);
        assert_true(event->control.name.again);
        assert_int_equal(event->control.name.term, 7);
        assert_int_equal(event->control.name.serial, 3);
        router_expect(&rig.router, RECORD_PAUSE);
        router_expect(&rig.router, RECORD_REGISTERED);
        router_stop(&rig.router);
        rig_expect_loss(CLOSE_CONNECTION);
        router_start(&rig.router);
    }
}

static void a_lost_link_ends_and_settles_nothing(void **state)
{
    (void)state;
    rig_join();
    rig_send(1, "bob", "taken");
    rig_send(2, "bob,zoe,ann", "open");
    rig_send(3, "bob", "held");
    for (unsigned i = 0; i < 3; i++)
        router_expect(&rig.router, RECORD_MESSAGE);
    router_put_notice(&rig.router,
        &(body_notice_t){.error = FERRY_ERROR_NO_SUCH_PEER, .number = 2, .session = 2, .name = span_str("zoe")});
    router_put_numbers(&rig.router, RECORD_HELD, 3);
    uint8_t exception[16] = {2, [8] = 1};
    router_put(&rig.router,
        &(control_t){.type = RECORD_TAKEN, .taken = {.below = 4, .exceptions = span_of((const char *)exception, 16)}});
    router_flush(&rig.router);
    rig_wait("notice:no-such-peer:zoe:2 settled:1 ");
    router_stop(&rig.router);
    rig_expect_next("state:down ");
    assert_false(link_is_settled(rig.link));
    assert_int_equal(link_open_copies(rig.link), 2);
    assert_int_equal(rig.ledger.unconfirmed[FERRY_REASON_BROKER_LOST], 0);
    rig_check_ledger();
    router_start(&rig.router);
    assert_int_equal(router_hello(&rig.router)->control.hello.first, 1);
}

static void send_in_between(link_t *link, const body_copy_t *copy, origin_t *origin)
{
    (void)link, (void)copy, (void)origin;
    rig_send(1, "bob", "text");
}

static void what_was_accepted_and_not_sent_goes_on_the_next_link(void **state)
{
    (void)state;
    rig.on_copy = send_in_between;
    rig_join();
    router_put(&rig.router, &(control_t){.type = RECORD_ORIGIN, .origin.handle = 2});
    router_put_run(&rig.router, 2);
    router_put_copy(&rig.router, 1, &(uint64_t){5}, 1, "eve", "");
    router_put(&rig.router, &(control_t){.type = RECORD_BYE, .number = 1});
    router_flush(&rig.router);
    router_expect(&rig.router, RECORD_BYE_OK);
    rig_expect_loss(CLOSE_ORDERLY);
    assert_int_equal(link_open_copies(rig.link), 1);
    rig_check_ledger();
    router_stop(&rig.router);
    router_start(&rig.router);
    assert_int_equal(router_hello(&rig.router)->control.hello.first, 1);
    router_put_welcome(&rig.router);
    router_flush(&rig.router);
    const router_event_t *event = router_expect_message(&rig.router, 1, "text");
    assert_int_equal(event->header.flags, 0); /* it was never sent before */
    router_expect(&rig.router, RECORD_REGISTERED);
}

static void a_silent_broker_is_left(void **state)
{
    (void)state;
    rig.router.welcome.welcome.heartbeat_ms = 20;
    rig.router.welcome.welcome.timeout_ms = 100;
    rig_join();
    rig_expect_loss(CLOSE_LINK_TIMEOUT);
    assert_int_equal(router_wait(&rig.router, RECORD_HELLO)->header.epoch, 2);
}

/* The thread is busy until the broker was silent for three quarters of the timeout. */
static void be_late(link_t *link, const body_copy_t *copy, origin_t *origin)
{
    (void)link, (void)copy, (void)origin;
    int64_t end_ms = deadline_now_ms() + rig.router.welcome.welcome.timeout_ms / 4 * 3 + 1;
    while (deadline_now_ms() < end_ms)
        sched_yield();
}

static void a_batch_that_a_late_node_finds_is_not_taken_before_the_link_is_resumed(void **state)
{
    (void)state;
    rig.router.welcome.welcome.timeout_ms = 1000;
    rig.on_copy = be_late;
    rig_join();
    rig_wait("welcome ");
    router_put_origin(&rig.router, 2, 9);
    for (unsigned number = 1; number <= 2; number++) {
        router_put_run(&rig.router, 2);
        router_put_copy(&rig.router, number, &(uint64_t){5}, 1, "eve", "");
        router_flush(&rig.router);
    }
    rig_wait("copy:1:5:eve: ");
    rig_expect_next("state:down ");
    assert_string_equal(close_code(link_loss(rig.link)), "link-timeout");
    rig.on_copy = NULL;
    assert_int_equal(router_hello(&rig.router)->header.acknowledged, 1);
    router_put_resumed(&rig.router, 0);
    rig.router.sequence = 1;
    router_put_empty(&rig.router, RECORD_SETTLED);
    router_flush(&rig.router);
    router_put_run(&rig.router, 2);
    router_put_copy(&rig.router, 2, &(uint64_t){5}, 1, "eve", "");
    router_flush(&rig.router);
    rig_wait("copy:2:5:eve: ");
    router_expect_acknowledged(&rig.router, 2);
}

static void a_broker_that_speaks_is_not_left(void **state)
{
    (void)state;
    rig.router.welcome.welcome.heartbeat_ms = 20;
    rig.router.welcome.welcome.timeout_ms = 2000;
    rig_join();
    int64_t start_ms = deadline_now_ms();
    for (size_t count = 0; deadline_now_ms() - start_ms < 3000; count++) {
        router_expect_arrivals(&rig.router, router_arrivals(&rig.router) + 1);
        router_flush(&rig.router);
    }
    assert_int_equal(link_state(rig.link), LINK_UP);
}

static void a_broker_that_speaks_and_does_not_hear_is_left(void **state)
{
    (void)state;
    rig.router.welcome.welcome.heartbeat_ms = 20;
    rig.router.welcome.welcome.timeout_ms = 400;
    rig_join();
    rig_wait("welcome ");
    uint32_t stamp = rig.router.header.stamp;
    assert_int_not_equal(stamp, 0);
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    for (rig_turn(NULL); link_state(rig.link) == LINK_UP; rig_turn(NULL)) {
        assert_false(deadline_passed(deadline));
        rig.router.header.stamp = stamp;
        router_flush(&rig.router);
    }
    rig_expect_loss(CLOSE_LINK_TIMEOUT);
}

static void a_broker_that_does_not_answer_hello_is_left(void **state)
{
    (void)state;
    rig.options.connect_timeout_ms = 50;
    rig_link();
    router_hello(&rig.router);
    rig_expect_loss(CLOSE_CONNECTION);
    router_hello(&rig.router);
    rig.options.connect_timeout_ms = 60000;
}

static void a_refused_link_is_tried_again_with_growing_patience(void **state)
{
    (void)state;
    rig.options.backoff_min_ms = 20;
    rig.options.backoff_max_ms = 80;
    rig_link();
    int64_t start_ms = deadline_now_ms();
    for (unsigned epoch = 1; epoch <= 5; epoch++) {
        assert_int_equal(router_hello(&rig.router)->header.epoch, epoch);
        router_put(&rig.router,
            &(control_t){.type = RECORD_REFUSE, .refuse = {.close = CLOSE_WRONG_BROKER, .text = span_str("not me")}});
        router_flush(&rig.router);
        rig_expect_loss(CLOSE_WRONG_BROKER);
    }
    /* At least half of 20, 40, 80 and 80. */
    assert_true(deadline_now_ms() - start_ms >= 110);
    router_join(&rig.router);
}

static void every_reason_to_refuse_is_understood(void **state)
{
    (void)state;
    rig_link();
    for (unsigned close = 0; close < 70; close++) {
        router_hello(&rig.router);
        router_put(&rig.router, &(control_t){.type = RECORD_REFUSE, .refuse.close = (uint16_t)close});
        router_flush(&rig.router);
        rig_wait("state:down ");
        assert_int_equal(link_loss(rig.link), close);
    }
    router_join(&rig.router);
    router_put(&rig.router, &(control_t){.type = RECORD_REFUSE, .refuse.close = CLOSE_UNKNOWN_LINK});
    router_flush(&rig.router);
    rig_expect_loss(CLOSE_UNKNOWN_LINK);
}

static void a_refused_connection_is_found_at_once(void **state)
{
    (void)state;
    router_stop(&rig.router);
    rig_link();
    for (unsigned i = 0; i < 5; i++)
        rig_expect_loss(CLOSE_CONNECTION); /* the connect timeout is a minute */
    router_start(&rig.router);
    router_join(&rig.router);
}

static void an_endpoint_that_is_none_is_tried_again(void **state)
{
    (void)state;
    rig_link();
    link_destroy(&rig.link);
    rig.options.endpoint = "nonsense";
    rig.link = link_new(rig.reactor, &rig.options, &rig_owner, NULL);
    for (unsigned i = 0; i < 50; i++)
        rig_turn(NULL);
    assert_int_equal(link_state(rig.link), LINK_DOWN);
    rig_expect_said("");
}

static void a_link_may_be_destroyed_in_any_state(void **state)
{
    (void)state;
    for (unsigned step = 0; step < 5; step++) {
        rig.options.node.bytes[0] = (uint8_t)step;
        rig_link();
        if (step > 0)
            rig_wait("state:connecting ");
        /* The HELLO of the one before may come late. */
        while (step > 1 && router_hello(&rig.router)->control.hello.node.bytes[0] != step)
            ;
        if (step > 2) {
            router_put_welcome(&rig.router);
            router_flush(&rig.router);
            rig_wait("state:up ");
            rig_send(1, "bob", "unsent");
            rig_report("bob");
        }
        if (step > 3)
            rig_turn(NULL);
        link_destroy(&rig.link);
        assert_null(rig.link);
    }
    link_destroy(&rig.link);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RIG_TEST(hello_says_who_the_node_is),
        RIG_TEST(a_link_is_up_when_it_is_welcomed),
        RIG_TEST(a_link_works_over_inproc_and_ipc),
        RIG_TEST(a_lost_connection_is_made_anew_and_everything_stated_again),
        RIG_TEST(a_lost_link_ends_and_settles_nothing),
        RIG_TEST(what_was_accepted_and_not_sent_goes_on_the_next_link),
        RIG_TEST(a_silent_broker_is_left),
        RIG_TEST(a_batch_that_a_late_node_finds_is_not_taken_before_the_link_is_resumed),
        RIG_TEST(a_broker_that_speaks_is_not_left),
        RIG_TEST(a_broker_that_speaks_and_does_not_hear_is_left),
        RIG_TEST(a_broker_that_does_not_answer_hello_is_left),
        RIG_TEST(a_refused_link_is_tried_again_with_growing_patience),
        RIG_TEST(every_reason_to_refuse_is_understood),
        RIG_TEST(a_refused_connection_is_found_at_once),
        RIG_TEST(an_endpoint_that_is_none_is_tried_again),
        RIG_TEST(a_link_may_be_destroyed_in_any_state),
    };
    return TEST_RUN(tests);
}
