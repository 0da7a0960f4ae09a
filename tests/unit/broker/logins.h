/* SPDX-License-Identifier: MPL-2.0 */
/* logins: how a node that is played by hand asks for names and lets them go, and what it is answered. */
#ifndef FERRY_TESTS_BROKER_LOGINS_H
#define FERRY_TESTS_BROKER_LOGINS_H

#include "fixture.h"

static inline void say_leaving(dealer_t *dealer, uint64_t session)
{
    dealer_put(dealer, &(control_t){.type = RECORD_LEAVING, .name.session = session});
    dealer_flush(dealer);
}

static inline void expect_left(dealer_t *dealer, uint64_t session)
{
    assert_int_equal(dealer_expect(dealer, RECORD_LEFT)->control.name.session, session);
}

static inline void ask(dealer_t *dealer, uint64_t session, const char *name)
{
    dealer_put_register(dealer, session, name);
    dealer_flush(dealer);
}

static inline void expect_denied(dealer_t *dealer, uint64_t session)
{
    const dealer_event_t *denied = dealer_expect(dealer, RECORD_DENIED);
    assert_int_equal(denied->control.name.session, session);
    assert_int_equal(denied->control.name.error, FERRY_ERROR_NAME_TAKEN);
}

static inline void assert_confirmed(dealer_t *dealer, uint64_t session)
{
    assert_int_equal(dealer_expect(dealer, RECORD_CONFIRMED)->control.name.session, session);
}

/* Node a hears nothing of node b, and says something itself, until a name of b's is in doubt; or until b is given up.
 */
static inline void keep_alive_until_doubtful(void)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    int64_t doubt_ms = 2 * config_number(config, "link/heartbeat");
    int64_t silent_ms = 0;
    while (silent_ms < doubt_ms) {
        assert_false(deadline_passed(deadline));
        dealer_flush(&a);
        json_t *status = broker_status();
        json_t *writer = json_array_get(json_object_get(status, "dealer_writers"), 1);
        silent_ms = json_integer_value(json_object_get(writer, "silent_ms"));
        json_decref(status);
    }
}

static inline void keep_alive_until_gone(void)
{
    deadline_t deadline = deadline_in(DEADLINE_USUAL_MS);
    while (broker_number("gauges.nodes") > 1) {
        assert_false(deadline_passed(deadline));
        dealer_flush(&a);
        zmq_pollitem_t item = {.socket = a.socket, .events = ZMQ_POLLIN};
        zmq_poll(&item, 1, 20);
    }
}

#endif
