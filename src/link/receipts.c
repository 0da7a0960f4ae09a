/* SPDX-License-Identifier: MPL-2.0 */
/* receipts [2]: a table finds a part by its link and number. Who has no receipts pays for a look at an empty table.
 * Owner: the node's thread. */
#include "link/receipts.h"

#include <stdlib.h>
#include <string.h>

struct receipt {
    unsigned open; /* parts that are not settled */
    bool failed;
    size_t label_size;
    char label[];
};

typedef struct {
    uint64_t number;
    uint64_t uplink;
} place_t;

typedef struct {
    table_item_t item; /* by place */
    place_t place;
    receipt_t *receipt;
} part_t;

void receipts_init(receipts_t *self)
{
    *self = (receipts_t){.parts = table_new()};
}

void receipt_destroy(receipt_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

static void part_free(table_item_t *item)
{
    part_t *part = (part_t *)item;
    if (--part->receipt->open == 0)
        receipt_destroy(&part->receipt);
    free(part);
}

void receipts_fini(receipts_t *self)
{
    table_destroy(&self->parts, part_free);
}

static void *receipts_new(receipts_t *self, size_t size)
{
    void *object = calloc(1, size);
    if (!object)
        abort();
    self->size += size;
    return object;
}

receipt_t *receipts_add(receipts_t *self, span_t label)
{
    receipt_t *receipt = receipts_new(self, sizeof *receipt + label.size);
    receipt->label_size = label.size;
    memcpy(receipt->label, label.data, label.size);
    return receipt;
}

static span_t place_key(const place_t *place)
{
    return span_of((const char *)place, sizeof *place);
}

void receipts_await(receipts_t *self, receipt_t *receipt, unsigned uplink, uint64_t number)
{
    part_t *part = receipts_new(self, sizeof *part);
    part->place = (place_t){.number = number, .uplink = uplink};
    part->item.key = place_key(&part->place);
    part->receipt = receipt;
    receipt->open++;
    table_put(self->parts, &part->item);
}

static part_t *receipts_find(const receipts_t *self, unsigned uplink, uint64_t number)
{
    place_t place = {.number = number, .uplink = uplink};
    return table_count(self->parts) ? (part_t *)table_get(self->parts, place_key(&place)) : NULL;
}

span_t receipts_fail(receipts_t *self, unsigned uplink, uint64_t number)
{
    part_t *part = receipts_find(self, uplink, number);
    if (!part)
        return span_of(NULL, 0);
    part->receipt->failed = true;
    return receipt_label(part->receipt);
}

receipt_t *receipts_hold(receipts_t *self, unsigned uplink, uint64_t number)
{
    const part_t *part = receipts_find(self, uplink, number);
    if (!part)
        return NULL;
    part->receipt->open++;
    return part->receipt;
}

void receipts_go_on(receipts_t *self, receipt_t *receipt, unsigned uplink, uint64_t number)
{
    receipts_await(self, receipt, uplink, number);
    receipt->open--;
}

receipt_t *receipts_settle(receipts_t *self, unsigned uplink, uint64_t number)
{
    part_t *part = receipts_find(self, uplink, number);
    if (!part)
        return NULL;
    receipt_t *receipt = part->receipt;
    table_take(self->parts, &part->item);
    self->size -= sizeof *part;
    free(part);
    if (--receipt->open > 0)
        return NULL;
    self->size -= sizeof *receipt + receipt->label_size;
    return receipt;
}

span_t receipt_label(const receipt_t *self)
{
    return span_of(self->label, self->label_size);
}

bool receipt_has_failed(const receipt_t *self)
{
    return self->failed;
}
