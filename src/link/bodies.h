/* SPDX-License-Identifier: MPL-2.0 */
/* bodies: the bodies of a node's batches in order of their numbers, each the very buffer that ZeroMQ sends, kept until
 * everything in it is taken. Embedded in custody, and the link's thread's.
 *
 *     first ──sent, not taken── unsent ──to be sent── next
 */
#ifndef FERRY_LINK_BODIES_H
#define FERRY_LINK_BODIES_H

#include <stdbool.h>
#include <zmq.h>

#include "wire/body.h"

typedef struct kept_body kept_body_t;

typedef struct {
    kept_body_t *items;           /* ring: body i is at i & (capacity - 1) */
    size_t capacity;              /* a power of two, or 0 */
    uint64_t first, unsent, next; /* bodies as drawn above; they count up for ever */
    size_t size;                  /* bytes of all bodies */
    uint64_t hint;                /* the body that was looked for last */
    body_t cursor;                /* behind `record` */
    uint64_t cursor_body;         /* the body that it reads, if it is still kept */
    body_record_t record;         /* that was read last */
} bodies_t;

/* Frees all bodies. An all-zero object is a valid empty one. */
void bodies_fini(bodies_t *self);

/* Keeps a body with `count` numbers from `first_number`, which must follow the last body's. Takes the message. */
void bodies_keep(bodies_t *self, uint64_t first_number, uint32_t count, zmq_msg_t *body);

static inline bool bodies_has_unsent(const bodies_t *self)
{
    return self->unsent < self->next;
}

/* The first body that was not sent, sharing its content; it counts as sent from then on. */
void bodies_send_next(bodies_t *self, zmq_msg_t *body);

/* The first number that was not sent; without unsent bodies that is `end`. */
uint64_t bodies_sent_end(const bodies_t *self, uint64_t end);

/* The first number of all; without bodies that is `end`. */
uint64_t bodies_first_number(const bodies_t *self, uint64_t end);

/* The last `count` of the bodies that were sent are to be sent again. */
void bodies_rewind(bodies_t *self, uint64_t count);

/* Keeps another body, of the same numbers, in the place of body `index`. Takes the message. */
void bodies_replace(bodies_t *self, uint64_t index, zmq_msg_t *body);

/* Notes that `count` more numbers, from this one on, are taken; with the last one of a body that was sent its memory is
 * given back. */
void bodies_take(bodies_t *self, uint64_t number, uint32_t count);

/* Lets go of the bodies at the front of which everything is taken. */
void bodies_drop_taken(bodies_t *self);

/* Bytes that the bodies and their ring hold. */
size_t bodies_memory(const bodies_t *self);

/* Reads record `number`, which must be in a kept body. Spans live as long as that is kept. Cheap in rising order. */
void bodies_read(bodies_t *self, uint64_t number, body_record_t *record);

/* Body `index`, from first up to next, as it is sent; empty if it was sent and everything in it is taken. */
span_t bodies_frame(const bodies_t *self, uint64_t index);

/* Its first number and their count. */
uint64_t bodies_numbers(const bodies_t *self, uint64_t index, uint32_t *count);

#endif
