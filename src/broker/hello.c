/* SPDX-License-Identifier: MPL-2.0 */
/* hello: after the checks a node is made, or an old one gets its new link; WELCOME goes out at once, since no body may
 * come with it, and everything that the node must know besides follows: who the others are, what is held of it, and
 * that the broker drains. Every check may fail. Owner: the router's thread. */
#include "broker/hello.h"

#include "base/log.h"
#include "broker/held.h"
#include "broker/loss.h"

static int hello_check(const broker_t *broker, const node_t *node, uint32_t epoch, const control_t *hello)
{
    if (hello->hello.version != LINK_VERSION)
        return -CLOSE_BAD_VERSION;
    if (!span_equal(hello->hello.broker, span_str(broker->name)))
        return -CLOSE_WRONG_BROKER;
    if (broker->nodes.count > 0 && !link_id_equal(&hello->hello.digest, &broker->digest))
        return -CLOSE_WRONG_BROKERS;
    if (node && epoch <= node->epoch)
        return -CLOSE_OLD_EPOCH;
    if (!node && broker->drain != DRAIN_NONE)
        return -CLOSE_BROKER_DRAINS;
    return 0;
}

static void on_taken(void *arg)
{
    node_touch(arg);
}

static void hello_welcome(node_t *node)
{
    broker_t *broker = node->broker;
    buffer_t ids = {0};
    uint32_t at = 0;
    for (node_t *other; (other = nodes_next(&broker->nodes, &at));)
        if (other != node && buffer_size(&ids) < (size_t)CONTROL_NODES_MAX * LINK_ID_SIZE)
            buffer_append(&ids, other->id.bytes, LINK_ID_SIZE);
    node_tell(node, &(control_t){.type = RECORD_WELCOME,
                        .welcome = {.window_size = broker->window_size,
                            .batch_size = broker->batch_size,
                            .heartbeat_ms = broker->heartbeat_ms,
                            .timeout_ms = broker->timeout_ms,
                            .handle = node->handle,
                            .instance = broker->instance,
                            .term = broker->term,
                            .nodes = buffer_span(&ids)}});
    buffer_fini(&ids);
    dealer_writer_flush(&node->writer, broker_now_ms(broker));
}

/* Tells the node who the others are, and, if it is new, them who it is. */
static void hello_introduce(node_t *node, bool is_new)
{
    uint32_t at = 0;
    for (node_t *other; (other = nodes_next(&node->broker->nodes, &at));) {
        dealer_writer_origin(&node->writer, other->handle, &other->id);
        if (!is_new || other == node)
            continue;
        dealer_writer_origin(&other->writer, node->handle, &node->id);
        node_touch(other);
    }
}

int hello_receive(broker_t *broker, span_t routing_id, uint32_t epoch, const control_t *hello)
{
    node_t *node = nodes_find(&broker->nodes, &hello->hello.node);
    bool is_new = !node;
    int rc = hello_check(broker, node, epoch, hello);
    if (rc != 0)
        return rc;
    if (node) {
        loss_of_link(node);
        node_connect(node, routing_id, epoch);
    } else {
        broker->digest = hello->hello.digest;
        node = nodes_add(broker, &hello->hello.node, routing_id, epoch);
    }
    static const link_id_t nobody;
    bool was_here = link_id_equal(&hello->hello.instance, &broker->instance);
    if (!was_here && !link_id_equal(&hello->hello.instance, &nobody))
        settle_succeed(broker);
    if (!was_here && hello->hello.term >= broker->term)
        broker->term = hello->hello.term + 1;
    node->heard_ms = broker_now_ms(broker);
    intake_init(&node->intake, hello->hello.first, on_taken, node);
    hello_welcome(node);
    hello_introduce(node, is_new);
    held_welcomed(node, was_here);
    if (broker->drain != DRAIN_NONE)
        node_tell_empty(node, RECORD_DRAIN);
    char id[LINK_ID_TEXT_SIZE];
    link_id_text(&node->id, id);
    log_info("node-up", log_str("node", id), log_uint("handle", node->handle), log_uint("epoch", epoch));
    return 0;
}
