/* SPDX-License-Identifier: MPL-2.0 */
/* [3] uplinks: a line is looked up, checked for pauses and room on every link that it needs, and only then sent on
 * each, so that it is accepted as a whole or not at all. Nothing can fail. Owner: the worker's thread. */
#include "link/uplinks.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/endpoint.h"

static void brokers_add(brokers_t *self, const char *name, const char *endpoint)
{
    self->names = realloc(self->names, (self->count + 1) * sizeof *self->names);
    self->endpoints = realloc(self->endpoints, (self->count + 1) * sizeof *self->endpoints);
    if (!self->names || !self->endpoints)
        abort();
    self->names[self->count] = strdup(name);
    self->endpoints[self->count++] = strdup(endpoint);
}

brokers_t *brokers_new(const config_t *config, const char *local)
{
    brokers_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    char inproc[ENDPOINT_SIZE], name[CONFIG_BROKER_NAME_SIZE];
    snprintf(inproc, sizeof inproc, "inproc://ferrymq-broker-%s", local ? local : "");
    if (local && strcmp(config_place(config, "gateway/broker", 0), "default") == 0) {
        brokers_add(self, local, inproc);
        return self;
    }
    const char *address;
    for (size_t i = 0; (address = config_broker(config, i, name)); i++)
        brokers_add(self, name, local && strcmp(name, local) == 0 ? inproc : address);
    return self;
}

void brokers_destroy(brokers_t **self_p)
{
    brokers_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++) {
        free(self->names[i]);
        free(self->endpoints[i]);
    }
    free(self->names);
    free(self->endpoints);
    free(self);
    *self_p = NULL;
}

/* Fills in what the configuration says. */
static void uplink_configure(link_options_t *options, const config_t *config)
{
    options->connect_timeout_ms = (uint32_t)config_number(config, "link/connect_timeout");
    options->timeout_ms = (uint32_t)config_number(config, "link/timeout");
    options->backoff_min_ms = (uint32_t)config_number(config, "link/backoff_min");
    options->backoff_max_ms = (uint32_t)config_number(config, "link/backoff_max");
    options->linger_ms = (uint32_t)config_number(config, "link/linger");
    options->batch_size = (uint32_t)config_number(config, "link/batch");
}

void uplinks_init(uplinks_t *self, reactor_t *reactor, const config_t *config, const brokers_t *brokers,
    const link_options_t *common, const link_owner_t *callbacks, void *owner)
{
    self->count = brokers->count;
    self->items = calloc(self->count, sizeof *self->items);
    self->owners = calloc(LINE_RECIPIENTS_MAX, sizeof *self->owners);
    self->part = calloc(LINE_RECIPIENTS_MAX, sizeof *self->part);
    if (!self->items || !self->owners || !self->part)
        abort();
    for (size_t i = 0; i < brokers->count; i++)
        self->part[i] = span_str(brokers->names[i]);
    self->rendezvous = rendezvous_new(self->part, brokers->count);
    if (!self->rendezvous)
        abort();
    link_options_t options = *common;
    uplink_configure(&options, config);
    memcpy(options.digest.bytes, rendezvous_digest(self->rendezvous), LINK_ID_SIZE);
    for (size_t i = 0; i < self->count; i++) {
        options.broker = brokers->names[i];
        options.endpoint = brokers->endpoints[i];
        list_init(&self->items[i].waiting);
        paused_names_init(&self->items[i].pauses);
        self->items[i].link = link_new(reactor, &options, callbacks, owner);
    }
}

void uplinks_fini(uplinks_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        link_destroy(&self->items[i].link);
        paused_names_fini(&self->items[i].pauses);
    }
    rendezvous_destroy(&self->rendezvous);
    free(self->items);
    free(self->owners);
    free(self->part);
    *self = (uplinks_t){0};
}

uplink_t *uplinks_of_name(uplinks_t *self, span_t name)
{
    return &self->items[rendezvous_pick(self->rendezvous, name)];
}

uplink_t *uplinks_of_link(uplinks_t *self, const link_t *link)
{
    uplink_t *uplink = self->items;
    while (uplink->link != link)
        uplink++;
    return uplink;
}

/* Whether a message to that name must wait; then `waiter` is in the list of what it waits for. */
static bool uplink_must_wait(uplink_t *self, span_t name, list_node_t *waiter)
{
    if (!link_has_room(self->link)) {
        list_append(&self->waiting, waiter);
        return true;
    }
    return paused_names_hold(&self->pauses, name, waiter);
}

/* The recipients of one uplink, in order. */
static unsigned uplinks_part(uplinks_t *self, unsigned uplink, const line_t *line)
{
    unsigned count = 0;
    for (unsigned i = 0; i < line->recipient_count; i++)
        if (self->owners[i] == uplink)
            self->part[count++] = line->recipients[i];
    return count;
}

static void uplink_send(uplink_t *self, uint64_t session, unsigned flags, span_t sender, const span_t *recipients,
    unsigned count, span_t text)
{
    uint64_t number = link_next_number(self->link);
    for (unsigned i = 0; i < count; i++)
        paused_names_sent(&self->pauses, recipients[i], number);
    link_send(self->link, session, flags, sender, recipients, count, text);
}

/* Sends the line's parts. Returns how many messages that made. */
static int uplinks_send_parts(uplinks_t *self, uint64_t session, unsigned flags, span_t sender, const line_t *line)
{
    int messages = 0;
    for (unsigned i = 0; i < self->count; i++) {
        unsigned count = uplinks_part(self, i, line);
        if (count == 0)
            continue;
        uplink_send(&self->items[i], session, flags, sender, self->part, count, line->text);
        messages++;
    }
    return messages;
}

/* Whether the uplink's link ends with a message that differs from this line in nothing but its text. */
static bool uplinks_go_on(const uplinks_t *self, uint64_t session, unsigned flags, const line_t *line)
{
    return line->head && line->head == self->last.head && session == self->last.session && flags == self->last.flags &&
           link_next_number(self->last.uplink->link) == self->last.number_next;
}

/* Remembers what was sent to one recipient. */
static void uplinks_sent(uplinks_t *self, uint64_t session, unsigned flags, const line_t *line, uplink_t *uplink)
{
    self->last.head = line->head;
    self->last.session = session;
    self->last.flags = flags;
    self->last.uplink = uplink;
    self->last.number_next = link_next_number(uplink->link);
}

/* Sends a line that goes on. As uplinks_send; -1 if its batch has no room. */
static int uplinks_send_more(uplinks_t *self, const line_t *line, list_node_t *waiter)
{
    uplink_t *uplink = self->last.uplink;
    if (uplink_must_wait(uplink, line->recipients[0], waiter))
        return 0;
    if (!link_send_more(uplink->link, line->text))
        return -1;
    paused_names_sent(&uplink->pauses, line->recipients[0], self->last.number_next++);
    return 1;
}

int uplinks_send(
    uplinks_t *self, uint64_t session, unsigned flags, span_t sender, const line_t *line, list_node_t *waiter)
{
    int sent = uplinks_go_on(self, session, flags, line) ? uplinks_send_more(self, line, waiter) : -1;
    if (sent >= 0)
        return sent;
    size_t size = body_message_size(sender, line->recipients, line->recipient_count, line->text);
    for (unsigned i = 0; i < line->recipient_count; i++) {
        self->owners[i] = (unsigned)rendezvous_pick(self->rendezvous, line->recipients[i]);
        uplink_t *uplink = &self->items[self->owners[i]];
        if (uplink_must_wait(uplink, line->recipients[i], waiter))
            return 0;
        if (!link_fits(uplink->link, size))
            return -FERRY_ERROR_LINE_TOO_LONG;
    }
    if (self->count > 1 && line->recipient_count > 1)
        return uplinks_send_parts(self, session, flags, sender, line);
    uplink_t *uplink = &self->items[self->owners[0]];
    uplink_send(uplink, session, flags, sender, line->recipients, line->recipient_count, line->text);
    uplinks_sent(self, session, flags, line, uplink);
    return 1;
}

bool uplinks_has_part(const uplinks_t *self, unsigned uplink, const line_t *line)
{
    for (unsigned i = 0; i < line->recipient_count; i++)
        if (self->owners[i] == uplink)
            return true;
    return false;
}
