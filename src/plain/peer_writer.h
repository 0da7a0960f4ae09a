/* SPDX-License-Identifier: MPL-2.0 */
/* [8] peer_writer: what a ZeroMQ program is to get, and whose copies these messages are. ZeroMQ would take all of it
 * and keep it, whether the program reads or not; so what was handed to it and not acknowledged is bounded by a window.
 * The acknowledgement is the program's PONG to a PING that was put behind: it has read what came before. Copies wait in
 * a queue until there is room in the window, and credit if the program counts that. Embedded in its peer, whose
 * thread's it is.
 *
 *     copies:  first ──ended── acknowledged ──in ZeroMQ, or read── handed ──wait here── next
 */
#ifndef FERRY_PLAIN_PEER_WRITER_H
#define FERRY_PLAIN_PEER_WRITER_H

#include "link/holdings.h"
#include "plain/door.h"

#define WRITER_MAIL_SIZE 256 /* what a message counts beside its bytes */
#define WRITER_NOTE_SIZE 64  /* likewise anything else that is said */
#define WRITER_PINGS_MAX 16  /* that may be unanswered */

typedef struct {
    size_t window_size;     /* bytes: handed over and not acknowledged */
    size_t high_mark;       /* bytes that wait before the name is paused; it is resumed at a quarter of it */
    uint64_t stall_time_ms; /* in which a PING is answered, and some message that waits goes */
    uint64_t probe_time_ms; /* in which something is said at least */
} peer_limits_t;

/* What goes out for the copy with the same index in the holdings. */
typedef struct {
    zmq_msg_t head, payload; /* the sender, or the label of an answer; until it is handed over, or returned */
    size_t size;             /* bytes, with WRITER_MAIL_SIZE */
    bool is_answer;
    bool returned;
    bool receipt; /* it is held until it is acknowledged, and what came behind it is, too */
} mail_t;

typedef struct {
    uint64_t copies;  /* that were handed over before it */
    uint64_t notes;   /* bytes of answers, likewise */
    uint64_t bytes;   /* likewise, with its own */
    uint64_t sent_ms; /* for the first time */
} ping_t;

typedef struct {
    holdings_t holdings;                /* has `first` and `next` */
    mail_t *mails;                      /* ring of `capacity`, a power of two */
    uint64_t acknowledged, handed;      /* copies as drawn above; they count up for ever */
    uint64_t awaited;                   /* copies below it hold up the drain */
    uint64_t receipts_end;              /* no copy from there on has a receipt */
    uint64_t returned;                  /* copies from `acknowledged` on that were returned */
    size_t waiting_size;                /* bytes of the copies that wait */
    uint64_t bytes, bytes_acknowledged; /* that were ever handed over, and of them those of which a PONG came */
    uint64_t notes, notes_acknowledged; /* of these, the bytes of answers */
    ping_t pings[WRITER_PINGS_MAX];     /* PING number n is at n modulo that */
    uint64_t ping_first, ping_next;     /* the unanswered ones */
    uint64_t credit;                    /* messages that may be handed over, if it is counted */
    uint64_t spoke_ms, handed_ms;       /* when something was said last, and when a message went or none waited */
    uint32_t capacity;
    bool has_credit;
    bool paused; /* the high mark was passed, and the low mark was not yet reached */
    bool full;   /* the window was, and no half of it was acknowledged yet */
} peer_writer_t;

/* All copies must have been let go (peer_writer_forget). */
void peer_writer_fini(peer_writer_t *self);

/* Puts a copy behind the others; or a member's part in a group's; or the answer to the request with that label. */
void peer_writer_put(peer_writer_t *self, const body_copy_t *copy, origin_t *origin, uint64_t now_ms);
void peer_writer_put_share(peer_writer_t *self, const body_copy_t *copy, share_t *share, uint64_t now_ms);
void peer_writer_put_answer(
    peer_writer_t *self, const body_copy_t *copy, origin_t *origin, span_t label, span_t text, uint64_t now_ms);

/* Hands over what may go. Returns 0, or -1 when the connection is gone, which is so for the next four as well. */
int peer_writer_hand(
    peer_writer_t *self, const door_t *door, span_t name, const peer_limits_t *limits, uint64_t now_ms);

/* Says something of the broker's own, at once; or gives a job, which is no answer, and only fills the window. */
int peer_writer_say(peer_writer_t *self, const door_t *door, const span_t *frames, size_t count, uint64_t now_ms);
int peer_writer_give(peer_writer_t *self, const door_t *door, const span_t *frames, size_t count,
    const peer_limits_t *limits, uint64_t now_ms);

/* Says PING once more than is due, to see whether there is a connection. */
int peer_writer_probe(peer_writer_t *self, const door_t *door, uint64_t now_ms);

/* Now and then: says PING if something is not acknowledged, or nothing was said for the probe time. */
int peer_writer_tick(peer_writer_t *self, const door_t *door, const peer_limits_t *limits, uint64_t now_ms);

/* A PONG came: lets go of what it acknowledges. Returns how many copies have been delivered by that. A token that is
 * none of the unanswered PINGs' is passed over. */
uint64_t peer_writer_pong(peer_writer_t *self, link_t *link, span_t token);

void peer_writer_credit(peer_writer_t *self, uint32_t count);

/* Tells the link of held copies and of those that have been handed over since. At the end of a turn. */
void peer_writer_tell(peer_writer_t *self, link_t *link, uint64_t session);

/* On a new link: states all copies anew that still wait. */
void peer_writer_restate(peer_writer_t *self, link_t *link, uint64_t session);

/* The broker has told the senders of all copies that it had not been told to have ended that they are unconfirmed. */
void peer_writer_disown(peer_writer_t *self);

/* Reports each copy that waits as `undelivered NAME reason`, or each that was handed over and not acknowledged as
 * `unconfirmed NAME reason`, to its sender. Returns their number. */
unsigned peer_writer_return(peer_writer_t *self, const holdings_loss_t *loss);
unsigned peer_writer_doubt(peer_writer_t *self, const holdings_loss_t *loss);

/* Forgets whatever is left of the queue; the origins will not be told any more. */
void peer_writer_forget(peer_writer_t *self, link_t *link);

/* Whether the high mark was passed, or the low mark reached (true once), since it was asked last. */
bool peer_writer_became_paused(peer_writer_t *self, const peer_limits_t *limits);
bool peer_writer_became_resumed(peer_writer_t *self, const peer_limits_t *limits);

/* Whether the window is full; if so, until half of it is acknowledged. */
bool peer_writer_is_full(peer_writer_t *self, const peer_limits_t *limits);

/* Whether a PING is unanswered, or all that waits has waited, for the stall time. */
bool peer_writer_is_stalled(const peer_writer_t *self, const peer_limits_t *limits, uint64_t now_ms);

/* Bytes that were handed over and are not acknowledged. */
static inline size_t peer_writer_open_size(const peer_writer_t *self)
{
    return (size_t)(self->bytes - self->bytes_acknowledged);
}

/* Bytes of memory, with what ZeroMQ has of it. */
static inline size_t peer_writer_memory(const peer_writer_t *self)
{
    return self->waiting_size + peer_writer_open_size(self) + self->capacity * sizeof(mail_t) +
           self->holdings.capacity * sizeof(holding_t);
}

/* Whether so many answers are unread that more must wait. */
static inline bool peer_writer_is_choked(const peer_writer_t *self, const peer_limits_t *limits)
{
    return self->notes - self->notes_acknowledged >= limits->window_size;
}

/* Whether everything was handed over and acknowledged. */
static inline bool peer_writer_is_done(const peer_writer_t *self)
{
    return self->handed == self->holdings.next && peer_writer_open_size(self) == 0;
}

/* Copies that wait here. */
static inline uint64_t peer_writer_queued(const peer_writer_t *self)
{
    return self->holdings.next - self->handed;
}

/* Copies that were handed over and not acknowledged. Some may have been returned before. */
static inline uint64_t peer_writer_unacknowledged(const peer_writer_t *self)
{
    return self->handed - self->acknowledged;
}

/* From now on the drain waits until what was handed over is acknowledged, or has ended otherwise. */
static inline void peer_writer_await(peer_writer_t *self)
{
    self->awaited = self->handed;
}

static inline bool peer_writer_is_awaited(const peer_writer_t *self)
{
    return self->acknowledged < self->awaited;
}

/* Copies that have not ended. */
static inline uint64_t peer_writer_pending(const peer_writer_t *self)
{
    return self->holdings.next - self->acknowledged - self->returned;
}

/* Whether some copy's end must still be told to its origin. */
static inline bool peer_writer_owes(const peer_writer_t *self)
{
    return holdings_owe(&self->holdings);
}

#endif
