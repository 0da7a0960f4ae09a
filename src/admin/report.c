/* SPDX-License-Identifier: MPL-2.0 */
/* report: what the process and each of its actors say of themselves. The status is the head, the sums over all actors,
 * and the actors' long lists put together, each entry with the actor that it came from. Malformed JSON is left out,
 * values of a wrong type count as absent. Owner: the admin actor's thread. */
#include "admin/report.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/ledger.h"

struct report {
    json_t *head;
    json_t *actors;
    unsigned malformed;
};

/* Which lists move from the actors to the status, and what of their actor goes into each entry. */
static const struct {
    const char *name;
    const char *inherited;
} lists[] = {
    {"session_writers", NULL},
    {"peers", NULL},
    {"links", "node"},
    {"dealer_writers", "broker"},
};
enum { LIST_COUNT = sizeof lists / sizeof lists[0] };

static json_t *report_parse(report_t *self, span_t text)
{
    json_t *json = json_loadb(text.data ? text.data : "", text.size, 0, NULL);
    if (json_is_object(json))
        return json;
    json_decref(json);
    self->malformed++;
    return NULL;
}

report_t *report_new(span_t head)
{
    report_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->actors = json_array();
    self->head = report_parse(self, head);
    if (!self->head)
        self->head = json_object();
    return self;
}

void report_destroy(report_t **self_p)
{
    report_t *self = *self_p;
    if (!self)
        return;
    json_decref(self->head);
    json_decref(self->actors);
    free(self);
    *self_p = NULL;
}

void report_add(report_t *self, span_t actor)
{
    json_t *json = report_parse(self, actor);
    if (json)
        report_add_json(self, json);
}

void report_add_json(report_t *self, json_t *actor)
{
    json_array_append_new(self->actors, actor);
}

const json_t *report_head(const report_t *self)
{
    return self->head;
}

const json_t *report_actors(const report_t *self)
{
    return self->actors;
}

unsigned report_malformed(const report_t *self)
{
    return self->malformed;
}

/* N.B. summed as unsigned: what an actor says is not trusted to stay in range. */
static json_t *report_sum(const report_t *self, const char *key, bool of_routers)
{
    uint64_t sum = 0;
    size_t i;
    json_t *actor;
    json_array_foreach(self->actors, i, actor)
    {
        if ((json_object_get(actor, "broker") != NULL) == of_routers)
            sum += (uint64_t)json_integer_value(json_object_get(actor, key));
    }
    return json_integer((json_int_t)sum);
}

/* The broker knows every name, those of this process's own sessions included. */
static json_t *report_names(const report_t *self)
{
    size_t i;
    json_t *actor;
    json_array_foreach(self->actors, i, actor)
    {
        if (json_object_get(actor, "broker"))
            return report_sum(self, "names", true);
    }
    return report_sum(self, "names", false);
}

static json_t *report_ledger(const report_t *self)
{
    ledger_t sum = {0};
    uint64_t sum_pending = 0;
    size_t i;
    json_t *actor;
    json_array_foreach(self->actors, i, actor)
    {
        ledger_t ledger;
        uint64_t pending;
        ledger_from_json(&ledger, &pending, json_object_get(actor, "ledger"));
        ledger_add(&sum, &ledger);
        sum_pending += pending;
    }
    json_t *json = ledger_json(&sum, sum_pending);
    json_object_set_new(json, "balance", json_integer(ledger_balance(&sum, sum_pending)));
    return json;
}

static json_t *report_listening(const report_t *self)
{
    json_t *all = json_array();
    size_t i;
    json_t *actor;
    json_array_foreach(self->actors, i, actor)
    {
        json_t *listening = json_object_get(actor, "listening");
        if (json_is_array(listening))
            json_array_extend(all, listening);
    }
    return all;
}

static void list_gather(json_t *all, json_t *actor, size_t list)
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(actor, lists[list].name), i, entry)
    {
        if (!json_is_object(entry))
            continue;
        json_t *copy = json_object();
        json_object_set(copy, "actor", json_object_get(actor, "actor"));
        if (lists[list].inherited)
            json_object_set(copy, lists[list].inherited, json_object_get(actor, lists[list].inherited));
        json_object_update(copy, entry);
        json_array_append_new(all, copy);
    }
}

static json_t *report_list(const report_t *self, size_t list)
{
    json_t *all = json_array();
    size_t i;
    json_t *actor;
    json_array_foreach(self->actors, i, actor)
    {
        list_gather(all, actor, list);
    }
    return all;
}

/* Histograms are for /metrics: they would be most of what a person gets to see. */
static json_t *report_rest(const report_t *self)
{
    json_t *rest = json_array();
    size_t i;
    json_t *actor;
    json_array_foreach(self->actors, i, actor)
    {
        json_t *copy = json_copy(actor);
        for (size_t list = 0; list < LIST_COUNT; list++)
            json_object_del(copy, lists[list].name);
        json_object_del(copy, "histograms");
        json_array_append_new(rest, copy);
    }
    return rest;
}

json_t *report_status(const report_t *self)
{
    json_t *status = json_copy(self->head);
    json_object_set_new(status, "listening", report_listening(self));
    json_object_set_new(status, "sessions", report_sum(self, "sessions", false));
    json_object_set_new(status, "names", report_names(self));
    json_object_set_new(status, "ledger", report_ledger(self));
    for (size_t list = 0; list < LIST_COUNT; list++)
        json_object_set_new(status, lists[list].name, report_list(self, list));
    json_object_set_new(status, "actors", report_rest(self));
    if (self->malformed)
        json_object_set_new(status, "malformed_reports", json_integer(self->malformed));
    return status;
}
