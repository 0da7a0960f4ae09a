/* SPDX-License-Identifier: MPL-2.0 */
/* [8] session_writer: what a client is to read, and whose copies these lines are. Lines gather in one buffer that is
 * written once a turn; a queue beside it knows where each copy ends in the stream, until its line is acknowledged by
 * the client's kernel, or has ended otherwise, and its origin has been told. What the kernel has acknowledged is looked
 * up seldom: when many written copies wait for that, by the tick, at the end of the connection, and for the ledger.
 * High and low mark pause and resume the name; a client that takes too little is stalled. Embedded in its session,
 * whose thread's it is.
 *
 *     copies:  first ──ended── acknowledged ──in the kernels── written ──to be written── next
 *              first ──nothing to tell── told ──to be told as ended── stated ──not told as held── next
 *
 * A copy with a receipt, and what came behind it, is told as held until it is acknowledged. Some copies stand *apart*
 * in the same queue, of which the link is not told here: parts of groups' copies (link/groups.h), and those that came
 * by a shortcut (gateway/shortcuts.h).
 */
#ifndef FERRY_GATEWAY_SESSION_WRITER_H
#define FERRY_GATEWAY_SESSION_WRITER_H

#include "base/buffer.h"
#include "base/list.h"
#include "gateway/shortcuts.h"
#include "link/groups.h"

/* What the options gateway/high_mark … stall_rate say, and the memory budget. */
typedef struct {
    size_t high_mark, low_mark; /* bytes of output */
    uint64_t stall_time_ms;
    uint64_t stall_rate; /* bytes a second */
    size_t share;        /* bytes of memory; what the budget leaves to a session at the moment */
} writer_limits_t;

/* Whose copies end otherwise than by delivery, and why. */
typedef struct {
    link_t *link;
    uint64_t session; /* of the client */
    span_t name;
    int reason;
} writer_loss_t;

typedef struct {
    union {
        origin_t *origin;       /* a reference; who is told */
        share_t *share;         /* `shared`: a reference; the other fields of the message are its */
        shortcuts_t *shortcuts; /* `by_shortcut`: borrowed */
    };
    uint64_t number;
    uint64_t session;         /* of the sender */
    uint32_t line_size;       /* bytes of its line, if that has a number; else 0 */
    uint64_t end : 58;        /* position in the stream behind its line */
    uint64_t passed : 1;      /* it has ended elsewhere: with who has the name now */
    uint64_t returned : 1;    /* it is not to be written any more */
    uint64_t receipt : 1;     /* it is held until the client's kernel has acknowledged it */
    uint64_t shared : 1;      /* it is the client's part of a group's copy */
    uint64_t by_shortcut : 1; /* it came by a shortcut, */
    uint64_t failed : 1;      /* and was reported, which has ended it */
} queued_copy_t;

/* What a copy takes beside its line: its place in the queue and, while it is held, what the broker and the link that it
 * came from remember of it. Bytes. */
#define WRITER_COPY_SIZE (sizeof(queued_copy_t) + 40)

/* The copies that have not ended, or whose end was not told: a ring, there while it is needed. All zero is an empty
 * one.
 */
typedef struct {
    uint64_t first, told, acknowledged, written, stated, next; /* copies as drawn above; they count up */
    uint64_t confirmed;                    /* copies below it were acknowledged by the client, if they have a number */
    uint64_t awaited;                      /* copies below it hold up the drain */
    uint64_t apart_ended;                  /* copies apart below it have ended */
    uint64_t disowned_first, disowned_end; /* copies that were told to their senders as unconfirmed by the broker */
    uint32_t apart;                        /* copies apart in the queue */
    uint32_t receipts;                     /* copies from `acknowledged` on with a receipt */
    uint32_t returned;                     /* copies from `acknowledged` on that were returned */
    uint32_t look_count; /* unacknowledged copies at which the kernel is asked; rises while it helps little */
    uint32_t capacity;   /* a power of two */
    queued_copy_t copies[];
} writer_queue_t;

/* What a client has that says what it has done with. */
typedef struct {
    buffer_t unacked;     /* the lines of the copies with numbers from `acknowledged` on */
    uint64_t first, next; /* their numbers */
} writer_numbers_t;

/* All zero is a valid one, with nothing to write. */
typedef struct {
    buffer_t output;
    uint64_t position;         /* bytes that were ever put into the output */
    writer_queue_t *queue;     /* NULL while it is empty and nothing has come lately */
    writer_numbers_t *numbers; /* NULL before writer_number */
    bool lapsed : 1;   /* the client will say nothing more: what its kernel has is delivered, as without numbers */
    bool away : 1;     /* there is no client: nothing is put into the output */
    bool is_tcp : 1;   /* the client's kernel acknowledges what it has; otherwise what is written is there */
    bool is_last : 1;  /* the end of file follows what is in the output at once */
    bool ended : 1;    /* the end of file was written, too */
    bool mid_line : 1; /* what was written last ended within a line */
    bool blocked : 1;  /* the socket takes no more at the moment */
    bool paused : 1;   /* the high mark was passed, and the low mark was not yet reached */
    size_t counted;    /* bytes of memory, as the worker counted them last */
    uint64_t stall_since_ms, stall_position, stall_acknowledged;
    list_node_t stalling;       /* in the worker's list of blocked sessions */
    list_node_t dirty;          /* in the worker's list of sessions to flush */
    list_node_t unacknowledged; /* in the worker's list of sessions with such copies, or memory to give back */
    list_node_t receipted;      /* in its list of those that are looked at soon, for their receipts */
} session_writer_t;

extern const writer_queue_t writer_no_queue;

/* To look at. */
static inline const writer_queue_t *writer_queue(const session_writer_t *self)
{
    return self->queue ? self->queue : &writer_no_queue;
}

/* Whether what comes gets a number, and is delivered when the client says so. */
static inline bool writer_is_numbered(const session_writer_t *self)
{
    return self->numbers != NULL;
}

/* Bytes of the lines with numbers that the client has not acknowledged. */
static inline size_t writer_unacked_size(const session_writer_t *self)
{
    return self->numbers ? buffer_size(&self->numbers->unacked) : 0;
}

/* All copies must have been let go (writer_forget). */
void writer_fini(session_writer_t *self);

/* Appends a line of the gateway's own: the parts one after the other, and "\n". */
void writer_line(session_writer_t *self, const span_t *parts, size_t count);

/* Appends `from SENDER: TEXT` and remembers whose copy it is. */
void writer_copy(session_writer_t *self, const body_copy_t *copy, origin_t *origin);

/* The same for the client's part of a group's copy: `from SENDER GROUP: TEXT`. Takes a share. */
void writer_share(session_writer_t *self, const body_copy_t *copy, share_t *share);

/* The same for a copy that came by a shortcut: a message of another session of the worker. */
void writer_shortcut(session_writer_t *self, const body_copy_t *copy, shortcuts_t *shortcuts);

/* The same for the answer to a request: `ok LABEL TEXT`. */
void writer_answer(session_writer_t *self, const body_copy_t *copy, origin_t *origin, span_t label, span_t text);

/* What comes from now on is numbered, unless it is already, from that number on: `NUMBER from SENDER: TEXT`. It is
 * delivered when the client acknowledges it with writer_confirm, all up to that number; false if it was not written
 * such a number. writer_acknowledge tells the rest. */
void writer_number(session_writer_t *self, uint64_t first);
bool writer_confirm(session_writer_t *self, uint64_t number);

/* The number that comes next, 0 if none does; the next is that one. */
uint64_t writer_next_number(const session_writer_t *self);
void writer_skip_to(session_writer_t *self, uint64_t number);

/* The client will say nothing more. */
void writer_lapse(session_writer_t *self);

/* The client is away: keeps what is numbered, and drops the output. */
void writer_suspend(session_writer_t *self);

/* Nobody comes back: reports every copy, as `unconfirmed` if it was written, else as `undelivered`. Adds to the counts
 * of both. */
void writer_abandon(session_writer_t *self, const writer_loss_t *loss, uint64_t *doubted, uint64_t *returned);

/* A copy that is numbered, at its index, as it is to be given to who has the name now; `offset` is where its line
 * begins among the unacknowledged lines. Spans are borrowed until that changes. False if it has no number. */
typedef struct {
    uint64_t number;
    span_t sender, group, text; /* the group is empty if it is to the client's name */
} numbered_copy_t;
bool writer_numbered_at(const session_writer_t *self, uint64_t index, size_t offset, numbered_copy_t *copy);

/* The size of its line. */
size_t writer_line_size(const session_writer_t *self, uint64_t index);

/* The copy at that index has ended elsewhere, as was reported unless it was delivered; lets go of what has at the
 * front. */
void writer_pass_on(session_writer_t *self, uint64_t index);

/* Reports that copy to its sender. */
void writer_report(session_writer_t *self, uint64_t index, const writer_loss_t *loss, int error);

/* A copy that the session before has had under that number, perhaps of a group. */
void writer_forwarded(session_writer_t *self, const body_copy_t *copy, origin_t *origin, uint64_t number, span_t group);

/* Writes to the socket what it takes in one call. Returns the number of copies that are written now, or -1 when the
 * connection is lost. */
int writer_write(session_writer_t *self, int fd);

/* Ends the stream: the client reads the end of file behind what was written. All must have been. */
void writer_end(session_writer_t *self, int fd);

/* Asks the kernel how much the client's has acknowledged, and lets the copies go that are wholly there. Returns how
 * many have been delivered since it was asked last. Works on a connection that is lost, until it is closed. */
uint64_t writer_acknowledge(session_writer_t *self, link_t *link, int fd);

/* Gives back the memory of what is empty, and of a queue that has become much shorter. */
void writer_rest(session_writer_t *self);

/* Tells the link of held copies and of those that have been written since. After the write pass of a turn. */
void writer_tell(session_writer_t *self, link_t *link, uint64_t session);

/* On a new link: states all copies anew that are still to be written. */
void writer_restate(session_writer_t *self, link_t *link, uint64_t session);

/* The broker has told the senders of all copies that it had not been told to have ended that they are unconfirmed: they
 * are still written, but not told of any more. */
void writer_disown(session_writer_t *self);

/* Drops the output but for a line whose beginning was written, and reports each copy that is dropped to its sender as
 * `undelivered NAME reason`. Returns the number of copies that were returned. */
unsigned writer_return(session_writer_t *self, const writer_loss_t *loss);

/* Reports each copy that was written and not acknowledged to its sender as `unconfirmed NAME reason`; the kernel has
 * been asked before (writer_acknowledge). Returns their number. */
unsigned writer_doubt(session_writer_t *self, const writer_loss_t *loss);

/* The connection is lost, and writer_doubt has ended what was written: drops the output, and returns every other copy,
 * one of which a part was written too. Returns the number of copies that were returned. */
unsigned writer_lose(session_writer_t *self, const writer_loss_t *loss);

/* Forgets whatever is left of the queue; the origins will not be told any more. */
void writer_forget(session_writer_t *self, link_t *link);

/* Whether the high mark, or the share of the budget, is passed. */
bool writer_is_over(const session_writer_t *self, const writer_limits_t *limits);

/* Whether the high mark, or the share of the budget, was passed (true once), or the low mark reached, and a quarter of
 * the share (true once), since it was asked last. */
bool writer_became_paused(session_writer_t *self, const writer_limits_t *limits);
bool writer_became_resumed(session_writer_t *self, const writer_limits_t *limits);

/* Whether the client has taken too little for the stall time. Asked now and then while `blocked`. */
bool writer_is_stalled(session_writer_t *self, const writer_limits_t *limits, uint64_t now_ms);

static inline bool writer_is_empty(const session_writer_t *self)
{
    return buffer_size(&self->output) == 0;
}

/* Bytes of memory, with what is allocated and not used. */
static inline size_t writer_memory(const session_writer_t *self)
{
    size_t queue = self->queue ? sizeof *self->queue + self->queue->capacity * sizeof(queued_copy_t) : 0;
    return queue + self->output.capacity + (self->numbers ? self->numbers->unacked.capacity : 0);
}

/* Bytes that wait for the client to read, with what its copies take beside until its kernel has them. */
static inline size_t writer_waiting(const session_writer_t *self)
{
    const writer_queue_t *queue = writer_queue(self);
    return buffer_size(&self->output) + (size_t)(queue->next - queue->acknowledged) * WRITER_COPY_SIZE;
}

/* Copies that wait to be written. */
uint64_t writer_queued(const session_writer_t *self);

/* Written copies of which it is not known whether the client's kernel has them. Some may have been returned before. */
static inline uint64_t writer_unacknowledged(const session_writer_t *self)
{
    return writer_queue(self)->written - writer_queue(self)->acknowledged;
}

/* Whether there is nothing to look up, and no memory to give back. */
static inline bool writer_is_at_rest(const session_writer_t *self)
{
    return writer_memory(self) == 0;
}

/* From now on the drain waits until the client's kernel has acknowledged what was written, or that has ended otherwise.
 */
static inline void writer_await(session_writer_t *self)
{
    if (self->queue)
        self->queue->awaited = self->queue->written;
}

static inline bool writer_is_awaited(const session_writer_t *self)
{
    return writer_queue(self)->acknowledged < writer_queue(self)->awaited;
}

/* Whether a copy with a receipt was written, and the kernel may have acknowledged it. */
bool writer_owes_receipt(const session_writer_t *self);

/* Whether so many are unacknowledged that the kernel is to be asked. */
static inline bool writer_must_look(const session_writer_t *self)
{
    return writer_unacknowledged(self) > writer_queue(self)->look_count;
}

/* Copies that have not ended. */
static inline uint64_t writer_pending(const session_writer_t *self)
{
    const writer_queue_t *queue = writer_queue(self);
    return queue->next - queue->acknowledged - queue->returned;
}

/* Whether some copy's end must still be told to its origin. */
static inline bool writer_owes(const session_writer_t *self)
{
    return writer_queue(self)->told != writer_queue(self)->next;
}

/* Whether writer_tell is to be called: the same, or some copy apart has not ended. */
static inline bool writer_must_tell(const session_writer_t *self)
{
    const writer_queue_t *queue = writer_queue(self);
    return writer_owes(self) || (queue->apart && queue->apart_ended < queue->next);
}

#endif
