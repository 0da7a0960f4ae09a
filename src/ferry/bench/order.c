/* SPDX-License-Identifier: MPL-2.0 */
/* order: finds the step. */
#include "ferry/bench/order.h"

#include <assert.h>

static unsigned common_divisor(unsigned a, unsigned b)
{
    return b ? common_divisor(b, a % b) : a;
}

void order_init(order_t *self, unsigned client_count)
{
    assert(client_count >= 2);
    unsigned others = client_count - 1;
    self->client_count = client_count;
    self->step = (unsigned)((uint64_t)others * 618 / 1000);
    while (common_divisor(self->step, others) != 1)
        self->step++;
}
