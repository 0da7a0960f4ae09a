/* SPDX-License-Identifier: MPL-2.0 */
/* who: the smallest names that match are kept in a heap with the largest at its top, while all are walked; then they
 * are sorted. Owner: the router's thread. */
#include "broker/who.h"

#include <assert.h>
#include <stdlib.h>

#include "broker/broker.h"
#include "broker/shared_names.h"

typedef struct {
    list_node_t in_all;
    node_t *node; /* borrowed */
    uint64_t session;
    span_t prefix; /* in bytes */
    char bytes[];
} question_t;

/* The names that were found. */
typedef struct {
    span_t prefix;
    span_t names[WHO_NAMES_MAX]; /* a heap */
    size_t count;
    bool more;
} found_t;

void who_init(who_t *self)
{
    *self = (who_t){0};
    list_init(&self->questions);
}

void who_fini(const who_t *self)
{
    assert(list_is_empty(&self->questions));
    (void)self;
}

static void question_end(question_t *self)
{
    list_remove(&self->in_all);
    free(self);
}

/* Forgets the questions of a node, of one of its sessions alone if there is one. */
static void who_drop(node_t *node, const uint64_t *session)
{
    list_t *questions = &node->broker->who.questions;
    for (list_node_t *at = questions->head.next, *next; at != &questions->head; at = next) {
        question_t *question = list_member(at, question_t, in_all);
        next = at->next;
        if (question->node == node && (!session || question->session == *session))
            question_end(question);
    }
}

void who_forget(node_t *node)
{
    who_drop(node, NULL);
}

int who_ask(node_t *node, const control_t *record)
{
    span_t prefix = record->who.names;
    who_drop(node, &record->who.session);
    question_t *self = calloc(1, sizeof *self + prefix.size);
    if (!self)
        abort();
    self->node = node;
    self->session = record->who.session;
    if (prefix.size)
        memcpy(self->bytes, prefix.data, prefix.size);
    self->prefix = span_of(self->bytes, prefix.size);
    list_append(&node->broker->who.questions, &self->in_all);
    return 0;
}

/* For qsort. */
static int names_compare(const void *one, const void *other)
{
    return span_compare(*(const span_t *)one, *(const span_t *)other);
}

static void found_swap(found_t *self, size_t a, size_t b)
{
    span_t name = self->names[a];
    self->names[a] = self->names[b];
    self->names[b] = name;
}

static void found_rise(found_t *self, size_t at)
{
    for (; at > 0 && span_compare(self->names[at], self->names[(at - 1) / 2]) > 0; at = (at - 1) / 2)
        found_swap(self, at, (at - 1) / 2);
}

static void found_sink(found_t *self, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < self->count; at = child) {
        if (child + 1 < self->count && span_compare(self->names[child + 1], self->names[child]) > 0)
            child++;
        if (span_compare(self->names[child], self->names[at]) <= 0)
            return;
        found_swap(self, child, at);
    }
}

static void found_add(found_t *self, span_t name)
{
    if (name.size < self->prefix.size || memcmp(name.data, self->prefix.data, self->prefix.size) != 0)
        return;
    if (self->count < WHO_NAMES_MAX) {
        self->names[self->count] = name;
        found_rise(self, self->count++);
        return;
    }
    self->more = true;
    if (span_compare(name, self->names[0]) >= 0)
        return;
    self->names[0] = name;
    found_sink(self, 0);
}

static void on_name(void *arg, table_item_t *item)
{
    if (((const peer_t *)item)->state == PEER_OWNER)
        found_add(arg, item->key);
}

/* N.B. names of both signs stand in one table; the prefix tells which are meant. */
static void on_shared_name(void *arg, table_item_t *item)
{
    found_add(arg, item->key);
}

static void question_answer(const question_t *self, const struct broker *broker)
{
    static found_t found; /* the router's thread's; too large for a stack */
    buffer_t names = {0};
    found = (found_t){.prefix = self->prefix};
    if (self->prefix.size && link_session_kind(self->prefix))
        table_each(broker->shared_names, on_shared_name, &found);
    else
        table_each(broker->names, on_name, &found);
    qsort(found.names, found.count, sizeof *found.names, names_compare);
    for (size_t i = 0; i < found.count; i++) {
        uint8_t size = (uint8_t)found.names[i].size;
        buffer_append(&names, &size, 1);
        buffer_append(&names, found.names[i].data, size);
    }
    node_tell(self->node, &(control_t){.type = RECORD_WHO_IS,
                              .who = {.session = self->session, .more = found.more, .names = buffer_span(&names)}});
    buffer_fini(&names);
}

void who_tick(struct broker *broker)
{
    who_t *self = &broker->who;
    self->ticks++;
    if (broker->settle.is_active)
        return;
    for (list_node_t *at = self->questions.head.next, *next; at != &self->questions.head; at = next) {
        question_t *question = list_member(at, question_t, in_all);
        next = at->next;
        if (question->node->asked_tick == self->ticks)
            continue;
        question->node->asked_tick = self->ticks;
        question_answer(question, broker);
        question_end(question);
    }
}
