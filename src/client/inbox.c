/* SPDX-License-Identifier: MPL-2.0 */
/* [8] inbox: a copy that comes is told as held at the end of its turn, unless the program has received it by then, and
 * as ended when it has. Nothing can fail. Owner: the carrier's thread. */
#include "client/inbox.h"

#include <assert.h>
#include <stdlib.h>

#include "wire/error.h"
#include "wire/reason.h"

static inbox_copy_t *inbox_at(const inbox_t *self, uint64_t index)
{
    return &self->copies[index & (self->capacity - 1)];
}

static void inbox_grow(inbox_t *self)
{
    size_t capacity = self->capacity ? 2 * self->capacity : 16;
    inbox_copy_t *copies = malloc(capacity * sizeof *copies);
    if (!copies)
        abort();
    for (uint64_t i = self->first; i < self->next; i++)
        copies[i & (capacity - 1)] = *inbox_at(self, i);
    free(self->copies);
    self->copies = copies;
    self->capacity = capacity;
}

void inbox_fini(inbox_t *self)
{
    free(self->copies);
    *self = (inbox_t){0};
}

void inbox_add(inbox_t *self, const body_copy_t *copy, origin_t *origin)
{
    if (self->next - self->first == self->capacity)
        inbox_grow(self);
    *inbox_at(self, self->next++) =
        (inbox_copy_t){.origin = origin_take(origin), .number = copy->number, .session = copy->session};
}

void inbox_take(inbox_t *self, uint64_t count)
{
    assert(count <= self->next - self->taken);
    self->taken += count;
}

/* Lets the copies go that have ended and of which nothing is to be told. */
static void inbox_release(inbox_t *self, link_t *link)
{
    uint64_t end = self->told < self->taken ? self->told : self->taken;
    while (self->first < end)
        origins_release(link_origins(link), inbox_at(self, self->first++)->origin);
}

static void inbox_tell_ended(inbox_t *self, link_t *link, uint64_t session)
{
    uint64_t end = self->taken < self->stated ? self->taken : self->stated;
    if (end > self->told && link_can_end(link)) {
        link_end(link, session, (uint32_t)(end - self->told));
        self->told = end;
    }
    if (self->told == self->stated && self->taken > self->stated)
        self->told = self->stated = self->taken;
    inbox_release(self, link);
}

void inbox_tell(inbox_t *self, link_t *link, uint64_t session)
{
    if (self->told == self->next)
        return;
    inbox_tell_ended(self, link, session);
    if (link_state(link) < LINK_UP || link_state(link) >= LINK_PARTING)
        return;
    for (; self->stated < self->next; self->stated++)
        link_hold(link, session, inbox_at(self, self->stated)->origin, inbox_at(self, self->stated)->number, false);
}

void inbox_restate(inbox_t *self, link_t *link, uint64_t session)
{
    if (self->told < self->taken)
        self->told = self->taken;
    for (uint64_t i = self->told; i < self->next; i++)
        link_hold(link, session, inbox_at(self, i)->origin, inbox_at(self, i)->number, true);
    self->stated = self->next;
}

void inbox_disown(inbox_t *self)
{
    self->disowned_first = self->told;
    self->disowned_end = self->told = self->stated = self->next;
}

void inbox_return(inbox_t *self, link_t *link, uint64_t session, span_t name)
{
    for (; self->taken < self->next; self->taken++) {
        const inbox_copy_t *copy = inbox_at(self, self->taken);
        if (self->taken >= self->disowned_first && self->taken < self->disowned_end)
            continue;
        link_report(link, session,
            &(body_report_t){.error = FERRY_ERROR_UNDELIVERED,
                .reason = FERRY_REASON_GONE,
                .settled = self->taken < self->told,
                .origin = copy->origin->node,
                .session = copy->session,
                .number = copy->number,
                .name = name});
    }
}

void inbox_forget(inbox_t *self, link_t *link)
{
    self->told = self->taken = self->stated = self->next;
    inbox_release(self, link);
}
