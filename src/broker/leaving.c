/* SPDX-License-Identifier: MPL-2.0 */
/* leaving: the names of a node that leave stand in a list, in the order in which they began to, each with the batch
 * that has to be acknowledged; so an acknowledgement takes them from the front. LEAVE is the same for all names at
 * once. A record that says twice what is said once ends the link. Owner: the router's thread. */
#include "broker/leaving.h"

#include "broker/broker.h"
#include "broker/names.h"
#include "broker/pauses.h"

static void peer_tell_left(const peer_t *self)
{
    node_tell(self->node, &(control_t){.type = RECORD_LEFT, .name.session = self->session});
}

void leaving_start(peer_t *self)
{
    node_t *node = self->node;
    peer_move(self, PEER_LEAVING);
    self->is_stale = false;
    pauses_end(self);
    peer_more_t *more = peer_more(self);
    more->leave_mark = dealer_writer_mark(&node->writer);
    more->leaving_next = NULL;
    if (node->leaving_last)
        node->leaving_last->more->leaving_next = self;
    else
        node->leaving_first = self;
    node->leaving_last = self;
}

int leaving_begin(node_t *node, uint64_t session)
{
    peer_t *peer = node_peer(node, session);
    if (!peer || peer->state == PEER_LEFT) {
        node_tell(node, &(control_t){.type = RECORD_LEFT, .name.session = session});
        return 0;
    }
    if (peer->state == PEER_WAITING) {
        peer_tell_left(peer);
        peer_stop_waiting(peer);
        return 0;
    }
    if (peer->say_left)
        return -CLOSE_BAD_RECORD;
    peer->say_left = true;
    if (peer->state == PEER_OWNER)
        leaving_start(peer);
    leaving_acknowledged(node);
    return 0;
}

int leaving_begin_all(node_t *node)
{
    if (node->leaving)
        return -CLOSE_BAD_RECORD;
    for (uint32_t slot = 0; slot < node->slot_count; slot++) {
        peer_t *peer = node->slots[slot];
        if (peer && peer->state == PEER_OWNER)
            leaving_start(peer);
        else if (peer && peer->state == PEER_WAITING)
            peer_stop_waiting(peer);
    }
    node->leaving = true;
    node->leave_mark = dealer_writer_mark(&node->writer);
    leaving_acknowledged(node);
    return 0;
}

static void leaving_end(node_t *node, uint64_t acknowledged)
{
    while (node->leaving_first && node->leaving_first->more->leave_mark <= acknowledged) {
        peer_t *peer = node->leaving_first;
        node->leaving_first = peer->more->leaving_next;
        if (!node->leaving_first)
            node->leaving_last = NULL;
        if (peer->say_left)
            peer_tell_left(peer);
        peer_leave_name(peer);
    }
}

void leaving_acknowledged(node_t *node)
{
    uint64_t acknowledged = node->writer.sequence_acknowledged;
    leaving_end(node, acknowledged);
    if (node->leaving && node->leave_mark <= acknowledged) {
        node->leaving = false;
        node_tell_empty(node, RECORD_LEAVE_OK);
    }
}

void leaving_replaced(node_t *node)
{
    for (peer_t *peer = node->leaving_first; peer; peer = peer->more->leaving_next)
        peer->say_left = false;
}

static void leaving_remove(node_t *node, peer_t *peer)
{
    peer_t *before = NULL;
    for (peer_t *at = node->leaving_first; at != peer; at = at->more->leaving_next)
        before = at;
    if (before)
        before->more->leaving_next = peer->more->leaving_next;
    else
        node->leaving_first = peer->more->leaving_next;
    if (node->leaving_last == peer)
        node->leaving_last = before;
    peer->more->leaving_next = NULL;
}

bool leaving_return(peer_t *peer)
{
    if (peer->state != PEER_LEAVING || !node_is_restating(peer->node) || peer->say_left)
        return false;
    leaving_remove(peer->node, peer);
    peer_move(peer, PEER_OWNER);
    return true;
}
