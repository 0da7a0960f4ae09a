/* SPDX-License-Identifier: MPL-2.0 */
/* budget: the total and the number of sessions are atomic and relaxed, for nothing else hangs on their order: a thread
 * that sees them late acts late by what the other threads can read in that time, and there is a reserve for that. The
 * level is changed by whoever sees first that it must, who logs it. Nothing can fail. Any thread. */
#include "base/budget.h"

#include "base/log.h"

/* Marks in 32nds of the limit: where a level begins, and below what it ends; and up to where it is shared out. */
#define BUDGET_SHORT_FROM  16
#define BUDGET_SHORT_BELOW 14
#define BUDGET_SHARED      28
#define BUDGET_FULL_FROM   30
#define BUDGET_FULL_BELOW  29

void budget_init(budget_t *self, size_t limit)
{
    self->limit = limit;
    atomic_init(&self->used, 0);
    atomic_init(&self->sessions, 0);
    atomic_init(&self->level, BUDGET_FREE);
}

void budget_join(budget_t *self)
{
    atomic_fetch_add_explicit(&self->sessions, 1, memory_order_relaxed);
}

void budget_leave(budget_t *self)
{
    atomic_fetch_sub_explicit(&self->sessions, 1, memory_order_relaxed);
}

static size_t budget_mark(const budget_t *self, unsigned parts)
{
    return self->limit / 32 * parts;
}

static budget_level_t budget_next(const budget_t *self, size_t used, budget_level_t level)
{
    if (used >= budget_mark(self, level == BUDGET_FULL ? BUDGET_FULL_BELOW : BUDGET_FULL_FROM))
        return BUDGET_FULL;
    if (used >= budget_mark(self, level == BUDGET_FREE ? BUDGET_SHORT_FROM : BUDGET_SHORT_BELOW))
        return BUDGET_SHORT;
    return BUDGET_FREE;
}

budget_level_t budget_look(budget_t *self)
{
    static const char *const events[] = {"memory-free", "memory-short", "memory-full"};
    size_t used = atomic_load_explicit(&self->used, memory_order_relaxed);
    int level = atomic_load_explicit(&self->level, memory_order_relaxed);
    budget_level_t next = budget_next(self, used, (budget_level_t)level);
    if ((int)next != level && atomic_compare_exchange_strong(&self->level, &level, (int)next))
        log_warning(events[next], log_uint("used", used), log_uint("limit", self->limit),
            log_uint("sessions", atomic_load_explicit(&self->sessions, memory_order_relaxed)));
    return next;
}

size_t budget_left(const budget_t *self)
{
    if (atomic_load_explicit(&self->level, memory_order_relaxed) == BUDGET_FREE)
        return SIZE_MAX;
    size_t used = atomic_load_explicit(&self->used, memory_order_relaxed);
    size_t shared = budget_mark(self, BUDGET_SHARED);
    return used < shared ? shared - used : 0;
}

size_t budget_share(const budget_t *self)
{
    size_t left = budget_left(self), sessions = atomic_load_explicit(&self->sessions, memory_order_relaxed);
    size_t share = sessions ? left / sessions / 2 : left / 2;
    if (left == SIZE_MAX)
        return SIZE_MAX;
    return share > BUDGET_SHARE_MIN ? share : BUDGET_SHARE_MIN;
}

json_t *budget_json(const budget_t *self)
{
    static const char *const levels[] = {"free", "short", "full"};
    size_t used = atomic_load_explicit(&self->used, memory_order_relaxed);
    int level = atomic_load_explicit(&self->level, memory_order_relaxed);
    return json_pack("{s:I, s:I, s:s}", "limit_bytes", (json_int_t)self->limit, "used_bytes", (json_int_t)used, "level",
        levels[level]);
}

void budget_account_init(budget_account_t *self, budget_t *budget)
{
    *self = (budget_account_t){.budget = budget};
}

void budget_account_fini(budget_account_t *self)
{
    self->held = 0;
    budget_account_tell(self);
}

void budget_account_tell(budget_account_t *self)
{
    if (self->held == self->told)
        return;
    atomic_fetch_add_explicit(&self->budget->used, self->held - self->told, memory_order_relaxed);
    self->told = self->held;
}
