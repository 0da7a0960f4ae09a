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
    CLIENT_END,       /* nothing more comes; client_settled and client_account say what that means */
} client_event_t;

/* Dials `gateway` (borrowed for life) and queues the login. `name` must be a name. The caller owns the result; NULL
 * after one sentence on stderr. */
client_t *client_new(const char *gateway, const char *name);

/* Closes the connection as it is. */
void client_destroy(client_t **self_p);

/* Waits for the next event, and sends what is queued meanwhile. `input` is a descriptor that is waited for once the
 * name is confirmed, and while little is queued and the gateway still takes lines; `signals` is one that is always
 * waited for; -1 for none. */
client_event_t client_wait(client_t *self, int input, int signals);

/* The line of the last event; lives until the next client_wait. */
span_t client_line(const client_t *self);

/* Queues one line, made of the two parts and a "\n". Does nothing after client_leave or while the gateway drains. */
void client_say(client_t *self, span_t head, span_t rest);

/* Ends what is sent: once it is written the gateway reads an end of file. It then settles everything and ends too. */
void client_leave(client_t *self);

/* True if the gateway has begun its drain: nothing that is said from now on is taken. */
bool client_draining(const client_t *self);

/* How many lines were said, and how many of them the gateway is known to have taken: all that it counted with its
 * "info accepted", else all of them once it is settled, else 0. */
uint64_t client_said(const client_t *self);
uint64_t client_taken(const client_t *self);

/* How many error lines came. */
uint64_t client_error_count(const client_t *self);

/* After CLIENT_END: true if the gateway took every line that was said and then ended the conversation in order. */
bool client_settled(const client_t *self);

/* After CLIENT_END, when not all that the caller had to say was taken: one sentence on stderr that says what happened.
 * `what` names what the lines are to the user ("line", "message"). */
void client_complain(const client_t *self, const char *what);

#endif
