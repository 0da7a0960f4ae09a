/* SPDX-License-Identifier: MPL-2.0 */
/* hello: after the checks a known node that comes back to this instance gets its link resumed; any other is made anew,
 * and what the broker knew of it is given up. WELCOME goes out at once, since no body may come with it, and who the
 * others are and whether the broker drains follows; so does on a fresh link what is held of the node. On a resumed one
 * that comes with the batches that are sent again, when the node has registered: what it hears of its copies must not
 * overtake the notices in them. Every check may fail. Owner: the router's thread. */
#include "broker/hello.h"

#include "base/log.h"
#include "broker/held.h"
#include "broker/held_origins.h"
#include "broker/loss.h"
#include "broker/names.h"
#include "broker/pauses.h"

#define TAKEN_MS    1 /* that what little is taken may wait to be told; proto/link.md, section 6 */
#define TAKEN_SHARE 8 /* of the window: as much is told at once */

/* What the broker knows of the link that a HELLO resumes. */
static int hello_check_resumed(const node_t *node, const frame_header_t *header)
{
    return dealer_writer_has_sent(&node->writer, header->acknowledged) ? 0 : -CLOSE_BAD_SEQUENCE;
}

/* Whether a HELLO has another list of brokers than a node that counts: the broker's own does not, since it cannot know
 * better than the gateways. */
static bool hello_contradicts(const broker_t *broker, const control_t *hello)
{
    uint32_t at = 0;
    if (link_id_equal(&hello->hello.digest, &broker->digest))
        return false;
    for (const node_t *node; (node = nodes_next(&broker->nodes, &at));)
        if (!link_id_is_of(&node->id, &broker->instance))
            return true;
    return false;
}

static int hello_check(const broker_t *broker, const node_t *node, const frame_header_t *header, const control_t *hello)
{
    if (hello->hello.version != LINK_VERSION)
        return -CLOSE_BAD_VERSION;
    if (!span_equal(hello->hello.broker, span_str(broker->name)))
        return -CLOSE_WRONG_BROKER;
    if (hello_contradicts(broker, hello))
        return -CLOSE_WRONG_BROKERS;
    if (node && header->epoch <= node->epoch)
        return -CLOSE_OLD_EPOCH;
    if (!node && broker->drain != DRAIN_NONE)
        return -CLOSE_BROKER_DRAINS;
    return 0;
}

/* What little was taken is told with something else, or a moment later. */
static void on_taken(void *arg, bool is_prompt)
{
    node_t *node = arg;
    if (is_prompt)
        node_touch(node);
    else
        broker_taken_due(node->broker, broker_now_ms(node->broker) + TAKEN_MS);
}

static void hello_welcome(node_t *node)
{
    broker_t *broker = node->broker;
    buffer_t ids = {0};
    uint32_t at = 0;
    for (node_t *other; (other = nodes_next(&broker->nodes, &at));)
        if (other != node && buffer_size(&ids) < CONTROL_NODES_MAX * LINK_ID_SIZE)
            buffer_append(&ids, other->id.bytes, LINK_ID_SIZE);
    settle_absent(broker, &ids, CONTROL_NODES_MAX - buffer_size(&ids) / LINK_ID_SIZE);
    control_t welcome = {.type = RECORD_WELCOME,
        .welcome = {.resumed = node->resumed,
            .window_size = broker->window_size,
            .batch_size = broker->batch_size,
            .heartbeat_ms = broker->heartbeat_ms,
            .timeout_ms = broker->timeout_ms,
            .handle = node->handle,
            .instance = broker->instance,
            .term = broker->term,
            .nodes = buffer_span(&ids)}};
    dealer_writer_welcome(&node->writer, &welcome, broker_now_ms(broker));
    buffer_fini(&ids);
}

/* Tells the node who the others are and whether the broker drains, and, if it is new, them who it is. */
static void hello_introduce(node_t *node)
{
    uint32_t at = 0;
    for (node_t *other; (other = nodes_next(&node->broker->nodes, &at));) {
        dealer_writer_origin(&node->writer, other->handle, &other->id);
        if (node->resumed || other == node)
            continue;
        dealer_writer_origin(&other->writer, node->handle, &node->id);
        node_touch(other);
    }
    if (node->broker->drain != DRAIN_NONE)
        node_tell_empty(node, RECORD_DRAIN);
    node_touch(node);
}

/* What is held of the node, unless that is to be told at the end of the settling. */
static void hello_state(node_t *node)
{
    if (!node->broker->settle.is_active)
        held_state(node);
}

void hello_registered(node_t *node)
{
    if (!node->resumed)
        return;
    dealer_writer_let_go(&node->writer, broker_now_ms(node->broker));
    hello_state(node);
    gone_tell(node);
    node_touch(node);
}

static void hello_log(const node_t *node)
{
    char id[LINK_ID_TEXT_SIZE];
    link_id_text(&node->id, id);
    log_info("node-up", log_str("node", id), log_uint("handle", node->handle), log_uint("epoch", node->epoch),
        log_str("link", node->resumed ? "resumed" : "fresh"));
}

static void hello_resume(node_t *node, span_t routing_id, const frame_header_t *header)
{
    loss_of_link(node);
    if (!node_is_restating(node)) /* else nothing that was held back has been heard since */
        node->heard_before = node->heard_ms;
    node_reconnect(node, routing_id, header->epoch);
    node->heard_ms = broker_now_ms(node->broker);
    node->writer.stamp = header->stamp;
    node->taken_before = header->acknowledged;
    dealer_writer_rewind(&node->writer, header->acknowledged);
    intake_tell_again(&node->intake);
    hello_welcome(node);
    hello_introduce(node);
    hello_log(node);
}

/* The list that a HELLO has holds from now on: gives up the broker's own node if that has another. */
static void hello_agree(broker_t *broker, const control_t *hello)
{
    uint32_t at = 0;
    if (!link_id_equal(&hello->hello.digest, &broker->digest))
        for (node_t *node; (node = nodes_next(&broker->nodes, &at));)
            loss_of_node(node, CLOSE_WRONG_BROKERS);
    broker->digest = hello->hello.digest;
}

static void hello_begin(broker_t *broker, span_t routing_id, const frame_header_t *header, const control_t *hello)
{
    hello_agree(broker, hello);
    node_t *node = nodes_add(broker, &hello->hello.node, routing_id, header->epoch);
    node->was_here = link_id_equal(&hello->hello.instance, &broker->instance);
    if (!node->was_here && hello->hello.term >= broker->term)
        broker->term = hello->hello.term + 1;
    node->heard_ms = broker_now_ms(broker);
    node->writer.stamp = header->stamp;
    intake_init(&node->intake, hello->hello.first, on_taken, node);
    node->intake.prompt_size = broker->window_size / TAKEN_SHARE;
    held_origin_come(node);
    settle_come(node, hello);
    hello_welcome(node);
    hello_introduce(node);
    hello_state(node);
    hello_log(node);
    owed_tell(&broker->owed, node);
    kept_release_reports(&broker->kept, node);
}

int hello_receive(broker_t *broker, span_t routing_id, const frame_header_t *header, const control_t *hello)
{
    node_t *node = nodes_find(&broker->nodes, &hello->hello.node);
    bool is_resumed = node && link_id_equal(&hello->hello.instance, &broker->instance);
    int rc = hello_check(broker, node, header, hello);
    if (rc == 0 && is_resumed)
        rc = hello_check_resumed(node, header);
    if (rc != 0)
        return rc;
    if (is_resumed) {
        hello_resume(node, routing_id, header);
        return 0;
    }
    if (node)
        loss_of_node(node, CLOSE_OLD_EPOCH);
    hello_begin(broker, routing_id, header, hello);
    return 0;
}
