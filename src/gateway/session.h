/* SPDX-License-Identifier: MPL-2.0 */
/* [2] session: the gateway's state for one client, from accept to the last answer of its broker. Its worker's thread's.
 *
 *     LOGIN ──name──▶ REGISTERING ──CONFIRMED──▶ OPEN ──/quit, end of input──▶ SETTLING ──settled──▶ LEAVING
 *       │                 │                       │                              │                    │ LEFT
 *       │ error           │ DENIED, drain         │ drain                        ▼ drain              ▼
 *       └─────────────────┴───────────────────────┴──────────────────────────▶ FLUSHING ──written──▶ CLOSING
 *     OPEN ──connection lost, and the client acknowledges──▶ AWAY ──somebody has the name, or nobody in time──▶ GONE
 *     any ──connection lost, stalled──▶ GONE (waits for LEFT)                                        │ client closed
 *                                         └──────────────────────────────────▶ DEAD ◀────────────────┘
 */
#ifndef FERRY_GATEWAY_SESSION_H
#define FERRY_GATEWAY_SESSION_H

#include <uv.h>

#include "base/list.h"
#include "gateway/handoff.h"
#include "gateway/reader.h"
#include "gateway/session_writer.h"
#include "link/party.h"
#include "wire/close.h"

typedef struct worker worker_t;
typedef struct session session_t;
typedef struct session_forwards session_forwards_t;

typedef enum {
    SESSION_LOGIN,       /* its first line has not come yet */
    SESSION_REGISTERING, /* its broker has not confirmed its name */
    SESSION_OPEN,
    SESSION_SETTLING, /* no more input; waits until what it sent is settled */
    SESSION_LEAVING,  /* its name goes; what was on its way still comes */
    SESSION_FLUSHING, /* its output is written, then the end of file */
    SESSION_CLOSING,  /* reads and drops until the client closes, so that no reset destroys what it has not read */
    SESSION_AWAY,     /* no connection; keeps its name for its client to come back */
    SESSION_GONE,     /* no connection any more; its name is still leaving, or its copies are forwarded */
    SESSION_DEAD,     /* waits for libuv to let go */
} session_state_t;

/* There may be a hundred thousand, most of which do nothing: what only some need, or only for a while, is behind a
 * pointer. */
struct session {
    worker_t *worker; /* borrowed */
    uint64_t id;      /* slot in the low 32 bits, generation in the high ones */
    uv_poll_t poll;
    int fd;             /* the connection, or -1 */
    short poll_events;  /* what it is polled for at the moment */
    uint16_t name_size; /* bytes */
    session_state_t state : 8;
    close_t close_reason : 8;     /* why it ends */
    bool half_closed : 1;         /* the client has ended its side; the end of input is read in its turn */
    bool client_closed : 1;       /* the end of input was read while closing */
    bool poll_closed : 1;         /* the handle's close callback has run */
    bool registered : 1;          /* its broker may know its name: REGISTER was said and no LEFT has come */
    bool is_confirmed : 1;        /* its broker has confirmed its name on this link */
    bool said_quit : 1;           /* and reads `ok quit` when that is done */
    bool has_others : 1;          /* what it sent to others than one name each may be under way */
    uint32_t shortcut_open;       /* of the party's open messages, those that went by shortcuts */
    char *name;                   /* malloc'd at login */
    uplink_t *uplink;             /* to the broker of its name; borrowed; NULL before the login */
    link_claim_t claim;           /* of the last confirmation of its name */
    uint64_t since_ms;            /* in this state */
    shortcut_t *shortcut;         /* by which others of its worker write to it, or NULL */
    session_forwards_t *forwards; /* copies for who has its name now; NULL before */
    party_t party;                /* what it has sent, and its groups, services and requests */
    list_node_t timed;            /* in the worker's list of logins or of closings */
    list_node_t waiting;          /* for a paused name, for room on a link, or for what is on its way to a name */
    reader_t reader;
    session_writer_t writer;
    char address[]; /* of the client, with its port, and a NUL */
};

/* Takes the connection over: sets its socket up and waits for its first line. The worker gives it its id. */
session_t *session_new(worker_t *worker, const handoff_t *handoff);

static inline span_t session_name(const session_t *self)
{
    return span_of(self->name, self->name_size);
}

static inline bool session_was_confirmed(const session_t *self)
{
    return self->claim.term > 0;
}

/* Writes an error line: `error CODE`, then the arguments that are not empty, each after a space; up to 3. */
void session_error_of(session_t *self, int error, const span_t *arguments, size_t count);
void session_error(session_t *self, int error, span_t argument);

/* Writes an error line and ends the session once that is written. */
void session_fail(session_t *self, int error, span_t argument, close_t reason);

/* The first line has been read and is good: asks for the name. */
void session_login(session_t *self, span_t name);

/* What the broker says of its name. */
void session_confirm(session_t *self, link_claim_t claim);
void session_deny(session_t *self, int error);
void session_left(session_t *self);

/* One of its messages is settled; or something else that it waits for may be over. */
void session_settle(session_t *self);
void session_on_idle(session_t *self);

/* No more input comes, or is read: settles, leaves, flushes and closes in order. */
void session_quit(session_t *self, close_t reason);

/* Its connection is lost, or is cut: lets its name go and ends its copies for that reason. What its kernel has
 * acknowledged is delivered, other copies that were written are unconfirmed, the rest is returned. */
void session_cut(session_t *self, close_t reason);

/* Its client will not come back: ends what it has not acknowledged, for that reason. */
void session_give_up(session_t *self, close_t reason);

/* For the drain: writes `info accepted N` behind what is owed, then the end of file; and, at a deadline, ends the
 * copies that the client has not taken, so that their senders can be told, and it can still read that line. */
void session_finish(session_t *self);
void session_trim(session_t *self);

/* For the drain, which waits until the client's kernel has acknowledged what was written until now (writer_is_awaited),
 * or the session has stalled. */
void session_await(session_t *self);

/* The end of the session, when neither its client nor its broker need it any more: frees it, in libuv's time. */
void session_bury(session_t *self);

/* Writes what is there and does what follows from it; once a turn for sessions with something to write. */
void session_flush(session_t *self);

/* Goes on reading where it waited. */
void session_resume(session_t *self);

/* Whether nothing more is to come from a client or to be known of it: session_cut is its end. */
static inline bool session_is_over(const session_t *self)
{
    return self->state == SESSION_CLOSING && self->client_closed && !writer_unacknowledged(&self->writer);
}

/* Makes the poll handle ask for what the session needs now. What it does not need any more is asked for until it comes:
 * a wait that is over before that costs no system call. */
void session_poll(session_t *self);

/* A new link to its broker is up: states the session anew. If the node was given_up, what it has taken is not told of
 * any more. */
void session_restate(session_t *self, bool given_up);

/* Its broker knows no name of this node any more. */
void session_unlink(session_t *self);

#endif
