/* SPDX-License-Identifier: MPL-2.0 */
/* result: what a fault did to the clients, as a row of the table. The test's thread. */
#ifndef FERRY_CHAOS_RESULT_H
#define FERRY_CHAOS_RESULT_H

#include <stdint.h>
#include <stdio.h>

#include "lib/account.h"

typedef struct {
    const char *fault;
    const char *failed;    /* why the run has no result, or NULL */
    unsigned times;        /* injected */
    uint64_t messages;     /* accepted */
    account_sum_t all;     /* copies between all clients */
    account_sum_t steady;  /* between plain clients whose gateways were not hit */
    account_sum_t kept;    /* those of which none may be lost */
    account_sum_t once;    /* those of which none may be doubled */
    account_sum_t ordered; /* those of which none may be out of order */
    unsigned cuts;         /* connections of the steady that ended without their asking */
    int64_t *pauses_ms;    /* of each injection; heap */
} result_t;

void result_fini(result_t *self);

/* Takes note of the pause around one injection. */
void result_add_pause(result_t *self, int64_t pause_ms);

/* Half of the pauses were no longer; and the longest of all. */
int64_t result_median_ms(const result_t *self);
int64_t result_longest_ms(const result_t *self);

/* Copies between the steady that ended in an error line. */
uint64_t result_told(const result_t *self);

/* Writes the head of the table, and one row. */
void result_print_head(FILE *file);
void result_print(const result_t *self, FILE *file);

#endif
