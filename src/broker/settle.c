/* SPDX-License-Identifier: MPL-2.0 */
/* settle: bodies and new names wait in the order in which they came. A body whose records turn out to be bad ends its
 * node's link then. Nothing else fails. Owner: the router's thread. */
#include "broker/settle.h"

#include <stdlib.h>

#include "base/log.h"
#include "broker/broker.h"
#include "broker/dispatch.h"
#include "broker/front.h"
#include "broker/names.h"

typedef struct kept {
    struct kept *next;
    node_t *node; /* NULL: it is gone */
    uint64_t floor;
    size_t size;
    char body[];
} kept_t;

void settle_begin(broker_t *broker, uint32_t backoff_max_ms)
{
    broker->settle.until_ms = broker_now_ms(broker) + backoff_max_ms + SETTLE_MARGIN_MS;
}

void settle_succeed(broker_t *broker)
{
    settle_t *self = &broker->settle;
    if (self->is_active || broker_now_ms(broker) >= self->until_ms)
        return;
    self->is_active = true;
    log_info("settling", log_uint("left_ms", self->until_ms - broker_now_ms(broker)));
}

void settle_keep(node_t *node, span_t body, uint64_t floor)
{
    settle_t *self = &node->broker->settle;
    kept_t *kept = malloc(sizeof *kept + body.size);
    if (!kept)
        abort();
    *kept = (kept_t){.node = node, .floor = floor, .size = body.size};
    memcpy(kept->body, body.data, body.size);
    if (self->last)
        self->last->next = kept;
    else
        self->first = kept;
    self->last = kept;
}

static void settle_route(kept_t *kept)
{
    int rc = kept->node ? dispatch_body(kept->node, span_of(kept->body, kept->size), kept->floor) : 0;
    if (rc != 0)
        front_break(kept->node, -rc);
}

void settle_end(broker_t *broker, bool now)
{
    settle_t *self = &broker->settle;
    if (!self->until_ms || (!now && broker_now_ms(broker) < self->until_ms))
        return;
    self->until_ms = 0;
    if (!self->is_active)
        return;
    self->is_active = false;
    names_settled(broker);
    while (self->first) {
        kept_t *kept = self->first;
        settle_route(kept);
        self->first = kept->next;
        free(kept);
    }
    self->last = NULL;
    log_info("settled", log_uint("nodes", broker->nodes.count), log_uint("names", table_count(broker->names)));
}

void settle_forget(node_t *node)
{
    for (kept_t *kept = node->broker->settle.first; kept; kept = kept->next)
        if (kept->node == node)
            kept->node = NULL;
}
