/* SPDX-License-Identifier: MPL-2.0 */
/* config: every option of ferryd in one schema, read from ZPL and from -s, with defaults, units and bounds. Made by the
 * main thread before any other starts; read-only, and so usable by every thread, afterwards. */
#ifndef FERRY_BASE_CONFIG_H
#define FERRY_BASE_CONFIG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct config config_t;

/* Reads `file` (NULL: defaults only), then applies `overrides`, each "section/key=value". For a list the first override
 * replaces the file's values and further ones append. Every mistake (unreadable file, syntax, unknown key, bad value or
 * unit, out of bounds) is one line on `errors` that names file, line and key, or the -s argument. Returns NULL if there
 * was any. The caller owns the result. */
config_t *config_new(const char *file, const char *const *overrides, size_t override_count, FILE *errors);

void config_destroy(config_t **self_p);

/* The value of an option of that kind in base units: counts as they are, sizes in bytes, durations in milliseconds,
 * booleans 0 or 1. The key must be one of the schema ("gateway/workers"); anything else is a bug and asserts. */
int64_t config_number(const config_t *self, const char *key);

/* The text of a string option, "" where it is unset. Borrowed, as long as the config lives. */
const char *config_string(const config_t *self, const char *key);

/* Value number `index` of a list option, NULL past its end. Borrowed. */
const char *config_item(const config_t *self, const char *key, size_t index);
size_t config_count(const config_t *self, const char *key);

/* Calls `visit` for each option of the schema, in the order of the shipped file, with the default as a user would write
 * it; the test that compares deploy/config/ferryd.cfg with the code uses it. */
void config_schema(void (*visit)(void *arg, const char *key, const char *kind, const char *value), void *arg);

#endif
