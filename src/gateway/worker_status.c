/* SPDX-License-Identifier: MPL-2.0 */
/* worker_status: what a worker tells /status and /metrics about itself, in the JSON of proto/admin.md. Walks all
 * sessions, when somebody asks. Owner: the worker's thread. */
#include "gateway/worker.h"

#define STATUS_SESSIONS_MAX 1000 /* session writers that are listed; those with something queued come first */

typedef struct {
    json_t *list;
    bool queued; /* list those with something queued, or the others */
    uint64_t pending, names;
} status_walk_t;

static void on_pending_session(session_t *session, void *arg)
{
    status_walk_t *walk = arg;
    walk->pending += writer_pending(&session->writer);
    walk->names += session->registered && session_was_confirmed(session);
}

uint64_t worker_pending(worker_t *self)
{
    status_walk_t walk = {0};
    worker_look(self);
    worker_each(self, on_pending_session, &walk);
    walk.pending += exchange_jobs(&self->exchange);
    for (size_t i = 0; i < self->uplinks.count; i++)
        walk.pending += link_open_copies(self->uplinks.items[i].link);
    return walk.pending;
}

static void on_listed_session(session_t *session, void *arg)
{
    status_walk_t *walk = arg;
    if (!session->name || writer_is_empty(&session->writer) == walk->queued ||
        json_array_size(walk->list) >= STATUS_SESSIONS_MAX)
        return;
    json_array_append_new(
        walk->list, json_pack("{s:s%, s:I, s:I, s:I, s:b}", "name", session->name, session->name_size, "queued_bytes",
                        (json_int_t)buffer_size(&session->writer.output), "queued_copies",
                        (json_int_t)writer_queued(&session->writer), "unacknowledged_copies",
                        (json_int_t)writer_unacknowledged(&session->writer), "paused", (int)session->writer.paused));
}

static json_t *worker_writers(worker_t *self)
{
    status_walk_t walk = {.list = json_array(), .queued = true};
    worker_each(self, on_listed_session, &walk);
    walk.queued = false;
    worker_each(self, on_listed_session, &walk);
    return walk.list;
}

static json_t *worker_links(worker_t *self)
{
    json_t *links = json_array();
    for (size_t i = 0; i < self->uplinks.count; i++)
        json_array_append_new(links, link_json(self->uplinks.items[i].link));
    return links;
}

static json_t *worker_counters(const worker_t *self)
{
    const worker_counters_t *counters = &self->counters;
    json_t *json = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "messages", (json_int_t)counters->messages, "shortcuts",
        (json_int_t)counters->shortcuts, "bad_lines", (json_int_t)counters->bad_lines, "logins",
        (json_int_t)counters->logins, "logouts", (json_int_t)counters->logouts, "pauses", (json_int_t)counters->pauses);
    json_t *closes = json_object();
    for (int i = 0; i < CLOSE_COUNT; i++)
        if (counters->closes[i])
            json_object_set_new(closes, close_code(i), json_integer((json_int_t)counters->closes[i]));
    json_object_set_new(json, "sessions_closed", json_pack("{s:o}", "reason", closes));
    return json;
}

static json_t *worker_gauges(const worker_t *self)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "jobs", (json_int_t)exchange_jobs(&self->exchange),
        "memory_bytes", (json_int_t)self->account.held, "memory_reader_bytes", (json_int_t)self->memory.readers,
        "memory_writer_bytes", (json_int_t)self->memory.writers, "memory_link_bytes", (json_int_t)self->memory.links,
        "sessions_starved", (json_int_t)worker_memory_starved(self));
}

char *worker_status(worker_t *self)
{
    char actor[24], node[LINK_ID_TEXT_SIZE];
    snprintf(actor, sizeof actor, "worker-%u", self->index);
    link_id_text(&self->node, node);
    status_walk_t walk = {0};
    worker_look(self);
    worker_each(self, on_pending_session, &walk);
    json_t *histograms =
        json_pack("{s:o, s:o, s:o}", "turn_copies", histogram_json(&self->turn_copies), "uplink_batch_records",
            histogram_json(&self->batch_records), "uplink_batch_bytes", histogram_json(&self->batch_bytes));
    json_t *json = json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "actor", actor, "node", node,
        "sessions", (json_int_t)self->session_count, "names", (json_int_t)walk.names, "session_writers",
        worker_writers(self), "links", worker_links(self), "ledger", ledger_json(&self->ledger, worker_pending(self)),
        "counters", worker_counters(self), "gauges", worker_gauges(self), "histograms", histograms);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}
