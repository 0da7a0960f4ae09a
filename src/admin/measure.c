/* SPDX-License-Identifier: MPL-2.0 */
/* measure: a report as numbers. Lists are summed up, since a series for each client or node would be too many. Whatever
 * has a wrong type counts as absent or 0; nothing fails. Owner: none, it holds no state. */
#include "admin/measure.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/ledger.h"

static const struct {
    const char *list;
    const char *field;
    const char *key;
    bool counter; /* else a gauge */
} sums[] = {
    {"session_writers", "queued_bytes", "session_writer_queued_bytes", false},
    {"session_writers", "queued_copies", "session_writer_queued_copies", false},
    {"session_writers", "paused", "session_writers_paused", false},
    {"peers", "queued_bytes", "peer_queued_bytes", false},
    {"peers", "queued_copies", "peer_queued_copies", false},
    {"peers", "unacknowledged_copies", "peer_unacknowledged_copies", false},
    {"peers", "open_bytes", "peer_open_bytes", false},
    {"peers", "paused", "peers_paused", false},
    {"links", "window_bytes", "link_window_bytes", false},
    {"links", "open_bytes", "link_open_bytes", false},
    {"links", "open_messages", "link_open_messages", false},
    {"links", "pauses", "link_pauses", false},
    {"dealer_writers", "window_bytes", "dealer_writer_window_bytes", false},
    {"dealer_writers", "open_bytes", "dealer_writer_open_bytes", false},
    {"dealer_writers", "open_batches", "dealer_writer_open_batches", false},
    {"dealer_writers", "queued_bytes", "dealer_writer_queued_bytes", false},
    {"links", "batches_sent", "link_batches_sent", true},
    {"links", "batches_received", "link_batches_received", true},
    {"links", "lost", "links_lost", true},
};

static const struct {
    const char *list;
    const char *field;
    const char *gauge;
    int divisor; /* from the field's unit to the gauge's */
} maxima[] = {
    {"session_writers", "queued_bytes", "session_writer_queued_bytes_max", 1},
    {"dealer_writers", "queued_bytes", "dealer_writer_queued_bytes_max", 1},
    {"dealer_writers", "silent_ms", "dealer_writer_silent_seconds_max", 1000},
};

static const char *const states[] = {"links", "dealer_writers"};

static const char *const scalars[] = {"sessions", "names", "accepting"};

static const char *const ledger_counters[] = {"accepted", "taken_over", "made", "delivered", "handed_over", "shared"};

/* The codes that a reason of each end can have: a series that is missing until it is counted the first time hides its
 * first change. */
static const char *const error_codes[] = {
#define ERROR(name, number, code, argument, meaning) (code),
#include "errors.def"
#undef ERROR
    NULL,
};
static const char *const reason_codes[] = {
#define REASON(name, number, code, meaning) (code),
#include "reasons.def"
#undef REASON
    NULL,
};
static const struct {
    const char *name;
    const char *const *codes;
} ledger_ends[] = {
    {"refused", error_codes},
    {"returned", reason_codes},
    {"unconfirmed", reason_codes},
};

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* An integer, or a boolean as 0 or 1; 0 for all else. */
static uint64_t value_of(const json_t *json)
{
    return json_is_true(json) ? 1 : (uint64_t)json_integer_value(json);
}

static json_t *json_of(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* {label:{value:1}} */
static json_t *json_of_label(const char *label, const char *value)
{
    return json_pack("{s:{s:i}}", label, value, 1);
}

static void measure_sums(json_t *counters, json_t *gauges, const json_t *actor)
{
    for (size_t i = 0; i < COUNT_OF(sums); i++) {
        const json_t *list = json_object_get(actor, sums[i].list);
        uint64_t sum = 0;
        for (size_t entry = 0; entry < json_array_size(list); entry++)
            sum += value_of(json_object_get(json_array_get(list, entry), sums[i].field));
        if (json_is_array(list))
            json_object_set_new(sums[i].counter ? counters : gauges, sums[i].key, json_of(sum));
    }
}

static void measure_maxima(json_t *gauges, const json_t *actor)
{
    for (size_t i = 0; i < COUNT_OF(maxima); i++) {
        const json_t *list = json_object_get(actor, maxima[i].list);
        json_int_t most = 0;
        for (size_t entry = 0; entry < json_array_size(list); entry++) {
            json_int_t value = json_integer_value(json_object_get(json_array_get(list, entry), maxima[i].field));
            most = value > most ? value : most;
        }
        json_t *value = maxima[i].divisor == 1 ? json_integer(most) : json_real((double)most / maxima[i].divisor);
        if (json_is_array(list))
            json_object_set(gauges, maxima[i].gauge, value);
        json_decref(value);
    }
}

static void measure_states(json_t *gauges, const json_t *actor)
{
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        const json_t *list = json_object_get(actor, states[i]);
        json_t *counts = json_object();
        for (size_t entry = 0; entry < json_array_size(list); entry++) {
            const char *state = json_string_value(json_object_get(json_array_get(list, entry), "state"));
            state = state ? state : "unknown";
            json_object_set_new(counts, state, json_of(value_of(json_object_get(counts, state)) + 1));
        }
        if (json_is_array(list))
            json_object_set_new(gauges, states[i], json_pack("{s:O}", "state", counts));
        json_decref(counts);
    }
}

static void measure_scalars(json_t *gauges, const json_t *actor)
{
    for (size_t i = 0; i < COUNT_OF(scalars); i++) {
        const json_t *value = json_object_get(actor, scalars[i]);
        if (value)
            json_object_set_new(gauges, scalars[i], json_of(value_of(value)));
    }
}

static void ledger_key(char *key, size_t size, const char *name)
{
    snprintf(key, size, "ledger_%s_copies", name);
}

static void measure_ledger_ends(json_t *counters, const json_t *ledger)
{
    for (size_t i = 0; i < COUNT_OF(ledger_ends); i++) {
        json_t *counts = json_object();
        for (const char *const *code = ledger_ends[i].codes; *code; code++)
            json_object_set_new(counts, *code, json_of(0));
        json_object_update(counts, json_object_get(ledger, ledger_ends[i].name));
        char key[64];
        ledger_key(key, sizeof key, ledger_ends[i].name);
        json_object_set_new(counters, key, json_pack("{s:o}", "reason", counts));
    }
}

static void measure_ledger(json_t *counters, json_t *gauges, const json_t *actor)
{
    ledger_t ledger;
    uint64_t pending;
    if (ledger_from_json(&ledger, &pending, json_object_get(actor, "ledger")) != 0)
        return;
    json_t *json = ledger_json(&ledger, pending);
    for (size_t i = 0; i < COUNT_OF(ledger_counters); i++) {
        char key[64];
        ledger_key(key, sizeof key, ledger_counters[i]);
        json_object_set(counters, key, json_object_get(json, ledger_counters[i]));
    }
    measure_ledger_ends(counters, json);
    json_object_set_new(gauges, "ledger_pending_copies", json_of(pending));
    json_object_set_new(gauges, "ledger_balance_copies", json_integer(ledger_balance(&ledger, pending)));
    json_decref(json);
}

/* A copy of the actor's own object of that name; the sums are added to it. */
static json_t *actor_object(const json_t *actor, const char *name)
{
    json_t *own = json_object_get(actor, name);
    return json_is_object(own) ? json_copy(own) : json_object();
}

static json_t *measure_actor(const json_t *actor)
{
    json_t *counters = actor_object(actor, "counters");
    json_t *gauges = actor_object(actor, "gauges");
    measure_sums(counters, gauges, actor);
    measure_maxima(gauges, actor);
    measure_states(gauges, actor);
    measure_scalars(gauges, actor);
    measure_ledger(counters, gauges, actor);
    return json_pack("{s:O, s:o, s:o, s:o}", "actor", json_object_get(actor, "actor"), "counters", counters, "gauges",
        gauges, "histograms", actor_object(actor, "histograms"));
}

static json_t *measure_drain(const json_t *head)
{
    static const char *const drain_states[] = {"running", "draining", "drained"};
    json_t *counts = json_object();
    for (size_t i = 0; i < COUNT_OF(drain_states); i++)
        json_object_set_new(counts, drain_states[i], json_of(0));
    const char *state = json_string_value(json_object_get(json_object_get(head, "drain"), "state"));
    json_object_set_new(counts, state ? state : "unknown", json_of(1));
    return json_pack("{s:o}", "state", counts);
}

static json_t *measure_process(const report_t *report)
{
    const json_t *head = report_head(report);
    const char *role = json_string_value(json_object_get(head, "role"));
    const char *version = json_string_value(json_object_get(head, "version"));
    json_t *gauges = json_object();
    json_object_set_new(gauges, "role_info", json_of_label("role", role ? role : "unknown"));
    json_object_set_new(gauges, "version_info", json_of_label("version", version ? version : "unknown"));
    json_object_set_new(gauges, "uptime_seconds", json_of(value_of(json_object_get(head, "uptime_s"))));
    json_object_set_new(gauges, "ready", json_of(value_of(json_object_get(head, "ready"))));
    json_object_set_new(gauges, "drain_state", measure_drain(head));
    const json_t *memory = json_object_get(head, "memory");
    if (json_is_object(memory)) {
        json_object_set_new(gauges, "memory_limit_bytes", json_of(value_of(json_object_get(memory, "limit_bytes"))));
        json_object_set_new(gauges, "memory_used_bytes", json_of(value_of(json_object_get(memory, "used_bytes"))));
    }
    json_object_set_new(gauges, "malformed_reports", json_of(report_malformed(report)));
    return json_pack("{s:{}, s:o, s:{}}", "counters", "gauges", gauges, "histograms");
}

json_t *measure_report(const report_t *report)
{
    json_t *samples = json_array();
    json_t *names = json_object();
    json_array_append_new(samples, measure_process(report));
    for (size_t i = 0; i < json_array_size(report_actors(report)); i++) {
        const json_t *actor = json_array_get(report_actors(report), i);
        const char *name = json_string_value(json_object_get(actor, "actor"));
        if (!name || json_object_get(names, name))
            continue;
        json_object_set_new(names, name, json_true());
        json_array_append_new(samples, measure_actor(actor));
    }
    json_decref(names);
    return samples;
}
