/* SPDX-License-Identifier: MPL-2.0 */
/* [8] session_writer: in the common case a copy comes in and is written in the same turn, so that the acknowledgement
 * of its batch says it all, and leaves the queue some turns later together with many others, when the client's kernel
 * has acknowledged it. Only what the socket did not take is told as held, and told again when it was written. Nothing
 * can fail but the socket. More than 500 lines: all ends of a copy move the same six marks. Owner: the worker's thread.
 */
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

/* What is kept until nothing has come for a while, since the next turn needs it again. */
#define WRITER_KEEP_SIZE   4096 /* bytes of output */
#define WRITER_KEEP_COPIES 16

#define WRITER_LOOK_COUNT 64 /* unacknowledged copies; fewer make the look dear, more fall out of the cache */

const writer_queue_t writer_no_queue;

static queued_copy_t *queue_at(writer_queue_t *self, uint64_t index)
{
    return &self->copies[index & (self->capacity - 1)];
}

static const queued_copy_t *writer_at(const session_writer_t *self, uint64_t index)
{
    return queue_at(self->queue, index);
}

void writer_fini(session_writer_t *self)
{
    buffer_fini(&self->output);
    if (self->numbers)
        buffer_fini(&self->numbers->unacked);
    free(self->numbers);
    self->numbers = NULL;
    free(self->queue);
    self->queue = NULL;
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
    writer_queue_t *old = self->queue;
    writer_queue_t *queue = malloc(sizeof *queue + capacity * sizeof *queue->copies);
    if (!queue)
        abort();
    *queue = old ? *old : (writer_queue_t){0};
    queue->capacity = capacity;
    for (uint64_t i = queue->first; i < queue->next; i++)
        *queue_at(queue, i) = *queue_at(old, i);
    free(old);
    self->queue = queue;
}

/* Appends the line of a numbered copy, as writer_put_line does, with its number in front. Returns its size. */
static size_t writer_put_numbered(session_writer_t *self, const body_copy_t *copy, span_t group)
{
    char number[24];
    buffer_t *unacked = &self->numbers->unacked;
    size_t before = buffer_size(unacked);
    size_t size = (size_t)snprintf(number, sizeof number, "%" PRIu64 " from ", self->numbers->next++);
    span_t parts[] = {span_of(number, size), copy->sender, span_str(group.size ? " " : ""), group, span_str(": "),
        copy->text, span_str("\n")};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        buffer_append(unacked, parts[i].data, parts[i].size);
    size = buffer_size(unacked) - before;
    if (!self->away)
        buffer_append(&self->output, unacked->data + unacked->end - size, size);
    self->position += self->away ? 0 : size;
    return size;
}

/* Appends `from SENDER: TEXT`, with the group's name behind the sender's if there is one. Returns the size of the line
 * if it has a number, else 0. */
static size_t writer_put_line(session_writer_t *self, const body_copy_t *copy, span_t group)
{
    if (self->numbers)
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

typedef enum { COPY_OWN, COPY_SHARED, COPY_BY_SHORTCUT } copy_kind_t;

/* The place in the queue of the copy whose line was put last; one with a number is held as one with a receipt is.
 * N.B. its place has often left the cache, so that a field that is read again would be waited for. */
static queued_copy_t *writer_enqueue(
    session_writer_t *self, const body_copy_t *copy, size_t line_size, copy_kind_t kind)
{
    if (!self->queue)
        writer_resize(self, WRITER_KEEP_COPIES);
    else if (self->queue->next - self->queue->first == self->queue->capacity)
        writer_resize(self, 2 * self->queue->capacity);
    writer_queue_t *queue = self->queue;
    bool receipt = copy->flags & BODY_FLAG_RECEIPT || line_size;
    queue->receipts += receipt;
    queue->apart += kind != COPY_OWN;
    queued_copy_t *queued = queue_at(queue, queue->next++);
    *queued = (queued_copy_t){.number = copy->number,
        .session = copy->session,
        .line_size = (uint32_t)line_size,
        .end = self->position,
        .receipt = receipt,
        .shared = kind == COPY_SHARED,
        .by_shortcut = kind == COPY_BY_SHORTCUT};
    return queued;
}

void writer_copy(session_writer_t *self, const body_copy_t *copy, origin_t *origin)
{
    size_t line_size = writer_put_line(self, copy, span_of(NULL, 0));
    writer_enqueue(self, copy, line_size, COPY_OWN)->origin = origin_take(origin);
}

void writer_forwarded(session_writer_t *self, const body_copy_t *copy, origin_t *origin, uint64_t number, span_t group)
{
    writer_skip_to(self, number);
    size_t line_size = writer_put_line(self, copy, group);
    writer_enqueue(self, copy, line_size, COPY_OWN)->origin = origin_take(origin);
}

void writer_answer(session_writer_t *self, const body_copy_t *copy, origin_t *origin, span_t label, span_t text)
{
    writer_line(self, (span_t[]){span_str("ok "), label, span_str(text.size ? " " : ""), text}, 4);
    writer_enqueue(self, copy, 0, COPY_OWN)->origin = origin_take(origin);
}

void writer_share(session_writer_t *self, const body_copy_t *copy, share_t *share)
{
    size_t line_size = writer_put_line(self, copy, share_group(share));
    writer_enqueue(self, copy, line_size, COPY_SHARED)->share = share_take(share);
}

void writer_shortcut(session_writer_t *self, const body_copy_t *copy, shortcuts_t *shortcuts)
{
    writer_put_line(self, copy, span_of(NULL, 0));
    writer_enqueue(self, copy, 0, COPY_BY_SHORTCUT)->shortcuts = shortcuts;
}

static bool copy_is_apart(const queued_copy_t *self)
{
    return self->shared || self->by_shortcut;
}

/* Copies apart in [from, to). */
static uint64_t queue_apart_between(writer_queue_t *self, uint64_t from, uint64_t to)
{
    uint64_t count = 0;
    for (uint64_t i = from; self->apart && i < to; i++)
        count += copy_is_apart(queue_at(self, i));
    return count;
}

/* Ends the copies by shortcuts from that one on, up to `end`, as far as they are of the same sender. */
static void queue_end_shortcuts(writer_queue_t *self, uint64_t end)
{
    const queued_copy_t first = *queue_at(self, self->apart_ended);
    uint32_t count = 0;
    for (; self->apart_ended < end; self->apart_ended++, count++) {
        const queued_copy_t *copy = queue_at(self, self->apart_ended);
        if (!copy->by_shortcut || copy->failed || copy->session != first.session)
            break;
    }
    shortcuts_end(first.shortcuts, first.session, count);
}

/* Ends the copies apart below `end`. */
static void queue_end_apart(writer_queue_t *self, uint64_t end)
{
    while (self->apart && self->apart_ended < end) {
        const queued_copy_t *copy = queue_at(self, self->apart_ended);
        if (copy->by_shortcut && !copy->failed) {
            queue_end_shortcuts(self, end);
            continue;
        }
        self->apart_ended++;
        if (copy->shared)
            share_end(copy->share);
    }
    if (self->apart_ended < end)
        self->apart_ended = end;
}

/* Bytes of the stream that were written. */
static uint64_t writer_position(const session_writer_t *self)
{
    return self->position - buffer_size(&self->output);
}

/* Moves `written` to where the output says. Returns the copies that were written. */
static int writer_count_written(session_writer_t *self)
{
    writer_queue_t *queue = self->queue;
    uint64_t position = writer_position(self);
    int count = 0;
    for (; queue && queue->written < queue->next && queue_at(queue, queue->written)->end <= position; queue->written++)
        count += !queue_at(queue, queue->written)->returned;
    return count;
}

/* N.B. the kernel sends the last bytes with the end of file, which therefore follows at once. */
static ssize_t writer_put(const session_writer_t *self, int fd, span_t bytes)
{
    ssize_t size;
    do
        size = self->is_last ? send(fd, bytes.data, bytes.size, MSG_MORE) : write(fd, bytes.data, bytes.size);
    while (size < 0 && errno == EINTR);
    return size;
}

int writer_write(session_writer_t *self, int fd)
{
    span_t output = buffer_span(&self->output);
    if (output.size == 0)
        return 0;
    ssize_t size = writer_put(self, fd, output);
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
static void queue_release(writer_queue_t *self, link_t *link)
{
    uint64_t end = self->told < self->acknowledged ? self->told : self->acknowledged;
    queue_end_apart(self, end);
    for (; self->first < end; self->first++) {
        const queued_copy_t *copy = queue_at(self, self->first);
        self->apart -= copy_is_apart(copy);
        if (copy->shared)
            share_release(copy->share);
        else if (!copy->by_shortcut)
            origins_release(link_origins(link), copy->origin);
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
    writer_queue_t *queue = self->queue;
    const queued_copy_t *copy = queue_at(queue, queue->acknowledged++);
    queue->returned -= copy->returned;
    queue->receipts -= copy->receipt;
    if (!copy->line_size)
        return;
    buffer_consume(&self->numbers->unacked, copy->line_size);
    self->numbers->first++;
}

/* Whether a written copy has arrived: as its client says if it has a number, or else its kernel. */
static bool writer_has_arrived(const session_writer_t *self, const queued_copy_t *copy, uint64_t position)
{
    const writer_queue_t *queue = self->queue;
    return copy->line_size && !self->lapsed ? queue->acknowledged < queue->confirmed : copy->end <= position;
}

uint64_t writer_acknowledge(session_writer_t *self, link_t *link, int fd)
{
    writer_queue_t *queue = self->queue;
    if (!queue || queue->acknowledged == queue->written)
        return 0;
    uint64_t position = writer_acknowledged_position(self, fd);
    uint64_t before = writer_pending(self);
    while (queue->acknowledged < queue->written &&
           writer_has_arrived(self, queue_at(queue, queue->acknowledged), position))
        writer_pass(self);
    uint64_t left = writer_unacknowledged(self);
    queue->look_count = left > WRITER_LOOK_COUNT / 2 ? (uint32_t)(2 * left) : WRITER_LOOK_COUNT;
    uint64_t delivered = before - writer_pending(self);
    queue_release(queue, link);
    return delivered;
}

void writer_rest(session_writer_t *self)
{
    const writer_queue_t *queue = self->queue;
    buffer_shrink(&self->output, 0);
    if (self->numbers)
        buffer_shrink(&self->numbers->unacked, 0);
    if (!queue)
        return;
    if (queue->first == queue->next) {
        free(self->queue);
        self->queue = NULL;
    } else if (queue->capacity > WRITER_KEEP_COPIES && (queue->next - queue->first) * 4 < queue->capacity) {
        writer_resize(self, queue->capacity / 2);
    }
}

/* The end of the copies of which nothing is held: those that are written, up to one with a receipt. */
static uint64_t queue_ended(writer_queue_t *self)
{
    uint64_t end = self->written;
    for (uint64_t i = self->acknowledged; self->receipts && i < end; i++)
        if (queue_at(self, i)->receipt)
            end = i;
    return end;
}

bool writer_owes_receipt(const session_writer_t *self)
{
    return writer_queue(self)->receipts && writer_unacknowledged(self);
}

/* Tells of the copies from that one on as held, but for those apart. */
static void queue_hold(writer_queue_t *self, link_t *link, uint64_t session, uint64_t from, bool again)
{
    for (self->stated = from; self->stated < self->next; self->stated++) {
        const queued_copy_t *copy = queue_at(self, self->stated);
        if (!copy_is_apart(copy))
            link_hold(link, session, copy->origin, copy->number, again);
    }
}

void writer_tell(session_writer_t *self, link_t *link, uint64_t session)
{
    writer_queue_t *queue = self->queue;
    if (!queue)
        return;
    uint64_t ended = queue_ended(queue);
    uint64_t end = ended < queue->stated ? ended : queue->stated;
    queue_end_apart(queue, ended);
    if (end > queue->told && link_can_end(link)) {
        uint64_t count = end - queue->told - queue_apart_between(queue, queue->told, end);
        if (count)
            link_end(link, session, (uint32_t)count);
        queue->told = end;
    }
    if (queue->told == queue->stated && ended > queue->stated)
        queue->told = queue->stated = ended;
    queue_release(queue, link);
    if (link_state(link) < LINK_UP || link_state(link) >= LINK_PARTING)
        return;
    queue_hold(queue, link, session, queue->stated, false);
}

void writer_restate(session_writer_t *self, link_t *link, uint64_t session)
{
    writer_queue_t *queue = self->queue;
    if (!queue)
        return;
    uint64_t ended = queue_ended(queue);
    if (queue->told < ended)
        queue->told = ended;
    queue_hold(queue, link, session, queue->told, true);
}

void writer_disown(session_writer_t *self)
{
    writer_queue_t *queue = self->queue;
    if (!queue)
        return;
    queue->disowned_first = queue->told;
    queue->disowned_end = queue->told = queue->stated = queue->next;
}

/* Bytes at the front of the output that end a line whose beginning was written. */
static size_t writer_tail(const session_writer_t *self)
{
    span_t output = buffer_span(&self->output);
    const char *end = self->mid_line && output.size ? memchr(output.data, '\n', output.size) : NULL;
    return end ? (size_t)(end - output.data) + 1 : 0;
}

/* Reports a copy that came by a shortcut, which ends there if it had not ended. */
static void queue_fail(writer_queue_t *self, uint64_t index, const writer_loss_t *loss, int error)
{
    queued_copy_t *copy = queue_at(self, index);
    bool has_ended = copy->failed || index < self->apart_ended;
    copy->failed = true;
    shortcuts_fail(copy->shortcuts, copy->session, has_ended, loss->name, error, loss->reason);
}

void writer_report(session_writer_t *self, uint64_t index, const writer_loss_t *loss, int error)
{
    const queued_copy_t *copy = writer_at(self, index);
    if (copy->by_shortcut) {
        queue_fail(self->queue, index, loss, error);
        return;
    }
    if (copy->shared) {
        share_report(copy->share, loss->name, error, loss->reason, index < self->queue->apart_ended);
        return;
    }
    if (index >= self->queue->disowned_first && index < self->queue->disowned_end)
        return;
    link_report(loss->link, loss->session,
        &(body_report_t){.error = (uint16_t)error,
            .reason = (uint16_t)loss->reason,
            .settled = index < self->queue->told,
            .origin = copy->origin->node,
            .session = copy->session,
            .number = copy->number,
            .name = loss->name});
}

/* Returns the copies whose lines end behind that position, at which they end from then on. */
static unsigned writer_return_behind(session_writer_t *self, uint64_t kept_end, const writer_loss_t *loss)
{
    writer_queue_t *queue = self->queue;
    unsigned count = 0;
    for (uint64_t i = queue->written; i < queue->next; i++) {
        queued_copy_t *copy = queue_at(queue, i);
        if (copy->end <= kept_end)
            continue;
        if (!copy->returned) {
            writer_report(self, i, loss, FERRY_ERROR_UNDELIVERED);
            copy->returned = true;
            queue->receipts -= copy->receipt;
            copy->receipt = false;
            count++;
        }
        copy->end = kept_end;
    }
    queue->returned += count;
    return count;
}

unsigned writer_return(session_writer_t *self, const writer_loss_t *loss)
{
    size_t tail = writer_tail(self);
    uint64_t kept_end = writer_position(self) + tail;
    unsigned count = self->queue ? writer_return_behind(self, kept_end, loss) : 0;
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
    writer_queue_t *queue = self->queue;
    unsigned count = 0;
    if (!queue)
        return 0;
    for (; queue->acknowledged < queue->written; writer_pass(self)) {
        if (queue_at(queue, queue->acknowledged)->returned)
            continue;
        writer_report(self, queue->acknowledged, loss, FERRY_ERROR_UNCONFIRMED);
        count++;
    }
    queue_release(queue, loss->link);
    return count;
}

unsigned writer_lose(session_writer_t *self, const writer_loss_t *loss)
{
    writer_queue_t *queue = self->queue;
    self->mid_line = false;
    unsigned count = writer_return(self, loss);
    if (!queue)
        return count;
    queue->acknowledged = queue->written;
    queue->returned = queue->receipts = 0;
    queue_release(queue, loss->link);
    return count;
}

void writer_forget(session_writer_t *self, link_t *link)
{
    writer_queue_t *queue = self->queue;
    if (!queue)
        return;
    queue->told = queue->acknowledged = queue->written = queue->stated = queue->next;
    queue->returned = queue->receipts = 0;
    queue_release(queue, link);
}

uint64_t writer_queued(const session_writer_t *self)
{
    const writer_queue_t *queue = writer_queue(self);
    uint64_t count = queue->next - queue->written;
    for (uint64_t i = queue->written; queue->returned && i < queue->next; i++)
        count -= writer_at(self, i)->returned;
    return count;
}

bool writer_is_over(const session_writer_t *self, const writer_limits_t *limits)
{
    return buffer_size(&self->output) >= limits->high_mark || writer_unacked_size(self) >= limits->high_mark ||
           writer_waiting(self) >= limits->share;
}

bool writer_became_paused(session_writer_t *self, const writer_limits_t *limits)
{
    if (self->paused || !writer_is_over(self, limits))
        return false;
    return self->paused = true;
}

bool writer_became_resumed(session_writer_t *self, const writer_limits_t *limits)
{
    if (!self->paused || buffer_size(&self->output) > limits->low_mark ||
        writer_unacked_size(self) > limits->low_mark || writer_waiting(self) > limits->share / 4)
        return false;
    self->paused = false;
    return true;
}

/* Where in the stream the first copy ends that the client's kernel may not have. */
static uint64_t writer_acknowledged_end(const session_writer_t *self)
{
    const writer_queue_t *queue = writer_queue(self);
    return queue->acknowledged < queue->next ? writer_at(self, queue->acknowledged)->end : self->position;
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
    if (self->numbers)
        return;
    self->numbers = calloc(1, sizeof *self->numbers);
    if (!self->numbers)
        abort();
    self->numbers->first = self->numbers->next = first;
}

uint64_t writer_next_number(const session_writer_t *self)
{
    return self->numbers ? self->numbers->next : 0;
}

void writer_skip_to(session_writer_t *self, uint64_t number)
{
    writer_numbers_t *numbers = self->numbers;
    if (numbers->first == numbers->next)
        numbers->first = number;
    numbers->next = number;
}

bool writer_confirm(session_writer_t *self, uint64_t number)
{
    const writer_queue_t *queue = writer_queue(self);
    uint64_t next = self->numbers->first, confirmed = queue->confirmed;
    for (uint64_t i = queue->acknowledged; i < queue->written && next <= number; i++)
        if (writer_at(self, i)->line_size) {
            next++;
            confirmed = i + 1;
        }
    if (number >= next)
        return false;
    if (self->queue)
        self->queue->confirmed = confirmed;
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
    writer_queue_t *queue = self->queue;
    if (!queue)
        return;
    for (; queue->acknowledged < queue->next; writer_pass(self)) {
        bool is_written = queue->acknowledged < queue->written;
        const queued_copy_t *copy = queue_at(queue, queue->acknowledged);
        if (copy->returned || copy->passed)
            continue;
        writer_report(self, queue->acknowledged, loss, is_written ? FERRY_ERROR_UNCONFIRMED : FERRY_ERROR_UNDELIVERED);
        ++*(is_written ? doubted : returned);
    }
    queue->written = queue->next;
    queue_release(queue, loss->link);
}

size_t writer_line_size(const session_writer_t *self, uint64_t index)
{
    return writer_at(self, index)->line_size;
}

bool writer_numbered_at(const session_writer_t *self, uint64_t index, size_t offset, numbered_copy_t *copy)
{
    const queued_copy_t *queued = writer_at(self, index);
    if (!queued->line_size)
        return false;
    const char *line = buffer_span(&self->numbers->unacked).data + offset;
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
    writer_queue_t *queue = self->queue;
    queue_at(queue, index)->passed = true;
    while (queue->acknowledged < queue->next && queue_at(queue, queue->acknowledged)->passed) {
        if (queue->written == queue->acknowledged)
            queue->written++;
        writer_pass(self);
    }
}
