/* SPDX-License-Identifier: MPL-2.0 */
/* [8] session_writer: in the common case a copy comes in and is written in the same turn, so that the acknowledgement
 * of its batch says it all, and leaves the queue some turns later together with many others, when the client's kernel
 * has acknowledged it. Only what the socket did not take is told as held, and told again when it was written. Nothing
 * can fail but the socket. Owner: the worker's thread. */
#include "gateway/session_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/error.h"

/* What is not given back when nothing waits, since the next burst needs it again. */
#define WRITER_KEEP_SIZE   4096 /* bytes of output */
#define WRITER_KEEP_COPIES 16

#define WRITER_LOOK_COUNT 64 /* unacknowledged copies; fewer make the look dear, more fall out of the cache */

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
    buffer_fini(&self->unacked);
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

static void writer_resize(session_writer_t *self, uint32_t capacity)
{
    queued_copy_t *copies = malloc(capacity * sizeof *copies);
    if (!copies)
        abort();
    for (uint64_t i = self->first; i < self->next; i++)
        copies[i & (capacity - 1)] = *writer_at(self, i);
    free(self->copies);
    self->copies = copies;
    self->capacity = capacity;
}

/* Appends the line of a numbered copy, as writer_put_line does, with its number in front. Returns its size. */
static size_t writer_put_numbered(session_writer_t *self, const body_copy_t *copy, span_t group)
{
    char number[24];
    size_t before = buffer_size(&self->unacked);
    size_t size = (size_t)snprintf(number, sizeof number, "%" PRIu64 " from ", self->number_next++);
    span_t parts[] = {span_of(number, size), copy->sender, span_str(group.size ? " " : ""), group, span_str(": "),
        copy->text, span_str("\n")};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        buffer_append(&self->unacked, parts[i].data, parts[i].size);
    size = buffer_size(&self->unacked) - before;
    if (!self->away)
        buffer_append(&self->output, self->unacked.data + self->unacked.end - size, size);
    self->position += self->away ? 0 : size;
    return size;
}

/* Appends `from SENDER: TEXT`, with the group's name behind the sender's if there is one. Returns the size of the line
 * if it has a number, else 0. */
static size_t writer_put_line(session_writer_t *self, const body_copy_t *copy, span_t group)
{
    if (self->numbered)
        return writer_put_numbered(self, copy, group);
    size_t size = 5 + copy->sender.size + (group.size ? 1 + group.size : 0) + 2 + copy->text.size + 1;
    uint8_t *at = buffer_reserve(&self->output, size);
    memcpy(at, "from ", 5);
    memcpy(at + 5, copy->sender.data, copy->sender.size);
    at += 5 + copy->sender.size;
    if (group.size) {
        *at = ' ';
        memcpy(at + 1, group.data, group.size);
        at += 1 + group.size;
    }
    memcpy(at, ": ", 2);
    memcpy(at + 2, copy->text.data, copy->text.size);
    at[2 + copy->text.size] = '\n';
    buffer_commit(&self->output, size);
    self->position += size;
    return 0;
}

/* The place in the queue of the copy whose line was put last; one with a number is held as one with a receipt is. */
static queued_copy_t *writer_queue(session_writer_t *self, const body_copy_t *copy, size_t line_size)
{
    if (self->next - self->first == self->capacity)
        writer_resize(self, self->capacity ? 2 * self->capacity : WRITER_KEEP_COPIES);
    bool receipt = copy->flags & BODY_FLAG_RECEIPT || line_size;
    self->receipts += receipt;
    queued_copy_t *queued = writer_at(self, self->next++);
    *queued = (queued_copy_t){.number = copy->number,
        .session = copy->session,
        .line_size = (uint32_t)line_size,
        .end = self->position,
        .receipt = receipt};
    return queued;
}

void writer_copy(session_writer_t *self, const body_copy_t *copy, origin_t *origin)
{
    size_t line_size = writer_put_line(self, copy, span_of(NULL, 0));
    writer_queue(self, copy, line_size)->origin = origin_take(origin);
}

void writer_forwarded(session_writer_t *self, const body_copy_t *copy, origin_t *origin, uint64_t number, span_t group)
{
    if (self->number_first == self->number_next)
        self->number_first = number;
    self->number_next = number;
    size_t line_size = writer_put_line(self, copy, group);
    writer_queue(self, copy, line_size)->origin = origin_take(origin);
}

void writer_answer(session_writer_t *self, const body_copy_t *copy, origin_t *origin, span_t label, span_t text)
{
    writer_line(self, (span_t[]){span_str("ok "), label, span_str(text.size ? " " : ""), text}, 4);
    writer_queue(self, copy, 0)->origin = origin_take(origin);
}

void writer_share(session_writer_t *self, const body_copy_t *copy, share_t *share)
{
    size_t line_size = writer_put_line(self, copy, share_group(share));
    queued_copy_t *queued = writer_queue(self, copy, line_size);
    queued->shared = true;
    queued->share = share_take(share);
    self->shares++;
}

/* Parts of groups' copies in [from, to). */
static uint64_t writer_shares_between(session_writer_t *self, uint64_t from, uint64_t to)
{
    uint64_t count = 0;
    for (uint64_t i = from; self->shares && i < to; i++)
        count += writer_at(self, i)->shared;
    return count;
}

/* Ends the parts of groups' copies below `end`. */
static void writer_end_shares(session_writer_t *self, uint64_t end)
{
    for (; self->shares && self->shares_ended < end; self->shares_ended++)
        if (writer_at(self, self->shares_ended)->shared)
            share_end(writer_at(self, self->shares_ended)->share);
    if (self->shares_ended < end)
        self->shares_ended = end;
}

/* Bytes of the stream that were written. */
static uint64_t writer_position(const session_writer_t *self)
{
    return self->position - buffer_size(&self->output);
}

/* Moves `written` to where the output says. Returns the copies that were written. */
static int writer_count_written(session_writer_t *self)
{
    uint64_t position = writer_position(self);
    int count = 0;
    for (; self->written < self->next && writer_at(self, self->written)->end <= position; self->written++)
        count += !writer_at(self, self->written)->returned;
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

void writer_end(session_writer_t *self, int fd)
{
    self->ended = true;
    shutdown(fd, SHUT_WR);
}

/* Lets the copies go that have ended and of which nothing is to be told. */
static void writer_release(session_writer_t *self, link_t *link)
{
    uint64_t end = self->told < self->acknowledged ? self->told : self->acknowledged;
    writer_end_shares(self, end);
    for (; self->first < end; self->first++) {
        const queued_copy_t *copy = writer_at(self, self->first);
        if (copy->shared) {
            share_release(copy->share);
            self->shares--;
        } else {
            origins_release(link_origins(link), copy->origin);
        }
    }
}

/* Bytes of the stream that the client's kernel has; N.B. the end of file is counted as one there. */
static uint64_t writer_acknowledged_position(const session_writer_t *self, int fd)
{
    int left = 0;
    if (!self->is_tcp)
        return writer_position(self);
    if (ioctl(fd, SIOCOUTQ, &left) != 0)
        return 0;
    return writer_position(self) - (uint64_t)(left - (self->ended && left > 0));
}

/* The first of the written copies counts as acknowledged. */
static void writer_pass(session_writer_t *self)
{
    const queued_copy_t *copy = writer_at(self, self->acknowledged++);
    self->returned -= copy->returned;
    self->receipts -= copy->receipt;
    if (!copy->line_size)
        return;
    buffer_consume(&self->unacked, copy->line_size);
    self->number_first++;
}

/* Whether a written copy has arrived: as its client says if it has a number, or else its kernel. */
static bool writer_has_arrived(const session_writer_t *self, const queued_copy_t *copy, uint64_t position)
{
    return copy->line_size && !self->lapsed ? self->acknowledged < self->confirmed : copy->end <= position;
}

uint64_t writer_acknowledge(session_writer_t *self, link_t *link, int fd)
{
    if (self->acknowledged == self->written)
        return 0;
    uint64_t position = writer_acknowledged_position(self, fd);
    uint64_t before = writer_pending(self);
    while (
        self->acknowledged < self->written && writer_has_arrived(self, writer_at(self, self->acknowledged), position))
        writer_pass(self);
    uint64_t left = writer_unacknowledged(self);
    self->look_count = left > WRITER_LOOK_COUNT / 2 ? (uint32_t)(2 * left) : WRITER_LOOK_COUNT;
    uint64_t delivered = before - writer_pending(self);
    writer_release(self, link);
    return delivered;
}

void writer_rest(session_writer_t *self)
{
    if (self->capacity <= WRITER_KEEP_COPIES)
        return;
    if (self->first == self->next)
        writer_free_copies(self);
    else if ((self->next - self->first) * 4 < self->capacity)
        writer_resize(self, self->capacity / 2);
}

/* The end of the copies of which nothing is held: those that are written, up to one with a receipt. */
static uint64_t writer_ended(session_writer_t *self)
{
    uint64_t end = self->written;
    for (uint64_t i = self->acknowledged; self->receipts && i < end; i++)
        if (writer_at(self, i)->receipt)
            end = i;
    return end;
}

bool writer_owes_receipt(const session_writer_t *self)
{
    return self->receipts && writer_unacknowledged(self);
}

/* Tells of the copies from that one on as held, but for those that are told of by their groups. */
static void writer_hold(session_writer_t *self, link_t *link, uint64_t session, uint64_t from, bool again)
{
    for (self->stated = from; self->stated < self->next; self->stated++) {
        const queued_copy_t *copy = writer_at(self, self->stated);
        if (!copy->shared)
            link_hold(link, session, copy->origin, copy->number, again);
    }
}

void writer_tell(session_writer_t *self, link_t *link, uint64_t session)
{
    uint64_t ended = writer_ended(self);
    uint64_t end = ended < self->stated ? ended : self->stated;
    writer_end_shares(self, ended);
    if (end > self->told && link_can_end(link)) {
        uint64_t count = end - self->told - writer_shares_between(self, self->told, end);
        if (count)
            link_end(link, session, (uint32_t)count);
        self->told = end;
    }
    if (self->told == self->stated && ended > self->stated)
        self->told = self->stated = ended;
    writer_release(self, link);
    if (link_state(link) < LINK_UP || link_state(link) >= LINK_PARTING)
        return;
    writer_hold(self, link, session, self->stated, false);
}

void writer_restate(session_writer_t *self, link_t *link, uint64_t session)
{
    uint64_t ended = writer_ended(self);
    if (self->told < ended)
        self->told = ended;
    writer_hold(self, link, session, self->told, true);
}

void writer_disown(session_writer_t *self)
{
    self->disowned_first = self->told;
    self->disowned_end = self->told = self->stated = self->next;
}

/* Bytes at the front of the output that end a line whose beginning was written. */
static size_t writer_tail(const session_writer_t *self)
{
    span_t output = buffer_span(&self->output);
    const char *end = self->mid_line && output.size ? memchr(output.data, '\n', output.size) : NULL;
    return end ? (size_t)(end - output.data) + 1 : 0;
}

void writer_report(session_writer_t *self, uint64_t index, const writer_loss_t *loss, int error)
{
    const queued_copy_t *copy = writer_at(self, index);
    if (copy->shared) {
        share_report(copy->share, loss->name, error, loss->reason, index < self->shares_ended);
        return;
    }
    if (index >= self->disowned_first && index < self->disowned_end)
        return;
    link_report(loss->link, loss->session,
        &(body_report_t){.error = (uint16_t)error,
            .reason = (uint16_t)loss->reason,
            .settled = index < self->told,
            .origin = copy->origin->node,
            .session = copy->session,
            .number = copy->number,
            .name = loss->name});
}

unsigned writer_return(session_writer_t *self, const writer_loss_t *loss)
{
    size_t tail = writer_tail(self);
    uint64_t kept_end = writer_position(self) + tail;
    unsigned count = 0;
    for (uint64_t i = self->written; i < self->next; i++) {
        queued_copy_t *copy = writer_at(self, i);
        if (copy->end <= kept_end)
            continue;
        if (!copy->returned) {
            writer_report(self, i, loss, FERRY_ERROR_UNDELIVERED);
            copy->returned = true;
            self->receipts -= copy->receipt;
            copy->receipt = false;
            count++;
        }
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

unsigned writer_doubt(session_writer_t *self, const writer_loss_t *loss)
{
    unsigned count = 0;
    for (; self->acknowledged < self->written; writer_pass(self)) {
        if (writer_at(self, self->acknowledged)->returned)
            continue;
        writer_report(self, self->acknowledged, loss, FERRY_ERROR_UNCONFIRMED);
        count++;
    }
    writer_release(self, loss->link);
    return count;
}

unsigned writer_lose(session_writer_t *self, const writer_loss_t *loss)
{
    self->mid_line = false;
    unsigned count = writer_return(self, loss);
    self->acknowledged = self->written;
    self->returned = self->receipts = 0;
    writer_release(self, loss->link);
    return count;
}

void writer_forget(session_writer_t *self, link_t *link)
{
    self->told = self->acknowledged = self->written = self->stated = self->next;
    self->returned = self->receipts = 0;
    writer_release(self, link);
}

uint64_t writer_queued(const session_writer_t *self)
{
    uint64_t count = self->next - self->written;
    for (uint64_t i = self->written; self->returned && i < self->next; i++)
        count -= self->copies[i & (self->capacity - 1)].returned;
    return count;
}

bool writer_became_paused(session_writer_t *self, const writer_limits_t *limits)
{
    size_t size = buffer_size(&self->output), unacked = buffer_size(&self->unacked);
    if (self->paused ||
        (size < limits->high_mark && unacked < limits->high_mark && writer_waiting(self) < limits->share))
        return false;
    return self->paused = true;
}

bool writer_became_resumed(session_writer_t *self, const writer_limits_t *limits)
{
    if (!self->paused || buffer_size(&self->output) > limits->low_mark ||
        buffer_size(&self->unacked) > limits->low_mark || writer_waiting(self) > limits->share / 4)
        return false;
    self->paused = false;
    return true;
}

/* Where in the stream the first copy ends that the client's kernel may not have. */
static uint64_t writer_acknowledged_end(session_writer_t *self)
{
    return self->acknowledged < self->next ? writer_at(self, self->acknowledged)->end : self->position;
}

bool writer_is_stalled(session_writer_t *self, const writer_limits_t *limits, uint64_t now_ms)
{
    uint64_t position = writer_position(self), acknowledged = writer_acknowledged_end(self);
    uint64_t since_ms = self->stall_since_ms;
    uint64_t written = position - self->stall_position, arrived = acknowledged - self->stall_acknowledged;
    if (since_ms && now_ms - since_ms < limits->stall_time_ms)
        return false;
    self->stall_since_ms = now_ms;
    self->stall_position = position;
    self->stall_acknowledged = acknowledged;
    return since_ms && (written > arrived ? written : arrived) * 1000 < limits->stall_rate * limits->stall_time_ms;
}

void writer_number(session_writer_t *self, uint64_t first)
{
    if (self->numbered)
        return;
    self->numbered = true;
    self->number_first = self->number_next = first;
}

bool writer_confirm(session_writer_t *self, uint64_t number)
{
    uint64_t next = self->number_first, confirmed = self->confirmed;
    for (uint64_t i = self->acknowledged; i < self->written && next <= number; i++)
        if (writer_at(self, i)->line_size) {
            next++;
            confirmed = i + 1;
        }
    if (number >= next)
        return false;
    self->confirmed = confirmed;
    return true;
}

void writer_lapse(session_writer_t *self)
{
    self->lapsed = true;
}

void writer_suspend(session_writer_t *self)
{
    self->away = true;
    self->blocked = self->mid_line = false;
    buffer_fini(&self->output);
}

void writer_abandon(session_writer_t *self, const writer_loss_t *loss, uint64_t *doubted, uint64_t *returned)
{
    for (; self->acknowledged < self->next; writer_pass(self)) {
        bool is_written = self->acknowledged < self->written;
        if (writer_at(self, self->acknowledged)->returned || writer_at(self, self->acknowledged)->passed)
            continue;
        writer_report(self, self->acknowledged, loss, is_written ? FERRY_ERROR_UNCONFIRMED : FERRY_ERROR_UNDELIVERED);
        ++*(is_written ? doubted : returned);
    }
    self->written = self->next;
    writer_release(self, loss->link);
}

size_t writer_line_size(const session_writer_t *self, uint64_t index)
{
    return self->copies[index & (self->capacity - 1)].line_size;
}

bool writer_numbered_at(const session_writer_t *self, uint64_t index, size_t offset, numbered_copy_t *copy)
{
    const queued_copy_t *queued = &self->copies[index & (self->capacity - 1)];
    if (!queued->line_size)
        return false;
    const char *line = (const char *)self->unacked.data + self->unacked.start + offset;
    const char *sender = (const char *)memchr(line, ' ', queued->line_size) + strlen(" from ");
    const char *end = line + queued->line_size - 1, *colon = memchr(sender, ':', (size_t)(end - sender));
    const char *space = memchr(sender, ' ', (size_t)(colon - sender));
    copy->number = strtoull(line, NULL, 10);
    copy->sender = span_of(sender, (size_t)((space ? space : colon) - sender));
    copy->group = space ? span_of(space + 1, (size_t)(colon - space - 1)) : span_of(NULL, 0);
    copy->text = span_of(colon + 2, (size_t)(end - colon - 2));
    return true;
}

void writer_pass_on(session_writer_t *self, uint64_t index)
{
    writer_at(self, index)->passed = true;
    while (self->acknowledged < self->next && writer_at(self, self->acknowledged)->passed) {
        if (self->written == self->acknowledged)
            self->written++;
        writer_pass(self);
    }
}
