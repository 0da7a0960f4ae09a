/* SPDX-License-Identifier: MPL-2.0 */
/* When a node says that a name is doubtful: the broker may have given it to somebody else since it was confirmed. */
#include "link_rig.h"

enum { SESSION = 5, SILENT_MS = 200, LONG_MS = 60000 };

static void on_up_register(link_t *link)
{
    link_register(link, SESSION, span_str("eve"), rig.claim, false);
}

static void confirm(void)
{
    router_put_session(&rig.router, RECORD_CONFIRMED, SESSION);
    router_flush(&rig.router);
    rig_wait("confirmed:5 ");
}

static void expect_register(bool again, bool doubtful)
{
    const router_event_t *event = router_expect(&rig.router, RECORD_REGISTER);
    assert_int_equal(event->control.name.session, SESSION);
    assert_int_equal(event->control.name.again, again);
    assert_int_equal(event->control.name.doubtful, doubtful);
    assert_int_equal(event->control.name.term, rig.claim.term);
    assert_int_equal(event->control.name.serial, rig.claim.serial);
    router_expect(&rig.router, RECORD_REGISTERED);
}

/* The first link, of that timeout; the ones behind it have a long one. */
static void join(uint32_t timeout_ms)
{
    rig.on_up = on_up_register;
    rig.router.welcome.welcome.timeout_ms = timeout_ms;
    rig_link();
    router_welcome(&rig.router);
    expect_register(false, false);
    rig.router.welcome.welcome.timeout_ms = LONG_MS;
}

/* The broker says nothing until the link is lost, and then it is resumed. */
static void resume_after_silence(void)
{
    rig_wait("state:down ");
    assert_string_equal(close_code(link_loss(rig.link)), close_code(CLOSE_LINK_TIMEOUT));
    router_resume(&rig.router);
}

static void resume_at_once(void)
{
    rig_break(true);
    router_resume(&rig.router);
}

static void a_name_is_doubtful_after_a_silence_until_it_is_confirmed(void **state)
{
    (void)state;
    join(SILENT_MS);
    confirm();
    resume_after_silence();
    expect_register(true, true);
    resume_at_once();
    expect_register(true, true);
    confirm();
    resume_at_once();
    expect_register(true, false);
}

/* The connection is lost first, and it is long until there is another. */
static void a_silence_without_a_connection_counts(void **state)
{
    (void)state;
    join(SILENT_MS);
    confirm();
    router_stop(&rig.router);
    rig_wait("state:down ");
    int64_t until_ms = deadline_now_ms() + SILENT_MS;
    while (deadline_now_ms() < until_ms)
        rig_turn(NULL);
    router_start(&rig.router);
    router_welcome(&rig.router);
    expect_register(true, true);
}

static void a_name_of_a_node_that_was_given_up_is_doubtful_until_it_is_confirmed(void **state)
{
    (void)state;
    join(LONG_MS);
    confirm();
    rig_break(true);
    router_welcome(&rig.router);
    expect_register(true, true);
    rig_wait("given-up ");
    rig_break(false);
    router_welcome(&rig.router);
    expect_register(true, true);
    confirm();
    rig_break(false);
    router_welcome(&rig.router);
    expect_register(true, false);
}

static void a_name_is_not_doubtful_since_a_broker_was_followed_at_once(void **state)
{
    (void)state;
    join(LONG_MS);
    confirm();
    rig_break(false);
    router_welcome(&rig.router);
    expect_register(true, false);
}

static void a_name_that_was_never_confirmed_is_not_doubtful(void **state)
{
    (void)state;
    join(SILENT_MS);
    resume_after_silence();
    expect_register(false, false);
    rig_break(true);
    router_welcome(&rig.router);
    expect_register(false, false);
}

/* Each name has the doubts since its own CONFIRMED. */
static void a_name_that_is_confirmed_after_a_silence_is_not_doubtful(void **state)
{
    (void)state;
    join(SILENT_MS);
    confirm();
    link_claim_t old = rig.claim;
    resume_after_silence();
    expect_register(true, true);
    confirm();
    link_register(rig.link, 6, span_str("old"), old, false);
    link_register(rig.link, 7, span_str("new"), rig.claim, false);
    assert_true(router_expect(&rig.router, RECORD_REGISTER)->control.name.doubtful);
    assert_false(router_expect(&rig.router, RECORD_REGISTER)->control.name.doubtful);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RIG_TEST(a_name_is_doubtful_after_a_silence_until_it_is_confirmed),
        RIG_TEST(a_silence_without_a_connection_counts),
        RIG_TEST(a_name_of_a_node_that_was_given_up_is_doubtful_until_it_is_confirmed),
        RIG_TEST(a_name_is_not_doubtful_since_a_broker_was_followed_at_once),
        RIG_TEST(a_name_that_was_never_confirmed_is_not_doubtful),
        RIG_TEST(a_name_that_is_confirmed_after_a_silence_is_not_doubtful),
    };
    return TEST_RUN(tests);
}
