/* SPDX-License-Identifier: MPL-2.0 */
/* worker_memory: a worker's part of the process's memory budget. What a session holds is counted when it has read and
 * when it was flushed, what links hold at the end of a turn; sessions that may not read for want of memory wait in a
 * list, which the tick looks through. Nothing can fail. Owner: the worker's thread. */
#include "gateway/worker.h"

/* What may be under way on a link while memory is short: a part of what is left, for copies may take many times the
 * memory of their message. */
#define WINDOW_PART 32
#define WINDOW_MIN  4096 /* bytes */

/* And while it is not: a part of the budget, so that what is under way when it gets short does not fill it. */
#define BUDGET_PART 64

/* Of the budget, what the links may keep while clients are closed for a stall. */
#define RETURNS_PART 128

void worker_memory_look(worker_t *self)
{
    budget_t *budget = self->account.budget;
    self->full = budget_look(budget) == BUDGET_FULL;
    self->limits.writer.share = budget_share(budget);
    size_t left = budget_left(budget);
    size_t part = left == SIZE_MAX ? budget->limit / BUDGET_PART : left / WINDOW_PART;
    for (size_t i = 0; i < self->uplinks.count; i++)
        link_limit(self->uplinks.items[i].link, part > WINDOW_MIN ? part : WINDOW_MIN);
}

static void worker_count(worker_t *self, size_t *counted, size_t now)
{
    size_t told = self->account.told;
    budget_account_change(&self->account, *counted, now);
    *counted = now;
    if (self->account.told != told)
        worker_memory_look(self);
}

void worker_memory_count(session_t *session)
{
    worker_t *self = session->worker;
    bool gone = session->state == SESSION_DEAD;
    size_t reader = gone ? 0 : session->reader.input.capacity;
    size_t writer = gone ? 0 : writer_memory(&session->writer);
    self->memory.readers += reader - session->reader.counted;
    self->memory.writers += writer - session->writer.counted;
    worker_count(self, &session->reader.counted, reader);
    worker_count(self, &session->writer.counted, writer);
}

void worker_memory_turn(worker_t *self)
{
    size_t links = exchange_memory(&self->exchange);
    for (size_t i = 0; i < self->uplinks.count; i++)
        links += link_memory(self->uplinks.items[i].link);
    worker_count(self, &self->memory.links, links);
    worker_memory_look(self);
}

void worker_memory_tick(worker_t *self)
{
    budget_account_tell(&self->account);
    worker_memory_look(self);
    list_t starved, woken;
    list_take(&starved, &self->starved);
    list_init(&woken);
    for (list_node_t *node; (node = list_first(&starved));) {
        list_remove(node);
        list_append(reader_is_allowed(list_member(node, session_t, waiting)) ? &woken : &self->starved, node);
    }
    worker_wake(&woken);
}

bool worker_memory_takes_returns(const worker_t *self)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->uplinks.count; i++)
        kept += link_kept_size(self->uplinks.items[i].link);
    return self->limits.writer.share == SIZE_MAX || kept <= self->account.budget->limit / RETURNS_PART;
}

uint64_t worker_memory_starved(const worker_t *self)
{
    uint64_t count = 0;
    for (const list_node_t *node = self->starved.head.next; node != &self->starved.head; node = node->next)
        count++;
    return count;
}
