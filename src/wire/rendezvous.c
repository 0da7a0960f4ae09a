/* SPDX-License-Identifier: MPL-2.0 */
/* rendezvous: each broker has a key made from its name, and weighs a peer's name by its SipHash under that key; the
 * heaviest broker owns the name. The brokers are kept sorted by name, so that of equal weights the first is the one
 * that the rule wants. Nothing fails after it was made. Any thread. */
#include "wire/rendezvous.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>

#include "wire/bytes.h"

typedef struct {
    unsigned char key[crypto_shorthash_KEYBYTES];
    span_t name;  /* borrowed while the list is made; not used afterwards */
    size_t index; /* in the list as it was given */
} rendezvous_broker_t;

struct rendezvous {
    unsigned char digest[RENDEZVOUS_DIGEST_SIZE];
    size_t count;
    rendezvous_broker_t brokers[]; /* sorted by name */
};

static int rendezvous_compare(const void *left, const void *right)
{
    const span_t *a = &((const rendezvous_broker_t *)left)->name;
    const span_t *b = &((const rendezvous_broker_t *)right)->name;
    size_t common = a->size < b->size ? a->size : b->size;
    int order = common > 0 ? memcmp(a->data, b->data, common) : 0;
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

static void rendezvous_make_key(rendezvous_broker_t *broker)
{
    static const char halves[2][crypto_shorthash_KEYBYTES + 1] = {"ferrymq-broker-0", "ferrymq-broker-1"};
    for (size_t i = 0; i < 2; i++)
        crypto_shorthash(broker->key + i * crypto_shorthash_BYTES, (const unsigned char *)broker->name.data,
            broker->name.size, (const unsigned char *)halves[i]);
}

static void rendezvous_make_digest(rendezvous_t *self)
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof self->digest);
    for (size_t i = 0; i < self->count; i++) {
        const span_t *name = &self->brokers[i].name;
        unsigned char size = (unsigned char)name->size;
        crypto_generichash_update(&state, &size, 1);
        crypto_generichash_update(&state, (const unsigned char *)name->data, name->size);
    }
    crypto_generichash_final(&state, self->digest, sizeof self->digest);
}

static bool rendezvous_is_legal(const rendezvous_t *self)
{
    bool legal = self->count > 0;
    for (size_t i = 1; i < self->count && legal; i++)
        legal = !span_equal(self->brokers[i - 1].name, self->brokers[i].name);
    for (size_t i = 0; i < self->count && legal; i++)
        legal = self->brokers[i].name.size > 0 && self->brokers[i].name.size <= UINT8_MAX;
    return legal;
}

rendezvous_t *rendezvous_new(const span_t *brokers, size_t count)
{
    rendezvous_t *self = calloc(1, sizeof *self + count * sizeof self->brokers[0]);
    if (!self)
        abort();
    self->count = count;
    for (size_t i = 0; i < count; i++)
        self->brokers[i] = (rendezvous_broker_t){.name = brokers[i], .index = i};
    qsort(self->brokers, count, sizeof self->brokers[0], rendezvous_compare);
    if (!rendezvous_is_legal(self)) {
        rendezvous_destroy(&self);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        rendezvous_make_key(&self->brokers[i]);
    rendezvous_make_digest(self);
    return self;
}

void rendezvous_destroy(rendezvous_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

static uint64_t rendezvous_weigh(const rendezvous_broker_t *broker, span_t peer)
{
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, (const unsigned char *)peer.data, peer.size, broker->key);
    return bytes_get64(hash);
}

size_t rendezvous_pick(const rendezvous_t *self, span_t peer)
{
    if (self->count == 1)
        return 0;
    const rendezvous_broker_t *best = &self->brokers[0];
    uint64_t most = rendezvous_weigh(best, peer);
    for (size_t i = 1; i < self->count; i++) {
        uint64_t weight = rendezvous_weigh(&self->brokers[i], peer);
        if (weight > most) {
            most = weight;
            best = &self->brokers[i];
        }
    }
    return best->index;
}

const unsigned char *rendezvous_digest(const rendezvous_t *self)
{
    return self->digest;
}
