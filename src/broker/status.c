/* SPDX-License-Identifier: MPL-2.0 */
/* status: what a broker tells of itself; everything is looked up when asked. Nothing fails but by abort. Owner: the
 * router's thread. */
#include "broker/status.h"

#include "broker/held.h"

uint64_t status_pending(const broker_t *broker)
{
    uint64_t count = 0;
    uint32_t at = 0;
    for (node_t *node; (node = nodes_next(&broker->nodes, &at));)
        count += dealer_writer_open_copies(&node->writer);
    return count;
}

static const char *node_state(const node_t *node)
{
    if (!node->writer.connected)
        return "disconnected";
    if (node->congested)
        return "congested";
    return node->leaving ? "leaving" : "up";
}

static json_t *node_json(const node_t *node)
{
    const dealer_writer_t *writer = &node->writer;
    char id[LINK_ID_TEXT_SIZE];
    link_id_text(&node->id, id);
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "node", id, "epoch", (json_int_t)node->epoch,
        "names", (json_int_t)node->name_count, "window_bytes", (json_int_t)node->broker->window_size, "open_bytes",
        (json_int_t)dealer_writer_open_size(writer), "queued_bytes", (json_int_t)buffer_size(&writer->body),
        "open_batches", (json_int_t)dealer_writer_open_batches(writer), "silent_ms",
        (json_int_t)(broker_now_ms(node->broker) - node->heard_ms), "state", node_state(node));
}

static void put(json_t *json, const char *key, uint64_t value)
{
    json_object_set_new(json, key, json_integer((json_int_t)value));
}

static void put_closes(json_t *json, const char *key, const uint64_t *counts)
{
    json_t *reasons = json_object();
    for (int close = 1; close < CLOSE_COUNT; close++)
        if (counts[close])
            put(reasons, close_code(close), counts[close]);
    json_object_set_new(json, key, json_pack("{s:o}", "reason", reasons));
}

static json_t *status_counters(const broker_t *broker)
{
    const broker_counters_t *counters = &broker->counters;
    json_t *json = json_object();
    put(json, "frames", counters->frames);
    put(json, "batches", counters->batches);
    put(json, "messages", counters->messages);
    put(json, "copies", counters->copies);
    put(json, "reports", counters->reports);
    put(json, "copies_refused", counters->refused);
    put(json, "notices", counters->notices);
    put(json, "notices_dropped", counters->notices_dropped);
    put(json, "names_confirmed", counters->confirmed);
    put(json, "names_denied", counters->denied);
    put(json, "names_taken_over", counters->taken_over);
    put(json, "pauses", counters->pauses);
    put(json, "congestions", counters->congestions);
    put_closes(json, "links_closed", counters->links_closed);
    put_closes(json, "links_refused", counters->links_refused);
    return json;
}

static json_t *status_gauges(const broker_t *broker)
{
    json_t *json = json_object();
    uint64_t open = 0, held = 0;
    uint32_t at = 0;
    for (node_t *node; (node = nodes_next(&broker->nodes, &at));) {
        open += dealer_writer_open_size(&node->writer);
        held += held_count(node);
    }
    put(json, "nodes", broker->nodes.count);
    put(json, "names", table_count(broker->names));
    put(json, "shared_names", table_count(broker->shared_names));
    put(json, "open_bytes", open);
    put(json, "memory_bytes", broker->account.held);
    put(json, "held_copies", held);
    return json;
}

static json_t *status_writers(const broker_t *broker)
{
    json_t *json = json_array();
    uint32_t at = 0;
    for (node_t *node; (node = nodes_next(&broker->nodes, &at));)
        json_array_append_new(json, node_json(node));
    return json;
}

json_t *status_json(const broker_t *broker)
{
    char instance[LINK_ID_TEXT_SIZE];
    link_id_text(&broker->instance, instance);
    return json_pack("{s:s, s:s, s:s, s:O, s:I, s:o, s:o, s:o, s:o, s:{s:o, s:o}}", "actor", "router", "broker",
        broker->name, "instance", instance, "listening", broker->listening, "names",
        (json_int_t)table_count(broker->names), "dealer_writers", status_writers(broker), "ledger",
        ledger_json(&broker->ledger, status_pending(broker)), "counters", status_counters(broker), "gauges",
        status_gauges(broker), "histograms", "batch_records", histogram_json(&broker->batch_records), "batch_bytes",
        histogram_json(&broker->batch_bytes));
}
