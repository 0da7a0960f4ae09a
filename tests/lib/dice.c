/* SPDX-License-Identifier: MPL-2.0 */
/* dice: splitmix64, whose every seed is a good one. Nothing can fail. */
#include "lib/dice.h"

static uint64_t next(dice_t *self)
{
    self->state += 0x9e3779b97f4a7c15u;
    uint64_t mixed = self->state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

uint32_t dice_roll(dice_t *self, uint32_t count)
{
    return (uint32_t)((next(self) >> 32) * count >> 32);
}

uint32_t dice_between(dice_t *self, uint32_t least, uint32_t most)
{
    return least + dice_roll(self, most - least + 1);
}

bool dice_chance(dice_t *self, uint32_t percent)
{
    return dice_roll(self, 100) < percent;
}
