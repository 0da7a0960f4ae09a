/* SPDX-License-Identifier: MPL-2.0 */
/* protocol: what a router speaks, as far as the benchmark needs it: the bytes that a client says, and how to take apart
 * what it reads. One table for each; pure functions, so that a client's state is elsewhere. */
#ifndef FERRY_FERRY_BENCH_PROTOCOL_H
#define FERRY_FERRY_BENCH_PROTOCOL_H

#include <stdbool.h>

#include "base/span.h"

enum {
    PROTOCOL_NAME_SIZE = 8,      /* bytes of every name and group, the latter without its sign */
    PROTOCOL_DIGITS_SIZE = 4,    /* the last bytes of a name, by which clients of a run differ */
    PROTOCOL_OVERHEAD_MAX = 128, /* bytes of a message beside its text */
    PROTOCOL_SAY_MAX = 512,      /* bytes of what a client says beside messages */
};

#define PROTOCOL_NOWHERE SIZE_MAX

typedef enum {
    EVENT_NOTHING,   /* more is needed, or what was read does not matter */
    EVENT_CONFIRMED, /* what the client said last was done: a login, a subscription, a leave */
    EVENT_MESSAGE,   /* `text` is the text of a message */
    EVENT_PING,      /* to be answered with "PONG" and `text` */
    EVENT_ERROR,     /* `text` says what is wrong */
} event_kind_t;

/* What stands at the beginning of some input. */
typedef struct {
    size_t size; /* bytes that it takes of the input; 0: its end has not come yet */
    event_kind_t kind;
    span_t text; /* lies in the input, or is a literal */
} event_t;

/* Where a frame, a message with all that is around its text, has its variable parts. */
typedef struct {
    size_t size;    /* of the frame */
    size_t text_at; /* where its text begins, */
    size_t name_at; /* and the PROTOCOL_DIGITS_SIZE last bytes of a name; PROTOCOL_NOWHERE if there is none */
} frame_layout_t;

/* A name or a group. */
typedef struct {
    const char *name; /* PROTOCOL_NAME_SIZE bytes and a NUL */
    bool is_group;
} destination_t;

typedef struct {
    const char *name;
    const char *address;     /* where such a router usually is */
    size_t text_max;         /* bytes of the longest text */
    bool writers_join;       /* a client must be in a group to write to it */
    bool leave_is_confirmed; /* EVENT_CONFIRMED follows a leave */
    bool closes_itself;      /* then the client closes; otherwise the router does */

    /* Write what a client says, into PROTOCOL_SAY_MAX bytes, and return its size. login, and subscribe unless it
     * returns 0, are each followed by EVENT_CONFIRMED. */
    size_t (*login)(char *out, const char *name);
    size_t (*subscribe)(char *out, destination_t destination);
    size_t (*leave)(char *out);

    /* Writes a message with a text of `text_size` bytes, which the caller fills in; name_at is that of the destination.
     */
    frame_layout_t (*message)(char *out, destination_t to, size_t text_size);

    /* Writes the same message as its reader sees it; name_at is that of the sender. NULL: nobody can foretell it. */
    frame_layout_t (*arrival)(char *out, const char *from, destination_t to, size_t text_size);

    /* Takes apart the beginning of the input, which is not empty. */
    event_t (*decode)(span_t input);
} protocol_t;

extern const protocol_t protocol_line;
extern const protocol_t protocol_nats;
extern const protocol_t protocol_mqtt;
extern const protocol_t protocol_redis;
extern const protocol_t protocol_irc;

/* NULL if there is none of this name. */
const protocol_t *protocol_find(const char *name);

/* Their names, for a sentence. */
#define PROTOCOL_NAMES "line, nats, mqtt, redis and irc"

/* For protocols of lines: the first line of the input without its end; `size` with it, 0 if it has none. */
event_t protocol_take_line(span_t input);

bool protocol_starts_with(span_t text, const char *start);

#endif
