/* SPDX-License-Identifier: MPL-2.0 */
/* client: one conversation with a gateway, from the login to the end of file, and the account of what it took. */
#ifndef FERRY_FERRY_CLIENT_H
#define FERRY_FERRY_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* A conversation knows facts, each of which only ever becomes true: the name is confirmed; the caller leaves; the
 * gateway drains; it is over. Lines can be said until one of the last three. */
typedef struct client client_t;

typedef enum {
    CLIENT_CONFIRMED, /* the name is ours */
    CLIENT_MESSAGE,   /* client_line is "from NAME: TEXT" */
    CLIENT_ERROR,     /* client_line is "error …" */
    CLIENT_ANSWER,    /* client_line is "ok …", "info …" or something that no gateway of this version says */
    CLIENT_INPUT,     /* the caller's input can be read */
    CLIENT_SIGNAL,    /* the caller's signals can be read */
    CLIENT_PROGRESS,  /* there is room again, or the gateway has taken more */
    CLIENT_END,       /* nothing more comes; client_ending and client_taken say what that means */
} client_event_t;

typedef enum {
    CLIENT_LOST,    /* the connection broke, or ended without a word */
    CLIENT_REFUSED, /* the last error line closed it */
    CLIENT_PUT_OFF, /* the same, and a later login may succeed: the gateway drains, or the name is not free yet */
    CLIENT_COUNTED, /* the gateway was stopped, and has told how many lines it took; all that they sent has ended */
    CLIENT_QUIT,    /* the gateway answered /quit: all that was said has ended */
} client_ending_t;

/* Dials `gateway` (borrowed for life) and queues the login. `name` must be a name. The caller owns the result; NULL
 * after one sentence on stderr, which `quiet` suppresses. */
client_t *client_new(const char *gateway, const char *name, bool quiet);

/* Closes the connection as it is. */
void client_destroy(client_t **self_p);

/* From this moment on (milliseconds, monotonic) a login that is not confirmed is lost. */
void client_set_deadline(client_t *self, int64_t at_ms);

/* Waits for the next event, and sends what is queued meanwhile. `input` and `signals` are descriptors that are waited
 * for too; -1 for none. */
client_event_t client_wait(client_t *self, int input, int signals);

/* The line of the last event; lives until the next client_wait. */
span_t client_line(const client_t *self);

/* True if the name is confirmed, little is queued and the gateway still takes lines. */
bool client_has_room(const client_t *self);

/* Queues one line, made of the two parts and a "\n". Does nothing after client_leave or while the gateway drains. */
void client_say(client_t *self, span_t head, span_t rest);

/* Says /quit. The gateway then settles everything and ends too. */
void client_leave(client_t *self);

/* True if the gateway has begun its drain: nothing that is said from now on is taken. */
bool client_draining(const client_t *self);

/* How many lines were said, how many of them were written whole, and how many the gateway is known to have taken: those
 * that it counted, or all once it has answered /quit, else those before the last ping that it has answered. */
uint64_t client_said(const client_t *self);
uint64_t client_sent(const client_t *self);
uint64_t client_taken(const client_t *self);

/* How many error lines came. */
uint64_t client_error_count(const client_t *self);

/* After CLIENT_END, or an error line that brings it. */
client_ending_t client_ending(const client_t *self);

/* After CLIENT_END: true if the gateway took every line that was said and then ended the conversation in order. */
bool client_settled(const client_t *self);

/* After CLIENT_END: one sentence on stderr that says why it ended before the caller had left. */
void client_complain(const client_t *self);

#endif
