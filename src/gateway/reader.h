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
    buffer_t input;     /* what was read and not taken */
    size_t scanned;     /* bytes of the input that are known to hold no end of a line */
    bool discarding;    /* within a line that was too long */
    bool ended;         /* the client's end of input was read, or nothing more is to be read */
    uint64_t lines;     /* complete lines after the first that were taken */
    unsigned bad_lines; /* in a row, that broke the protocol */
} reader_t;

void reader_fini(reader_t *self);

/* Whether the session wants bytes from its socket now. */
bool reader_is_wanted(const session_t *session);

/* The socket is readable: reads once and takes the lines. */
void reader_read(session_t *session);

/* Takes the lines that are in the buffer already, as far as they need not wait. */
void reader_go_on(session_t *session);

/* For the drain: reads what the kernel holds at this moment, takes its lines as far as none must wait, and reads no
 * more. */
void reader_finish(session_t *session);

/* Reads and drops what the client still writes. Returns false once it has closed its side. */
bool reader_discard(session_t *session);

#endif
