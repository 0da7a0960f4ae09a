/* SPDX-License-Identifier: MPL-2.0 */
/* budget: the memory that a process may hold for messages, shared by the threads that hold some, and what is left of it
 * for one session. Each thread keeps an account of what it holds and tells the budget of changes in coarse steps.
 *
 *     0 ── as much as the marks allow ── half ── its share of what is left ── 7/8 ── next to nothing ── 15/16 ──
 * nothing
 *
 * What is above that is for what was read before the mark was seen: a node always takes what it is sent. budget_t may
 * be used by any thread at any time; an account is one thread's. Nothing can fail. */
#ifndef FERRY_BASE_BUDGET_H
#define FERRY_BASE_BUDGET_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUDGET_SHARE_MIN 1024 /* bytes that a session may always hold */

typedef enum {
    BUDGET_FREE,
    BUDGET_SHORT, /* sessions have shares */
    BUDGET_FULL,  /* nothing is read */
} budget_level_t;

typedef struct {
    size_t limit; /* bytes; does not change */
    atomic_size_t used;
    atomic_size_t sessions;
    atomic_int level; /* a budget_level_t, as it was logged last */
} budget_t;

void budget_init(budget_t *self, size_t limit);

/* A session has come, or has gone. */
void budget_join(budget_t *self);
void budget_leave(budget_t *self);

/* Where the budget stands. It goes back a level only some way below the mark, so that it does not flutter. Logs
 * memory-short, memory-full and memory-free, once for the process, when that has changed. */
budget_level_t budget_look(budget_t *self);

/* Bytes that are left to be shared out: SIZE_MAX while the budget is free. */
size_t budget_left(const budget_t *self);

/* Bytes of what is left that one session may fill: SIZE_MAX while the budget is free, and never less than
 * BUDGET_SHARE_MIN. It is half of its part, since buffers that grow are up to twice as large as what is in them. */
size_t budget_share(const budget_t *self);

/* {"limit_bytes":…, "used_bytes":…, "level":"free"}, see proto/admin.md. The caller owns it. */
json_t *budget_json(const budget_t *self);

/* What one thread holds. */
typedef struct {
    budget_t *budget; /* borrowed */
    size_t held;      /* bytes */
    size_t told;      /* of them, what the budget knows of */
} budget_account_t;

void budget_account_init(budget_account_t *self, budget_t *budget);

/* Gives back all that is held. */
void budget_account_fini(budget_account_t *self);

/* Tells the budget of what has changed. */
void budget_account_tell(budget_account_t *self);

/* Something held `before` bytes when it was counted last, and `now` it holds so many. Tells the budget when that
 * makes a difference: a few instructions otherwise, for hot paths. */
static inline void budget_account_change(budget_account_t *self, size_t before, size_t now)
{
    enum { STEP = 64 * 1024 }; /* bytes that the budget need not know of */
    self->held += now - before;
    if (self->held - self->told + STEP > 2 * STEP)
        budget_account_tell(self);
}

#endif
