/* SPDX-License-Identifier: MPL-2.0 */
/* node_set: one bit a node, grown to the highest index that was added. Nothing fails but by abort. Owner: the router's
 * thread. */
#include "broker/node_set.h"

#include <stdlib.h>
#include <string.h>

void node_set_fini(node_set_t *self)
{
    free(self->words);
    *self = (node_set_t){0};
}

static void node_set_grow(node_set_t *self, uint32_t word_count)
{
    self->words = realloc(self->words, word_count * sizeof *self->words);
    if (!self->words)
        abort();
    memset(self->words + self->word_count, 0, (word_count - self->word_count) * sizeof *self->words);
    self->word_count = word_count;
}

void node_set_add(node_set_t *self, uint32_t index)
{
    if (index / 64 >= self->word_count)
        node_set_grow(self, index / 64 + 1);
    self->words[index / 64] |= UINT64_C(1) << index % 64;
}

void node_set_remove(node_set_t *self, uint32_t index)
{
    if (index / 64 < self->word_count)
        self->words[index / 64] &= ~(UINT64_C(1) << index % 64);
}

uint32_t node_set_next(const node_set_t *self, uint32_t from)
{
    uint32_t word = from / 64;
    if (word >= self->word_count)
        return NODE_SET_END;
    uint64_t bits = self->words[word] & ~UINT64_C(0) << from % 64;
    while (!bits && ++word < self->word_count)
        bits = self->words[word];
    return bits ? 64 * word + (uint32_t)__builtin_ctzll(bits) : NODE_SET_END;
}
