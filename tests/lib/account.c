/* SPDX-License-Identifier: MPL-2.0 */
/* account: a row of flows for each member that anybody writes to, in the order of their opening; the one that was used
 * last is tried first, since messages come in bursts. What was passed over is remembered as gaps, so that a number that
 * does not rise is known for a double or for one that is late. Nothing can fail but memory, which aborts. */
#include "lib/account.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers that were passed over. */
typedef struct {
    uint64_t first;
    uint64_t last;
} gap_t;

typedef struct {
    unsigned from;
    unsigned gap_count;
    unsigned gap_capacity;
    gap_t *gaps;                 /* rising */
    uint64_t last;               /* the highest number that was received */
    uint64_t received;           /* how many were, doubles not counted */
    uint64_t doubled;            /* how many had been received before */
    uint64_t disordered;         /* how many were not above all before them, and no doubles */
    uint64_t doubt;              /* how many were open when the sender's connection was lost */
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
    for (unsigned to = 0; to < self->member_max; to++) {
        for (unsigned i = 0; i < self->rows[to].count; i++)
            free(self->rows[to].flows[i].gaps);
        free(self->rows[to].flows);
    }
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

/* Makes room for a gap at place `at`. */
static gap_t *insert_gap(flow_t *self, unsigned at)
{
    if (self->gap_count == self->gap_capacity) {
        self->gap_capacity = self->gap_capacity ? 2 * self->gap_capacity : 4;
        self->gaps = realloc(self->gaps, self->gap_capacity * sizeof(*self->gaps));
        assert(self->gaps);
    }
    memmove(self->gaps + at + 1, self->gaps + at, (self->gap_count - at) * sizeof(*self->gaps));
    self->gap_count++;
    return &self->gaps[at];
}

/* Takes a number out of the gap that holds it. False if none does: it was received before. */
static bool fill_gap(flow_t *self, uint64_t number)
{
    unsigned at = self->gap_count;
    while (at > 0 && self->gaps[at - 1].first > number)
        at--;
    if (at == 0 || self->gaps[at - 1].last < number)
        return false;
    gap_t before = self->gaps[at - 1];
    self->gaps[at - 1].last = number - 1;
    if (before.last > number)
        *insert_gap(self, at) = (gap_t){number + 1, before.last};
    return true;
}

bool account_receive(account_t *self, unsigned from, unsigned to, uint64_t number)
{
    flow_t *flow = find_flow(self, from, to);
    if (!flow)
        return false;
    if (number <= flow->last && !fill_gap(flow, number)) {
        flow->doubled++;
        return true;
    }
    if (number > flow->last + 1)
        *insert_gap(flow, flow->gap_count) = (gap_t){flow->last + 1, number - 1};
    flow->disordered += number < flow->last;
    flow->last = number > flow->last ? number : flow->last;
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

/* How many of the messages 1 to `count` have had no end that the clients could see. */
static uint64_t open_copies(const flow_t *flow, uint64_t count)
{
    uint64_t ended = flow->received;
    for (int how = 0; how < ACCOUNT_ENDS; how++)
        ended += flow->ends[how];
    return count > ended ? count - ended : 0;
}

void account_doubt(account_t *self, unsigned from, unsigned to, uint64_t count)
{
    flow_t *flow = find_flow(self, from, to);
    assert(flow);
    flow->doubt = open_copies(flow, count);
}

void account_sum(const account_t *self, unsigned from, unsigned to, uint64_t count, account_sum_t *sum)
{
    const flow_t *flow = find_flow(self, from, to);
    assert(flow);
    uint64_t known = flow->received + flow->ends[ACCOUNT_REFUSED] + flow->ends[ACCOUNT_RETURNED];
    uint64_t open = open_copies(flow, count);
    sum->copies += count;
    sum->received += flow->received;
    for (int how = 0; how < ACCOUNT_ENDS; how++)
        sum->ends[how] += flow->ends[how];
    sum->doubtful += open < flow->doubt ? open : flow->doubt;
    sum->lost += open > flow->doubt ? open - flow->doubt : 0;
    sum->doubled += flow->doubled + (known > count ? known - count : 0);
    sum->disordered += flow->disordered;
}

void account_describe(const account_t *self, unsigned from, unsigned to, uint64_t count, char *text, size_t size)
{
    const flow_t *flow = find_flow(self, from, to);
    assert(flow);
    const gap_t *gap = flow->gap_count > 0 ? &flow->gaps[flow->gap_count - 1] : &(gap_t){0};
    snprintf(text, size,
        "member %u to %u: of %ju accepted messages %ju were received (the highest was number %ju, the last gap %ju to "
        "%ju), %ju refused, %ju returned, %ju unconfirmed, %ju in doubt; %ju were doubled, %ju out of order",
        from, to, (uintmax_t)count, (uintmax_t)flow->received, (uintmax_t)flow->last, (uintmax_t)gap->first,
        (uintmax_t)gap->last, (uintmax_t)flow->ends[ACCOUNT_REFUSED], (uintmax_t)flow->ends[ACCOUNT_RETURNED],
        (uintmax_t)flow->ends[ACCOUNT_UNCONFIRMED], (uintmax_t)flow->doubt, (uintmax_t)flow->doubled,
        (uintmax_t)flow->disordered);
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
    return flow->doubled + flow->disordered == 0 && flow->last <= count && known <= count &&
           count <= known + unconfirmed;
}

bool account_fault(const account_t *self, unsigned from, uint64_t count, char *why, size_t size)
{
    for (unsigned to = 0; to < self->member_max; to++) {
        const flow_t *flow = find_flow(self, from, to);
        if (!flow || is_balanced(flow, count))
            continue;
        account_describe(self, from, to, count, why, size);
        return true;
    }
    return false;
}
