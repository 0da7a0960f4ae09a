/* SPDX-License-Identifier: MPL-2.0 */
/* carrier_rig: a ferry_t named bob with its carrier; the test is its program, and its broker. Include it once in a test
 * program. */
#ifndef FERRY_TESTS_CARRIER_RIG_H
#define FERRY_TESTS_CARRIER_RIG_H

#include "lib/test.h"

#include <errno.h>

#include "base/log.h"
#include "ferry.h"
#include "lib/deadline.h"
#include "lib/router.h"
#include "wire/error.h"
#include "wire/reason.h"

enum { ORIGIN = 2 }; /* the handle under which the broker knows another node */

static router_t router;
static ferry_t *bob;
static uint64_t session; /* bob's */

static inline int wait_ms(void)
{
    return DEADLINE_USUAL_MS * (int)deadline_patience();
}

/* Bob is not logged in, and his carrier not started. */
static inline int setup_new(void **state)
{
    (void)state;
    router_open(&router, "tcp://127.0.0.1:*");
    bob = ferry_new("bob", router.endpoint);
    assert_non_null(bob);
    return 0;
}

/* Waits until the broker is asked for the name. */
static inline void expect_register(bool again)
{
    const router_event_t *event = router_wait(&router, RECORD_REGISTER);
    assert_true(span_equal(event->control.name.name, span_str("bob")));
    assert_int_equal(event->control.name.again, again);
    session = event->control.name.session;
}

static inline void answer(record_type_t type)
{
    router_put_session(&router, type, session);
    router_flush(&router);
}

/* What the broker says first: another node, and bob's name. */
static inline void confirm(void)
{
    router_put_origin(&router, ORIGIN, 9);
    answer(RECORD_CONFIRMED);
}

/* Logs in at a broker that has just come. */
static inline void join(void)
{
    assert_int_equal(ferry_login(bob, 0), -FERRY_E_TIMEOUT);
    router_welcome(&router);
    for (bool asked = false, stated = false; !asked || !stated;) {
        const router_event_t *event = router_next(&router);
        asked = asked || event->type == RECORD_REGISTER;
        stated = stated || event->type == RECORD_REGISTERED;
        session = event->type == RECORD_REGISTER ? event->control.name.session : session;
    }
    confirm();
    assert_int_equal(ferry_login(bob, wait_ms()), 0);
}

static inline int setup(void **state)
{
    setup_new(state);
    join();
    return 0;
}

static inline int teardown(void **state)
{
    ferry_destroy(&bob, 0);
    router_close(&router);
    return test_clear(state);
}

/* The link is lost, and begun anew with another instance. */
static inline void replace_broker(void)
{
    router_stop(&router);
    router_start(&router);
    router_welcome(&router);
}

static inline void put_copy(uint64_t number, const char *text)
{
    router_put_run(&router, ORIGIN);
    router_put_copy(&router, number, &session, 1, "eve", text);
}

static inline void deliver(uint64_t number, const char *text)
{
    put_copy(number, text);
    router_flush(&router);
}

static inline void receive(const char *text)
{
    ferry_msg_t *msg = ferry_recv(bob, wait_ms());
    assert_non_null(msg);
    assert_int_equal(ferry_msg_kind(msg), FERRY_MESSAGE);
    assert_string_equal(ferry_msg_sender(msg), "eve");
    assert_string_equal(ferry_msg_data(msg), text);
    ferry_msg_destroy(&msg);
}

static inline void expect_event(int kind, int64_t number, const char *recipient, int error, const char *reason)
{
    ferry_msg_t *msg = ferry_recv(bob, wait_ms());
    assert_non_null(msg);
    assert_int_equal(ferry_msg_kind(msg), kind);
    assert_int_equal(ferry_msg_number(msg), number);
    assert_string_equal(ferry_msg_recipient(msg), recipient);
    assert_int_equal(ferry_msg_error(msg), error);
    assert_string_equal(ferry_msg_reason(msg), reason);
    ferry_msg_destroy(&msg);
}

static inline void expect_nothing(void)
{
    assert_null(ferry_recv(bob, 0));
    assert_int_equal(errno, EAGAIN);
}

/* Waits for the message with that number, passing over everything before it. */
static inline const router_event_t *expect_message(uint64_t number, const char *text)
{
    const router_event_t *event;
    while ((event = router_wait(&router, RECORD_MESSAGE))->number < number)
        ;
    assert_int_equal(event->number, number);
    assert_true(span_equal(event->record.message.text, span_str(text)));
    return event;
}

static inline int64_t say(const char *recipients, const char *text)
{
    return ferry_send(bob, recipients, text, strlen(text), 0);
}

static inline void answer_taken(uint64_t below)
{
    router_put_taken(&router, below);
    router_flush(&router);
}

static inline void answer_pause(record_type_t type, const char *name)
{
    router_put(&router, &(control_t){.type = type, .name.name = span_str(name)});
    router_flush(&router);
}

static inline void answer_notice(uint64_t number, const char *name, int error, int reason)
{
    router_put_notice(&router, &(body_notice_t){.error = (uint16_t)error,
                                   .reason = (uint16_t)reason,
                                   .number = number,
                                   .session = session,
                                   .name = span_str(name)});
    router_flush(&router);
}

static inline void expect_report(uint64_t number, int reason)
{
    const body_report_t *report = &router_wait(&router, RECORD_REPORT)->record.report;
    assert_int_equal(report->number, number);
    assert_int_equal(report->error, FERRY_ERROR_UNDELIVERED);
    assert_int_equal(report->reason, reason);
    assert_true(span_equal(report->name, span_str("bob")));
}

static inline void expect_end(uint32_t count)
{
    const control_t *record = &router_wait(&router, RECORD_END)->control;
    assert_int_equal(record->held.session, session);
    assert_int_equal(record->held.count, count);
}

#define NEW_TEST(function)     cmocka_unit_test_setup_teardown(function, setup_new, teardown)
#define CARRIER_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

#endif
