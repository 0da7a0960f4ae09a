/* SPDX-License-Identifier: MPL-2.0 */
/* answers: counts by routing id; all counts begin anew after a while. When there are too many to be remembered nobody
 * else is answered until then. Owner: the peers actor's thread. */
#include "plain/answers.h"

#include <stdlib.h>

typedef struct {
    table_item_t item;
    unsigned count;
    char route[];
} answered_t;

static void on_answered(table_item_t *item)
{
    free(item);
}

void answers_init(answers_t *self)
{
    *self = (answers_t){.routes = table_new()};
}

void answers_fini(answers_t *self)
{
    table_destroy(&self->routes, on_answered);
}

static answered_t *answered_new(span_t route)
{
    answered_t *self = calloc(1, sizeof *self + route.size);
    if (!self)
        abort();
    memcpy(self->route, route.data, route.size);
    self->item.key = span_of(self->route, route.size);
    return self;
}

bool answers_allow(answers_t *self, span_t route, uint64_t now_ms)
{
    if (now_ms - self->since_ms >= ANSWERS_TIME_MS) {
        answers_fini(self);
        *self = (answers_t){.routes = table_new(), .since_ms = now_ms};
    }
    answered_t *answered = (answered_t *)table_get(self->routes, route);
    if (!answered) {
        if (table_count(self->routes) == ANSWERS_ROUTES)
            return false;
        answered = answered_new(route);
        table_put(self->routes, &answered->item);
    }
    return answered->count++ < ANSWERS_MAX;
}
