/* SPDX-License-Identifier: MPL-2.0 */
/* balance: the ledgers of several processes as they were at one moment, and what they come to together. */
#ifndef FERRY_FERRY_BALANCE_H
#define FERRY_FERRY_BALANCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "ferry/display.h"

typedef struct balance balance_t;

/* Without processes; the caller owns it. */
balance_t *balance_new(void);

void balance_destroy(balance_t **self_p);

/* Adds the process at `url` with what it answers at /status (proto/admin.md); both are copied. Returns 0, or -1 with
 * half a sentence in `why`, a static string, when that is no ledger. */
int balance_add(balance_t *self, const char *url, const char *body, const char **why);

/* True if nothing was counted between the two, and the processes are the same. */
bool balance_equal(const balance_t *self, const balance_t *other);

/* Copies that have not ended, over all processes. */
uint64_t balance_pending(const balance_t *self);

/* Copies that were handed over, less those that were taken over, over all processes: 0 at rest. */
int64_t balance_between(const balance_t *self);

/* True if the balance of each process is 0, and so is what lies between them. */
bool balance_holds(const balance_t *self);

/* Writes a row for each process and their sum, the ends by reason, and what lies between the processes. */
void balance_write(const balance_t *self, display_t *display);

/* The same as one object (ferry(1), `ferry ledger`); the caller owns it. */
json_t *balance_json(const balance_t *self, bool at_rest);

#endif
