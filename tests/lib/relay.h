/* SPDX-License-Identifier: MPL-2.0 */
/* relay: a stretch of network that can be harmed: it accepts TCP connections on a port of 127.0.0.1, makes one to its
 * destination for each, and carries bytes both ways, until it is told to cut, delay or stall. It runs on a thread of
 * its own, so that it goes on whatever the test waits for; the functions belong to the test's thread, and what they say
 * holds when they return.
 *
 * Delay and stall hit the connections that there are and those that come, each with the given chance; a heal takes both
 * away and delivers what was held. A destination that refuses is a reset for who came. */
#ifndef FERRY_TESTS_RELAY_H
#define FERRY_TESTS_RELAY_H

#include <stdint.h>

typedef struct relay relay_t;

/* Directions, as bits: what who connected writes, and what it reads. */
enum { RELAY_FORTH = 1, RELAY_BACK = 2, RELAY_BOTH = 3 };

typedef enum { RELAY_RESET, RELAY_END } relay_cut_t;

/* Carries to an endpoint such as tcp://127.0.0.1:7410, whose port need not be open yet. The seed is for its choices.
 * Fails the running cmocka test if there is no port. */
relay_t *relay_new(const char *destination, uint64_t seed);
void relay_destroy(relay_t **self_p);

/* Destroys every relay that is left. */
void relay_destroy_all(void);

/* Where it accepts; the relay's. */
const char *relay_endpoint(const relay_t *self);

/* How many connections it carries now. */
unsigned relay_connections(relay_t *self);

/* Ends connections, each with a chance of `percent`: with a reset towards both ends, or with an orderly end of file
 * behind what was carried. Returns how many. */
unsigned relay_cut(relay_t *self, relay_cut_t how, unsigned percent);

/* What is read from now on is written `delay_ms` later. */
void relay_delay(relay_t *self, unsigned directions, unsigned delay_ms, unsigned percent);

/* Nothing is read or written in these directions, ends of connections included; the connections stand. */
void relay_stall(relay_t *self, unsigned directions, unsigned percent);

void relay_heal(relay_t *self);

#endif
