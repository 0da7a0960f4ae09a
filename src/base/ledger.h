/* SPDX-License-Identifier: MPL-2.0 */
/* ledger: the counters that must balance. Every copy is counted once where it is and once where it ends:
 *
 *     accepted + taken_over + made = delivered + refused + returned + unconfirmed + handed_over + shared + pending
 *
 * What is sent to a group ends at its origin as shared; each node with members makes a copy for each of them.
 *
 * Embedded; owned by one thread, which counts with plain increments (`ledger.returned[REASON_STALLED]++`). Pending is
 * not stored: the owner counts it from its own state when it is asked, so that a mistake shows as a balance that is not
 * zero. The functions are pure but for ledger_log. */
#ifndef FERRY_BASE_LEDGER_H
#define FERRY_BASE_LEDGER_H

#include <jansson.h>
#include <stdint.h>

enum {
    LEDGER_ERRORS = 64,  /* above every number of proto/errors.def */
    LEDGER_REASONS = 32, /* above every number of proto/reasons.def */
};

/* A ledger of zeros is `{0}`. Every field counts copies. In the arrays a number that is not in its table, 0 among them,
 * stands for a reason that nobody knows; it is reported as "unknown". */
typedef struct {
    uint64_t accepted;                    /* numbered by the sender's node, which is of this process */
    uint64_t taken_over;                  /* handed over to this process by another */
    uint64_t made;                        /* for members of groups */
    uint64_t delivered;                   /* the client's kernel has it */
    uint64_t handed_over;                 /* now in the custody of another process */
    uint64_t shared;                      /* in the custody of the nodes with members of a group */
    uint64_t refused[LEDGER_ERRORS];      /* ended as an error line, by number of proto/errors.def */
    uint64_t returned[LEDGER_REASONS];    /* ended as not delivered, by number of proto/reasons.def */
    uint64_t unconfirmed[LEDGER_REASONS]; /* ended as nobody knows, by number of proto/reasons.def */
} ledger_t;

/* What came in, less what ended, was handed over or is pending: 0 at rest. */
int64_t ledger_balance(const ledger_t *self, uint64_t pending);

/* Adds every counter of `other` to `self`. */
void ledger_add(ledger_t *self, const ledger_t *other);

/* The ledger as JSON (proto/admin.md, "Ledger"); of the reasons only those that were counted. The caller owns it. */
json_t *ledger_json(const ledger_t *self, uint64_t pending);

/* Reads what ledger_json writes; keys that are missing count 0, codes that are not in the tables are counted as
 * unknown, other keys are ignored. Returns 0, or -1 when `json` is no object or a counter is not an integer of at least
 * 0; both results are zeros then. */
int ledger_from_json(ledger_t *self, uint64_t *pending, const json_t *json);

/* Logs one line with event=ledger, and one with event=ledger-reason for each reason that was counted. */
void ledger_log(const ledger_t *self, uint64_t pending);

#endif
