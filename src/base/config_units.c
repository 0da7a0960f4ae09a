/* SPDX-License-Identifier: MPL-2.0 */
/* config_units: digits, then a unit out of the table of the kind. A bare number would be read as seconds by one user
 * and as milliseconds by another, so it is refused with the list of the units. No state; any thread. */
#include "base/config_units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNITS_MAX = 4, DIGITS_MAX = 15 };

typedef struct {
    const char *name;
    int64_t factor;
} unit_t;

typedef struct {
    const char *what;        /* the value, in a sentence */
    const char *list;        /* the units, in a sentence */
    unit_t units[UNITS_MAX]; /* from small to large; a NULL name ends them */
} table_t;

static const table_t tables[] = {
    [CONFIG_UNIT_NONE] = {.what = "number"},
    [CONFIG_UNIT_SIZE] = {"size", "B, KiB, MiB or GiB",
        {{"B", 1}, {"KiB", 1LL << 10}, {"MiB", 1LL << 20}, {"GiB", 1LL << 30}}},
    [CONFIG_UNIT_TIME] = {"duration", "ms, s, m or h", {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}}},
};

static const unit_t *find_unit(const table_t *table, const char *name)
{
    for (int i = 0; i < UNITS_MAX && table->units[i].name; i++)
        if (strcmp(table->units[i].name, name) == 0)
            return &table->units[i];
    return NULL;
}

/* The factor of what follows the digits, or 0 with the reason. */
static int64_t parse_unit(const table_t *table, const char *text, const char *name, int64_t number, char *why)
{
    if (*name == '\0' && (!table->list || number == 0))
        return 1;
    const unit_t *unit = find_unit(table, name);
    if (unit)
        return unit->factor;
    if (!table->list)
        snprintf(why, CONFIG_WHY_SIZE, "'%.64s' is not a whole number without a unit", text);
    else if (*name == '\0')
        snprintf(why, CONFIG_WHY_SIZE, "'%.64s' has no unit; a %s is in %s", text, table->what, table->list);
    else
        snprintf(why, CONFIG_WHY_SIZE, "'%.64s' is not a whole number and a unit of %s", text, table->list);
    return 0;
}

int config_units_parse(config_unit_t unit, const char *text, int64_t *number, char why[CONFIG_WHY_SIZE])
{
    const table_t *table = &tables[unit];
    size_t digits = strspn(text, "0123456789");
    if (digits == 0) {
        snprintf(why, CONFIG_WHY_SIZE, "'%.64s' is not a %s", text, table->what);
        return -1;
    }
    if (digits > DIGITS_MAX) {
        snprintf(why, CONFIG_WHY_SIZE, "'%.64s' is too large", text);
        return -1;
    }
    int64_t value = strtoll(text, NULL, 10);
    int64_t factor = parse_unit(table, text, text + digits, value, why);
    if (factor == 0)
        return -1;
    if (value > INT64_MAX / factor) {
        snprintf(why, CONFIG_WHY_SIZE, "'%.64s' is too large", text);
        return -1;
    }
    *number = value * factor;
    return 0;
}

void config_units_text(config_unit_t unit, int64_t number, char text[CONFIG_NUMBER_SIZE])
{
    unit_t best = {"", 1};
    for (int i = 0; number != 0 && i < UNITS_MAX && tables[unit].units[i].name; i++)
        if (number % tables[unit].units[i].factor == 0)
            best = tables[unit].units[i];
    snprintf(text, CONFIG_NUMBER_SIZE, "%" PRId64 "%s", number / best.factor, best.name);
}
