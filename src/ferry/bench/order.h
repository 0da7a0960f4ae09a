/* SPDX-License-Identifier: MPL-2.0 */
/* order: to whom a client writes when each writes to all others: a step that has no divisor in common with the number
 * of the others, and is near the golden section of it, leads to each of them once a round, and never to neighbours in a
 * row. Both ends can tell the recipient of any message by its number. Pure. */
#ifndef FERRY_FERRY_BENCH_ORDER_H
#define FERRY_FERRY_BENCH_ORDER_H

#include <stdint.h>

typedef struct {
    unsigned client_count; /* two at least */
    unsigned step;
} order_t;

void order_init(order_t *self, unsigned client_count);

/* The recipient of message `number`, from 0, of `sender`; never the sender. */
static inline unsigned order_recipient(const order_t *self, unsigned sender, uint64_t number)
{
    unsigned others = self->client_count - 1;
    unsigned distance = (unsigned)(number % others * self->step % others) + 1;
    unsigned recipient = sender + distance;
    return recipient < self->client_count ? recipient : recipient - self->client_count;
}

#endif
