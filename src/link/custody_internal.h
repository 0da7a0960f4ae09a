/* SPDX-License-Identifier: MPL-2.0 */
/* custody_internal: the state of custody, shared by its two files: custody.c (the healthy flow) and custody_anew.c (a
 * new link). Nobody else includes this. */
#ifndef FERRY_LINK_CUSTODY_INTERNAL_H
#define FERRY_LINK_CUSTODY_INTERNAL_H

#include "link/bodies.h"
#include "link/custody.h"
#include "link/endings.h"
#include "link/loans.h"
#include "link/unsettled.h"

typedef struct {
    uint64_t session;
    uint32_t size;   /* bytes of the record, 0 for a report */
    uint16_t copies; /* not refused; handed over when taken */
    uint16_t groups; /* of these, to groups: shared when taken */
    uint16_t held;   /* copies that their node holds for slow clients */
    uint16_t stated; /* copies that are, as far as the broker has stated them anew */
    bool taken;
    bool report;
    bool waits; /* for a service; its size is not open */
} entry_t;

typedef struct {
    uint64_t first, count;
} range_t;

struct custody {
    ledger_t *ledger;
    custody_settled_fn *on_settled;
    void *arg;
    entry_t *entries; /* ring: number n is at n & (entry_capacity - 1) */
    size_t entry_capacity;
    uint64_t floor, next; /* entries exist for [floor, next) */
    uint64_t kept_end;    /* numbers below it are in a kept body */
    size_t open_size;
    bodies_t bodies;
    uint64_t below;      /* of the last TAKEN */
    range_t *exceptions; /* of the last TAKEN */
    size_t exception_count, exception_capacity;
    unsettled_t unsettled;
    endings_t endings; /* of copies of messages that are not taken */
    loans_t loans;
    uint8_t key[16];     /* for the hash of members' names */
    bool is_unsettled;   /* the broker is still to state what is held */
    uint64_t resent_end; /* kept bodies below it were sent on an earlier link */
    uint64_t again_end;  /* kept bodies below it were sent on a link that was not resumed */
};

static inline entry_t *custody_entry(custody_t *self, uint64_t number)
{
    return &self->entries[number & (self->entry_capacity - 1)];
}

/* The numbers in [first, end) are taken, as far as they were not yet: their copies are handed over. */
void custody_take(custody_t *self, uint64_t first, uint64_t end);

/* A message that is taken is settled once nothing of it is held, as far as that can be known. */
void custody_settle(custody_t *self, unsettled_message_t *message);

/* Lets go of what is taken at the front of both rings. */
void custody_advance(custody_t *self);

#endif
