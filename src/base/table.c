/* SPDX-License-Identifier: MPL-2.0 */
/* table: chains of entries in buckets, as many buckets as entries or more. When they become too few, twice as many are
 * allocated, and each later change moves a few of the old buckets over: those below `moved` are in the new array, the
 * others still in the old one, so that a lookup reads one chain in either case. Nothing fails but by abort. Owner: the
 * thread that owns the table. */
#include "base/table.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#define TABLE_BUCKETS_FIRST 16 /* a power of two */
#define TABLE_MOVES         4  /* old buckets that a change moves: with 2 or more growing ends before it is due again */

struct table {
    uint8_t seed[crypto_shorthash_KEYBYTES];
    table_item_t **buckets;
    size_t mask;        /* count of buckets - 1 */
    table_item_t **old; /* while growing, else NULL */
    size_t old_mask;
    size_t moved; /* old buckets that are empty now */
    size_t count;
};

_Static_assert(crypto_shorthash_BYTES == sizeof(uint64_t), "a hash is one integer");

static table_item_t **buckets_new(size_t count)
{
    table_item_t **buckets = calloc(count, sizeof *buckets);
    if (!buckets)
        abort();
    return buckets;
}

table_t *table_new(void)
{
    table_t *self = calloc(1, sizeof *self);
    if (!self || sodium_init() < 0)
        abort();
    randombytes_buf(self->seed, sizeof self->seed);
    self->buckets = buckets_new(TABLE_BUCKETS_FIRST);
    self->mask = TABLE_BUCKETS_FIRST - 1;
    return self;
}

static void buckets_destroy(table_item_t **buckets, size_t count, void (*destroy)(table_item_t *item))
{
    for (size_t i = 0; destroy && i < count; i++)
        for (table_item_t *item = buckets[i], *next; item; item = next) {
            next = item->next;
            destroy(item);
        }
    free(buckets);
}

void table_destroy(table_t **self_p, void (*destroy)(table_item_t *item))
{
    table_t *self = *self_p;
    if (!self)
        return;
    buckets_destroy(self->buckets, self->mask + 1, destroy);
    if (self->old)
        buckets_destroy(self->old, self->old_mask + 1, destroy);
    free(self);
    *self_p = NULL;
}

uint64_t table_hash(const table_t *self, span_t key)
{
    uint64_t hash;
    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)key.data, key.size, self->seed);
    return hash;
}

static table_item_t **table_bucket(const table_t *self, uint64_t hash)
{
    if (self->old && (hash & self->old_mask) >= self->moved)
        return &self->old[hash & self->old_mask];
    return &self->buckets[hash & self->mask];
}

table_item_t *table_find(const table_t *self, uint64_t hash, span_t key)
{
    table_item_t *item = *table_bucket(self, hash);
    while (item && (item->hash != hash || !span_equal(item->key, key)))
        item = item->next;
    return item;
}

table_item_t *table_get(const table_t *self, span_t key)
{
    return table_find(self, table_hash(self, key), key);
}

static void bucket_push(table_item_t **bucket, table_item_t *item)
{
    item->next = *bucket;
    *bucket = item;
}

static void table_move(table_t *self)
{
    for (unsigned i = 0; self->old && i < TABLE_MOVES; i++) {
        table_item_t **bucket = &self->old[self->moved++];
        for (table_item_t *item = *bucket, *next; item; item = next) {
            next = item->next;
            bucket_push(&self->buckets[item->hash & self->mask], item);
        }
        *bucket = NULL;
        if (self->moved > self->old_mask) {
            free(self->old);
            self->old = NULL;
        }
    }
}

static void table_grow(table_t *self)
{
    assert(!self->old);
    self->old = self->buckets;
    self->old_mask = self->mask;
    self->moved = 0;
    self->mask = 2 * self->mask + 1;
    self->buckets = buckets_new(self->mask + 1);
}

void table_put(table_t *self, table_item_t *item)
{
    table_move(self);
    if (self->count > self->mask)
        table_grow(self);
    item->hash = table_hash(self, item->key);
    bucket_push(table_bucket(self, item->hash), item);
    self->count++;
}

void table_take(table_t *self, table_item_t *item)
{
    table_move(self);
    table_item_t **at = table_bucket(self, item->hash);
    while (*at && *at != item)
        at = &(*at)->next;
    assert(*at);
    *at = item->next;
    self->count--;
}

size_t table_count(const table_t *self)
{
    return self->count;
}

static void buckets_each(
    table_item_t *const *buckets, size_t count, void (*visit)(void *arg, table_item_t *item), void *arg)
{
    for (size_t i = 0; i < count; i++)
        for (table_item_t *item = buckets[i]; item; item = item->next)
            visit(arg, item);
}

void table_each(const table_t *self, void (*visit)(void *arg, table_item_t *item), void *arg)
{
    buckets_each(self->buckets, self->mask + 1, visit, arg);
    if (self->old)
        buckets_each(self->old, self->old_mask + 1, visit, arg);
}
