/* SPDX-License-Identifier: MPL-2.0 */
/* [8] session_writer: in the common case a copy comes in, is written in the same turn, and leaves the queue untold: the
 * acknowledgement of its batch says it all. Only what the socket did not take is told as held, and told again when it
 * has ended. Nothing can fail but the socket. Owner: the worker's thread. */
#include "gateway/session_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "wire/error.h"

/* What is not given back when nothing waits, since the next burst needs it again. */
#define WRITER_KEEP_SIZE   4096 /* bytes of output */
#define WRITER_KEEP_COPIES 16

static queued_copy_t *writer_at(session_writer_t *self, uint64_t index)
{
    return &self->copies[index & (self->capacity - 1)];
}

static void writer_free_copies(session_writer_t *self)
{
    free(self->copies);
    self->copies = NULL;
    self->capacity = 0;
}

void writer_fini(session_writer_t *self)
{
    buffer_fini(&self->output);
    writer_free_copies(self);
}

void writer_line(session_writer_t *self, const span_t *parts, size_t count)
{
    size_t before = buffer_size(&self->output);
    for (size_t i = 0; i < count; i++)
        buffer_append(&self->output, parts[i].data, parts[i].size);
    buffer_append(&self->output, "\n", 1);
    self->position += buffer_size(&self->output) - before;
}

static void writer_grow(session_writer_t *self)
{
    uint32_t capacity = self->capacity ? 2 * self->capacity : WRITER_KEEP_COPIES;
    queued_copy_t *copies = malloc(capacity * sizeof *copies);
    if (!copies)
        abort();
    for (uint64_t i = self->first; i < self->next; i++)
        copies[i & (capacity - 1)] = *writer_at(self, i);
    free(self->copies);
    self->copies = copies;
    self->capacity = capacity;
}

void writer_copy(session_writer_t *self, const body_copy_t *copy, origin_t *origin)
{
    size_t size = 5 + copy->sender.size + 2 + copy->text.size + 1;
    uint8_t *at = buffer_reserve(&self->output, size);
    memcpy(at, "from ", 5);
    memcpy(at + 5, copy->sender.data, copy->sender.size);
    at += 5 + copy->sender.size;
    memcpy(at, ": ", 2);
    memcpy(at + 2, copy->text.data, copy->text.size);
    at[2 + copy->text.size] = '\n';
    buffer_commit(&self->output, size);
    self->position += size;
    if (self->next - self->first == self->capacity)
        writer_grow(self);
    *writer_at(self, self->next++) = (queued_copy_t){
        .origin = origin_take(origin), .number = copy->number, .session = copy->session, .end = self->position};
}

/* Moves `written` to where the output says. Returns the copies that were written. */
static int writer_count_written(session_writer_t *self)
{
    uint64_t position = self->position - buffer_size(&self->output);
    int count = 0;
    for (; self->written < self->next && writer_at(self, self->written)->end <= position; self->written++) {
        bool returned = writer_at(self, self->written)->returned;
        self->returned -= returned;
        count += !returned;
    }
    return count;
}

int writer_write(session_writer_t *self, int fd)
{
    span_t output = buffer_span(&self->output);
    if (output.size == 0)
        return 0;
    ssize_t size;
    do
        size = write(fd, output.data, output.size);
    while (size < 0 && errno == EINTR);
    if (size < 0 && errno != EAGAIN)
        return -1;
    self->blocked = size < (ssize_t)output.size;
    if (size > 0) {
        self->mid_line = output.data[size - 1] != '\n';
        buffer_consume(&self->output, (size_t)size);
        buffer_shrink(&self->output, WRITER_KEEP_SIZE);
    }
    return writer_count_written(self);
}

/* Lets the oldest `count` copies go. */
static void writer_pop(session_writer_t *self, link_t *link, uint64_t count)
{
    for (; count > 0; count--)
        origins_release(link_origins(link), writer_at(self, self->first++)->origin);
    if (self->stated < self->first)
        self->stated = self->first;
    if (self->first == self->next && self->capacity > WRITER_KEEP_COPIES)
        writer_free_copies(self);
}

void writer_tell(session_writer_t *self, link_t *link, uint64_t session)
{
    uint64_t told_end = self->written < self->stated ? self->written : self->stated;
    if (told_end > self->first && link_can_end(link)) {
        link_end(link, session, (uint32_t)(told_end - self->first));
        writer_pop(self, link, told_end - self->first);
    }
    if (self->first == self->stated && self->written > self->first)
        writer_pop(self, link, self->written - self->first);
    if (link_state(link) < LINK_UP || link_state(link) >= LINK_PARTING)
        return;
    for (; self->stated < self->next; self->stated++) {
        queued_copy_t *copy = writer_at(self, self->stated);
        link_hold(link, session, copy->origin, copy->number, false);
    }
}

void writer_restate(session_writer_t *self, link_t *link, uint64_t session)
{
    for (uint64_t i = self->first; i < self->next; i++)
        link_hold(link, session, writer_at(self, i)->origin, writer_at(self, i)->number, true);
    self->stated = self->next;
}

/* Bytes at the front of the output that end a line whose beginning was written. */
static size_t writer_tail(const session_writer_t *self)
{
    span_t output = buffer_span(&self->output);
    const char *end = self->mid_line && output.size ? memchr(output.data, '\n', output.size) : NULL;
    return end ? (size_t)(end - output.data) + 1 : 0;
}

/* Ends a copy that will not be written. Returns false if it was ended before. */
static bool writer_return_copy(queued_copy_t *copy, link_t *link, span_t name, int reason)
{
    if (copy->returned)
        return false;
    copy->returned = true;
    link_report(link, &(body_report_t){.error = FERRY_ERROR_UNDELIVERED,
                          .reason = (uint16_t)reason,
                          .origin = copy->origin->node,
                          .session = copy->session,
                          .number = copy->number,
                          .name = name});
    return true;
}

unsigned writer_return(session_writer_t *self, link_t *link, span_t name, int reason, bool keep_line)
{
    size_t tail = keep_line ? writer_tail(self) : 0;
    uint64_t kept_end = self->position - buffer_size(&self->output) + tail;
    unsigned count = 0;
    for (uint64_t i = self->written; i < self->next; i++) {
        queued_copy_t *copy = writer_at(self, i);
        if (copy->end <= kept_end)
            continue;
        count += writer_return_copy(copy, link, name, reason);
        copy->end = kept_end;
    }
    self->returned += count;
    self->output.end = self->output.start + tail;
    self->position = kept_end;
    if (!tail) {
        buffer_fini(&self->output);
        self->blocked = false;
        writer_count_written(self);
    }
    return count;
}

void writer_forget(session_writer_t *self, link_t *link)
{
    writer_pop(self, link, self->next - self->first);
}

bool writer_became_paused(session_writer_t *self, const writer_limits_t *limits)
{
    if (self->paused || (buffer_size(&self->output) < limits->high_mark && writer_waiting(self) < limits->share))
        return false;
    return self->paused = true;
}

bool writer_became_resumed(session_writer_t *self, const writer_limits_t *limits)
{
    if (!self->paused || buffer_size(&self->output) > limits->low_mark || writer_waiting(self) > limits->share / 4)
        return false;
    self->paused = false;
    return true;
}

bool writer_is_stalled(session_writer_t *self, const writer_limits_t *limits, uint64_t now_ms)
{
    uint64_t position = self->position - buffer_size(&self->output);
    if (!self->stall_since_ms) {
        self->stall_since_ms = now_ms;
        self->stall_position = position;
        return false;
    }
    if (now_ms - self->stall_since_ms < limits->stall_time_ms)
        return false;
    bool stalled = (position - self->stall_position) * 1000 < limits->stall_rate * limits->stall_time_ms;
    self->stall_since_ms = now_ms;
    self->stall_position = position;
    return stalled;
}
