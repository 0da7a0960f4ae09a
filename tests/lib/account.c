/* SPDX-License-Identifier: MPL-2.0 */
/* account: a row of flows for each member that anybody writes to, in the order of their opening; the one that was used
 * last is tried first, since messages come in bursts. Numbers that do not rise are counted as they come and judged at
 * the end. */
#include "lib/account.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    unsigned from;
    uint64_t last;               /* the highest number that was received */
    uint64_t received;           /* how many were, doubles not counted */
    uint64_t misplaced;          /* how many were not above all before them: doubled or out of order */
    uint64_t ends[ACCOUNT_ENDS]; /* how many the sender was told of */
} flow_t;

/* What goes to one recipient. */
typedef struct {
    flow_t *flows;
    unsigned count;
    unsigned capacity;
    unsigned last; /* the flow that was used last */
} row_t;

struct account {
    unsigned member_max;
    uint64_t received;
    uint64_t ended; /* received or told of */
    row_t *rows;    /* by recipient */
};

account_t *account_new(unsigned member_max)
{
    account_t *self = calloc(1, sizeof(*self));
    assert(self);
    self->member_max = member_max;
    self->rows = calloc(member_max, sizeof(*self->rows));
    assert(self->rows);
    return self;
}

void account_destroy(account_t **self_p)
{
    account_t *self = *self_p;
    if (!self)
        return;
    for (unsigned to = 0; to < self->member_max; to++)
        free(self->rows[to].flows);
    free(self->rows);
    free(self);
    *self_p = NULL;
}

void account_open(account_t *self, unsigned from, unsigned to)
{
    assert(from < self->member_max && to < self->member_max);
    row_t *row = &self->rows[to];
    if (row->count == row->capacity) {
        row->capacity = row->capacity ? 2 * row->capacity : 4;
        row->flows = realloc(row->flows, row->capacity * sizeof(*row->flows));
        assert(row->flows);
    }
    row->flows[row->count++] = (flow_t){.from = from};
}

static flow_t *find_flow(const account_t *self, unsigned from, unsigned to)
{
    if (to >= self->member_max)
        return NULL;
    row_t *row = &self->rows[to];
    if (row->count > 0 && row->flows[row->last].from == from)
        return &row->flows[row->last];
    for (row->last = 0; row->last < row->count; row->last++)
        if (row->flows[row->last].from == from)
            return &row->flows[row->last];
    row->last = 0;
    return NULL;
}

bool account_receive(account_t *self, unsigned from, unsigned to, uint64_t number)
{
    flow_t *flow = find_flow(self, from, to);
    if (!flow)
        return false;
    if (number <= flow->last) {
        flow->misplaced++;
        return true;
    }
    flow->last = number;
    flow->received++;
    self->received++;
    self->ended++;
    return true;
}

bool account_end(account_t *self, unsigned from, unsigned to, account_end_t how)
{
    flow_t *flow = find_flow(self, from, to);
    if (!flow)
        return false;
    flow->ends[how]++;
    self->ended++;
    return true;
}

uint64_t account_received(const account_t *self)
{
    return self->received;
}

uint64_t account_ended(const account_t *self)
{
    return self->ended;
}

uint64_t account_received_by(const account_t *self, unsigned to)
{
    uint64_t received = 0;
    for (unsigned i = 0; i < self->rows[to].count; i++)
        received += self->rows[to].flows[i].received;
    return received;
}

static bool is_balanced(const flow_t *flow, uint64_t count)
{
    uint64_t known = flow->received + flow->ends[ACCOUNT_REFUSED] + flow->ends[ACCOUNT_RETURNED];
    uint64_t unconfirmed = flow->ends[ACCOUNT_UNCONFIRMED];
    return flow->misplaced == 0 && flow->last <= count && known <= count && count <= known + unconfirmed;
}

bool account_fault(const account_t *self, unsigned from, uint64_t count, char *why, size_t size)
{
    for (unsigned to = 0; to < self->member_max; to++) {
        const flow_t *flow = find_flow(self, from, to);
        if (!flow || is_balanced(flow, count))
            continue;
        snprintf(why, size,
            "member %u to %u: of %ju accepted messages %ju were received (the highest was number %ju), %ju refused, "
            "%ju "
            "returned, %ju unconfirmed; %ju were doubled or out of order",
            from, to, (uintmax_t)count, (uintmax_t)flow->received, (uintmax_t)flow->last,
            (uintmax_t)flow->ends[ACCOUNT_REFUSED], (uintmax_t)flow->ends[ACCOUNT_RETURNED],
            (uintmax_t)flow->ends[ACCOUNT_UNCONFIRMED], (uintmax_t)flow->misplaced);
        return true;
    }
    return false;
}
