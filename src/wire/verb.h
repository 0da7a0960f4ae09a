/* SPDX-License-Identifier: MPL-2.0 */
/* verb: what ZeroMQ programs say, as pure functions over the frames of one message (proto/plain.md). Any thread;
 * nothing is allocated, every span of a result points into the frames that were given. */
#ifndef FERRY_WIRE_VERB_H
#define FERRY_WIRE_VERB_H

#include <stdint.h>

#include "wire/line.h"

#define VERB_FRAMES_MAX 5       /* of the longest verb, itself included */
#define VERB_TOKEN_SIZE 255     /* bytes of a token */
#define VERB_CREDIT_MAX 1000000 /* messages that one CREDIT may allow */

typedef struct {
    line_limits_t line;  /* of destinations, and of what counts as a line */
    size_t payload_size; /* bytes */
} verb_limits_t;

typedef enum {
#define VERB(name, least, most, syntax, meaning) VERB_##name,
#include "verbs.def"
#undef VERB
    VERB_COUNT
} verb_kind_t;

typedef struct {
    verb_kind_t kind;
    span_t name, secret; /* LOGIN; an empty secret has size 0 */
    bool has_credit;     /* LOGIN: the program counts credit */
    uint32_t credit;     /* LOGIN, CREDIT */
    span_t token;        /* PING, PONG */
    line_t message;      /* what a line would say (wire/line.h): SEND, REQUEST, and commands that lines have, too */
    bool is_opaque;      /* SEND, REPLY, REQUEST: the payload is no line */
    span_t culprit;      /* after an error: what it names, or empty */
} verb_t;

/* Whether it is one of those that are numbered: all but LOGIN, PING, PONG, CREDIT, and the LEAVE that ends the login.
 */
static inline bool verb_is_numbered(const verb_t *self)
{
    return self->kind < VERB_COUNT && self->kind != VERB_LOGIN && self->kind != VERB_PING && self->kind != VERB_PONG &&
           self->kind != VERB_CREDIT && !(self->kind == VERB_LEAVE && self->message.text.size == 0);
}

/* Parses a message of `count` frames, of which at most VERB_FRAMES_MAX are looked at. self->message.recipients must be
 * set by the caller. Returns 0 or -FERRY_ERROR_…; self->kind is VERB_COUNT if the verb is unknown. */
int verb_parse(verb_t *self, const span_t *frames, size_t count, const verb_limits_t *limits);

#endif
