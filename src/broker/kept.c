/* SPDX-License-Identifier: MPL-2.0 */
/* kept: each copy stands in a list of all, in the order in which they came, and in the queue of its name; copies of the
 * same message share its text. The sender's intake counts it as not taken until it is routed and acknowledged, refused
 * or dropped. Nothing fails but by abort. Owner: the router's thread. */
#include "broker/kept.h"

#include <assert.h>
#include <stdlib.h>

#include "broker/broker.h"
#include "broker/services.h"

/* A message, for all its copies that are kept. */
typedef struct kept_text {
    unsigned references;
    size_t size;       /* bytes of all this */
    transit_t transit; /* transit.message is the one below */
    body_message_t message;
    char bytes[]; /* of its sender and its text */
} kept_text_t;

/* A name that is waited for. */
typedef struct {
    table_item_t item;
    list_t copies;
    char name[];
} kept_name_t;

typedef struct {
    list_node_t in_all, in_name;
    kept_text_t *text;
    kept_name_t *name;
} kept_copy_t;

typedef struct {
    list_node_t in_all;
    transit_t transit; /* without a message */
    body_report_t report;
    char name[];
} kept_report_t;

static void *kept_new(size_t size)
{
    void *memory = calloc(1, size);
    if (!memory)
        abort();
    return memory;
}

void kept_init(kept_t *self)
{
    list_init(&self->copies);
    list_init(&self->reports);
    self->names = table_new();
}

void kept_fini(kept_t *self)
{
    assert(list_is_empty(&self->copies) && list_is_empty(&self->reports));
    table_destroy(&self->names, NULL);
}

static kept_text_t *kept_text_new(const transit_t *transit)
{
    const body_message_t *message = transit->message;
    size_t size = sizeof(kept_text_t) + message->sender.size + message->text.size;
    kept_text_t *text = kept_new(size);
    char *sender = text->bytes, *rest = text->bytes + message->sender.size;
    budget_account_change(&transit->broker->account, 0, size);
    text->size = size;
    text->transit = *transit;
    text->transit.message = &text->message;
    text->transit.last = NULL;
    memcpy(sender, message->sender.data, message->sender.size);
    if (message->text.size)
        memcpy(rest, message->text.data, message->text.size);
    text->message = (body_message_t){.session = message->session,
        .flags = message->flags,
        .sender = span_of(sender, message->sender.size),
        .text = span_of(rest, message->text.size)};
    return text;
}

/* The text of a message, whose copies come one behind the other. */
static kept_text_t *kept_text_of(kept_t *self, const transit_t *transit)
{
    kept_text_t *last = self->last_text;
    if (!last || last->transit.batch != transit->batch || last->transit.index != transit->index)
        self->last_text = last = kept_text_new(transit);
    last->references++;
    return last;
}

static kept_name_t *kept_name_of(kept_t *self, span_t key)
{
    kept_name_t *name = (kept_name_t *)table_get(self->names, key);
    if (name)
        return name;
    name = kept_new(sizeof *name + key.size);
    memcpy(name->name, key.data, key.size);
    name->item.key = span_of(name->name, key.size);
    list_init(&name->copies);
    table_put(self->names, &name->item);
    return name;
}

void kept_add(kept_t *self, const transit_t *transit, span_t name)
{
    kept_copy_t *copy = kept_new(sizeof *copy);
    copy->text = kept_text_of(self, transit);
    copy->name = kept_name_of(self, name);
    list_append(&self->copies, &copy->in_all);
    list_append(&copy->name->copies, &copy->in_name);
    transit->node->intake.kept++;
}

static void kept_text_release(kept_t *self, kept_text_t *text)
{
    if (--text->references > 0)
        return;
    if (self->last_text == text)
        self->last_text = NULL;
    budget_account_change(&text->transit.broker->account, text->size, 0);
    free(text);
}

static void kept_copy_destroy(kept_t *self, kept_copy_t *copy)
{
    list_remove(&copy->in_all);
    list_remove(&copy->in_name);
    copy->text->transit.node->intake.kept--;
    kept_text_release(self, copy->text);
    if (list_is_empty(&copy->name->copies)) {
        table_take(self->names, &copy->name->item);
        free(copy->name);
    }
    free(copy);
}

/* N.B. a body has one COPY of a message at most, and others of the same messages may stand in the one being built. */
void kept_release(kept_t *self, peer_t *owner)
{
    kept_name_t *name = (kept_name_t *)table_get(self->names, owner->item.key);
    if (!name)
        return;
    dealer_writer_close_body(&owner->node->writer);
    for (bool is_last = false; !is_last;) {
        list_node_t *first = list_first(&name->copies);
        kept_copy_t *copy = list_member(first, kept_copy_t, in_name);
        is_last = first->next == &name->copies.head;
        transit_copy(&copy->text->transit, owner);
        kept_copy_destroy(self, copy);
    }
    dealer_writer_close_body(&owner->node->writer);
}

/* Ends a copy that nobody takes. */
static void kept_drop(kept_t *self, kept_copy_t *copy)
{
    const transit_t transit = copy->text->transit;
    kept_copy_destroy(self, copy);
    inbatch_take(transit.batch, transit.index, 1, 1);
}

/* N.B. a body has one COPY of a message at most: what belongs to others of its copies goes into another. */
static void kept_close_bodies(const kept_copy_t *copy)
{
    if (copy->text->references == 1)
        return;
    uint32_t at = 0;
    for (node_t *node; (node = nodes_next(&copy->text->transit.broker->nodes, &at));)
        dealer_writer_close_body(&node->writer);
}

bool kept_has(const kept_t *self, span_t name)
{
    return table_count(self->names) && table_get(self->names, name);
}

void kept_give(kept_t *self, span_t key, peer_t *to)
{
    const kept_name_t *name = (kept_name_t *)table_get(self->names, key);
    kept_copy_t *copy = list_member(list_first(&name->copies), kept_copy_t, in_name);
    kept_close_bodies(copy);
    transit_copies(&copy->text->transit, to->node, &to->session, 1);
    kept_copy_destroy(self, copy);
}

void kept_refuse_name(struct broker *broker, span_t key)
{
    kept_t *self = &broker->kept;
    if (broker_parts(broker))
        return;
    for (kept_name_t *name; (name = (kept_name_t *)table_get(self->names, key));) {
        kept_copy_t *copy = list_member(list_first(&name->copies), kept_copy_t, in_name);
        transit_refuse(&copy->text->transit, key);
        kept_drop(self, copy);
    }
}

static void kept_settle_service(kept_t *self, kept_copy_t *copy)
{
    services_answer_t answer = services_route(&copy->text->transit, copy->name->item.key);
    if (answer == SERVICES_REFUSED)
        kept_drop(self, copy);
    else if (answer == SERVICES_ROUTED)
        kept_copy_destroy(self, copy);
}

/* All who may take the copy are known now. */
static void kept_settle(kept_t *self, kept_copy_t *copy)
{
    span_t name = copy->name->item.key;
    kept_close_bodies(copy);
    if (name_is_service(name)) {
        kept_settle_service(self, copy);
        return;
    }
    (name_is_group(name) ? transit_release : transit_refuse)(&copy->text->transit, name);
    kept_drop(self, copy);
}

void kept_add_report(kept_t *self, const transit_t *transit, const body_report_t *report)
{
    kept_report_t *kept = kept_new(sizeof *kept + report->name.size);
    kept->transit = *transit;
    kept->transit.message = NULL;
    kept->report = *report;
    memcpy(kept->name, report->name.data, report->name.size);
    kept->report.name = span_of(kept->name, report->name.size);
    list_append(&self->reports, &kept->in_all);
    transit->node->intake.kept++;
}

static void kept_report_destroy(kept_report_t *kept)
{
    list_remove(&kept->in_all);
    kept->transit.node->intake.kept--;
    free(kept);
}

static void kept_drop_report(kept_report_t *kept)
{
    const transit_t transit = kept->transit;
    transit.broker->counters.notices_dropped++;
    kept_report_destroy(kept);
    inbatch_take(transit.batch, transit.index, 1, 1);
}

void kept_release_reports(kept_t *self, node_t *origin)
{
    for (list_node_t *at = self->reports.head.next, *next; at != &self->reports.head; at = next) {
        kept_report_t *kept = list_member(at, kept_report_t, in_all);
        next = at->next;
        if (!link_id_equal(&kept->report.origin, &origin->id))
            continue;
        transit_notify(&kept->transit, origin, &kept->report);
        kept_report_destroy(kept);
    }
}

void kept_settled(kept_t *self)
{
    for (list_node_t *at = self->copies.head.next, *next; at != &self->copies.head; at = next) {
        next = at->next;
        kept_settle(self, list_member(at, kept_copy_t, in_all));
    }
    for (list_node_t *first; (first = list_first(&self->reports));)
        kept_drop_report(list_member(first, kept_report_t, in_all));
}

void kept_forget(kept_t *self, const node_t *node)
{
    list_node_t *at, *next;
    for (at = self->copies.head.next; at != &self->copies.head; at = next) {
        kept_copy_t *copy = list_member(at, kept_copy_t, in_all);
        next = at->next;
        if (copy->text->transit.node == node)
            kept_drop(self, copy);
    }
    for (at = self->reports.head.next; at != &self->reports.head; at = next) {
        kept_report_t *kept = list_member(at, kept_report_t, in_all);
        next = at->next;
        if (kept->transit.node == node)
            kept_drop_report(kept);
    }
}
