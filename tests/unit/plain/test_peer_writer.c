/* SPDX-License-Identifier: MPL-2.0 */
/* peer_writer: a writer with a real ROUTER, whose DEALER the test is, and a real link to a broker that the test plays.
 */
#include "unit/link/link_rig.h"

#include "base/binding.h"
#include "plain/peer_writer.h"
#include "wire/error.h"
#include "wire/reason.h"

enum { SESSION = 5, ORIGIN = 2, SIZE = 3 + WRITER_MAIL_SIZE };

static peer_limits_t limits;
static peer_writer_t writer;
static door_t door;
static void *program;
static origin_t *origin;

static int open_writer(void **state)
{
    static unsigned count; /* N.B. an endpoint is free again some time after its socket was closed */
    char endpoint[48];
    snprintf(endpoint, sizeof endpoint, "inproc://test-peer-writer-%u", count++);
    link_id_t node = {{7}};
    rig_open(state);
    rig_join();
    origins_put(link_origins(rig.link), ORIGIN, &node);
    origin = origins_get(link_origins(rig.link), ORIGIN);
    door = (door_t){.socket = zmq_socket(zsys_init(), ZMQ_ROUTER), .route = span_str("bob")};
    program = zmq_socket(zsys_init(), ZMQ_DEALER);
    binding_prepare(door.socket, 1 << 20);
    assert_int_equal(zmq_bind(door.socket, endpoint), 0);
    assert_int_equal(zmq_setsockopt(program, ZMQ_ROUTING_ID, "bob", 3), 0);
    assert_int_equal(zmq_connect(program, endpoint), 0);
    limits =
        (peer_limits_t){.window_size = 4 * SIZE, .high_mark = 10 * SIZE, .stall_time_ms = 1000, .probe_time_ms = 100};
    writer = (peer_writer_t){0};
    /* N.B. the ROUTER knows the routing id once it has read from that connection. */
    assert_int_equal(zmq_send(program, "", 0, 0), 0);
    char nothing[8];
    assert_int_equal(zmq_recv(door.socket, nothing, sizeof nothing, 0), 3);
    assert_int_equal(zmq_recv(door.socket, nothing, sizeof nothing, 0), 0);
    return 0;
}

static int close_writer(void **state)
{
    int linger = 0;
    peer_writer_forget(&writer, rig.link);
    peer_writer_fini(&writer);
    zmq_setsockopt(program, ZMQ_LINGER, &linger, sizeof linger);
    zmq_close(program);
    zmq_close(door.socket);
    return rig_close(state);
}

/* Copies with these numbers, of the sender 1000 above each. */
static void put(uint64_t first, uint64_t last)
{
    for (uint64_t number = first; number <= last; number++) {
        body_copy_t copy = {
            .number = number, .session = number + 1000, .sender = span_str("eve"), .text = span_of(NULL, 0)};
        peer_writer_put(&writer, &copy, origin, 0);
    }
}

static void hand(void)
{
    assert_int_equal(peer_writer_hand(&writer, &door, span_str("bob"), &limits, 0), 0);
}

/* Reads what the program has got: how many MESSAGEs; the token of the last PING goes to `token`. */
static unsigned receive(char token[16])
{
    unsigned count = 0;
    char verb[16];
    int size;
    for (; (size = zmq_recv(program, verb, sizeof verb - 1, ZMQ_DONTWAIT)) >= 0;) {
        verb[size] = '\0';
        bool is_ping = strcmp(verb, "PING") == 0;
        size = zmq_recv(program, is_ping ? token : verb, 15, 0);
        if (is_ping) {
            token[size] = '\0';
            continue;
        }
        assert_memory_equal(verb, "eve", 3);
        assert_int_equal(zmq_recv(program, verb, sizeof verb, 0), 3);
        assert_int_equal(zmq_recv(program, verb, sizeof verb, 0), 0);
        count++;
    }
    return count;
}

static uint64_t pong(const char *token)
{
    return peer_writer_pong(&writer, rig.link, span_str(token));
}

static void tell(void)
{
    peer_writer_tell(&writer, rig.link, SESSION);
}

static holdings_loss_t loss_of(int reason)
{
    return (holdings_loss_t){.link = rig.link, .session = SESSION, .name = span_str("bob"), .reason = reason};
}

static void expect_report(int error, uint64_t number)
{
    const body_report_t *report = &router_expect(&rig.router, RECORD_REPORT)->record.report;
    assert_int_equal(report->error, error);
    assert_int_equal(report->reason, FERRY_REASON_GONE);
    assert_int_equal(report->number, number);
    assert_int_equal(report->session, number + 1000);
}

static void a_window_is_handed_over_and_a_pong_opens_it(void **state)
{
    (void)state;
    char token[16];
    put(1, 10);
    hand();
    unsigned handed = receive(token);
    assert_in_range(handed, 2, 4);
    hand();
    assert_int_equal(receive(token), 0);
    assert_int_equal(pong(token), handed);
    assert_int_equal(peer_writer_open_size(&writer), 0);
    hand();
    assert_int_equal(receive(token), handed);
    assert_int_equal(peer_writer_queued(&writer), 10 - 2 * handed);
}

static void expect_held(uint64_t first, uint64_t last)
{
    const control_t *record = &router_expect(&rig.router, RECORD_HOLD)->control;
    assert_int_equal(control_numbers_count(&record->held.numbers), last - first + 1);
    assert_int_equal(control_numbers_at(&record->held.numbers, 0), first);
}

static void a_copy_with_a_receipt_is_held_until_the_pong(void **state)
{
    (void)state;
    char token[16];
    body_copy_t copy = {.number = 2, .session = 1002, .flags = BODY_FLAG_RECEIPT, .sender = span_str("eve")};
    limits.window_size = 10 * SIZE;
    put(1, 1);
    peer_writer_put(&writer, &copy, origin, 0);
    put(3, 3);
    hand();
    assert_int_equal(receive(token), 3);
    tell();
    expect_held(2, 3);
    assert_int_equal(pong(token), 3);
    tell();
    assert_int_equal(router_expect(&rig.router, RECORD_END)->control.held.count, 2);
    put(4, 4);
    hand();
    tell();
    link_end(rig.link, SESSION, 4711); /* and nothing was told of that one */
    assert_int_equal(router_expect(&rig.router, RECORD_END)->control.held.count, 4711);
}

static void one_may_always_go_however_large(void **state)
{
    (void)state;
    char token[16];
    limits.window_size = 1;
    put(1, 2);
    hand();
    assert_int_equal(receive(token), 1);
    assert_int_equal(pong(token), 1);
    hand();
    assert_int_equal(receive(token), 1);
}

static void a_token_that_is_not_asked_for_is_passed_over(void **state)
{
    (void)state;
    char token[16];
    put(1, 4);
    hand();
    receive(token);
    assert_int_equal(pong("17"), 0);
    assert_int_equal(pong(""), 0);
    assert_int_equal(pong("-0"), 0);
    assert_true(pong(token) > 0);
    assert_int_equal(pong(token), 0);
}

static void with_credit_no_more_goes_than_it_allows(void **state)
{
    (void)state;
    char token[16];
    peer_writer_credit(&writer, 0);
    put(1, 3);
    hand();
    assert_int_equal(receive(token), 0);
    peer_writer_credit(&writer, 2);
    hand();
    assert_int_equal(receive(token), 2);
    hand();
    assert_int_equal(receive(token), 0);
}

static void a_copy_that_goes_in_its_turn_is_never_told(void **state)
{
    (void)state;
    put(1, 1);
    assert_true(peer_writer_owes(&writer));
    hand();
    tell();
    assert_false(peer_writer_owes(&writer));
    assert_int_equal(peer_writer_pending(&writer), 1);
    link_end(rig.link, SESSION, 4711);
    assert_int_equal(router_expect(&rig.router, RECORD_END)->control.held.count, 4711);
}

static void what_waits_is_held_until_it_goes(void **state)
{
    (void)state;
    char token[16];
    peer_writer_credit(&writer, 1);
    put(1, 3);
    hand();
    tell();
    const control_t *hold = &router_expect(&rig.router, RECORD_HOLD)->control;
    assert_int_equal(hold->held.session, SESSION);
    assert_int_equal(hold->held.numbers.first, 2);
    assert_int_equal(control_numbers_count(&hold->held.numbers), 2);
    peer_writer_credit(&writer, 2);
    hand();
    tell();
    assert_int_equal(router_expect(&rig.router, RECORD_END)->control.held.count, 2);
    assert_int_equal(receive(token), 3);
}

static void what_is_lost_was_perhaps_read_or_surely_not(void **state)
{
    (void)state;
    holdings_loss_t loss = loss_of(FERRY_REASON_GONE);
    peer_writer_credit(&writer, 1);
    put(1, 2);
    hand();
    assert_int_equal(peer_writer_doubt(&writer, &loss), 1);
    assert_int_equal(peer_writer_return(&writer, &loss), 1);
    expect_report(FERRY_ERROR_UNCONFIRMED, 1);
    expect_report(FERRY_ERROR_UNDELIVERED, 2);
    assert_int_equal(peer_writer_pending(&writer), 0);
}

static void nothing_is_reported_that_the_broker_has_told_already(void **state)
{
    (void)state;
    holdings_loss_t loss = loss_of(FERRY_REASON_GONE);
    peer_writer_credit(&writer, 0);
    put(1, 2);
    peer_writer_disown(&writer);
    put(3, 3);
    assert_int_equal(peer_writer_return(&writer, &loss), 3);
    expect_report(FERRY_ERROR_UNDELIVERED, 3);
}

static void a_new_link_hears_of_all_that_waits(void **state)
{
    (void)state;
    peer_writer_credit(&writer, 1);
    put(1, 3);
    hand();
    peer_writer_restate(&writer, rig.link, SESSION);
    const control_t *hold = &router_wait(&rig.router, RECORD_HOLD)->control;
    assert_true(hold->held.again);
    assert_int_equal(hold->held.numbers.first, 2);
    assert_int_equal(control_numbers_count(&hold->held.numbers), 2);
}

static void the_name_is_paused_at_the_high_mark_and_resumed_at_a_quarter(void **state)
{
    (void)state;
    peer_writer_credit(&writer, 0);
    put(1, 9);
    assert_false(peer_writer_became_paused(&writer, &limits));
    put(10, 10);
    assert_true(peer_writer_became_paused(&writer, &limits));
    assert_false(peer_writer_became_paused(&writer, &limits));
    limits.window_size = 1 << 20;
    peer_writer_credit(&writer, 7);
    hand();
    assert_false(peer_writer_became_resumed(&writer, &limits));
    peer_writer_credit(&writer, 1);
    hand();
    assert_true(peer_writer_became_resumed(&writer, &limits));
}

static void silence_is_a_stall_after_the_stall_time(void **state)
{
    (void)state;
    char token[16];
    assert_false(peer_writer_is_stalled(&writer, &limits, 5000));
    assert_int_equal(peer_writer_tick(&writer, &door, &limits, 5000), 0);
    assert_false(peer_writer_is_stalled(&writer, &limits, 5999));
    assert_true(peer_writer_is_stalled(&writer, &limits, 6000));
    receive(token);
    pong(token);
    assert_false(peer_writer_is_stalled(&writer, &limits, 6000));
}

static void what_waits_for_credit_stalls_too(void **state)
{
    (void)state;
    peer_writer_credit(&writer, 0);
    put(1, 1);
    assert_false(peer_writer_is_stalled(&writer, &limits, 999));
    assert_true(peer_writer_is_stalled(&writer, &limits, 1000));
}

static void a_quiet_program_is_probed_and_one_that_is_gone_is_noticed(void **state)
{
    (void)state;
    char token[16] = "";
    assert_int_equal(peer_writer_tick(&writer, &door, &limits, 99), 0);
    receive(token);
    assert_string_equal(token, "");
    assert_int_equal(peer_writer_tick(&writer, &door, &limits, 100), 0);
    receive(token);
    assert_string_equal(token, "0");
    door.route = span_str("nobody");
    assert_int_equal(peer_writer_tick(&writer, &door, &limits, 199), 0);
    assert_int_equal(peer_writer_tick(&writer, &door, &limits, 200), -1);
    assert_int_equal(peer_writer_say(&writer, &door, &(span_t){"BYE", 3}, 1, 200), -1);
    put(1, 1);
    assert_int_equal(peer_writer_hand(&writer, &door, span_str("bob"), &limits, 0), -1);
    assert_int_equal(peer_writer_queued(&writer), 1);
}

/* Who has not read a large message yet may still answer, since it must not wait for that. */
static void a_message_that_is_unread_chokes_no_answers(void **state)
{
    (void)state;
    limits.window_size = 1;
    put(1, 1);
    hand();
    assert_true(peer_writer_open_size(&writer) > limits.window_size);
    assert_false(peer_writer_is_choked(&writer, &limits));
}

static void answers_are_in_the_window_too(void **state)
{
    (void)state;
    char token[16];
    while (!peer_writer_is_choked(&writer, &limits))
        assert_int_equal(peer_writer_say(&writer, &door, (const span_t[]){span_str("PING"), span_str("x")}, 2, 0), 0);
    put(1, 1);
    hand();
    assert_int_equal(receive(token), 0);
    assert_false(peer_writer_is_done(&writer));
    assert_int_equal(peer_writer_tick(&writer, &door, &limits, 0), 0);
    receive(token);
    pong(token);
    assert_false(peer_writer_is_choked(&writer, &limits));
    hand();
    assert_int_equal(receive(token), 1);
}

#define WRITER_TEST(function) cmocka_unit_test_setup_teardown(function, open_writer, close_writer)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WRITER_TEST(a_window_is_handed_over_and_a_pong_opens_it),
        WRITER_TEST(a_copy_with_a_receipt_is_held_until_the_pong),
        WRITER_TEST(one_may_always_go_however_large),
        WRITER_TEST(a_token_that_is_not_asked_for_is_passed_over),
        WRITER_TEST(with_credit_no_more_goes_than_it_allows),
        WRITER_TEST(a_copy_that_goes_in_its_turn_is_never_told),
        WRITER_TEST(what_waits_is_held_until_it_goes),
        WRITER_TEST(what_is_lost_was_perhaps_read_or_surely_not),
        WRITER_TEST(nothing_is_reported_that_the_broker_has_told_already),
        WRITER_TEST(a_new_link_hears_of_all_that_waits),
        WRITER_TEST(the_name_is_paused_at_the_high_mark_and_resumed_at_a_quarter),
        WRITER_TEST(silence_is_a_stall_after_the_stall_time),
        WRITER_TEST(what_waits_for_credit_stalls_too),
        WRITER_TEST(a_quiet_program_is_probed_and_one_that_is_gone_is_noticed),
        WRITER_TEST(a_message_that_is_unread_chokes_no_answers),
        WRITER_TEST(answers_are_in_the_window_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
