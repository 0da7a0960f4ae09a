/* SPDX-License-Identifier: MPL-2.0 */
/* drain: each state waits for all nodes to be so far; one that comes back with a new link in the middle is asked anew,
 * and said BYE to when it is so far too. Nothing fails; what takes too long meets the deadline. Owner: the router's
 * thread. */
#include "broker/drain.h"

#include <assert.h>

#include "broker/broker.h"

static const char *const drain_words[] = {
    [DRAIN_NONE] = "none",
    [DRAIN_NODES] = "drain-nodes",
    [DRAIN_TAKEN] = "taken",
    [DRAIN_BYE] = "bye",
    [DRAIN_CLOSED] = "closed",
};

static const unsigned drain_moves[] = {
    [DRAIN_NONE] = 1u << DRAIN_NODES,
    [DRAIN_NODES] = 1u << DRAIN_TAKEN | 1u << DRAIN_CLOSED,
    [DRAIN_TAKEN] = 1u << DRAIN_BYE | 1u << DRAIN_CLOSED,
    [DRAIN_BYE] = 1u << DRAIN_CLOSED,
    [DRAIN_CLOSED] = 0,
};

const char *drain_word(drain_state_t state)
{
    return drain_words[state];
}

static void drain_move(broker_t *broker, drain_state_t state)
{
    assert(drain_moves[broker->drain] & 1u << state);
    broker->drain = state;
}

void drain_begin(broker_t *broker)
{
    if (broker->drain != DRAIN_NONE)
        return;
    drain_move(broker, DRAIN_NODES);
    uint32_t at = 0;
    for (node_t *node; (node = nodes_next(&broker->nodes, &at));)
        node_tell_empty(node, RECORD_DRAIN);
}

int drain_answered(node_t *node, uint64_t last)
{
    if (node->broker->drain == DRAIN_NONE || node->drained)
        return -CLOSE_BAD_RECORD;
    node->drained = true;
    node->drained_last = last;
    return 0;
}

/* N.B. when nodes part, what one sends on a link that is resumed is not taken, and so not waited for. */
static bool node_is_drained(const node_t *node)
{
    return node->drained && (broker_parts(node->broker) || node->intake.below > node->drained_last);
}

static bool node_is_done(const node_t *node)
{
    return node_is_drained(node) && intake_is_settled(&node->intake) && dealer_writer_open_batches(&node->writer) == 0;
}

static bool nodes_are(const broker_t *broker, bool (*is)(const node_t *node))
{
    uint32_t at = 0;
    for (node_t *node; (node = nodes_next(&broker->nodes, &at));)
        if (!is(node))
            return false;
    return true;
}

/* Who is about to leave may never come to the successor, which is told by the others whom to wait for. It may come all
 * the same, so it is not gone in order, and what they know of it is kept. */
static void node_tell_stopping(node_t *node)
{
    uint32_t at = 0;
    for (node_t *other; (other = nodes_next(&node->broker->nodes, &at));)
        if (other != node && other->stopping)
            node_tell(node, &(control_t){.type = RECORD_GONE, .origin.handle = other->handle});
}

static void node_say_bye(node_t *node)
{
    if (node->bye_said)
        return;
    node->bye_said = true;
    node_tell_stopping(node);
    node_tell(node, &(control_t){.type = RECORD_BYE, .number = node->writer.sequence});
}

/* To those who are so far, or to all. */
static void drain_say_bye(broker_t *broker, bool to_all)
{
    uint32_t at = 0;
    for (node_t *node; (node = nodes_next(&broker->nodes, &at));)
        if (to_all || node_is_done(node))
            node_say_bye(node);
}

bool drain_step(broker_t *broker)
{
    drain_state_t before = broker->drain;
    if (broker->drain == DRAIN_NODES && nodes_are(broker, node_is_drained))
        drain_move(broker, DRAIN_TAKEN);
    else if (broker->drain == DRAIN_TAKEN && nodes_are(broker, node_is_done))
        drain_move(broker, DRAIN_BYE);
    else if (broker->drain == DRAIN_BYE && broker->nodes.count == 0)
        drain_move(broker, DRAIN_CLOSED);
    if (broker->drain == DRAIN_BYE)
        drain_say_bye(broker, false);
    return broker->drain != before;
}

void drain_expire(broker_t *broker)
{
    if (broker->drain == DRAIN_NONE || broker->drain == DRAIN_CLOSED)
        return;
    drain_say_bye(broker, true);
    drain_move(broker, DRAIN_CLOSED);
}
