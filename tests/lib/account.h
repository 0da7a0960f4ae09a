/* SPDX-License-Identifier: MPL-2.0 */
/* account: what became of every numbered message between the members of a crowd, as the clients see it: one flow for
 * each sender and recipient, in which the numbers must rise by one. Belongs to the crowd. */
#ifndef FERRY_TESTS_ACCOUNT_H
#define FERRY_TESTS_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct account account_t;

typedef enum { ACCOUNT_REFUSED, ACCOUNT_RETURNED, ACCOUNT_UNCONFIRMED, ACCOUNT_ENDS } account_end_t;

/* What became of the copies of some flows. */
typedef struct {
    uint64_t copies; /* of all messages counted */
    uint64_t received;
    uint64_t ends[ACCOUNT_ENDS];
    uint64_t doubtful;   /* open when their sender's connection was lost, and not heard of since */
    uint64_t lost;       /* accepted, and not heard of */
    uint64_t doubled;    /* received again, or received and also refused or returned */
    uint64_t disordered; /* received behind a later one */
} account_sum_t;

/* Members are numbered from 0 to member_max - 1. */
account_t *account_new(unsigned member_max);
void account_destroy(account_t **self_p);

/* From now on messages of `from` go to `to` as well. */
void account_open(account_t *self, unsigned from, unsigned to);

/* `to` read message `number` of `from`, counted from 1. False if there is no such flow. */
bool account_receive(account_t *self, unsigned from, unsigned to, uint64_t number);

/* `from` read that one of its messages to `to` ended otherwise. False if there is no such flow. */
bool account_end(account_t *self, unsigned from, unsigned to, account_end_t how);

/* The connection of `from` is lost without a word about how many of its messages 1 to `count` were accepted: those to
 * `to` that have not ended yet may never be heard of, and are no loss. */
void account_doubt(account_t *self, unsigned from, unsigned to, uint64_t count);

/* Adds to `sum` what became of the messages 1 to `count` of the flow, which there must be. */
void account_sum(const account_t *self, unsigned from, unsigned to, uint64_t count, account_sum_t *sum);

/* What became of the flow in words, with the last numbers that were passed over, cut to `size` with its NUL. */
void account_describe(const account_t *self, unsigned from, unsigned to, uint64_t count, char *text, size_t size);

/* Copies that were received, and that ended in any way, over all flows. */
uint64_t account_received(const account_t *self);
uint64_t account_ended(const account_t *self);
uint64_t account_received_by(const account_t *self, unsigned to);

/* True, and why in words, unless each of the messages 1 to `count` of `from` ended once at each recipient, in order:
 * received, refused, returned or, where nobody can know, unconfirmed. `why` is cut to `size` with its NUL. */
bool account_fault(const account_t *self, unsigned from, uint64_t count, char *why, size_t size);

#endif
