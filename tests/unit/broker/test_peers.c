/* SPDX-License-Identifier: MPL-2.0 */
#include "rooms.h"

#include "broker/peers.h"

#define SESSION(generation, slot) ((uint64_t)(generation) << 32 | (slot))

static node_t *node;

static int setup(void **state)
{
    (void)state;
    rooms_open();
    node = rooms_node(1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (uint32_t slot = 0; slot < node->slot_count; slot++)
        if (node->slots[slot])
            peer_destroy(node->slots[slot]);
    rooms_close();
    table_destroy(&broker.held_origins, NULL);
    return 0;
}

static void a_session_is_found_by_slot_and_generation(void **state)
{
    (void)state;
    peer_t *low = peer_new(node, SESSION(1, 0), span_str("low"));
    peer_t *high = peer_new(node, SESSION(7, LINK_SLOT_LIMIT - 1), span_str("high"));
    assert_ptr_equal(node_peer(node, SESSION(1, 0)), low);
    assert_ptr_equal(node_peer(node, SESSION(7, LINK_SLOT_LIMIT - 1)), high);
    assert_null(node_peer(node, SESSION(2, 0)));
    assert_null(node_peer(node, SESSION(1, 1)));
    assert_ptr_equal(node_peer_in_slot(node, SESSION(2, 0)), low);
    assert_null(node_peer_in_slot(node, SESSION(1, 1)));
    assert_true(span_equal(high->item.key, span_str("high")));
    peer_destroy(low);
    assert_null(node_peer(node, SESSION(1, 0)));
}

static void a_session_with_just_its_name_takes_no_more_than_that(void **state)
{
    (void)state;
    assert_null(peer_new(node, SESSION(1, 0), span_str("alice"))->more);
    peer_t *group = peer_new(node, SESSION(1, 1) | LINK_SESSION_GROUP, span_str("#group"));
    assert_ptr_equal(peer_more(group), group->more);
    assert_ptr_equal(group->more->peer, group);
    assert_null(peer_shared(group));
}

static void a_slot_beyond_all_others_is_empty(void **state)
{
    (void)state;
    assert_null(node_peer(node, SESSION(1, 5)));
    peer_new(node, SESSION(1, 5), span_str("five"));
    assert_null(node_peer(node, SESSION(1, 500)));
}

static void copies_may_be_held_for_a_session_that_is_not_known(void **state)
{
    (void)state;
    peer_t *peer = node_peer_held(node, SESSION(1, 3));
    assert_int_equal(peer->state, PEER_LEFT);
    assert_int_equal(peer->item.key.size, 0);
    assert_ptr_equal(node_peer_held(node, SESSION(1, 3)), peer);
    assert_null(node_peer_held(node, SESSION(2, 3)));
    peer_reap(peer);
    assert_null(node_peer(node, SESSION(1, 3)));
}

static void only_a_session_that_has_left_is_reaped(void **state)
{
    (void)state;
    peer_t *peer = peer_new(node, SESSION(1, 3), span_str("three"));
    peer_reap(peer);
    peer_move(peer, PEER_OWNER);
    peer_reap(peer);
    peer_move(peer, PEER_LEAVING);
    peer_reap(peer);
    assert_ptr_equal(node_peer(node, SESSION(1, 3)), peer);
    peer_move(peer, PEER_LEFT);
    peer_reap(peer);
    assert_null(node_peer(node, SESSION(1, 3)));
}

#define PEERS_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEERS_TEST(a_session_is_found_by_slot_and_generation),
        PEERS_TEST(a_session_with_just_its_name_takes_no_more_than_that),
        PEERS_TEST(a_slot_beyond_all_others_is_empty),
        PEERS_TEST(copies_may_be_held_for_a_session_that_is_not_known),
        PEERS_TEST(only_a_session_that_has_left_is_reaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
