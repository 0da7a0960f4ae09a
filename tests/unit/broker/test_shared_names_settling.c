/* SPDX-License-Identifier: MPL-2.0 */
/* Groups: what happens to them while members are paused, and while the broker settles. */
#include "settling.h"

#define GROUP(slot) (LINK_SESSION_GROUP | SESSION(1, slot))

static void join_group(dealer_t *dealer, uint32_t slot, const char *name)
{
    dealer_login(dealer, GROUP(slot), name);
}

/* Nodes b and c have members of #room in slots 3, a has none; alice is at a, bob at b. */
static void trio_open(void)
{
    pair_open();
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
    join_group(&b, 3, "#room");
    join_group(&c, 3, "#room");
}

static void expect_about(dealer_t *dealer, record_type_t type, const char *name)
{
    const dealer_event_t *event = dealer_next(dealer);
    while (event->type == RECORD_TAKEN || event->type == RECORD_RUN || event->type == RECORD_ORIGIN)
        event = dealer_next(dealer);
    assert_int_equal(event->type, type);
    assert_true(span_equal(event->control.name.name, span_str(name)));
}

static void say_about(dealer_t *dealer, record_type_t type, const char *name)
{
    dealer_put(dealer, &(control_t){.type = type, .name.name = span_str(name)});
    dealer_flush(dealer);
}

static void a_pause_of_a_group_lasts_until_its_last_node_has_ended_it(void **state)
{
    (void)state;
    trio_open();
    say_about(&b, RECORD_PAUSE, "#room");
    say_about(&c, RECORD_PAUSE, "#room");
    dealer_barrier(&b, 9);
    dealer_barrier(&c, 9);
    alice_sends("#room", "one");
    expect_about(&a, RECORD_PAUSE, "#room");
    dealer_expect_copy(&b, GROUP(3), "alice", "one");
    dealer_expect_copy(&c, GROUP(3), "alice", "one");
    say_about(&b, RECORD_RESUME, "#room");
    dealer_acknowledge(&b);
    dealer_barrier(&b, 10);
    dealer_put(&a, &(control_t){.type = RECORD_REGISTER, .name = {.session = SESSION(1, 8), .name = span_str("x")}});
    dealer_flush(&a);
    while (true) { /* and neither a second PAUSE nor a RESUME yet */
        record_type_t type = dealer_next(&a)->type;
        assert_true(type != RECORD_PAUSE && type != RECORD_RESUME);
        if (type == RECORD_CONFIRMED)
            break;
    }
    say_about(&c, RECORD_RESUME, "#room");
    expect_about(&a, RECORD_RESUME, "#room");
}

static void copies_to_groups_wait_until_all_members_are_known(void **state)
{
    (void)state;
    alice_comes_back();
    alice_sends_again("#room", "to the room");
    alice_sends_again("#void", "to nobody");
    join_group(&a, 3, "#room");                            /* at once, though the broker settles */
    assert_int_equal(broker_number("counters.copies"), 0); /* but no copy yet */
    come_back(&b, 0xb, 0);
    dealer_put_again(&b, GROUP(4), "#room", 1, 1);
    dealer_put_empty(&b, RECORD_REGISTERED);
    dealer_flush(&b);
    dealer_expect_copy(&b, GROUP(4), "alice", "to the room");
    const body_copy_t *copy = &dealer_wait(&a, RECORD_COPY)->record.copy;
    assert_int_equal(body_session_at(copy, 0), GROUP(3));
    const body_notice_t *notice = &dealer_wait(&a, RECORD_NOTICE)->record.notice;
    assert_int_equal(notice->error, FERRY_ERROR_UNCONFIRMED);
    assert_true(span_equal(notice->name, span_str("#void")));
    dealer_acknowledge(&a);
    dealer_acknowledge(&b);
    dealer_expect_taken(&a, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(a_pause_of_a_group_lasts_until_its_last_node_has_ended_it),
        BROKER_TEST(copies_to_groups_wait_until_all_members_are_known),
    };
    return BROKER_RUN(tests);
}
