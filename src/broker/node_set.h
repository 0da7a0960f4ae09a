/* SPDX-License-Identifier: MPL-2.0 */
/* node_set: some of a broker's nodes, as bits by their index; who was told something. Embedded; the router's thread.
 * Memory that runs out aborts. */
#ifndef FERRY_BROKER_NODE_SET_H
#define FERRY_BROKER_NODE_SET_H

#include <stdbool.h>
#include <stdint.h>

#define NODE_SET_END UINT32_MAX

/* An all-zero set is a valid empty one. */
typedef struct {
    uint64_t *words;     /* malloc'd, or NULL */
    uint32_t word_count; /* indexes from 64 * word_count are not in the set */
} node_set_t;

/* Empties the set and frees its memory. */
void node_set_fini(node_set_t *self);

void node_set_add(node_set_t *self, uint32_t index);
void node_set_remove(node_set_t *self, uint32_t index);

/* The lowest index in the set that is at least `from`, or NODE_SET_END. */
uint32_t node_set_next(const node_set_t *self, uint32_t from);

static inline bool node_set_has(const node_set_t *self, uint32_t index)
{
    return index / 64 < self->word_count && (self->words[index / 64] >> index % 64 & 1);
}

#endif
