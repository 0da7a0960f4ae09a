/* SPDX-License-Identifier: MPL-2.0 */
/* intake: what one node has sent and is not taken yet, and what it is to be told of that (proto/link.md, section 6).
 * Embedded in a node; the router's thread. Nothing fails but by abort. */
#ifndef FERRY_BROKER_INTAKE_H
#define FERRY_BROKER_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

#define INTAKE_RANGES_MAX 1024 /* exceptions of one TAKEN */
#define INTAKE_GRACE_MS   20   /* a younger message is no exception: `below` stops at it */

typedef struct intake intake_t;

/* One batch of the node. It lives until every message in it is taken, also when its node is gone: what was routed
 * refers to it. */
typedef struct inbatch {
    intake_t *intake;       /* borrowed; NULL once the node is gone, or the batch is settled and told */
    struct inbatch *next;   /* in order of numbers */
    uint64_t first_number;  /* of its records */
    uint64_t since_ms;      /* when it came */
    uint32_t count;         /* of its records */
    uint32_t untaken;       /* how many of `outstanding` are not 0 */
    uint32_t size;          /* bytes of its body; its maker's */
    bool is_awaited;        /* a message in it has a receipt, or is a job; likewise */
    uint32_t outstanding[]; /* for each record the copies (or the one notice) that are routed and not acknowledged */
} inbatch_t;

struct intake {
    inbatch_t *first, *last;
    uint64_t below;     /* the next number: one above the last that came */
    uint64_t told;      /* the `below` that the node was told last */
    buffer_t ranges;    /* the exceptions that it was told last */
    uint64_t open;      /* copies and notices that are expected */
    uint64_t kept;      /* how many of them wait for their recipients to come; their keeper's */
    bool changed;       /* something was taken since */
    size_t taken_size;  /* bytes of the batches that were, as a whole */
    size_t prompt_size; /* at which the node is told at once; its owner's, 0 for always */
    bool is_prompt;     /* it is to be told at once */
    bool is_young;      /* what the node was told last ends at a message that is too young for an exception */
    void (*on_change)(void *arg, bool is_prompt);
    void *arg;
};

/* Numbers come from `next_number` on. `on_change` is called once when something is taken, until intake_taken is
 * asked, and once more if the node is to be told at once. */
void intake_init(intake_t *self, uint64_t next_number, void (*on_change)(void *arg, bool is_prompt), void *arg);

/* Leaves its batches to those who refer to them. An initialised intake may be ended and initialised again. */
void intake_fini(intake_t *self);

/* A batch of `count` records has come whose first number is the next one. Borrowed: until all of it is taken or, if
 * nothing of it is expected, until intake_taken is asked next. */
inbatch_t *intake_open(intake_t *self, uint32_t count, uint64_t now_ms);

/* Says of record `index` of a batch, once and before any is taken, how many copies of it were routed; 0 means taken. */
void inbatch_expect(inbatch_t *self, uint32_t index, uint32_t copies);

/* `copies` copies of each of `count` records from `index` on have been acknowledged, or have ended. May free the
 * batch. */
void inbatch_take(inbatch_t *self, uint32_t index, uint32_t count, uint32_t copies);

/* Whether the node is to be told TAKEN, with self->told and self->ranges (pairs of little-endian u64: first, count).
 * *due_ms is when to ask again even if nothing changes, 0 for never. */
bool intake_taken(intake_t *self, uint64_t now_ms, uint64_t *due_ms);

/* Has the node told again what is taken, which the link before may have lost. */
void intake_tell_again(intake_t *self);

/* True when everything that came is taken, but for what is kept, and the node was told so. */
bool intake_is_settled(const intake_t *self);

#endif
