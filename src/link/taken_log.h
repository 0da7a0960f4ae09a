/* SPDX-License-Identifier: MPL-2.0 */
/* taken_log: which copies of one origin a node has taken, by (number, session), from the origin's floor on, so that a
 * copy that is sent again is not taken twice (proto/link.md, section 9). Notices that pass on reports of that origin
 * are in it too, with TAKEN_LOG_NOTICE for a session. Embedded in an origin, and the link's thread's.
 *
 * Bounded by what the origin may have open: it sends its floor with everything. */
#ifndef FERRY_LINK_TAKEN_LOG_H
#define FERRY_LINK_TAKEN_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAKEN_LOG_NOTICE UINT64_MAX

typedef struct {
    uint64_t number, session;
} taken_t;

typedef enum { TAKEN_LOG_NEW, TAKEN_LOG_KNOWN, TAKEN_LOG_LATE } taken_log_answer_t;

typedef struct taken_index taken_index_t;

/* All zero is a valid empty log. */
typedef struct {
    taken_t *items;       /* ring, in the order in which they were taken */
    size_t capacity;      /* a power of two, or 0 */
    uint64_t first, next; /* item i is at i & (capacity - 1) */
    taken_index_t *index; /* while copies are sent again; else NULL */
} taken_log_t;

void taken_log_fini(taken_log_t *self);

/* Forgets what lies below the origin's floor; with `again` false it frees what asking needed, too. Once for each RUN.
 */
void taken_log_cut(taken_log_t *self, uint64_t floor, bool again);

/* Notes a copy that was taken. */
void taken_log_add(taken_log_t *self, uint64_t number, uint64_t session);

/* What to do with a copy that is sent again: KNOWN was taken before; LATE was not, but a higher number was taken for
 * that session; NEW may be taken. */
taken_log_answer_t taken_log_ask(taken_log_t *self, uint64_t number, uint64_t session);

static inline size_t taken_log_count(const taken_log_t *self)
{
    return (size_t)(self->next - self->first);
}

#endif
