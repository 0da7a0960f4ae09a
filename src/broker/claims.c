/* SPDX-License-Identifier: MPL-2.0 */
/* claims: a table by origin and number. They are few: what was under way to services when the broker before ended; they
 * are kept as long as the broker lives. Owner: the router's thread. */
#include "broker/claims.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    link_id_t origin;
    uint64_t number;
} claim_key_t;

typedef struct {
    table_item_t item;
    claim_key_t key;
    uint32_t handle;
    uint64_t session;
} claimed_t;

void claims_init(claims_t *self)
{
    self->items = table_new();
}

static void on_free(table_item_t *item)
{
    free(item);
}

void claims_fini(claims_t *self)
{
    table_destroy(&self->items, on_free);
}

static claimed_t *claims_get(const claims_t *self, const claim_key_t *key)
{
    return (claimed_t *)table_get(self->items, span_of((const char *)key, sizeof *key));
}

void claims_add(claims_t *self, const link_id_t *origin, uint64_t number, uint32_t handle, uint64_t session)
{
    claim_key_t key = {.origin = *origin, .number = number};
    claimed_t *claimed = claims_get(self, &key);
    if (!claimed) {
        claimed = calloc(1, sizeof *claimed);
        if (!claimed)
            abort();
        claimed->key = key;
        claimed->item.key = span_of((const char *)&claimed->key, sizeof claimed->key);
        table_put(self->items, &claimed->item);
    }
    claimed->handle = handle;
    claimed->session = session;
}

bool claims_find(const claims_t *self, const link_id_t *origin, uint64_t number, uint32_t *handle, uint64_t *session)
{
    claim_key_t key = {.origin = *origin, .number = number};
    const claimed_t *claimed = table_count(self->items) ? claims_get(self, &key) : NULL;
    if (!claimed)
        return false;
    *handle = claimed->handle;
    *session = claimed->session;
    return true;
}
