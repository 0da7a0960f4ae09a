/* SPDX-License-Identifier: MPL-2.0 */
/* config_lines: the lines of a ZPL file that hold something, each with its number. czmq's zconfig keeps no numbers,
 * stops at the first mistake, and reads beyond its buffer at a line above 1 KiB; so it is given only lines that were
 * found good here. One thread. */
#ifndef FERRY_BASE_CONFIG_LINES_H
#define FERRY_BASE_CONFIG_LINES_H

#include <stddef.h>

#include "base/config_errors.h"

typedef struct config_lines config_lines_t;

/* Reads a file, and tells every line that is not ZPL as `section`, or as `key = value` four spaces deeper. Returns NULL
 * if the file cannot be read or is above 1 MiB; told too. Blocks on the file. The caller owns the result. */
config_lines_t *config_lines_new(const char *file, config_errors_t *errors);

void config_lines_destroy(config_lines_t **self_p);

/* The good lines without comments, as zconfig_str_load takes them. Borrowed. */
const char *config_lines_text(const config_lines_t *self);

/* The number in the file of the good line `index`, which is also the item `index` of zconfig's tree, walked from parent
 * to child. */
unsigned config_lines_number(const config_lines_t *self, size_t index);
size_t config_lines_count(const config_lines_t *self);

#endif
