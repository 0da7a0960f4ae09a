/* SPDX-License-Identifier: MPL-2.0 */
/* listing: rows of text cells, written in columns that are as wide as they must be. */
#ifndef FERRY_FERRY_LISTING_H
#define FERRY_FERRY_LISTING_H

#include "ferry/display.h"

enum { LISTING_COLUMNS_MAX = 16 };

typedef struct listing listing_t;

/* `titles` are the columns' names, separated by commas; one that starts with '>' is aligned to the right, without the
 * sign. At most LISTING_COLUMNS_MAX. The caller owns the result. */
listing_t *listing_new(const char *titles);

void listing_destroy(listing_t **self_p);

/* Adds the next cell, row by row. The text is copied. */
__attribute__((format(printf, 2, 3))) void listing_add(listing_t *self, const char *format, ...);

/* Writes the titles and the rows, each line indented by two blanks. */
void listing_write(const listing_t *self, display_t *display);

#endif
