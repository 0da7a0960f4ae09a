/* SPDX-License-Identifier: MPL-2.0 */
/* strangers: a place for each of a few hundred; whoever comes to a place that is taken replaces who is there, and so
 * may be answered more often than need be. Nothing fails. Owner: the router's thread. */
#include "broker/strangers.h"

bool strangers_answer(strangers_t *self, uint64_t hash, uint64_t now_ms)
{
    uint64_t *known = &self->items[hash % STRANGERS_COUNT].hash;
    uint64_t *answered_ms = &self->items[hash % STRANGERS_COUNT].answered_ms;
    if (*answered_ms && *known == hash && now_ms - *answered_ms < STRANGERS_PAUSE_MS)
        return false;
    *known = hash;
    *answered_ms = now_ms;
    return true;
}
