/* SPDX-License-Identifier: MPL-2.0 */
/* holdings: a ring; the owner says how far copies have ended, and how far they are done with. Nothing fails but by
 * abort. Owner: the node's thread. */
#include "link/holdings.h"

#include <stdlib.h>

#define HOLDINGS_FIRST 16

static holding_t *holdings_at(const holdings_t *self, uint64_t index)
{
    return &self->items[index & (self->capacity - 1)];
}

static void holdings_grow(holdings_t *self)
{
    size_t capacity = self->capacity ? 2 * self->capacity : HOLDINGS_FIRST;
    holding_t *items = malloc(capacity * sizeof *items);
    if (!items)
        abort();
    for (uint64_t i = self->first; i < self->next; i++)
        items[i & (capacity - 1)] = *holdings_at(self, i);
    free(self->items);
    self->items = items;
    self->capacity = capacity;
}

void holdings_fini(holdings_t *self)
{
    free(self->items);
    *self = (holdings_t){0};
}

static holding_t *holdings_put(holdings_t *self, const body_copy_t *copy)
{
    if (self->next - self->first == self->capacity)
        holdings_grow(self);
    holding_t *holding = holdings_at(self, self->next++);
    *holding = (holding_t){.number = copy->number, .session = copy->session};
    return holding;
}

uint64_t holdings_add(holdings_t *self, const body_copy_t *copy, origin_t *origin)
{
    holdings_put(self, copy)->origin = origin_take(origin);
    return self->next - 1;
}

uint64_t holdings_add_share(holdings_t *self, const body_copy_t *copy, share_t *share)
{
    holding_t *holding = holdings_put(self, copy);
    holding->is_shared = true;
    holding->share = share_take(share);
    self->shares++;
    return self->next - 1;
}

span_t holdings_group(const holdings_t *self, uint64_t index)
{
    const holding_t *holding = holdings_at(self, index);
    return holding->is_shared ? share_group(holding->share) : span_of(NULL, 0);
}

/* Parts of groups' copies in [from, to). */
static uint64_t holdings_shares_between(const holdings_t *self, uint64_t from, uint64_t to)
{
    uint64_t count = 0;
    for (uint64_t i = from; self->shares && i < to; i++)
        count += holdings_at(self, i)->is_shared;
    return count;
}

/* Ends the parts of groups' copies below `end`. */
static void holdings_end_shares(holdings_t *self, uint64_t end)
{
    for (; self->shares && self->shares_ended < end; self->shares_ended++)
        if (holdings_at(self, self->shares_ended)->is_shared)
            share_end(holdings_at(self, self->shares_ended)->share);
    if (self->shares_ended < end)
        self->shares_ended = end;
}

void holdings_release(holdings_t *self, link_t *link, uint64_t done)
{
    uint64_t end = self->told < done ? self->told : done;
    holdings_end_shares(self, end);
    for (; self->first < end; self->first++) {
        const holding_t *holding = holdings_at(self, self->first);
        if (holding->is_shared) {
            share_release(holding->share);
            self->shares--;
        } else {
            origins_release(link_origins(link), holding->origin);
        }
    }
}

/* Tells of the copies from that one on as held, but for those that are told of by their groups. */
static void holdings_hold(holdings_t *self, link_t *link, uint64_t session, uint64_t from, bool again)
{
    for (self->stated = from; self->stated < self->next; self->stated++) {
        const holding_t *holding = holdings_at(self, self->stated);
        if (!holding->is_shared)
            link_hold(link, session, holding->origin, holding->number, again);
    }
}

static void holdings_tell_ended(holdings_t *self, link_t *link, uint64_t session, uint64_t ended)
{
    uint64_t end = ended < self->stated ? ended : self->stated;
    holdings_end_shares(self, ended);
    if (end > self->told && link_can_end(link)) {
        uint64_t count = end - self->told - holdings_shares_between(self, self->told, end);
        if (count)
            link_end(link, session, (uint32_t)count);
        self->told = end;
    }
    if (self->told == self->stated && ended > self->stated)
        self->told = self->stated = ended;
}

void holdings_tell(holdings_t *self, link_t *link, uint64_t session, uint64_t ended, uint64_t done)
{
    if (!holdings_owe(self))
        return;
    holdings_tell_ended(self, link, session, ended);
    holdings_release(self, link, done);
    if (link_state(link) >= LINK_UP && link_state(link) < LINK_PARTING)
        holdings_hold(self, link, session, self->stated, false);
}

void holdings_restate(holdings_t *self, link_t *link, uint64_t session, uint64_t ended)
{
    if (self->told < ended)
        self->told = ended;
    holdings_hold(self, link, session, self->told, true);
}

void holdings_disown(holdings_t *self)
{
    self->disowned_first = self->told;
    self->disowned_end = self->told = self->stated = self->next;
}

void holdings_report(const holdings_t *self, uint64_t index, const holdings_loss_t *loss, int error)
{
    const holding_t *holding = holdings_at(self, index);
    if (holding->is_shared) {
        share_report(holding->share, loss->name, error, loss->reason, index < self->shares_ended);
        return;
    }
    if (index >= self->disowned_first && index < self->disowned_end)
        return;
    link_report(loss->link, loss->session,
        &(body_report_t){.error = (uint16_t)error,
            .reason = (uint16_t)loss->reason,
            .settled = index < self->told,
            .origin = holding->origin->node,
            .session = holding->session,
            .number = holding->number,
            .name = loss->name});
}

void holdings_forget(holdings_t *self, link_t *link)
{
    self->told = self->stated = self->next;
    holdings_release(self, link, self->next);
}
