/* SPDX-License-Identifier: MPL-2.0 */
/* settling: nodes of an earlier instance come to the broker of the fixture. Include it once in a test program, in the
 * fixture's place. */
#ifndef FERRY_TESTS_BROKER_SETTLING_H
#define FERRY_TESTS_BROKER_SETTLING_H

#include "fixture.h"

#define EARLIER 1 /* what the id of an earlier instance begins with */

/* A node that was linked to another instance, and to which that one told of `other` (0: of nobody), says HELLO and
 * reads WELCOME. */
static inline const dealer_event_t *come_back(dealer_t *dealer, uint8_t id, uint8_t other)
{
    uint8_t ids[LINK_ID_SIZE];
    memset(ids, other, sizeof ids);
    dealer_open(dealer, ENDPOINT, id);
    control_t hello = dealer_hello(dealer);
    hello.hello.instance.bytes[0] = EARLIER;
    hello.hello.nodes = span_of((const char *)ids, other ? sizeof ids : 0);
    dealer_put(dealer, &hello);
    dealer_flush(dealer);
    return dealer_expect(dealer, RECORD_WELCOME);
}

/* Registers a name again and says so, with REGISTERED. */
static inline void register_again(dealer_t *dealer, uint64_t session, const char *name)
{
    dealer_put_again(dealer, session, name, 1, session & 0xff);
    dealer_put_empty(dealer, RECORD_REGISTERED);
    dealer_flush(dealer);
    assert_int_equal(dealer_expect(dealer, RECORD_CONFIRMED)->control.name.session, session);
}

/* Node a is back with alice, and has told of node b, which is not. */
static inline void alice_comes_back(void)
{
    come_back(&a, 0xa, 0xb);
    register_again(&a, SESSION(1, 1), "alice");
}

/* alice sends this with the flag `again`. */
static inline void alice_sends_again(const char *recipients, const char *text)
{
    a.header.flags = FRAME_FLAG_AGAIN;
    alice_sends(recipients, text);
    a.header.flags = 0;
}

#endif
