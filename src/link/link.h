/* SPDX-License-Identifier: MPL-2.0 */
/* link: the node's side of the conversation with one broker (proto/link.md): one DEALER from HELLO to BYE-OK, and a new
 * one when it is lost, on which the conversation is resumed, or begun anew with everything that is not taken. Gateway
 * workers embed it, and libferry. Everything is the thread's that runs the reactor.
 *
 *     DOWN ──▶ CONNECTING ──▶ GREETING ──▶ UP ──▶ LEAVING ──▶ LEFT ──▶ PARTING ──▶ CLOSED
 *      ▲  back-off, then again     │        │        │          │         │           ▲
 *      └───────── lost ────────────┴────────┴────────┴──────────┴─────────┘           │
 *      └───────── nothing is left to be said, or nobody to say it to ─────────────────┘
 */
#ifndef FERRY_LINK_LINK_H
#define FERRY_LINK_LINK_H

#include "base/histogram.h"
#include "base/ledger.h"
#include "base/reactor.h"
#include "link/origins.h"
#include "wire/body.h"

typedef struct link link_t;

/* How a name was confirmed last; of two sessions that claim a name again the one with the higher claim has it. */
typedef struct {
    uint64_t term, serial; /* term 0: it was not confirmed yet */
    uint32_t doubts;       /* of its link, until then */
    bool took_over;        /* somebody else had the name until then */
    bool resumes;          /* what that one had not acknowledged comes first */
} link_claim_t;

typedef enum {
    LINK_DOWN,
    LINK_CONNECTING,
    LINK_GREETING,
    LINK_UP,
    LINK_LEAVING,
    LINK_LEFT,
    LINK_PARTING,
    LINK_CLOSED,
} link_state_t;

typedef struct {
    const char *broker;   /* the name that is expected; borrowed for the link's life, as is the endpoint */
    const char *endpoint; /* tcp://, ipc:// or inproc:// */
    link_id_t node;
    link_id_t digest; /* of the list of brokers: rendezvous_digest */
    uint32_t connect_timeout_ms;
    uint32_t timeout_ms; /* until WELCOME tells the broker's */
    uint32_t backoff_min_ms, backoff_max_ms;
    uint32_t linger_ms;
    uint32_t batch_size; /* where a batch is closed, bytes; WELCOME may lower it. A larger record goes alone */
    ledger_t *ledger;    /* borrowed; gets accepted, handed_over, refused, unconfirmed and taken_over */
    histogram_t *batch_records, *batch_bytes; /* borrowed; of the batches that were made */
} link_options_t;

/* What a link tells its owner, in the owner's thread, from within the loop. Spans are borrowed for the call. No
 * callback may destroy the link. */
typedef struct {
    /* A new link is up: state names with link_register, sessions that wait for their LEFT with link_leaving, and held
     * copies with link_hold (again). If the node was given_up
     * all copies that it has taken have been told to their senders as unconfirmed: they are not held, nor reported. */
    void (*on_up)(void *owner, link_t *link, bool given_up);
    /* The state has changed; link_state tells. */
    void (*on_state)(void *owner, link_t *link);
    void (*on_confirmed)(void *owner, link_t *link, uint64_t session, link_claim_t claim);
    void (*on_denied)(void *owner, link_t *link, uint64_t session, int error);
    void (*on_left)(void *owner, link_t *link, uint64_t session);
    /* A copy for sessions of this node, which is in its custody from now on and counted as taken over. */
    void (*on_copy)(void *owner, link_t *link, const body_copy_t *copy, origin_t *origin);
    /* The same for a copy that was sent again too late, behind newer ones: it is to be returned. */
    void (*on_late)(void *owner, link_t *link, const body_copy_t *copy, origin_t *origin);
    /* How a copy of a message of this node has ended. */
    void (*on_notice)(void *owner, link_t *link, const body_notice_t *notice);
    /* Those `count` messages of that session, from `number` on, are settled. */
    void (*on_settled)(void *owner, link_t *link, uint64_t session, uint64_t number, uint32_t count);
    /* Messages to that name must wait (paused), or need wait no more. */
    void (*on_pause)(void *owner, link_t *link, span_t name, bool paused);
    /* A name that a session of this node watches is here, or is not; told at first, on each new link, and when it
     * changes. NULL for an owner that watches nothing. */
    void (*on_presence)(void *owner, link_t *link, uint64_t session, span_t name, bool is_here);
    /* Who is there, of what a session has asked with link_who: names in byte order, each u8 size and bytes, and whether
     * there are more. NULL for an owner that does not ask. */
    void (*on_who)(void *owner, link_t *link, uint64_t session, span_t names, bool more);
    /* The link has room after it had none. */
    void (*on_room)(void *owner, link_t *link);
} link_owner_t;

/* The link opens itself in the loop's first turns, and again whenever it is lost. `callbacks` and `owner` are borrowed.
 */
link_t *link_new(reactor_t *reactor, const link_options_t *options, const link_owner_t *callbacks, void *owner);

/* Closes at once; what is open is forgotten (link_leave and link_part are the orderly way). */
void link_destroy(link_t **self_p);

/* Whether a message may be accepted: the link is up, its broker does not drain, and its window is open. If not, on_room
 * tells when. */
bool link_has_room(link_t *self);

/* Lets less be under way than the window allows, while memory is short; SIZE_MAX: as much as the window does. */
void link_limit(link_t *self, size_t size);

/* The size of the largest message (body_message_size) that goes into the largest batch that WELCOME allows. Whether one
 * of that size does; if not, it must not be accepted. */
size_t link_largest(const link_t *self);
bool link_fits(const link_t *self, size_t size);

/* Accepts a message, with BODY_FLAG_…; link_has_room must have said yes. It is sent by link_flush, or before when the
 * batch is full. */
void link_send(link_t *self, uint64_t session, unsigned flags, span_t sender, const span_t *recipients,
    unsigned recipient_count, span_t text);

/* The same for a message that differs in nothing but its text from the one that was accepted last, and is of the same
 * batch. False if that cannot be, and then nothing was done: the batch was closed, or has no room. */
bool link_send_more(link_t *self, span_t text);

/* The node is about to end with a message to that name unsettled, whose sender is told that nobody knows: counts it so.
 */
void link_give_up(link_t *self, uint64_t number, span_t name, int reason);

/* Tells how a copy that was taken for the session `recipient` has ended otherwise than by delivery. Kept until the link
 * can send it. */
void link_report(link_t *self, uint64_t recipient, const body_report_t *report);

/* Asks for a name, with the claim of its confirmation if it was confirmed before, else all zero, and says whether it is
 * paused. Ignored while the link is not up: on_up asks for all. */
void link_register(link_t *self, uint64_t session, span_t name, link_claim_t claim, bool paused);
void link_leaving(link_t *self, uint64_t session);
void link_pause(link_t *self, span_t name, bool paused);

/* Tells which session is the only member of a group here, or that none is: 0. Ignored while the link is not up. */
void link_only(link_t *self, uint64_t group, uint64_t member);

/* The client of a session acknowledges what it gets, so that what it has not is given to who has its name next; it may
 * be away, and then whoever asks for the name has it. That this was done for a name. Ignored while the link is not up:
 * on_up states all. */
void link_yield(link_t *self, uint64_t session, bool is_away);
void link_yielded(link_t *self, span_t name);

/* A session begins to watch a name, or ends to. Ignored while the link is not up: on_up states all. */
void link_watch(link_t *self, uint64_t session, span_t name, bool is_on);

/* Asks who is there whose names begin with that prefix. Ignored while the link is not up: on_up asks again. */
void link_who(link_t *self, uint64_t session, span_t prefix);

/* Tells of one more copy, in the order in which they will end, that the session still holds after the write pass; with
 * `again` in on_up, for all that it holds. */
void link_hold(link_t *self, uint64_t session, origin_t *origin, uint64_t number, bool again);

/* On a new link: a service had taken that copy, and it has ended; it goes to nobody else if it is sent again. */
void link_hold_over(link_t *self, uint64_t service, origin_t *origin, uint64_t number);

/* Says how many copies may be open with who serves a service, and that the one at that place of those that were told of
 * with link_hold on this link has ended. */
void link_credit(link_t *self, uint64_t service, uint32_t count);
void link_done(link_t *self, uint64_t service, uint32_t place);

/* Tells that the `count` oldest of the copies that were told of with link_hold on this link have ended. While
 * link_can_end says no, the owner keeps them and states them again on the next link. */
bool link_can_end(const link_t *self);
void link_end(link_t *self, uint64_t session, uint32_t count);

/* End of a turn, after the write pass: sends what is there, and acknowledges what was taken. */
void link_flush(link_t *self);

/* The owner is about to end: tells the broker, so that nobody waits for this node at the broker's successor. */
void link_stop(link_t *self);

/* The orderly end, in these steps: link_leave, on_state LEFT; reports; link_part, which sends BYE when all reports are
 * taken; on_state CLOSED. A link that is lost meanwhile is opened anew, and the steps are repeated, unless the broker
 * has nothing for this node any more. */
void link_leave(link_t *self);
void link_part(link_t *self);

link_state_t link_state(const link_t *self);
const char *link_state_text(const link_t *self);
bool link_is_up(const link_t *self);
bool link_is_silent(const link_t *self); /* so long that its broker may have given this node up */
const char *link_broker(const link_t *self);
close_t link_loss(const link_t *self); /* why the last DEALER was closed, CLOSE_NONE if none was */
origins_t *link_origins(link_t *self);
bool link_is_settled(const link_t *self); /* every message and report that was given to it is settled */
bool link_is_settled_below(const link_t *self, uint64_t number); /* but for what was given from that number on */
uint64_t link_floor(const link_t *self);                         /* the lowest number that is not taken, or the next */
uint64_t link_next_number(const link_t *self);                   /* of the next message or report that is given to it */
bool link_is_taken(const link_t *self, uint64_t number);         /* of one that was given to it: it is taken */
uint64_t link_open_copies(const link_t *self);                   /* walks: part of the ledger's pending */
size_t link_memory(const link_t *self);                          /* bytes that it holds */
size_t link_kept_size(const link_t *self);                       /* bytes of them in batches that are not taken */

/* The link's entry in /status; the caller owns it. */
json_t *link_json(const link_t *self);

#endif
