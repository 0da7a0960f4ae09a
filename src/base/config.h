/* SPDX-License-Identifier: MPL-2.0 */
/* config: every option of ferryd in one schema, read from ZPL and from -s, with defaults, units and bounds. Made by the
 * main thread before any other starts; read-only, and so usable by every thread, afterwards. */
#ifndef FERRY_BASE_CONFIG_H
#define FERRY_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_BROKER_NAME_SIZE 65 /* enough for every broker's name with its NUL */

typedef struct config config_t;

/* Reads `file` (NULL: defaults only), then applies `overrides`, each "section/key=value". For a list the first override
 * replaces the file's values and further ones append. Every mistake (unreadable file, syntax, unknown key, bad value or
 * unit, out of bounds) is one line on `errors` that names file, line and key, or the -s argument. Returns NULL if there
 * was any. The caller owns the result. */
config_t *config_new(const char *file, const char *const *overrides, size_t override_count, FILE *errors);

void config_destroy(config_t **self_p);

/* The value of an option in base units: counts as they are, sizes in bytes, durations in milliseconds, booleans 0 or 1;
 * of a choice the place of its word, so that log/level is a log_level_t and log/format a log_format_t. The key must be
 * one of the schema ("gateway/workers"); anything else is a bug and asserts. */
int64_t config_number(const config_t *self, const char *key);

/* The text of any option but a list, as the user or the schema wrote it. Borrowed, as long as the config lives. */
const char *config_string(const config_t *self, const char *key);

/* Value number `index` of a list option, NULL past its end. Borrowed. */
const char *config_item(const config_t *self, const char *key, size_t index);
size_t config_count(const config_t *self, const char *key);

/* Where value number `index` was given, for the error that it causes later: "FILE:LINE", "-s", or "default". Borrowed.
 */
const char *config_place(const config_t *self, const char *key, size_t index);

/* The address of broker number `index` of gateway/broker, NULL past the end; its name goes to `name`. Where the
 * address stands alone, which it does only if it is the only one, that is broker/name. Borrowed. */
const char *config_broker(const config_t *self, size_t index, char name[CONFIG_BROKER_NAME_SIZE]);

/* What admin/listen stands for: `auto` is port 7480 of the loopback, or 7481 where a broker runs alone (beside a
 * gateway, most likely); "" is no admin endpoint. Borrowed. */
const char *config_admin_listen(const config_t *self, bool broker_alone);

/* Writes the effective configuration as a file that config_new takes. */
void config_print(const config_t *self, FILE *stream);

/* Calls `visit` for each option of the schema, in the order of the shipped file, with the default as a user would write
 * it; the test that compares deploy/config/ferryd.cfg with the code uses it. */
void config_schema(void (*visit)(void *arg, const char *key, const char *kind, const char *value), void *arg);

#endif
