/* SPDX-License-Identifier: MPL-2.0 */
/* peers_status: what the peers actor tells /status and /metrics about itself, in the JSON of proto/admin.md. Walks all
 * peers, when somebody asks. Owner: the peers actor's thread. */
#include "plain/peers.h"

#define STATUS_PEERS_MAX 1000 /* that are listed */

static void on_pending_peer(peer_t *peer, void *arg)
{
    uint64_t *pending = arg;
    *pending += peer_writer_pending(&peer->writer);
}

uint64_t peers_pending(peers_t *self)
{
    uint64_t pending = exchange_jobs(&self->exchange);
    peers_each(self, on_pending_peer, &pending);
    for (size_t i = 0; i < self->uplinks.count; i++)
        pending += link_open_copies(self->uplinks.items[i].link);
    return pending;
}

static void on_listed_peer(peer_t *peer, void *arg)
{
    static const char *const states[] = {"registering", "open", "settling", "leaving", "flushing", "gone"};
    json_t *list = arg;
    const peer_writer_t *writer = &peer->writer;
    uint64_t open_size = peer->inbox.open_size + peer->inbox.waiting_size;
    if (json_array_size(list) >= STATUS_PEERS_MAX)
        return;
    json_t *json = json_pack("{s:s%, s:s, s:I, s:I, s:I, s:I, s:b}", "name", peer->name.data, peer->name.size, "state",
        states[peer->state], "queued_bytes", (json_int_t)writer->waiting_size, "queued_copies",
        (json_int_t)peer_writer_queued(writer), "unacknowledged_copies", (json_int_t)peer_writer_unacknowledged(writer),
        "open_bytes", (json_int_t)open_size, "paused", (int)writer->paused);
    if (writer->has_credit)
        json_object_set_new(json, "credit", json_integer((json_int_t)writer->credit));
    json_array_append_new(list, json);
}

static json_t *peers_list(peers_t *self)
{
    json_t *list = json_array();
    peers_each(self, on_listed_peer, list);
    return list;
}

static json_t *peers_links(const peers_t *self)
{
    json_t *links = json_array();
    for (size_t i = 0; i < self->uplinks.count; i++)
        json_array_append_new(links, link_json(self->uplinks.items[i].link));
    return links;
}

static json_t *peers_counters(const peers_t *self)
{
    const peers_counters_t *counters = &self->counters;
    json_t *json = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "messages", (json_int_t)counters->messages,
        "logins", (json_int_t)counters->logins, "logouts", (json_int_t)counters->logouts, "pauses",
        (json_int_t)counters->pauses, "bad_verbs", (json_int_t)counters->errors, "messages_over_window",
        (json_int_t)counters->refused, "verbs_of_strangers", (json_int_t)counters->strangers);
    json_t *closes = json_object();
    for (int i = 0; i < CLOSE_COUNT; i++)
        if (counters->closes[i])
            json_object_set_new(closes, close_code(i), json_integer((json_int_t)counters->closes[i]));
    json_object_set_new(json, "sessions_closed", json_pack("{s:o}", "reason", closes));
    return json;
}

char *peers_status(peers_t *self)
{
    char node[LINK_ID_TEXT_SIZE];
    link_id_text(&self->node, node);
    json_t *json = json_pack("{s:s, s:s, s:O, s:o, s:o, s:o, s:o, s:{s:I, s:I, s:I}, s:{s:o, s:o}}", "actor", "peers",
        "node", node, "listening", self->listening, "peers", peers_list(self), "links", peers_links(self), "ledger",
        ledger_json(&self->ledger, peers_pending(self)), "counters", peers_counters(self), "gauges", "peers",
        (json_int_t)self->count, "jobs", (json_int_t)exchange_jobs(&self->exchange), "memory_bytes",
        (json_int_t)self->account.held, "histograms", "uplink_batch_records", histogram_json(&self->batch_records),
        "uplink_batch_bytes", histogram_json(&self->batch_bytes));
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}
