/* SPDX-License-Identifier: MPL-2.0 */
/* config_schema: the table of ferryd's options, and what may stand in each. Read-only; any thread. */
#ifndef FERRY_BASE_CONFIG_SCHEMA_H
#define FERRY_BASE_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config_units.h"

typedef enum {
    CONFIG_KIND_COUNT,
    CONFIG_KIND_SIZE,     /* in bytes */
    CONFIG_KIND_DURATION, /* in milliseconds */
    CONFIG_KIND_BOOLEAN,  /* 0 or 1 */
    CONFIG_KIND_CHOICE,   /* one of some words; its number is the word's place among them, from 0 */
    CONFIG_KIND_STRING,
    CONFIG_KIND_LIST, /* of strings; the key may be repeated */
} config_kind_t;

typedef struct {
    const char *key; /* "section/name" */
    config_kind_t kind;
    const char *value; /* the default, as a user would write it */
    int64_t least;     /* bounds of a number, in base units */
    int64_t most;
    const char *choices;                    /* of a choice: its words, with a space after each */
    const char *(*check)(const char *text); /* of strings and lists: a reason, or NULL if the text is right */
} config_option_t;

/* Every option, in the order of the shipped file. */
extern const config_option_t config_options[];
extern const size_t config_option_count;

/* The index of a key, or config_option_count if there is none. */
size_t config_option_find(const char *key);

/* The key of the schema that is most like `key`, or NULL if none is. Static. */
const char *config_option_nearest(const char *key);

/* True if some option's key begins with that section. */
bool config_option_section(const char *section);

/* The name of the option's kind. Static. */
const char *config_option_kind(const config_option_t *self);

/* Reads one value of the option; *number becomes its number, or 0 for strings and lists. Returns 0, or -1 with the
 * reason in `why`. */
int config_option_read(const config_option_t *self, const char *text, int64_t *number, char why[CONFIG_WHY_SIZE]);

#endif
