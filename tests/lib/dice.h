/* SPDX-License-Identifier: MPL-2.0 */
/* dice: random choices that a seed repeats. Embedded; belongs to its owner's thread. Not for secrets. */
#ifndef FERRY_TESTS_DICE_H
#define FERRY_TESTS_DICE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t state; /* the seed at first; any number will do */
} dice_t;

/* A number from 0 to `count` - 1; `count` is at least 1. */
uint32_t dice_roll(dice_t *self, uint32_t count);

/* A number from `least` to `most`. */
uint32_t dice_between(dice_t *self, uint32_t least, uint32_t most);

/* True in `percent` of 100 cases. */
bool dice_chance(dice_t *self, uint32_t percent);

#endif
