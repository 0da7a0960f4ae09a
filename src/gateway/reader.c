/* SPDX-License-Identifier: MPL-2.0 */
/* [1] reader: one read(2) a burst into the worker's scratch buffer; lines are parsed where they lie, and only what is
 * left is copied into the session's own buffer. A line that must wait (for a name that is paused, for room on a link,
 * for what is on its way to a name) is left unparsed. Owner: the worker's thread. */
#include "gateway/reader.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/reader_lines.h"
#include "gateway/worker.h"

#define READER_PIECE_SIZE   4096 /* the least that one read takes, if it is there */
#define LINE_END_SIZE       2    /* "\r\n" */
#define READER_RECEIPTS_MAX 1000 /* due to one session; each takes some 200 bytes */

void reader_fini(reader_t *self)
{
    buffer_fini(&self->input);
}

/* The most that is looked at in the kernel: a whole line at least. */
static size_t reader_peek_size(size_t line_size)
{
    return line_size + LINE_END_SIZE > READER_CHUNK_SIZE ? line_size + LINE_END_SIZE : READER_CHUNK_SIZE;
}

size_t reader_scratch_size(size_t line_size)
{
    return line_size + LINE_END_SIZE + reader_peek_size(line_size);
}

/* Answers and errors are output too: a session with much of it, or to which many receipts are due, takes no lines,
 * which would make more. */
static bool reader_has_room(const session_t *session)
{
    return buffer_size(&session->writer.output) < session->worker->limits.writer.high_mark &&
           session->party.open_receipts < READER_RECEIPTS_MAX && session->party.request_count < READER_RECEIPTS_MAX;
}

static bool reader_takes_lines(const session_t *session)
{
    return (session->state == SESSION_LOGIN || session->state == SESSION_OPEN) && !list_has(&session->waiting) &&
           !session->reader.acks_over && reader_has_room(session);
}

bool reader_is_wanted(const session_t *session)
{
    return reader_takes_lines(session) && !session->reader.ended;
}

bool reader_is_allowed(const session_t *session)
{
    const worker_t *worker = session->worker;
    size_t share = worker->limits.writer.share;
    if (share == SIZE_MAX)
        return true;
    size_t open = session->party.open_messages * (session->reader.line_size + WRITER_COPY_SIZE);
    bool full = worker->full && buffer_size(&session->reader.input) == 0;
    return !full && writer_waiting(&session->writer) < share &&
           open < (share < READER_PIECE_SIZE ? READER_PIECE_SIZE : share);
}

void reader_starve(session_t *session)
{
    session->reader.starved = true;
    list_append(&session->worker->starved, &session->waiting);
}

void reader_on_settled(session_t *session)
{
    if (!reader_is_allowed(session))
        return;
    session->reader.starved = false;
    session->reader.choked = true;
    list_remove(&session->waiting);
    worker_dirty(session);
}

/* Takes whole lines off the front of `data`; the first `scanned` bytes are known to hold no end. Returns the bytes that
 * were taken: all of them once nothing more is wanted of this client. */
static size_t reader_take(session_t *session, span_t data, size_t scanned)
{
    reader_t *self = &session->reader;
    size_t line_max = session->worker->limits.line.line_size + 1; /* and a "\r" */
    size_t at = 0;
    while (at < data.size && reader_takes_lines(session)) {
        const char *end = memchr(data.data + at + scanned, '\n', data.size - at - scanned);
        if (!end)
            break;
        scanned = 0;
        span_t text = span_of(data.data + at, (size_t)(end - data.data) - at);
        if (self->discarding) {
            self->discarding = false;
            reader_refuse_long(session);
        } else if (text.size > line_max) {
            reader_refuse_long(session);
        } else if (!reader_take_line(session, text)) {
            return at;
        }
        at += text.size + 1;
    }
    if (reader_takes_lines(session) && (self->discarding || data.size - at > line_max)) {
        self->discarding = true;
        return data.size;
    }
    return session->state > SESSION_OPEN ? data.size : at;
}

/* What follows when no more lines can be taken of what was read. */
static void reader_end(session_t *session)
{
    reader_t *self = &session->reader;
    self->choked = !reader_has_room(session) && (self->ended || buffer_size(&self->input));
    if (!self->ended || !reader_takes_lines(session))
        return;
    if (buffer_size(&self->input) || self->discarding) {
        if (session->state == SESSION_LOGIN) {
            session_fail(session, FERRY_ERROR_INCOMPLETE_LINE, span_of(NULL, 0), CLOSE_LOGIN);
            return;
        }
        session_error(session, FERRY_ERROR_INCOMPLETE_LINE, span_of(NULL, 0));
    }
    buffer_fini(&self->input);
    if (writer_is_numbered(&session->writer) && session->state == SESSION_OPEN) {
        session_cut(session, CLOSE_CLIENT_GONE); /* who means it says /quit */
        return;
    }
    session_quit(session, session->state == SESSION_LOGIN ? CLOSE_LOGIN : CLOSE_QUIT);
}

void reader_go_on_flushed(session_t *session)
{
    if (session->reader.choked && reader_has_room(session))
        reader_go_on(session);
}

void reader_go_on(session_t *session)
{
    reader_t *self = &session->reader;
    self->starved = list_has(&session->waiting) && self->starved;
    size_t taken = reader_take(session, buffer_span(&self->input), self->scanned);
    buffer_consume(&self->input, taken);
    self->scanned = reader_takes_lines(session) ? (uint32_t)buffer_size(&self->input) : 0;
    buffer_shrink(&self->input, 0);
    reader_end(session);
}

/* Takes lines from bytes that were read into scratch, and keeps the rest. */
static void reader_take_chunk(session_t *session, const uint8_t *chunk, size_t size)
{
    reader_t *self = &session->reader;
    if (buffer_size(&self->input) == 0) {
        size_t taken = reader_take(session, span_of((const char *)chunk, size), 0);
        buffer_append(&self->input, chunk + taken, size - taken);
        self->scanned = reader_takes_lines(session) ? (uint32_t)(size - taken) : 0;
        reader_end(session);
    } else {
        buffer_append(&self->input, chunk, size);
        reader_go_on(session);
    }
    worker_memory_count(session);
}

/* There is nothing to read: the end of input, or nothing yet, or the connection is lost. Returns rc. */
static ssize_t reader_read_nothing(session_t *session, ssize_t rc)
{
    if (rc == 0) {
        session->reader.ended = true;
        reader_end(session);
    } else if (errno != EAGAIN) {
        session_cut(session, CLOSE_CLIENT_GONE);
    }
    return rc;
}

static ssize_t reader_receive(const session_t *session, uint8_t *to, size_t size, int flags)
{
    ssize_t rc;
    do
        rc = flags ? recv(session->fd, to, size, flags) : read(session->fd, to, size);
    while (rc < 0 && errno == EINTR);
    return rc;
}

/* Reads at most `size` bytes and takes their lines. Returns what was read, 0 at the end of input, or -1 when nothing is
 * there or the session was cut. */
static ssize_t reader_read_some(session_t *session, size_t size)
{
    uint8_t *scratch = session->worker->scratch;
    ssize_t rc = reader_receive(session, scratch, size < READER_CHUNK_SIZE ? size : READER_CHUNK_SIZE, 0);
    if (rc <= 0)
        return reader_read_nothing(session, rc);
    reader_take_chunk(session, scratch, (size_t)rc);
    return rc;
}

/* Looks at what the kernel holds, without taking it, behind what is in the buffer already, which is put before it: as
 * much as the session's share, or one line if that is longer, and no more than `most`. Returns as recv does. */
static ssize_t reader_peek(const session_t *session, uint8_t *to, size_t most)
{
    size_t share = session->worker->limits.writer.share, least = READER_PIECE_SIZE;
    size_t size = share < least ? least : share;
    if (size >= most)
        return reader_receive(session, to, most, MSG_PEEK);
    ssize_t rc = reader_receive(session, to, size, MSG_PEEK);
    if (rc < (ssize_t)size || memrchr(to, '\n', size))
        return rc;
    rc = reader_receive(session, to, most, MSG_PEEK);
    const uint8_t *end = rc > 0 ? memchr(to, '\n', (size_t)rc) : NULL;
    return end ? end + 1 - to : rc;
}

/* Whether the rest of what was looked at must come into the buffer: it is little, or the kernel will not hold more. */
static bool reader_keeps(const session_t *session, size_t size)
{
    const worker_limits_t *limits = &session->worker->limits;
    return buffer_size(&session->reader.input) + size <= limits->writer.share || session->half_closed ||
           size >= (size_t)limits->receive_buffer_size / 2;
}

/* Takes lines of what was looked at, of which `held` bytes are in the buffer as well. Returns how many bytes of the
 * kernel's are done with. */
static size_t reader_take_peeked(session_t *session, span_t data, size_t held)
{
    reader_t *self = &session->reader;
    size_t taken = reader_take(session, data, self->scanned);
    size_t done = taken > held ? taken - held : 0;
    size_t rest = data.size - held - done;
    buffer_consume(&self->input, taken < held ? taken : held);
    self->left_size = 0;
    if (rest && !self->starved && reader_keeps(session, rest)) {
        buffer_append(&self->input, data.data + held + done, rest);
        done += rest;
    } else if (rest && reader_takes_lines(session)) {
        self->left_size = (int)rest;
        reader_starve(session);
    }
    self->scanned = reader_takes_lines(session) ? (uint32_t)buffer_size(&self->input) : 0;
    buffer_shrink(&self->input, 0);
    reader_end(session);
    worker_memory_count(session);
    return done;
}

/* Whether the kernel still holds just what was left there. */
static bool reader_has_no_news(const session_t *session)
{
    int size;
    return session->reader.left_size && !session->half_closed &&
           (size_t)session->reader.left_size > session->worker->limits.writer.share &&
           ioctl(session->fd, FIONREAD, &size) == 0 && size == session->reader.left_size;
}

/* Takes lines where the kernel holds them, so that what must wait, waits there. Returns what was taken of `size` bytes
 * at most, or else as reader_read_some does. */
static ssize_t reader_read_sparingly(session_t *session, size_t size)
{
    reader_t *self = &session->reader;
    uint8_t *scratch = session->worker->scratch;
    size_t held = buffer_size(&self->input);
    size_t most = reader_peek_size(session->worker->limits.line.line_size);
    if (reader_has_no_news(session)) {
        reader_starve(session);
        return -1;
    }
    if (held)
        memcpy(scratch, buffer_span(&self->input).data, held);
    ssize_t rc = reader_peek(session, scratch + held, size < most ? size : most);
    if (rc <= 0)
        return reader_read_nothing(session, rc);
    size_t done = reader_take_peeked(session, span_of((const char *)scratch, held + (size_t)rc), held);
    if (done && session->fd >= 0)
        reader_receive(session, scratch, done, 0);
    return done ? (ssize_t)done : -1;
}

/* Whether what is left in the buffer is no more than the beginning of a line, for which scratch memory has room. */
static bool reader_is_within_line(const session_t *session)
{
    return buffer_size(&session->reader.input) <= session->worker->limits.line.line_size + LINE_END_SIZE;
}

/* Reads at most `size` bytes in the way that the budget asks for. */
static ssize_t reader_read_once(session_t *session, size_t size)
{
    if (session->worker->full || !reader_is_allowed(session)) {
        reader_starve(session);
        return -1;
    }
    if (session->worker->limits.writer.share < SIZE_MAX && reader_is_within_line(session))
        return reader_read_sparingly(session, size);
    return reader_read_some(session, size);
}

void reader_read(session_t *session)
{
    reader_read_once(session, SIZE_MAX);
}

void reader_finish(session_t *session)
{
    int size = 0;
    if (ioctl(session->fd, FIONREAD, &size) != 0)
        size = 0;
    while (size > 0 && session->state == SESSION_OPEN && reader_is_wanted(session)) {
        ssize_t rc = reader_read_once(session, (size_t)size);
        if (rc <= 0)
            break;
        size -= (int)rc;
    }
}

int reader_discard(session_t *session)
{
    ssize_t rc;
    int budget = 16;
    do
        rc = read(session->fd, session->worker->scratch, READER_CHUNK_SIZE);
    while ((rc > 0 && --budget > 0) || (rc < 0 && errno == EINTR));
    if (rc < 0 && errno == EAGAIN)
        return 1;
    return rc > 0 ? 1 : (int)rc;
}
