/* SPDX-License-Identifier: MPL-2.0 */
/* [8] session_writer: what a client is to read, and whose copies these lines are. Lines gather in one buffer that is
 * written once a turn; a queue beside it knows where each copy ends in the stream, until the copy has ended and its
 * origin has been told. High and low mark pause and resume the name; a client that takes too little is stalled.
 * Embedded in its session, whose thread's it is.
 *
 *     copies:  first ──written── written ──to be written── next        stated: those before it were told as held
 */
#ifndef FERRY_GATEWAY_SESSION_WRITER_H
#define FERRY_GATEWAY_SESSION_WRITER_H

#include "base/buffer.h"
#include "base/list.h"
#include "link/link.h"

/* What the options gateway/high_mark … stall_rate say, and the memory budget. */
typedef struct {
    size_t high_mark, low_mark; /* bytes of output */
    uint64_t stall_time_ms;
    uint64_t stall_rate; /* bytes a second */
    size_t share;        /* bytes of memory; what the budget leaves to a session at the moment */
} writer_limits_t;

typedef struct {
    origin_t *origin; /* a reference; who is told */
    uint64_t number;
    uint64_t session;      /* of the sender */
    uint64_t end : 63;     /* position in the stream behind its line */
    uint64_t returned : 1; /* it is not to be written any more */
} queued_copy_t;

typedef struct {
    buffer_t output;
    uint64_t position;     /* bytes that were ever put into the output */
    queued_copy_t *copies; /* ring of `capacity`, a power of two */
    uint32_t capacity;
    uint64_t first, written, stated, next; /* copies as drawn above; they count up for ever */
    uint64_t returned;                     /* copies behind `written` that were returned */
    bool mid_line;                         /* what was written last ended within a line */
    bool blocked;                          /* the socket takes no more at the moment */
    bool paused;                           /* the high mark was passed, and the low mark was not yet reached */
    uint64_t stall_since_ms, stall_position;
    list_node_t stalling; /* in the worker's list of blocked sessions */
    list_node_t dirty;    /* in the worker's list of sessions to flush */
    size_t counted;       /* bytes of memory, as the worker counted them last */
} session_writer_t;

/* All copies must have been popped (writer_return). */
void writer_fini(session_writer_t *self);

/* Appends a line of the gateway's own: the parts one after the other, and "\n". */
void writer_line(session_writer_t *self, const span_t *parts, size_t count);

/* Appends `from SENDER: TEXT` and remembers whose copy it is. */
void writer_copy(session_writer_t *self, const body_copy_t *copy, origin_t *origin);

/* Writes to the socket what it takes in one call. Returns the number of copies that are written now, or -1 when the
 * connection is lost. */
int writer_write(session_writer_t *self, int fd);

/* Tells the link of held copies and of those that have ended. After the write pass of a turn. */
void writer_tell(session_writer_t *self, link_t *link, uint64_t session);

/* On a fresh link: states all copies again that are still in the queue. */
void writer_restate(session_writer_t *self, link_t *link, uint64_t session);

/* Drops the output, and reports each copy that was not written to its sender as `undelivered NAME reason`. With
 * keep_line a line whose beginning was written stays, and its copy. Returns the number of copies that were returned. */
unsigned writer_return(session_writer_t *self, link_t *link, span_t name, int reason, bool keep_line);

/* Forgets whatever is left of the queue; the origins will not be told any more. */
void writer_forget(session_writer_t *self, link_t *link);

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
    return self->output.capacity + self->capacity * sizeof(queued_copy_t);
}

/* Bytes of it that wait for the client to read. */
static inline size_t writer_waiting(const session_writer_t *self)
{
    return buffer_size(&self->output) + (size_t)(self->next - self->written) * sizeof(queued_copy_t);
}

/* Copies that have not ended. */
static inline uint64_t writer_pending(const session_writer_t *self)
{
    return self->next - self->written - self->returned;
}

/* Whether some copy's end must still be told to its origin. */
static inline bool writer_owes(const session_writer_t *self)
{
    return self->first != self->next;
}

#endif
