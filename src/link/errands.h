/* SPDX-License-Identifier: MPL-2.0 */
/* errands [2]: messages to services that are not settled. Their texts are kept, since a program that serves may go
 * before it has done what it was given; then the message is sent again, and another program has it (proto/line.md,
 * section 6). Embedded in a node; its thread's. Nothing fails but by abort. */
#ifndef FERRY_LINK_ERRANDS_H
#define FERRY_LINK_ERRANDS_H

#include "link/receipts.h"
#include "link/uplinks.h"

#define ERRAND_PATIENCE_MS 5000 /* longer than programs need to find out that they are to log in again */

typedef struct errand errand_t;

typedef struct {
    table_t *open;  /* by link and number: the errands of a message */
    list_t waiting; /* to be sent again */
    size_t size;    /* bytes of memory of all */
} errands_t;

void errands_init(errands_t *self);
void errands_fini(errands_t *self);

/* What was sent to a service; borrowed for the call. */
typedef struct {
    uint64_t session; /* of the sender */
    unsigned flags;   /* BODY_FLAG_… */
    span_t sender, service, text;
} errand_message_t;

/* A message to a service was sent on that uplink with that number. */
void errands_add(errands_t *self, unsigned uplink, uint64_t number, const errand_message_t *message);

/* The errand to that service of that message, or NULL. */
errand_t *errands_find(const errands_t *self, unsigned uplink, uint64_t number, span_t service);

const errand_message_t *errand_message(const errand_t *self);

/* Has the errand wait to be sent again if that is of use after what the notice says; the receipt of its message waits
 * with it. False if its end is final. N.B. programs that serve may need a while to come back to a broker that was lost:
 * for ERRAND_PATIENCE_MS a service that is not there is asked for again. */
bool errands_retry(
    errands_t *self, receipts_t *receipts, errand_t *errand, const body_notice_t *notice, uint64_t now_ms);

/* That message is settled: forgets its errands. */
void errands_settle(errands_t *self, unsigned uplink, uint64_t number);

/* Sends what waits on the links that have room. */
void errands_go_on(errands_t *self, uplinks_t *uplinks, receipts_t *receipts, uint64_t now_ms);

/* Ends all errands; `tell` is called for each. What the links have of them counts as unconfirmed for that reason. */
void errands_give_up(errands_t *self, uplinks_t *uplinks, int reason,
    void (*tell)(void *arg, const errand_message_t *message, int reason), void *arg);

#endif
