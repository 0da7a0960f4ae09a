/* SPDX-License-Identifier: MPL-2.0 */
/* config_errors: where the mistakes of a configuration are told and counted. One thread. */
#ifndef FERRY_BASE_CONFIG_ERRORS_H
#define FERRY_BASE_CONFIG_ERRORS_H

#include <stdio.h>

typedef struct {
    FILE *stream; /* borrowed */
    unsigned count;
} config_errors_t;

/* Writes the line "PLACE: KEY: MESSAGE" and counts it. A place is "FILE", "FILE:LINE" or "-s ARGUMENT"; the key may be
 * NULL. */
void config_errors_add(config_errors_t *self, const char *place, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
