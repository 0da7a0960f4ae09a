/* SPDX-License-Identifier: MPL-2.0 */
/* errands: a table finds the errands of a message, most often one, by its link and number; those that are to be sent
 * again stand in a list meanwhile. Owner: the node's thread. */
#include "link/errands.h"

#include <stdlib.h>
#include <string.h>

#include "wire/error.h"
#include "wire/reason.h"

#define ERRAND_PAUSE_MS 100 /* between looks for a service */
#define ERRAND_ATTEMPTS                                                                                                \
    16 /* times that a message is sent; a text that ends each program that reads it ends with them */

typedef struct {
    uint64_t number;
    uint64_t uplink;
} errand_place_t;

struct errand {
    table_item_t item; /* by place: the first errand of a message */
    errand_place_t place;
    errand_t *next; /* of the same message */
    list_node_t waiting;
    receipt_t *receipt; /* while it waits; borrowed, NULL for none */
    unsigned attempts;
    uint64_t patient_until_ms; /* the broker was lost with it */
    uint64_t not_before_ms;    /* while it waits */
    size_t size;
    errand_message_t message;
    char bytes[];
};

void errands_init(errands_t *self)
{
    *self = (errands_t){.open = table_new()};
    list_init(&self->waiting);
}

static void errand_free(errands_t *self, errand_t *errand)
{
    self->size -= errand->size;
    free(errand);
}

static void on_free(table_item_t *item)
{
    for (errand_t *errand = (errand_t *)item, *next; errand; errand = next) {
        next = errand->next;
        free(errand);
    }
}

void errands_fini(errands_t *self)
{
    table_destroy(&self->open, on_free);
    for (list_node_t *node; (node = list_first(&self->waiting));) {
        list_remove(node);
        free(list_member(node, errand_t, waiting));
    }
}

static errand_t *errands_of(const errands_t *self, unsigned uplink, uint64_t number)
{
    errand_place_t place = {.number = number, .uplink = uplink};
    if (table_count(self->open) == 0)
        return NULL;
    return (errand_t *)table_get(self->open, span_of((const char *)&place, sizeof place));
}

/* The errand is of that message now. */
static void errands_put(errands_t *self, errand_t *errand, unsigned uplink, uint64_t number)
{
    errand_t *first = errands_of(self, uplink, number);
    errand->place = (errand_place_t){.number = number, .uplink = uplink};
    errand->attempts++;
    if (first) {
        errand->next = first->next;
        first->next = errand;
        return;
    }
    errand->next = NULL;
    errand->item.key = span_of((const char *)&errand->place, sizeof errand->place);
    table_put(self->open, &errand->item);
}

static span_t bytes_copy(char **to, span_t from)
{
    span_t copy = span_of(*to, from.size);
    if (from.size)
        memcpy(*to, from.data, from.size);
    *to += from.size;
    return copy;
}

void errands_add(errands_t *self, unsigned uplink, uint64_t number, const errand_message_t *message)
{
    size_t size = sizeof(errand_t) + message->sender.size + message->service.size + message->text.size;
    errand_t *errand = calloc(1, size);
    if (!errand)
        abort();
    char *to = errand->bytes;
    errand->size = size;
    errand->message = *message;
    errand->message.sender = bytes_copy(&to, message->sender);
    errand->message.service = bytes_copy(&to, message->service);
    errand->message.text = bytes_copy(&to, message->text);
    self->size += size;
    errands_put(self, errand, uplink, number);
}

errand_t *errands_find(const errands_t *self, unsigned uplink, uint64_t number, span_t service)
{
    errand_t *errand = errands_of(self, uplink, number);
    while (errand && !span_equal(errand->message.service, service))
        errand = errand->next;
    return errand;
}

const errand_message_t *errand_message(const errand_t *self)
{
    return &self->message;
}

/* Whether another program may do what this one did not. */
static bool notice_is_final(const body_notice_t *notice)
{
    return (notice->error != FERRY_ERROR_UNDELIVERED && notice->error != FERRY_ERROR_UNCONFIRMED) ||
           notice->reason == FERRY_REASON_NOT_A_LINE;
}

/* Takes the errand out of those of its message. */
static void errands_take(errands_t *self, errand_t *errand)
{
    errand_t *first = errands_of(self, (unsigned)errand->place.uplink, errand->place.number);
    if (first != errand) {
        while (first->next != errand)
            first = first->next;
        first->next = errand->next;
        return;
    }
    table_take(self->open, &errand->item);
    if (!errand->next)
        return;
    errand->next->item.key = span_of((const char *)&errand->next->place, sizeof errand->next->place);
    table_put(self->open, &errand->next->item);
}

/* Whether the service may be there again soon. */
static bool errand_is_patient(errand_t *self, const body_notice_t *notice, uint64_t now_ms)
{
    if (notice->reason == FERRY_REASON_BROKER_LOST)
        self->patient_until_ms = now_ms + ERRAND_PATIENCE_MS;
    return notice->error == FERRY_ERROR_NO_SUCH_PEER && now_ms < self->patient_until_ms;
}

bool errands_retry(
    errands_t *self, receipts_t *receipts, errand_t *errand, const body_notice_t *notice, uint64_t now_ms)
{
    if (errand_is_patient(errand, notice, now_ms)) {
        errand->attempts--;
        errand->not_before_ms = now_ms + ERRAND_PAUSE_MS;
    } else if (notice_is_final(notice) || errand->attempts >= ERRAND_ATTEMPTS) {
        return false;
    }
    errands_take(self, errand);
    errand->receipt = receipts_hold(receipts, (unsigned)errand->place.uplink, errand->place.number);
    list_append(&self->waiting, &errand->waiting);
    return true;
}

void errands_settle(errands_t *self, unsigned uplink, uint64_t number)
{
    errand_t *errand = errands_of(self, uplink, number);
    if (!errand)
        return;
    table_take(self->open, &errand->item);
    for (errand_t *next; errand; errand = next) {
        next = errand->next;
        errand_free(self, errand);
    }
}

/* N.B. in a drain what is sent now is waited for, too. */
static void errands_send(errands_t *self, errand_t *errand, uplink_t *uplink, receipts_t *receipts)
{
    const errand_message_t *message = &errand->message;
    unsigned index = (unsigned)errand->place.uplink;
    uint64_t number = link_next_number(uplink->link);
    link_send(uplink->link, message->session, message->flags, message->sender, &message->service, 1, message->text);
    uplink->awaited = number + 1;
    list_remove(&errand->waiting);
    errands_put(self, errand, index, number);
    if (errand->receipt)
        receipts_go_on(receipts, errand->receipt, index, number);
    errand->receipt = NULL;
}

void errands_go_on(errands_t *self, uplinks_t *uplinks, receipts_t *receipts, uint64_t now_ms)
{
    for (list_node_t *node = self->waiting.head.next, *next; node != &self->waiting.head; node = next) {
        errand_t *errand = list_member(node, errand_t, waiting);
        uplink_t *uplink = &uplinks->items[errand->place.uplink];
        next = node->next;
        if (now_ms >= errand->not_before_ms && link_has_room(uplink->link))
            errands_send(self, errand, uplink, receipts);
    }
}

/* What errands_give_up visits the table with. */
typedef struct {
    list_t all;
} errands_walk_t;

static void on_errand(void *arg, table_item_t *item)
{
    errands_walk_t *walk = arg;
    for (errand_t *errand = (errand_t *)item; errand; errand = errand->next)
        list_append(&walk->all, &errand->waiting);
}

void errands_give_up(errands_t *self, uplinks_t *uplinks, int reason,
    void (*tell)(void *arg, const errand_message_t *message, int reason), void *arg)
{
    errands_walk_t walk;
    list_take(&walk.all, &self->waiting);
    for (list_node_t *node = walk.all.head.next; node != &walk.all.head; node = node->next)
        tell(arg, &list_member(node, errand_t, waiting)->message, reason);
    for (list_node_t *node; (node = list_first(&walk.all));) {
        list_remove(node);
        errand_free(self, list_member(node, errand_t, waiting));
    }
    table_each(self->open, on_errand, &walk);
    for (list_node_t *node; (node = list_first(&walk.all));) {
        errand_t *errand = list_member(node, errand_t, waiting);
        list_remove(node);
        link_give_up(uplinks->items[errand->place.uplink].link, errand->place.number, errand->message.service, reason);
        tell(arg, &errand->message, reason);
        errands_take(self, errand);
        errand_free(self, errand);
    }
}
