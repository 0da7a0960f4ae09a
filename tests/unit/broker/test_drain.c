/* SPDX-License-Identifier: MPL-2.0 */
#include "fixture.h"
#include "logins.h"

/* A name is in doubt long before its node is given up. */
static int setup_giving_up(void **state)
{
    (void)state;
    assert_int_equal(broker_start((const char *const[]){"link/heartbeat=100ms", "link/timeout=2s", NULL}), 0);
    broker_expect_ready();
    return 0;
}

static void drain(const char *deadline_ms)
{
    zstr_sendx(actor, "DRAIN", deadline_ms, NULL);
}

static void expect_step(const char *step)
{
    char *got = NULL, *none = NULL;
    broker_expect("STEP", &got, &none);
    assert_string_equal(got, step);
    zstr_free(&got);
    zstr_free(&none);
}

/* The last word: how many copies the broker does not know the end of; the ledger must balance. */
static void expect_drained(const char *unknown)
{
    char *count = NULL, *text = NULL;
    ledger_t ledger;
    uint64_t pending;
    broker_expect("DRAINED", &count, &text);
    assert_string_equal(count, unknown);
    json_t *json = json_loads(text, 0, NULL);
    assert_int_equal(ledger_from_json(&ledger, &pending, json), 0);
    assert_int_equal(ledger_balance(&ledger, pending), 0);
    json_decref(json);
    zstr_free(&count);
    zstr_free(&text);
}

static void answer_drain(dealer_t *dealer)
{
    dealer_expect(dealer, RECORD_DRAIN);
    dealer_put(dealer, &(control_t){.type = RECORD_DRAINED, .number = dealer->number});
    dealer_flush(dealer);
}

static void answer_bye(dealer_t *dealer)
{
    assert_int_equal(dealer_expect(dealer, RECORD_BYE)->control.number, dealer->received);
    dealer_put(dealer, &(control_t){.type = RECORD_BYE_OK, .number = dealer->received});
    dealer_flush(dealer);
}

static void drain_until_bye(void)
{
    drain("60000");
    answer_drain(&a);
    answer_drain(&b);
    expect_step("drain-nodes");
    expect_step("taken");
    expect_step("bye");
}

static void wait_nodes_at_most(json_int_t count)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (broker_number("gauges.nodes") > count)
        assert_false(deadline_passed(deadline));
}

/* Bob's node holds a copy of alice's first message. */
static void pair_open_held(void)
{
    pair_open();
    alice_sends("bob", "one");
    uint32_t handle = dealer_expect_copy(&b, SESSION(1, 2), "alice", "one")->run.handle;
    dealer_put(&b,
        &(control_t){.type = RECORD_HOLD, .held = {.session = SESSION(1, 2), .handle = handle, .numbers.first = 1}});
    dealer_acknowledge(&b);
    dealer_expect(&a, RECORD_HELD);
    dealer_expect_taken(&a, 2);
}

/* BYE is all that alice's node has heard: behind it comes the answer to a record that is none of its. The drain ends.
 */
static void expect_bye_alone(void)
{
    dealer_expect(&a, RECORD_BYE);
    dealer_put_empty(&a, RECORD_REGISTERED);
    dealer_flush(&a);
    assert_string_equal(record_name(dealer_next(&a)->type), record_name(RECORD_REFUSE));
    expect_step("closed");
    expect_drained("0");
}

static void put_report_of_bob(void)
{
    dealer_put_report(
        &b, &(body_report_t){.error = FERRY_ERROR_UNDELIVERED, .origin = a.id, .number = 1, .name = span_str("bob")});
}

static void a_broker_without_nodes_drains_at_once(void **state)
{
    (void)state;
    drain("60000");
    expect_step("drain-nodes");
    expect_step("taken");
    expect_step("bye");
    expect_step("closed");
    expect_drained("0");
}

/* Bob's link ends first, and alice's node hears no RESUME of it. */
static void the_end_of_a_link_in_a_drain_ends_no_pause(void **state)
{
    (void)state;
    pair_open();
    dealer_put(&b, &(control_t){.type = RECORD_PAUSE, .name.name = span_str("bob")});
    dealer_barrier(&b, 8);
    alice_sends("bob", "one");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    dealer_acknowledge(&b);
    dealer_wait(&a, RECORD_PAUSE);
    dealer_expect_taken(&a, 2);
    drain("60000");
    answer_drain(&b);
    answer_drain(&a);
    answer_bye(&b);
    expect_step("drain-nodes");
    expect_step("taken");
    expect_step("bye");
    broker_wait_number("gauges.nodes", 1);
    expect_bye_alone();
}

static void nodes_finish_answer_and_part(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob", "one");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    drain("60000");
    expect_step("drain-nodes");
    answer_drain(&b);
    dealer_expect(&a, RECORD_DRAIN);
    alice_sends("bob", "two");
    dealer_put(&a, &(control_t){.type = RECORD_DRAINED, .number = a.number});
    dealer_flush(&a);
    expect_step("taken");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "two");
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 3);
    expect_step("bye");
    answer_bye(&a);
    answer_bye(&b);
    expect_step("closed");
    expect_drained("0");
}

/* DRAINED says that a batch is still under way. */
static void what_was_sent_before_the_answer_is_waited_for(void **state)
{
    (void)state;
    pair_open();
    drain("60000");
    expect_step("drain-nodes");
    answer_drain(&b);
    dealer_expect(&a, RECORD_DRAIN);
    dealer_put(&a, &(control_t){.type = RECORD_DRAINED, .number = 1});
    dealer_flush(&a);
    assert_int_equal(broker_number("gauges.nodes"), 2);
    alice_sends("bob", "one");
    expect_step("taken");
    dealer_expect_copy(&b, SESSION(1, 2), "alice", "one");
    dealer_acknowledge(&b);
    expect_step("bye");
    dealer_expect_taken(&a, 2);
    answer_bye(&a);
    answer_bye(&b);
    expect_step("closed");
    expect_drained("0");
}

static void unknown_nodes_are_refused_and_known_ones_told(void **state)
{
    (void)state;
    pair_open();
    drain("60000");
    expect_step("drain-nodes");
    dealer_open(&c, ENDPOINT, 0xc);
    control_t hello = dealer_hello(&c);
    dealer_put(&c, &hello);
    dealer_flush(&c);
    dealer_expect_refused(&c, CLOSE_BROKER_DRAINS);
    dealer_rejoin(&b, ENDPOINT, 0);
    answer_drain(&b);
    answer_drain(&a);
    expect_step("taken");
    expect_step("bye");
    answer_bye(&a);
    answer_bye(&b);
    expect_step("closed");
    expect_drained("0");
}

static void crossing_byes_are_both_answered(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    dealer_join(&a);
    drain("60000");
    expect_step("drain-nodes");
    answer_drain(&a);
    expect_step("taken");
    expect_step("bye");
    dealer_expect(&a, RECORD_BYE);
    dealer_put(&a, &(control_t){.type = RECORD_BYE, .number = 0});
    dealer_flush(&a);
    dealer_expect(&a, RECORD_BYE_OK);
    expect_step("closed");
    expect_drained("0");
}

static void who_parts_because_the_broker_stops_is_not_gone_for_the_others(void **state)
{
    (void)state;
    pair_open();
    drain("60000");
    expect_step("drain-nodes");
    answer_drain(&a);
    answer_drain(&b);
    expect_step("taken");
    expect_step("bye");
    answer_bye(&b);
    while (broker_number("gauges.nodes") == 2)
        continue;
    dealer_expect(&a, RECORD_BYE);
    dealer_put(&a, &(control_t){.type = RECORD_BYE, .number = 0});
    dealer_flush(&a);
    dealer_expect(&a, RECORD_BYE_OK);
}

/* It may not come to the successor, but what the others know of it is still of use if it does. */
static void who_is_about_to_leave_is_gone_for_the_others_before_they_part(void **state)
{
    (void)state;
    pair_open();
    dealer_put_empty(&b, RECORD_STOPPING);
    dealer_flush(&b);
    drain("60000");
    expect_step("drain-nodes");
    answer_drain(&a);
    answer_drain(&b);
    expect_step("taken");
    expect_step("bye");
    answer_bye(&b);
    const control_t *gone = &dealer_expect(&a, RECORD_GONE)->control;
    assert_int_equal(gone->origin.handle, 2);
    assert_false(gone->origin.orderly);
    answer_bye(&a);
    expect_step("closed");
    expect_drained("0");
}

static void the_deadline_ends_a_drain_and_tells_what_is_not_known(void **state)
{
    (void)state;
    pair_open();
    alice_sends("bob,alice", "one");
    broker_wait_number("counters.messages", 1);
    drain("100");
    expect_step("drain-nodes");
    expect_step("closed");
    expect_drained("2");
    dealer_wait(&a, RECORD_BYE);
}

/* They are stated to the successor; nor is a report heard any more, which its node tells that one. */
static void held_copies_are_neither_waited_for_nor_told_of(void **state)
{
    (void)state;
    pair_open_held();
    drain_until_bye();
    answer_bye(&b);
    wait_nodes_at_most(1);
    dealer_put_report(&a, &(body_report_t){.error = FERRY_ERROR_UNDELIVERED, .number = 1, .name = span_str("bob")});
    dealer_flush(&a);
    answer_bye(&a);
    expect_step("closed");
    expect_drained("0");
    assert_int_equal(broker_number("counters.notices"), 0);
    assert_int_equal(broker_number("counters.reports"), 0);
}

/* Its report is told by the successor; who would hear of the end now would take it for delivered. */
static void what_ends_behind_bye_is_not_told_of(void **state)
{
    (void)state;
    pair_open_held();
    drain_until_bye();
    put_report_of_bob();
    dealer_put(&b, &(control_t){.type = RECORD_END, .held = {.session = SESSION(1, 2), .count = 1}});
    dealer_flush(&b);
    answer_bye(&b);
    wait_nodes_at_most(1);
    expect_bye_alone();
}

/* Another session in the place of one that held copies stands for the ENDs of these. */
static void what_a_session_held_behind_bye_does_not_end_with_the_next_in_its_slot(void **state)
{
    (void)state;
    pair_open_held();
    dealer_put(&b, &(control_t){.type = RECORD_LEAVING, .name.session = SESSION(1, 2)});
    dealer_flush(&b);
    dealer_expect(&b, RECORD_LEFT);
    drain_until_bye();
    dealer_expect(&b, RECORD_BYE);
    put_report_of_bob();
    dealer_put(&b, &(control_t){.type = RECORD_END, .held = {.session = SESSION(1, 2), .count = 1}});
    dealer_flush(&b);
    ask(&b, SESSION(2, 2), "bert");
    dealer_expect(&a, RECORD_BYE);
    dealer_barrier(&a, 8);
}

/* The origin has parted, so nobody is left to be told. */
static void a_report_on_a_link_that_is_resumed_behind_bye_is_not_taken(void **state)
{
    (void)state;
    pair_open_held();
    drain_until_bye();
    answer_bye(&a);
    wait_nodes_at_most(1);
    dealer_expect(&b, RECORD_BYE);
    dealer_resume(&b, ENDPOINT, b.received);
    put_report_of_bob();
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    answer_drain(&b);
    answer_bye(&b);
    expect_step("closed");
    expect_drained("0");
    assert_int_equal(b.taken, 1);
    assert_int_equal(broker_number("counters.reports"), 0);
}

/* It ended while there was no link; so its report is not heard either. */
static void what_is_not_stated_any_more_behind_bye_has_not_ended_for_its_origin(void **state)
{
    (void)state;
    pair_open_held();
    drain_until_bye();
    dealer_expect(&b, RECORD_BYE);
    dealer_resume(&b, ENDPOINT, b.received);
    put_report_of_bob();
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect(&b, RECORD_DRAIN);
    dealer_barrier(&b, 9);
    dealer_expect(&a, RECORD_BYE);
    dealer_barrier(&a, 8);
    a.hears_settled = true;
    dealer_rejoin(&a, ENDPOINT, 0);
    answer_drain(&a);
    answer_bye(&a);
    dealer_put(&b, &(control_t){.type = RECORD_DRAINED, .number = b.number});
    dealer_flush(&b);
    answer_bye(&b);
    expect_step("closed");
    expect_drained("0");
}

static void what_a_node_holds_that_has_parted_has_not_ended_for_its_origin(void **state)
{
    (void)state;
    pair_open_held();
    drain_until_bye();
    answer_bye(&b);
    wait_nodes_at_most(1);
    dealer_expect(&a, RECORD_BYE);
    a.hears_settled = true;
    dealer_rejoin(&a, ENDPOINT, 0);
    answer_drain(&a);
    answer_bye(&a);
    expect_step("closed");
    expect_drained("0");
}

/* Bob is still there, and comes to the successor. */
static void the_name_of_a_node_that_has_parted_is_nobody_elses(void **state)
{
    (void)state;
    pair_open();
    drain_until_bye();
    dealer_expect(&a, RECORD_BYE);
    answer_bye(&b);
    wait_nodes_at_most(1);
    ask(&a, SESSION(1, 7), "bob");
    dealer_barrier(&a, 8);
}

/* Bob's node is given up before it has parted. */
static void who_waits_for_a_name_that_goes_behind_bye_goes_on_waiting(void **state)
{
    (void)state;
    pair_open();
    drain_until_bye();
    dealer_expect(&a, RECORD_BYE);
    keep_alive_until_doubtful();
    ask(&a, SESSION(1, 7), "bob");
    ask(&a, SESSION(1, 9), "bob");
    keep_alive_until_gone();
    dealer_expect(&a, RECORD_GONE);
    dealer_barrier(&a, 8);
}

/* Else it would wait for a successor that may never come. */
static void an_origin_of_nothing_held_hears_so_behind_bye_too(void **state)
{
    (void)state;
    pair_open();
    drain_until_bye();
    answer_bye(&b);
    wait_nodes_at_most(1);
    dealer_expect(&a, RECORD_BYE);
    a.hears_settled = true;
    dealer_rejoin(&a, ENDPOINT, 0);
    dealer_expect(&a, RECORD_DRAIN);
    dealer_expect(&a, RECORD_SETTLED);
    dealer_put(&a, &(control_t){.type = RECORD_DRAINED, .number = a.number});
    dealer_flush(&a);
    answer_bye(&a);
    expect_step("closed");
    expect_drained("0");
}

/* Its name has gone with a node that parted, and may be known to the successor. */
static void a_message_on_a_link_that_is_resumed_behind_bye_is_not_refused(void **state)
{
    (void)state;
    pair_open();
    drain_until_bye();
    answer_bye(&b);
    wait_nodes_at_most(1);
    dealer_expect(&a, RECORD_BYE);
    dealer_resume(&a, ENDPOINT, 0);
    dealer_put_empty(&a, RECORD_REGISTERED);
    alice_sends("bob", "one");
    answer_drain(&a);
    answer_bye(&a);
    expect_step("closed");
    expect_drained("0");
    assert_int_equal(a.taken, 1);
    assert_int_equal(broker_number("counters.refused"), 0);
}

/* Its program is given it by the successor. */
static void what_waits_for_a_service_whose_node_has_parted_is_not_refused(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&b, LINK_SESSION_SERVICE | SESSION(1, 3), "@mill");
    alice_sends("@mill", "rye");
    dealer_wait(&a, RECORD_WAITS);
    drain_until_bye();
    answer_bye(&b);
    wait_nodes_at_most(1);
    dealer_expect(&a, RECORD_BYE);
    dealer_barrier(&a, 8);
    dealer_put(&a, &(control_t){.type = RECORD_BYE_OK, .number = a.received});
    dealer_flush(&a);
    expect_step("closed");
    expect_drained("0");
    assert_int_equal(broker_number("counters.refused"), 0);
}

/* A copy that its node may not read any more would be unconfirmed. */
static void what_waits_for_a_service_goes_to_nobody_behind_bye(void **state)
{
    (void)state;
    pair_open();
    dealer_login(&b, LINK_SESSION_SERVICE | SESSION(1, 3), "@mill");
    alice_sends("@mill", "rye");
    dealer_wait(&a, RECORD_WAITS);
    drain_until_bye();
    dealer_expect(&b, RECORD_BYE);
    dealer_put(
        &b, &(control_t){.type = RECORD_CREDIT, .held = {.session = LINK_SESSION_SERVICE | SESSION(1, 3), .count = 1}});
    dealer_flush(&b);
    dealer_barrier(&b, 9);
    dealer_put(&b, &(control_t){.type = RECORD_BYE_OK, .number = b.received});
    dealer_flush(&b);
    answer_bye(&a);
    expect_step("closed");
    expect_drained("0");
}

static void an_answer_to_no_question_ends_the_link(void **state)
{
    (void)state;
    dealer_open(&a, ENDPOINT, 0xa);
    dealer_join(&a);
    dealer_put(&a, &(control_t){.type = RECORD_DRAINED, .number = 0});
    dealer_flush(&a);
    dealer_expect_refused(&a, CLOSE_BAD_RECORD);
    dealer_reopen(&a, ENDPOINT);
    dealer_join(&a);
    dealer_put(&a, &(control_t){.type = RECORD_BYE_OK, .number = 0});
    dealer_flush(&a);
    dealer_expect_refused(&a, CLOSE_BAD_RECORD);
}

static void who_answers_no_bye_is_given_up_with_what_it_holds(void **state)
{
    (void)state;
    pair_open_held();
    dealer_put(&b, &(control_t){.type = RECORD_BYE_OK, .number = b.received});
    dealer_flush(&b);
    dealer_expect_refused(&b, CLOSE_BAD_RECORD);
    dealer_expect_notice(&a, FERRY_ERROR_UNCONFIRMED, FERRY_REASON_GATEWAY_LOST, 1, "bob");
    dealer_expect(&a, RECORD_ENDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(a_broker_without_nodes_drains_at_once),
        BROKER_TEST(the_end_of_a_link_in_a_drain_ends_no_pause),
        BROKER_TEST(nodes_finish_answer_and_part),
        BROKER_TEST(what_was_sent_before_the_answer_is_waited_for),
        BROKER_TEST(unknown_nodes_are_refused_and_known_ones_told),
        BROKER_TEST(who_parts_because_the_broker_stops_is_not_gone_for_the_others),
        BROKER_TEST(who_is_about_to_leave_is_gone_for_the_others_before_they_part),
        BROKER_TEST(crossing_byes_are_both_answered),
        BROKER_TEST(the_deadline_ends_a_drain_and_tells_what_is_not_known),
        BROKER_TEST(held_copies_are_neither_waited_for_nor_told_of),
        BROKER_TEST(what_ends_behind_bye_is_not_told_of),
        BROKER_TEST(what_a_session_held_behind_bye_does_not_end_with_the_next_in_its_slot),
        BROKER_TEST(a_report_on_a_link_that_is_resumed_behind_bye_is_not_taken),
        BROKER_TEST(what_is_not_stated_any_more_behind_bye_has_not_ended_for_its_origin),
        BROKER_TEST(what_a_node_holds_that_has_parted_has_not_ended_for_its_origin),
        BROKER_TEST(the_name_of_a_node_that_has_parted_is_nobody_elses),
        cmocka_unit_test_setup_teardown(
            who_waits_for_a_name_that_goes_behind_bye_goes_on_waiting, setup_giving_up, teardown),
        BROKER_TEST(an_origin_of_nothing_held_hears_so_behind_bye_too),
        BROKER_TEST(a_message_on_a_link_that_is_resumed_behind_bye_is_not_refused),
        BROKER_TEST(what_waits_for_a_service_whose_node_has_parted_is_not_refused),
        BROKER_TEST(what_waits_for_a_service_goes_to_nobody_behind_bye),
        BROKER_TEST(an_answer_to_no_question_ends_the_link),
        BROKER_TEST(who_answers_no_bye_is_given_up_with_what_it_holds),
    };
    return BROKER_RUN(tests);
}
