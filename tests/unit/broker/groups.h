/* SPDX-License-Identifier: MPL-2.0 */
/* groups: nodes with members of a group, played by hand. Include it behind the fixture, or in its place. */
#ifndef FERRY_TESTS_BROKER_GROUPS_H
#define FERRY_TESTS_BROKER_GROUPS_H

#include "fixture.h"

/* The session of a group. */
#define GROUP(generation, slot) (LINK_SESSION_GROUP | SESSION(generation, slot))

/* Node c has a link, beside the two of the fixture. */
static inline void third_open(void)
{
    dealer_open(&c, ENDPOINT, 0xc);
    dealer_join(&c);
}

/* Nodes a, b and c have a link and members of #room, by session 7 of each; alice is at node a. */
static inline void room_open(void)
{
    pair_open();
    third_open();
    dealer_login(&a, GROUP(1, 7), "#room");
    dealer_login(&b, GROUP(1, 7), "#room");
    dealer_login(&c, GROUP(1, 7), "#room");
}

static inline void put_only(dealer_t *dealer, uint64_t group, uint64_t member)
{
    dealer_put(dealer, &(control_t){.type = RECORD_ONLY, .name = {.session = group, .member = member}});
}

/* alice is the only member of #room at her node. */
static inline void alice_is_alone(void)
{
    put_only(&a, GROUP(1, 7), SESSION(1, 1));
    dealer_flush(&a);
}

/* A COPY of that text for session 7 of the node, and for nobody else. */
static inline const dealer_event_t *expect_room_copy(dealer_t *dealer, const char *text)
{
    return dealer_expect_copy(dealer, GROUP(1, 7), "alice", text);
}

/* Waits until TAKEN says that all under `below` is taken but for message `exception`. */
static inline void expect_taken_but(dealer_t *dealer, uint64_t below, uint64_t exception)
{
    const control_t *taken;
    uint64_t first = 0, count = 0;
    do
        taken = &dealer_expect(dealer, RECORD_TAKEN)->control;
    while (taken->taken.below < below);
    assert_int_equal(control_exception_count(taken), 1);
    control_exception_at(taken, 0, &first, &count);
    assert_int_equal(first, exception);
    assert_int_equal(count, 1);
}

/* The node breaks a rule, and is given up for that. */
static inline void lose(dealer_t *dealer)
{
    dealer_put_empty(dealer, RECORD_REGISTERED);
    dealer_flush(dealer);
    dealer_expect_refused(dealer, CLOSE_BAD_RECORD);
}

#endif
