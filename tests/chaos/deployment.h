/* SPDX-License-Identifier: MPL-2.0 */
/* deployment: the processes that a chaos run harms: brokers, gateways that hold clients, and between each gateway and
 * each broker a relay, if the run wants them. Every process has its place, an endpoint that it keeps for life; whoever
 * is started there is its successor. The test's thread; fails the running cmocka test as server.h does. */
#ifndef FERRY_CHAOS_DEPLOYMENT_H
#define FERRY_CHAOS_DEPLOYMENT_H

#include <stdbool.h>

#include "chaos/book.h"
#include "lib/dice.h"
#include "lib/process.h"
#include "lib/relay.h"

#define DEPLOYMENT_BROKERS_MAX  2
#define DEPLOYMENT_GATEWAYS_MAX 3

typedef struct {
    unsigned brokers;
    unsigned gateways;
    bool relayed;         /* links go through relays */
    unsigned descriptors; /* that each process may have; 0 for as many as the test */
} deployment_shape_t;

typedef struct deployment deployment_t;

/* How long a link may be silent before it is given up, in ms: short, but for builds that need patience. */
unsigned deployment_link_timeout_ms(void);

/* Starts all and waits until they are ready. */
deployment_t *deployment_start(const deployment_shape_t *shape, dice_t *dice);

/* Drains all, gateways first, and fails the test unless each ends with 0 and its ledger balances. Clients have to be
 * gone. */
void deployment_stop(deployment_t *self);

/* Frees it, and ends what still runs without more ado. */
void deployment_destroy(deployment_t **self_p);

const deployment_shape_t *deployment_shape(const deployment_t *self);

process_t *deployment_broker(deployment_t *self, unsigned broker);
process_t *deployment_gateway(deployment_t *self, unsigned gateway);

/* Where its clients connect; the deployment's. */
const char *deployment_clients(const deployment_t *self, unsigned gateway);

/* Where its nodes connect if there is no relay between; the deployment's. And the port of that. */
const char *deployment_nodes(const deployment_t *self, unsigned broker);
unsigned deployment_port(const deployment_t *self, unsigned broker);

/* Of a deployment that is relayed. */
relay_t *deployment_relay(deployment_t *self, unsigned gateway, unsigned broker);

/* Starts a successor in the place of a process that has been killed, or has ended by itself: which fails the test
 * unless it ended with 0 and its ledger balances. Does not wait until the successor is ready. */
void deployment_renew_broker(deployment_t *self, unsigned broker);
void deployment_renew_gateway(deployment_t *self, unsigned gateway);

/* The ledgers of all processes that run, and of those that have drained, added up. Fails the test if a process does not
 * answer. Does not wait. */
book_t deployment_book(deployment_t *self);

#endif
