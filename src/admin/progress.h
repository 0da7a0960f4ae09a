/* SPDX-License-Identifier: MPL-2.0 */
/* progress: what a drain has told so far, line by line, for readers that each follow it from its beginning. Owned by
 * the admin actor's thread. */
#ifndef FERRY_ADMIN_PROGRESS_H
#define FERRY_ADMIN_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct progress progress_t;

progress_t *progress_new(void);
void progress_destroy(progress_t **self_p);

/* Adds one line; its control bytes become spaces. Past 64 KiB in all, lines are dropped. */
void progress_add(progress_t *self, const char *line);

/* Adds the last lines: the ledger on one line (borrowed; control bytes become spaces) and "result N". Nothing can be
 * added afterwards, and a second call does nothing. */
void progress_finish(progress_t *self, const char *ledger, const char *result);

/* Whether the last line is there. */
bool progress_is_finished(const progress_t *self);

/* Copies what follows the first `position` bytes. Returns how many bytes, 0 when there is nothing yet, -1 when all was
 * read. */
ssize_t progress_read(const progress_t *self, uint64_t position, char *data, size_t size);

#endif
