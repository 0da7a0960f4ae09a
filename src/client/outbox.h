/* SPDX-License-Identifier: MPL-2.0 */
/* outbox: letters that the program has sent and no link has accepted yet, oldest first. Bounded by the program, which
 * counts their bytes (ferry_set_queue). Embedded in the carrier, whose thread's it is. */
#ifndef FERRY_CLIENT_OUTBOX_H
#define FERRY_CLIENT_OUTBOX_H

#include <stddef.h>
#include <zmq.h>

typedef struct {
    zmq_msg_t *frames; /* ring of `capacity`, a power of two */
    size_t capacity, first, count;
} outbox_t;

/* Frees, and drops what is in it. */
void outbox_fini(outbox_t *self);

/* Appends a letter; takes the frame. */
void outbox_add(outbox_t *self, zmq_msg_t *frame);

/* The oldest letter, NULL if there is none. Borrowed until the next change. */
zmq_msg_t *outbox_first(const outbox_t *self);

/* Drops the oldest letter. */
void outbox_drop(outbox_t *self);

#endif
