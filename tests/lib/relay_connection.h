/* SPDX-License-Identifier: MPL-2.0 */
/* relay_connection: one connection that a relay carries: two sockets, and in each direction what was read and is still
 * to be written, with the moment from which it may be. Belongs to the relay, under whose lock everything here runs;
 * nobody else includes this. */
#ifndef FERRY_TESTS_RELAY_CONNECTION_H
#define FERRY_TESTS_RELAY_CONNECTION_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/relay.h"

typedef struct chunk chunk_t;
typedef struct relay_connection relay_connection_t;

/* One direction. */
typedef struct {
    int from;      /* borrowed from the connection */
    int to;        /* borrowed from the connection */
    chunk_t *head; /* what was read, oldest first */
    chunk_t *tail;
    size_t size;       /* bytes in all chunks */
    unsigned delay_ms; /* between reading and writing */
    bool stalled;
    bool ended; /* nothing more is read */
    bool shut;  /* the end was passed on */
} stretch_t;

struct relay_connection {
    int near;        /* who connected; -1 once closed, as the other */
    int far;         /* the destination */
    stretch_t forth; /* near to far */
    stretch_t back;  /* far to near */
    relay_connection_t *next;
};

/* Takes both sockets, which are non-blocking; the far one may still be connecting. */
relay_connection_t *relay_connection_new(int near, int far);
void relay_connection_destroy(relay_connection_t **self_p);

/* Carries what can be carried now. Closes both sockets when the connection is over, in the way in which it ended. */
void relay_connection_carry(relay_connection_t *self, int64_t now_ms);

bool relay_connection_is_over(const relay_connection_t *self);

/* Closes both sockets with a reset; or reads no more and ends behind what was read. */
void relay_connection_reset(relay_connection_t *self);
void relay_connection_end(relay_connection_t *self);

void relay_connection_delay(relay_connection_t *self, unsigned directions, unsigned delay_ms);
void relay_connection_stall(relay_connection_t *self, unsigned directions);
void relay_connection_heal(relay_connection_t *self);

/* Fills in what poll(2) is to wait for on the near and the far socket, and returns for how many ms at most; -1 for
 * ever. */
int relay_connection_wait(const relay_connection_t *self, struct pollfd wanted[2], int64_t now_ms);

#endif
