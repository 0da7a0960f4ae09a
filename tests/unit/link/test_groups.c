/* SPDX-License-Identifier: MPL-2.0 */
#include "node_rig.h"

static membership_t *ann, *ben;
static uint64_t room; /* the session of #room */

static membership_t *join(const char *member, uint64_t session)
{
    return groups_join(&groups, span_str("#room"), session, (void *)member, false);
}

/* Ann, session 11, is in #room. */
static void open_room(void)
{
    ann = join("ann", 11);
    room = expect_record(RECORD_REGISTER)->name.session;
    assert_true(link_session_is_group(room));
    assert_int_equal(expect_record(RECORD_ONLY)->name.member, 11);
    expect_said("");
    confirm(room);
    wait_said(" joined:ann");
}

static void close_room(void)
{
    if (ann)
        groups_leave(&ann);
    if (ben)
        groups_leave(&ben);
}

static void end_part(unsigned i)
{
    share_end(parts[i]);
    share_release(parts[i]);
}

static void a_group_is_registered_once_for_all_its_members(void **state)
{
    (void)state;
    open_room();
    ben = join("ben", 12);
    expect_said(" joined:ben"); /* at once */
    assert_int_equal(expect_record(RECORD_ONLY)->name.member, 0);
    deliver(1, room, "hello");
    wait_said(" ann:hello ben:hello");
    assert_int_equal(ledger.made, 2);
    assert_int_equal(ledger.taken_over, 0);
    end_part(0);
    end_part(1);
    groups_leave(&ann);
    assert_int_equal(expect_record(RECORD_ONLY)->name.member, 12);
    deliver(2, room, "more");
    wait_said(" ben:more");
    end_part(2);
    close_room();
    assert_int_equal(expect_record(RECORD_LEAVING)->name.session, room);
    router_put_session(&router, RECORD_LEFT, room);
    router_flush(&router);
    ann = join("ann", 13);
    assert_int_not_equal(expect_record(RECORD_REGISTER)->name.session, room);
    close_room();
}

static void a_copy_that_comes_with_the_confirmation_finds_members(void **state)
{
    (void)state;
    ann = join("ann", 11);
    room = expect_record(RECORD_REGISTER)->name.session;
    router_put_session(&router, RECORD_CONFIRMED, room);
    deliver(1, room, "hello");
    wait_said(" joined:ann ann:hello");
    end_part(0);
    close_room();
}

/* The node of the sender is known by its id, which is 7 here. */
static void the_sender_gets_no_copy(void **state)
{
    (void)state;
    open_room();
    ben = join("ben", 12);
    said[0] = '\0';
    router_put(&router, &(control_t){.type = RECORD_ORIGIN, .origin = {.handle = 9, .node = {{7}}}});
    router_put_run(&router, 9);
    body_message_t message = {.session = 11, .sender = span_str("ann"), .text = span_str("mine")};
    body_put_copy(&router.body, &message, 1, &room, 1);
    router.record_count++;
    router_flush(&router);
    wait_said(" ben:mine");
    end_part(0);
    close_room();
}

static void what_all_have_in_the_same_turn_is_not_told_and_what_one_still_has_is(void **state)
{
    (void)state;
    open_room();
    ben = join("ben", 12);
    said[0] = '\0';
    deliver(1, room, "one");
    wait_said(" ann:one ben:one");
    expect_hold(room, 1, false);
    deliver(2, room, "two");
    wait_said(" ann:two ben:two");
    expect_hold(room, 2, false);
    end_part(2);
    end_part(3); /* the second is done, but the first is not */
    end_part(0);
    turn(NULL);
    share_end(parts[1]);
    const control_t *record = &router_wait(&router, RECORD_END)->control;
    assert_int_equal(record->held.session, room);
    assert_int_equal(record->held.count, 2);
    share_report(parts[1], span_str("ben"), FERRY_ERROR_UNDELIVERED, FERRY_REASON_GONE, true);
    share_release(parts[1]);
    expect_report(1, "ben", FERRY_REASON_GONE);
    close_room();
}

static void who_does_not_take_a_copy_returns_it_alone(void **state)
{
    (void)state;
    open_room();
    ben = join("rude", 12);
    said[0] = '\0';
    deliver(1, room, "hello");
    wait_said(" ann:hello");
    expect_report(1, "rude", FERRY_REASON_NOT_A_LINE);
    assert_int_equal(ledger.made, 2);
    assert_int_equal(ledger.returned[FERRY_REASON_NOT_A_LINE], 1);
    end_part(0);
    close_room();
}

static void a_copy_that_meets_no_member_is_returned_under_the_groups_name(void **state)
{
    (void)state;
    open_room();
    close_room();
    router_wait(&router, RECORD_LEAVING);
    deliver(1, room, "hello");
    expect_report(1, "#room", FERRY_REASON_GONE);
    assert_int_equal(ledger.made, 1);
    assert_int_equal(ledger.returned[FERRY_REASON_GONE], 1);
}

static void a_copy_that_comes_again_too_late_is_returned_once(void **state)
{
    (void)state;
    open_room();
    deliver(5, room, "five");
    wait_said(" ann:five");
    end_part(0);
    router_put_run_of(&router, &(body_run_t){.handle = OTHER, .floor = 4, .again = true});
    router_put_copy(&router, 4, &room, 1, "eve", "four");
    router_put_copy(&router, 5, &room, 1, "eve", "five");
    router_flush(&router);
    expect_report(4, "#room", FERRY_REASON_LATE);
    expect_said(""); /* and five is known */
    close_room();
}

static void a_new_broker_is_told_of_the_group_and_of_what_is_held(void **state)
{
    (void)state;
    open_room();
    deliver(1, room, "one");
    deliver(2, room, "two");
    wait_said(" ann:one ann:two");
    end_part(0);
    router_expect_acknowledged(&router, 2);
    replace_broker();
    const control_t *record = &router_wait(&router, RECORD_REGISTER)->control;
    assert_int_equal(record->name.session, room);
    assert_true(record->name.again);
    expect_hold(room, 2, true);
    router_wait(&router, RECORD_REGISTERED);
    end_part(1);
    router_wait(&router, RECORD_END);
    close_room();
}

/* The broker has told the senders of all that was open that nobody knows. */
static void a_node_that_was_given_up_tells_nothing_of_what_it_has(void **state)
{
    (void)state;
    open_room();
    deliver(1, room, "one");
    wait_said(" ann:one");
    expect_hold(room, 1, false);
    router_stop(&router);
    router_return(&router);
    router_welcome(&router);
    router_wait(&router, RECORD_REGISTER);
    assert_int_equal(router_next(&router)->type, RECORD_ONLY);
    assert_int_equal(router_next(&router)->type, RECORD_REGISTERED);
    share_report(parts[0], span_str("ann"), FERRY_ERROR_UNDELIVERED, FERRY_REASON_GONE, false);
    end_part(0);
    close_room();
    assert_int_equal(router_next(&router)->type, RECORD_LEAVING);
}

static void a_group_is_paused_while_some_member_is(void **state)
{
    (void)state;
    open_room();
    ben = join("ben", 12);
    router_wait(&router, RECORD_ONLY);
    groups_pause(ann, true);
    const control_t *record = expect_record(RECORD_PAUSE);
    assert_true(span_equal(record->name.name, span_str("#room")));
    groups_pause(ben, true);
    groups_pause(ann, false);
    groups_pause(ben, false);
    assert_int_equal(expect_record(RECORD_RESUME)->name.session, 0);
    groups_pause(ben, true);
    expect_record(RECORD_PAUSE);
    replace_broker();
    assert_true(router_wait(&router, RECORD_REGISTER)->control.name.paused);
    close_room();
}

static void a_member_that_joins_while_there_is_no_link_does_with_the_next(void **state)
{
    (void)state;
    router_stop(&router);
    for (deadline_t deadline = deadline_in(DEADLINE_USUAL_MS); link_state(uplinks.items[0].link) == LINK_UP; turn(NULL))
        assert_false(deadline_passed(deadline));
    ann = join("ann", 11);
    ben = join("ben", 12);
    groups_leave(&ben);
    router_start(&router);
    router_welcome(&router);
    room = router_wait(&router, RECORD_REGISTER)->control.name.session;
    assert_int_equal(router_wait(&router, RECORD_ONLY)->control.name.member, 11);
    router_wait(&router, RECORD_REGISTERED);
    confirm(room);
    wait_said(" joined:ann");
    close_room();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(a_group_is_registered_once_for_all_its_members),
        NODE_TEST(a_copy_that_comes_with_the_confirmation_finds_members),
        NODE_TEST(the_sender_gets_no_copy),
        NODE_TEST(what_all_have_in_the_same_turn_is_not_told_and_what_one_still_has_is),
        NODE_TEST(who_does_not_take_a_copy_returns_it_alone),
        NODE_TEST(a_copy_that_meets_no_member_is_returned_under_the_groups_name),
        NODE_TEST(a_copy_that_comes_again_too_late_is_returned_once),
        NODE_TEST(a_new_broker_is_told_of_the_group_and_of_what_is_held),
        NODE_TEST(a_node_that_was_given_up_tells_nothing_of_what_it_has),
        NODE_TEST(a_group_is_paused_while_some_member_is),
        NODE_TEST(a_member_that_joins_while_there_is_no_link_does_with_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
