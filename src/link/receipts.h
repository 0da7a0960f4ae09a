/* SPDX-License-Identifier: MPL-2.0 */
/* receipts [2]: messages whose senders have asked to be told that they are delivered (proto/line.md, section 6). A
 * message has a part on each link that it went out on; its receipt is due when all of them are settled. Embedded in a
 * node; its thread's. Nothing fails but by abort. */
#ifndef FERRY_LINK_RECEIPTS_H
#define FERRY_LINK_RECEIPTS_H

#include <stdbool.h>

#include "base/table.h"

typedef struct {
    table_t *parts; /* that are not settled, by link and number */
    size_t size;    /* bytes of memory of all that is open */
} receipts_t;

typedef struct receipt receipt_t;

void receipts_init(receipts_t *self);
void receipts_fini(receipts_t *self);

/* A message with that label was sent; receipts_await names its parts, of which it has one at least. */
receipt_t *receipts_add(receipts_t *self, span_t label);
void receipts_await(receipts_t *self, receipt_t *receipt, unsigned uplink, uint64_t number);

/* A copy of that message has not been delivered. Returns its label, empty if it has none; valid until the part is
 * settled. */
span_t receipts_fail(receipts_t *self, unsigned uplink, uint64_t number);

/* That message is sent again under another number: its receipt, if it has one, waits for receipts_go_on too. */
receipt_t *receipts_hold(receipts_t *self, unsigned uplink, uint64_t number);
void receipts_go_on(receipts_t *self, receipt_t *receipt, unsigned uplink, uint64_t number);

/* That message is settled. Returns the receipt that is due with it, for the caller to destroy, or NULL. */
receipt_t *receipts_settle(receipts_t *self, unsigned uplink, uint64_t number);

span_t receipt_label(const receipt_t *self);
bool receipt_has_failed(const receipt_t *self); /* a copy was not delivered, and its sender was told */
void receipt_destroy(receipt_t **self_p);

#endif
