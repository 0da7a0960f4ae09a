/* SPDX-License-Identifier: MPL-2.0 */
/* table: finds entries by keys that clients choose. The hash is seeded at random, so that nobody can choose keys that
 * collide; the table grows a few buckets at each change, so that a million names cause no long stall. Entries are
 * intrusive: the key's bytes live in the entry, and the table allocates nothing for each. Owned by one thread. */
#ifndef FERRY_BASE_TABLE_H
#define FERRY_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

typedef struct table table_t;

/* Embedded first in an entry. */
typedef struct table_item {
    struct table_item *next; /* the table's */
    uint64_t hash;           /* the table's: of the key, under the table's seed */
    span_t key;              /* set by the owner before table_put; its bytes stay as they are until table_take */
} table_item_t;

/* An empty table with a seed of its own. Never fails (out of memory aborts). */
table_t *table_new(void);

/* Calls `destroy` (may be NULL) for each entry that is left, which may free it, and frees the table. */
void table_destroy(table_t **self_p, void (*destroy)(table_item_t *item));

/* The hash of a key in this table. */
uint64_t table_hash(const table_t *self, span_t key);

/* The entry with that key, or NULL. */
table_item_t *table_get(const table_t *self, span_t key);

/* As table_get, for a caller that has the key's table_hash already. */
table_item_t *table_find(const table_t *self, uint64_t hash, span_t key);

/* Adds an entry, which the caller goes on owning; no other with the same key may be there. */
void table_put(table_t *self, table_item_t *item);

/* Takes an entry of this table out; the caller may free it then. */
void table_take(table_t *self, table_item_t *item);

size_t table_count(const table_t *self);

/* Calls `visit` for each entry, in no order. It must neither add nor take. */
void table_each(const table_t *self, void (*visit)(void *arg, table_item_t *item), void *arg);

#endif
