/* SPDX-License-Identifier: MPL-2.0 */
/* worker: the actor that owns a part of the gateway's sessions, with one event loop and one DEALER per broker. A turn
 * reads clients and links, then, at its end, writes to clients, and then sends to and acknowledges at the brokers. */
#ifndef FERRY_GATEWAY_WORKER_H
#define FERRY_GATEWAY_WORKER_H

#include <czmq.h>

#include "base/budget.h"
#include "base/histogram.h"
#include "gateway/session.h"

/* What main gives a worker; borrowed for the actor's life. */
typedef struct {
    const config_t *config;
    const brokers_t *brokers;
    budget_t *budget; /* the process's */
    unsigned index;
    zsock_t *listener; /* the worker's end of its pipe to the listener; the worker's from then on */
} worker_args_t;

/* The actor (a zactor_fn). It hears STATUS; DRAIN and the ms that are left; LEAVE; $TERM. It says READY and 1 or 0 and
 * why; STATUS and JSON; SETTLED; STEP and a word; DRAINED, the number of copies that were lost, and its ledger. */
void worker_actor(zsock_t *pipe, void *args);

typedef struct {
    line_limits_t line;
    unsigned bad_lines;
    writer_limits_t writer;
    uint64_t login_timeout_ms, resume_time_ms;
    int send_buffer_size, receive_buffer_size;
    uint64_t unready_after_ms;
} worker_limits_t;

/* What the configuration says. */
void worker_limits_init(worker_limits_t *self, const config_t *config);

typedef struct {
    uint64_t messages, shortcuts, bad_lines, logins, logouts, pauses;
    uint64_t closes[64]; /* by close reason */
} worker_counters_t;

typedef enum {
    WORKER_RUNNING,
    WORKER_SETTLING, /* nothing is read any more; waits until all that was accepted is settled */
    WORKER_SETTLED,  /* waits for the other workers, that is for LEAVE from main */
    WORKER_LEAVING,  /* no more copies come once all brokers have agreed */
    WORKER_FLUSHING, /* clients get what they are owed, `info accepted N` and the end of file */
    WORKER_PARTING,  /* BYE */
    WORKER_DRAINED,
} worker_phase_t;

/* What a worker that is settling waits for. */
typedef enum {
    SETTLING_MESSAGES, /* that were accepted: their copies end */
    SETTLING_CLIENTS,  /* to acknowledge what was written to them until then */
    SETTLING_REPORTS,  /* that were made until then: they are taken */
} worker_settling_t;

struct worker {
    unsigned index;
    link_id_t node;
    reactor_t *reactor;
    zsock_t *pipe;
    watch_t *pipe_watch;
    zsock_t *listener;
    watch_t *listener_watch;
    worker_limits_t limits;
    uplinks_t uplinks;
    ledger_t ledger;
    worker_counters_t counters;
    histogram_t turn_copies, batch_records, batch_bytes;
    uint64_t copies_this_turn;

    slots_t slots;       /* its sessions, groups and services */
    exchange_t exchange; /* of its sessions */
    shortcuts_t shortcuts;
    uint32_t session_count;
    list_t dirty;          /* sessions with something to write or to tell */
    list_t logins;         /* sessions before their name is confirmed, oldest first */
    list_t blocked;        /* sessions whose socket takes no more, or whose client the drain waits for */
    list_t closings;       /* sessions that wait for their client to close */
    list_t away;           /* sessions that wait for theirs to come back, oldest first */
    list_t unacknowledged; /* sessions with copies that their client's kernel may or may not have */
    list_t receipted;      /* those of them that are looked at soon, for their receipts */
    uv_timer_t look_timer; /* for these */
    uv_timer_t tick;
    budget_account_t account;
    struct {
        size_t readers, writers, links; /* bytes, as they were counted last */
    } memory;
    list_t starved; /* sessions that have something to read and may not, for want of memory */
    bool full;      /* the budget is, and nothing is read */
    bool ready;
    bool unready_told;
    close_t unready_loss;      /* why there is no link, as told */
    uint64_t unready_since_ms; /* when a broker was lost, 0 if none is */

    worker_phase_t phase;
    worker_settling_t settling;
    /* When what clients did not take is returned or unconfirmed, for the first time (trim), the second (flush) and the
     * last, for which they are cut; and when each step is given up. */
    uint64_t trim_deadline_ms, settle_deadline_ms, leave_deadline_ms, flush_deadline_ms, cut_deadline_ms,
        end_deadline_ms;
    uv_timer_t drain_timer;
    bool settle_trimmed, flush_trimmed;
    uint32_t drain_slot; /* sessions below it have been told `info accepted N` */

    uint8_t *scratch; /* reader_scratch_size bytes */
    line_head_t head; /* of the last message */
    span_t recipients[LINE_RECIPIENTS_MAX];
};

/* The session with that id, NULL if it is not there any more. */
session_t *worker_session(worker_t *self, uint64_t id);

/* The session has something to write, or to tell its link; it is flushed at the end of the turn. */
void worker_dirty(session_t *session);

/* The session is at its end: frees its slot and tells the listener. */
void worker_forget(session_t *session);

/* What the links of a worker call (worker_links.c); the owner is the worker. */
extern const link_owner_t worker_link_owner;

/* The tick, which looks for deadlines (worker_tick.c). */
void worker_tick_init(worker_t *self);

/* What clients have acknowledged (worker_look.c): asks their kernels, by which sessions that waited for nothing else
 * end; flushes a session again soon, since a receipt depends on it. */
void worker_look_init(worker_t *self);
void worker_look(worker_t *self);
void worker_look_soon(session_t *session);

/* Lets the sessions of a list go on that waited for something. */
void worker_wake(list_t *woken);

/* Calls `visit` for each session; it may end sessions, its own too. */
void worker_each(worker_t *self, void (*visit)(session_t *session, void *arg), void *arg);

/* Says words to main: a NULL ends them. */
void worker_say(worker_t *self, const char *first, ...);

/* The worker's part of the memory budget (worker_memory.c). Counts what the session holds now; at the end of a turn,
 * counts links and looks at the budget, as reading does in between; on the tick, wakes sessions that may read again;
 * tells how many may not; and whether there is room to tell of copies that are returned, so that clients that stall
 * all at once are not closed all at once. */
void worker_memory_count(session_t *session);
void worker_memory_look(worker_t *self);
void worker_memory_turn(worker_t *self);
void worker_memory_tick(worker_t *self);
uint64_t worker_memory_starved(const worker_t *self);
bool worker_memory_takes_returns(const worker_t *self);

/* The steps of the drain (worker_drain.c): main's commands, and what is looked at in every turn of it. */
void worker_drain_begin(worker_t *self, uint64_t left_ms);
void worker_drain_leave(worker_t *self);
void worker_drain_go_on(worker_t *self);

/* The step in which what was accepted is settled (worker_settle.c): it begins when nothing more is accepted; go_on is
 * asked in every turn, and says whether all is. */
void worker_settle_begin(worker_t *self);
bool worker_settle_go_on(worker_t *self);

/* The worker's JSON for /status (proto/admin.md), for the caller to free, and the copies that are here and have not
 * ended (worker_status.c). Both walk all sessions. */
char *worker_status(worker_t *self);
uint64_t worker_pending(worker_t *self);

#endif
