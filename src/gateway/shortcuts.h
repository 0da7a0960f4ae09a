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

#include "base/list.h"
#include "base/table.h"
#include "link/link.h"
#include "wire/line.h"

typedef struct worker worker_t;
typedef struct session session_t;
typedef struct shortcut shortcut_t;

typedef struct {
    worker_t *worker; /* borrowed */
    bool is_used;     /* gateway/shortcuts */
    bool is_stopped;  /* nobody waits for what is on its way over the broker */
    table_t *names;   /* of shortcut_t */
    list_t waiting;   /* shortcuts that sessions wait for */
    list_t woken;     /* sessions that waited for one that is gone */
    uint64_t open;    /* copies that have not ended */
    struct {
        uint64_t head; /* of a line, if it has one, */
        shortcut_t *shortcut;
    } last; /* and what it leads to, or NULL */
    struct {
        const session_t *sender; /* while it is read, */
        const link_t *link;      /* this link is as good as its broker's word */
    } sure;
} shortcuts_t;

void shortcuts_init(shortcuts_t *self, worker_t *worker, bool is_used);

/* All sessions must be buried. */
void shortcuts_fini(shortcuts_t *self);

/* A copy with that number has come from the session's broker to the worker that sent it: the session has a shortcut
 * from then on. */
void shortcuts_learn(shortcuts_t *self, session_t *session, uint64_t number);

/* The session is at its end, and so is its shortcut, if it has one. */
void shortcuts_forget(shortcuts_t *self, session_t *session);

/* Sends a message by a shortcut. Returns 1 if that is done; 0 if the sender must wait: it is in the list of what it
 * waits for; and -1 if the message is for the broker. */
int shortcuts_send(shortcuts_t *self, session_t *sender, const line_t *line);

/* The message has been sent to its brokers. */
void shortcuts_sent(shortcuts_t *self, session_t *sender, const line_t *line);

/* The end of a turn: wakes those who need wait no more. Returns whether there were any. */
bool shortcuts_go_on(shortcuts_t *self);

/* A drain begins: nobody waits any more but for names that are paused. */
void shortcuts_stop(shortcuts_t *self);

/* `count` copies of that session have ended; one has ended otherwise than by delivery, which is told before. */
void shortcuts_end(shortcuts_t *self, uint64_t sender, uint32_t count);
void shortcuts_fail(shortcuts_t *self, uint64_t sender, span_t name, int error, int reason);

#endif
