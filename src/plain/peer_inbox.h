/* SPDX-License-Identifier: MPL-2.0 */
/* [1] peer_inbox: what a ZeroMQ program said and what has not ended yet. A ROUTER cannot push back on one connection,
 * so a verb that must wait (for a name that is paused, for room on a link, for the login) is kept here, in order, and
 * what exceeds the window is refused. Embedded in its peer, whose thread's it is.
 *
 *     said ──waits in a letter──▶ sent: open ──settled──▶ forgotten
 *       └──over the window──▶ refused, and told as a range of numbers
 */
#ifndef FERRY_PLAIN_PEER_INBOX_H
#define FERRY_PLAIN_PEER_INBOX_H

#include "link/link.h"
#include "wire/verb.h"

#define INBOX_LETTER_SIZE 256 /* what a verb counts beside its bytes */

typedef struct letter {
    struct letter *next;
    uint64_t number; /* from 1 since the login; 0 if its verb is not numbered */
    size_t size;     /* bytes, with INBOX_LETTER_SIZE */
    size_t frame_count;
    span_t frames[VERB_FRAMES_MAX]; /* in `bytes` */
    char bytes[];
} letter_t;

typedef struct {
    const link_t *link; /* borrowed */
    uint64_t number;    /* of the message there */
    size_t size;
} open_message_t;

/* All zero is a valid empty one. */
typedef struct {
    letter_t *first, *last; /* that wait */
    size_t waiting_size;
    open_message_t *open; /* accepted and not settled, in order */
    size_t open_count, open_capacity, open_size;
    uint64_t said;                        /* numbers that were given */
    uint64_t refused_first, refused_last; /* refused and not told; 0: none */
} peer_inbox_t;

void peer_inbox_fini(peer_inbox_t *self);

/* Whether the window has room for one more, however large; and for a PING, which may come when it has none. */
bool peer_inbox_has_room(const peer_inbox_t *self, size_t window_size);
bool peer_inbox_has_ping_room(const peer_inbox_t *self, size_t window_size);

/* Keeps a copy of a verb's frames behind the others. */
void peer_inbox_put(peer_inbox_t *self, uint64_t number, const span_t *frames, size_t frame_count);

/* Forgets the first letter; or all of them. */
void peer_inbox_pop(peer_inbox_t *self);
void peer_inbox_drop(peer_inbox_t *self);

/* How much of what is numbered, from the first, has been taken: done, or refused and told so, with nothing before it
 * that still waits. */
uint64_t peer_inbox_taken(const peer_inbox_t *self);

/* A message of that size was accepted with that number on that link; or is settled there. */
void peer_inbox_open(peer_inbox_t *self, const link_t *link, uint64_t number, size_t size);
void peer_inbox_settle(peer_inbox_t *self, const link_t *link, uint64_t number);

/* What has that number is refused, and goes on the range that is to be told. False if that must be told first. */
bool peer_inbox_refuse(peer_inbox_t *self, uint64_t number);

/* Bytes of memory. */
size_t peer_inbox_memory(const peer_inbox_t *self);

#endif
