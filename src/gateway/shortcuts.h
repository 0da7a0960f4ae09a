/* SPDX-License-Identifier: MPL-2.0 */
/* [2] shortcuts: the way of a message that need not leave its worker: from the session that has read it straight into
 * the session writer of the one that has the name, without the broker. A session gets a *shortcut* when a message comes
 * back from its broker to the worker that sent it. It is used only while the broker would have brought the message to
 * the same session, behind all that its sender wrote before (README.md, "Shortcuts"):
 *
 *   - the broker has confirmed the name on a link that is up, and cannot have given the node up meanwhile;
 *   - the session is open, and takes copies without numbers;
 *   - no message to that name is still on its way over the broker, nor, of the sender's, one to a group, a service or
 *     several names, or with a label.
 *
 * Everything else goes to the broker, as without shortcuts. Such a copy is accepted and ends in one ledger. Embedded in
 * a worker, whose thread's it is. Nothing fails but by abort. */
#ifndef FERRY_GATEWAY_SHORTCUTS_H
#define FERRY_GATEWAY_SHORTCUTS_H

#include "base/buffer.h"
#include "base/list.h"
#include "base/table.h"
#include "link/link.h"
#include "wire/line.h"

typedef struct worker worker_t;
typedef struct session session_t;
typedef struct shortcut shortcut_t;

typedef struct {
    worker_t *worker;  /* borrowed */
    bool is_used;      /* gateway/shortcuts */
    bool is_stopped;   /* nobody waits for what is on its way over the broker */
    table_t *names;    /* of shortcut_t */
    list_t waiting;    /* shortcuts that sessions wait for */
    list_t woken;      /* sessions that go on at the end of the turn */
    uint64_t open;     /* copies that have not ended */
    bool is_fenced;    /* of some uplink the fence has not been passed */
    buffer_t failures; /* failure_t, each with its name behind it, that senders were not told of yet */
    struct {           /* what was looked up last: the head of a line that has one, and its shortcut or NULL */
        uint64_t head;
        shortcut_t *shortcut;
    } last;
    struct { /* the link on whose word a message of that sender may take a shortcut in this turn */
        const session_t *sender;
        const link_t *link;
    } trusted;
} shortcuts_t;

void shortcuts_init(shortcuts_t *self, worker_t *worker, bool is_used);

/* All sessions must be buried. */
void shortcuts_fini(shortcuts_t *self);

/* A copy with that number has come from the session's broker to the worker that sent it: the session has a shortcut
 * from then on. */
void shortcuts_learn(shortcuts_t *self, session_t *session, uint64_t number);

/* The session's name is confirmed: a shortcut that leads to another one of that name leads nowhere any more. */
void shortcuts_confirm(shortcuts_t *self, const session_t *session);

/* The session goes on in the turn's end, when everything has been heard that came with what has let it go on. */
void shortcuts_resume(shortcuts_t *self, session_t *session);

/* The session sends nothing more. Whoever comes after it under its name must not overtake what it has sent. */
void shortcuts_fence(shortcuts_t *self, session_t *session);

/* The session is at its end, and so is its shortcut, if it has one. */
void shortcuts_forget(shortcuts_t *self, session_t *session);

/* Sends a message by a shortcut. Returns 1 if that is done; 0 if the sender must wait: it is in the list of what it
 * waits for; and -1 if the message is for the broker. */
int shortcuts_send(shortcuts_t *self, session_t *sender, const line_t *line);

/* The message has been sent to its brokers. */
void shortcuts_sent(shortcuts_t *self, session_t *sender, const line_t *line);

/* The end of a turn: tells of failures, and wakes those who need wait no more. Returns whether there were any. */
bool shortcuts_go_on(shortcuts_t *self);

/* A drain begins: nobody waits any more but for names that are paused. */
void shortcuts_stop(shortcuts_t *self);

/* `count` copies of that session have ended. */
void shortcuts_end(shortcuts_t *self, uint64_t sender, uint32_t count);

/* A copy to that name ends otherwise than by delivery; or, if it `has_ended`, it may not have arrived all the same. Its
 * sender is told at the end of the turn: in a drain the outputs of all are dropped in between. */
void shortcuts_fail(shortcuts_t *self, uint64_t sender, bool has_ended, span_t name, int error, int reason);

/* Tells the senders of failures now. Returns whether there were any. */
bool shortcuts_tell(shortcuts_t *self);

#endif
