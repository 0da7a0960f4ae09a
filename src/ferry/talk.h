/* SPDX-License-Identifier: MPL-2.0 */
/* talk: what the caller has to say, over one conversation after another: when a gateway is stopped or lost, the next
 * one is told what the last one did not take. */
#ifndef FERRY_FERRY_TALK_H
#define FERRY_FERRY_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

typedef struct talk talk_t;

typedef enum {
    TALK_CONFIRMED, /* the name is ours, for the first time */
    TALK_MESSAGE,   /* talk_line is "from NAME: TEXT" */
    TALK_ERROR,     /* talk_line is "error …" */
    TALK_ANSWER,    /* talk_line is another line of the gateway's */
    TALK_INPUT,     /* the caller's input can be read */
    TALK_SIGNAL,    /* the caller's signals can be read */
    TALK_STOPPED,   /* the gateway was stopped; another is looked for */
    TALK_LOST,      /* the connection was lost, and the same; talk_doubt says what is not known */
    TALK_BACK,      /* the name is ours again */
    TALK_END,       /* nothing more comes; talk_result says what that means */
} talk_event_t;

typedef enum {
    TALK_SETTLED, /* every line was taken, and ended in order */
    TALK_DOUBTED, /* the connection was lost, and lines are in doubt that may not be said twice */
    TALK_FAILED,  /* a gateway would not have it, or none was found in time */
} talk_result_t;

/* What becomes of lines that a lost gateway may have taken or not. */
typedef enum {
    TALK_DOUBT_ENDS,    /* they end the talk */
    TALK_DOUBT_REPEATS, /* they are said again */
    TALK_DOUBT_PASSES,  /* they are told, and the talk goes on behind them */
} talk_doubt_t;

/* All borrowed for the life of the talk. */
typedef struct {
    const char *gateways; /* addresses, separated by commas, which are tried in turn */
    const char *name;
    const char *unit;     /* what a line is to the user: "line", "message" */
    uint64_t reconnect_s; /* seconds for which another conversation is looked for; 0: there is but one */
    talk_doubt_t doubt;
} talk_options_t;

/* Begins the first conversation; `options` are copied. The caller owns the result; NULL after one sentence on stderr.
 */
talk_t *talk_new(const talk_options_t *options);

/* Closes the connection as it is. */
void talk_destroy(talk_t **self_p);

/* Waits for the next event, and says and looks for gateways meanwhile. `input` is a descriptor that is waited for while
 * little waits to be said, whether there is a conversation or not; `signals` is one that is always waited for; -1 for
 * none. An attempt to connect can block, for 5 s an address. */
talk_event_t talk_wait(talk_t *self, int input, int signals);

/* The line of the last event; lives until the next talk_wait. */
span_t talk_line(const talk_t *self);

/* Takes one line to say, made of the two parts, which hold no "\n". Does nothing after talk_leave. */
void talk_say(talk_t *self, span_t head, span_t rest);

/* Ends what is said; the talk ends once all of it has. */
void talk_leave(talk_t *self);

/* How many lines were taken to say. Lines are numbered from 0. */
uint64_t talk_said(const talk_t *self);

/* At TALK_LOST and TALK_END: the lines from *first to before *end are in doubt; false if none are. */
bool talk_doubt(const talk_t *self, uint64_t *first, uint64_t *end);

/* At TALK_END: the first line that no gateway can have taken and that is not in doubt. */
uint64_t talk_rest(const talk_t *self);

/* Reads a line that is in doubt or was not taken; false if it is no longer kept. Lives until the next talk_wait. */
bool talk_said_line(const talk_t *self, uint64_t number, span_t *line);

/* Error lines, but for those of logins that were put off. */
uint64_t talk_error_count(const talk_t *self);

/* True if the last conversation ended because the gateway was stopped. */
bool talk_stopped(const talk_t *self);

/* After TALK_END. */
talk_result_t talk_result(const talk_t *self);

/* After TALK_END, when it is not settled: on stderr, why, and which lines were taken, are in doubt, and were not taken.
 */
void talk_complain(const talk_t *self);

#endif
