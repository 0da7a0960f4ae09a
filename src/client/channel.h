/* SPDX-License-Identifier: MPL-2.0 */
/* channel: how a ferry_t, in its program's thread, and its carrier, in its own, talk: one pair of sockets for commands
 * and what becomes of them, and one for what the program receives, so that this pair, and a descriptor, are readable
 * just when there is something to receive. Nothing but messages is shared. High-water marks are 0: both sides bound
 * what is under way, and neither ever waits for the other. Each end is one thread's. */
#ifndef FERRY_CLIENT_CHANNEL_H
#define FERRY_CLIENT_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <zmq.h>

#include "base/span.h"

/* One side of a channel: libzmq's sockets, and the descriptor, which is the program's to close. */
typedef struct {
    void *commands, *events;
    int wake; /* an eventfd: set while there may be events */
} channel_end_t;

typedef enum {
    COMMAND_LOGIN,   /* asks for the name */
    COMMAND_SEND,    /* this and the next three are letters (client/letter.h), which are done in order: a message; */
    COMMAND_REQUEST, /* one to a service, with an answer that is waited for `detail` ms; */
    COMMAND_REPLY,   /* the answer to the job `detail`; */
    COMMAND_DONE,    /* or no more than its end */
    COMMAND_JOIN,    /* a group; its name follows the command in its frame, as that of a service does */
    COMMAND_LEAVE,
    COMMAND_SERVE, /* with `count` jobs at once */
    COMMAND_UNSERVE,
    COMMAND_TAKEN, /* the program has received `count` copies, and with events `size` bytes */
    COMMAND_DRAIN, /* ends within `number` ms */
} command_kind_t;

typedef struct {
    uint32_t kind;
    uint32_t count;
    uint64_t number; /* of a letter: the message's */
    uint64_t size;
    uint64_t detail;
} command_t;

typedef enum {
    LOGIN_NONE,    /* was not asked for */
    LOGIN_PENDING, /* the broker has not answered yet */
    LOGIN_DONE,
    LOGIN_DENIED, /* it may be asked for again */
    LOGIN_LOST,   /* it was done, and somebody else has the name now */
} login_t;

/* What the carrier tells of, whenever it has changed: each is a sum over its life, or a state. */
typedef struct {
    uint64_t passed_size;   /* bytes of letters that have left the outbox */
    uint64_t settled_count; /* messages */
    uint64_t answer_count;  /* to COMMAND_JOIN and COMMAND_SERVE */
    uint64_t largest;       /* bytes of the largest record that all brokers take */
    uint64_t logins;        /* how often the name was asked for, and what came of the last time: */
    login_t login;
    int login_error; /* FERRY_ERROR_…, of LOGIN_DENIED and LOGIN_LOST */
    bool drained;
} progress_t;

/* What the program receives: a frame with this, then the names and the data, each with a NUL behind it. */
typedef struct {
    uint16_t kind;  /* FERRY_MESSAGE, … */
    uint16_t error; /* FERRY_ERROR_… */
    uint16_t reason;
    uint16_t name_size;  /* of the sender, or the recipient; without its NUL, as the next */
    uint16_t place_size; /* of the group, or the service */
    uint64_t number;     /* of the program's own message, or of a job */
} event_t;

/* Makes both ends. Returns 0, or -1 and errno, and then both are empty. */
int channel_open(channel_end_t *program, channel_end_t *carrier);

/* Closes an end, which may be empty; the descriptor too with `program`. */
void channel_end_close(channel_end_t *self, bool program);

/* The program's: sends a command, the second with a name behind it; and reads all progress that has been told, of which
 * *progress keeps the last. */
void channel_command(const channel_end_t *self, const command_t *command);
void channel_command_of(const channel_end_t *self, const command_t *command, span_t name);
void channel_read_progress(const channel_end_t *self, progress_t *progress);

/* The program's: the next event. Returns its bytes, or -1 if there is none; then the descriptor is not readable any
 * more, unless one has come since. */
int channel_read_event(const channel_end_t *self, zmq_msg_t *frame);

/* Whether there is nothing new to be told. */
static inline bool progress_equal(const progress_t *a, const progress_t *b)
{
    return a->passed_size == b->passed_size && a->settled_count == b->settled_count &&
           a->answer_count == b->answer_count && a->largest == b->largest && a->logins == b->logins &&
           a->login == b->login && a->login_error == b->login_error && a->drained == b->drained;
}

/* The carrier's: tells of progress; and sends an event, of which it returns the bytes. The program wakes with
 * channel_wake. */
void channel_tell(const channel_end_t *self, const progress_t *progress);
size_t channel_send_event(const channel_end_t *self, const event_t *event, span_t name, span_t place, span_t data);
void channel_wake(const channel_end_t *self);

#endif
