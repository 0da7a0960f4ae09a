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

#endif
