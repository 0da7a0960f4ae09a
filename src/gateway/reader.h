/* SPDX-License-Identifier: MPL-2.0 */
/* [1] reader: the bytes that a client wrote, cut into lines. What is not a whole line, or a line that must wait, stays
 * in its buffer; while a line waits nothing more is read, and TCP tells the client. Embedded in its session, whose
 * thread's it is. */
#ifndef FERRY_GATEWAY_READER_H
#define FERRY_GATEWAY_READER_H

#include "base/buffer.h"

typedef struct session session_t;

#define READER_CHUNK_SIZE (64 * 1024) /* the most that one read takes, bytes */

typedef struct {
    buffer_t input;      /* what was read and not taken */
    uint64_t lines;      /* complete lines after the first that were taken */
    uint32_t scanned;    /* bytes of the input that are known to hold no end of a line */
    uint32_t line_size;  /* bytes of the last message */
    unsigned bad_lines;  /* in a row, that broke the protocol */
    int left_size;       /* bytes that were left in the kernel for want of memory, without the end of a line; or 0 */
    size_t counted;      /* bytes of memory, as the worker counted them last */
    bool discarding : 1; /* within a line that was too long */
    bool starved : 1;    /* waits for memory, in the worker's list */
    bool choked : 1;     /* lines, or the end of input, wait until less output does */
    bool acks_only : 1;  /* in a drain: no other lines are taken, */
    bool acks_over : 1;  /* and nothing behind the first of those */
    bool ended : 1;      /* the client's end of input was read, or nothing more is to be read */
} reader_t;

void reader_fini(reader_t *self);

/* Bytes of scratch memory that a worker's readers share: what is left of a line, and a chunk. */
size_t reader_scratch_size(size_t line_size);

/* Whether the session wants bytes from its socket now. */
bool reader_is_wanted(const session_t *session);

/* Whether the memory budget lets the session go on: when memory is short nobody for whom more waits than its share, or
 * of whom more is under way; when it is full, only those whose lines are in memory already. */
bool reader_is_allowed(const session_t *session);

/* The socket is readable: reads once and takes the lines. While memory is short, what cannot be taken at once and is
 * more than the session's share stays in the kernel. A session that is not allowed to read waits for the worker's tick.
 */
void reader_read(session_t *session);

/* Takes the lines that are in the buffer already, as far as they need not wait. */
void reader_go_on(session_t *session);

/* The session waits until the worker's tick finds that it may read, or enough of what it sent is settled. */
void reader_starve(session_t *session);

/* A message of a session that waits for memory is settled: if that is enough, it goes on when it is flushed at the end
 * of the turn. */
void reader_on_settled(session_t *session);

/* The session is flushed: goes on with lines that waited until there was less to write, or less under way. */
void reader_go_on_flushed(session_t *session);

/* For the drain: reads what the kernel holds at this moment, takes its lines as far as none must wait, and reads no
 * more. */
void reader_finish(session_t *session);

/* Reads and drops what the client still writes. Returns 1 while more may come, 0 once it has closed its side, and -1
 * when the connection is lost. */
int reader_discard(session_t *session);

#endif
