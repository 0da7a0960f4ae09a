/* SPDX-License-Identifier: MPL-2.0 */
/* config_units: numbers as users write them, 30s and 64KiB, and back. Pure functions; any thread. */
#ifndef FERRY_BASE_CONFIG_UNITS_H
#define FERRY_BASE_CONFIG_UNITS_H

#include <stdint.h>

#define CONFIG_WHY_SIZE    256 /* enough for every reason why a value is refused, with its NUL */
#define CONFIG_NUMBER_SIZE 32  /* enough for every number with its unit and its NUL */

typedef enum {
    CONFIG_UNIT_NONE, /* a count: no unit */
    CONFIG_UNIT_SIZE, /* bytes: B, KiB, MiB, GiB */
    CONFIG_UNIT_TIME, /* milliseconds: ms, s, m, h */
} config_unit_t;

/* Reads a whole number that is not negative, with the unit that its kind demands (0 needs none), in base units. Returns
 * 0, or -1 with the reason in `why`. */
int config_units_parse(config_unit_t unit, const char *text, int64_t *number, char why[CONFIG_WHY_SIZE]);

/* Writes `number` with the largest unit that it is a multiple of. */
void config_units_text(config_unit_t unit, int64_t number, char text[CONFIG_NUMBER_SIZE]);

#endif
