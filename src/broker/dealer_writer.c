/* SPDX-License-Identifier: MPL-2.0 */
/* dealer_writer [6]: copies and notices are appended to a body; a body that is full, or that a turn has ended with, is
 * sealed: it gets its sequence and its ZeroMQ message, which the I/O thread and the wait for the acknowledgement share.
 * The refs say what an acknowledgement settles: runs of messages of the senders' batches, in the order of the bodies,
 * so that acknowledging is a walk from the front. The only failure is a DEALER that is gone; then batches wait for the
 * node to be given up, or to open a new link. Owner: the router's thread. */
#include "broker/dealer_writer.h"

#include <assert.h>
#include <stdlib.h>

#include "base/handover.h"
#include "broker/dealer_writer_internal.h"
#include "wire/bytes.h"

#define BODY_COPIED_MAX 1024 /* a body up to this size is copied, and its buffer is used again */
#define COPY_ROOM       128  /* what a copy may need besides its text, sender and sessions, with its RUN; generous */

/* `copies` copies of each of `count` messages of `batch` from `index` on. */
typedef struct {
    inbatch_t *batch;
    uint32_t index;
    uint32_t count;
    uint32_t copies;
} ref_t;

void dealer_writer_init(dealer_writer_t *self, void *socket, size_t batch_size)
{
    *self = (dealer_writer_t){.socket = socket, .batch_size = batch_size};
}

void dealer_writer_connect(dealer_writer_t *self, span_t routing_id, uint32_t epoch)
{
    buffer_clear(&self->early);
    buffer_clear(&self->controls);
    self->routing_id = routing_id;
    self->epoch = epoch;
    self->connected = true;
    self->due = self->is_held_back = false;
}

static uint64_t dealer_writer_sent(const dealer_writer_t *self)
{
    return self->unsent ? self->unsent->sequence - 1 : self->sequence;
}

bool dealer_writer_has_sent(const dealer_writer_t *self, uint64_t sequence)
{
    return sequence >= self->sequence_acknowledged && sequence <= dealer_writer_sent(self);
}

void dealer_writer_rewind(dealer_writer_t *self, uint64_t sequence)
{
    assert(dealer_writer_has_sent(self, sequence));
    self->is_held_back = true;
    self->unsent = self->first;
    while (self->unsent && self->unsent->sequence <= sequence)
        self->unsent = self->unsent->next;
}

static void dealer_writer_settle(dealer_writer_t *self, uint32_t ref_count)
{
    for (uint32_t i = 0; i < ref_count; i++) {
        ref_t ref;
        memcpy(&ref, self->refs.data + self->refs.start, sizeof ref);
        buffer_consume(&self->refs, sizeof ref);
        inbatch_take(ref.batch, ref.index, ref.count, ref.copies);
    }
}

/* Settles and frees the oldest batch. */
static uint32_t dealer_writer_drop_first(dealer_writer_t *self)
{
    outbatch_t *batch = self->first;
    uint32_t copy_count = batch->copy_count;
    dealer_writer_settle(self, batch->ref_count);
    self->sealed_size -= zmq_msg_size(&batch->body);
    self->sequence_acknowledged = batch->sequence;
    self->first = batch->next;
    if (self->unsent == batch)
        self->unsent = batch->next;
    if (!self->first)
        self->last = NULL;
    handover_close(&batch->body);
    free(batch);
    return copy_count;
}

static void dealer_writer_body_end(dealer_writer_t *self)
{
    self->record_count = self->copy_count = self->ref_count = 0;
    self->run = (body_run_t){0};
    self->tail.batch = NULL;
}

void dealer_writer_clear(dealer_writer_t *self)
{
    while (self->first)
        dealer_writer_drop_first(self);
    dealer_writer_settle(self, self->ref_count);
    buffer_clear(&self->body);
    dealer_writer_body_end(self);
    self->unsent = NULL;
}

void dealer_writer_fini(dealer_writer_t *self)
{
    dealer_writer_clear(self);
    buffer_fini(&self->body);
    buffer_fini(&self->refs);
    buffer_fini(&self->early);
    buffer_fini(&self->controls);
}

static void on_body_sent(void *data, void *hint)
{
    (void)hint;
    handover_acquire(data);
    free(data);
}

static void dealer_writer_make_message(dealer_writer_t *self, zmq_msg_t *body)
{
    size_t size = buffer_size(&self->body);
    int rc;
    if (size <= BODY_COPIED_MAX) {
        rc = zmq_msg_init_size(body, size);
        if (rc == 0)
            memcpy(zmq_msg_data(body), self->body.data, size);
        buffer_clear(&self->body);
    } else {
        rc = zmq_msg_init_data(body, buffer_release(&self->body), size, on_body_sent, NULL);
    }
    if (rc != 0)
        abort();
}

static void dealer_writer_seal(dealer_writer_t *self)
{
    outbatch_t *batch = malloc(sizeof *batch);
    if (!batch)
        abort();
    body_finish_down(&self->body, self->record_count);
    self->body_size_last = buffer_size(&self->body);
    dealer_writer_make_message(self, &batch->body);
    batch->next = NULL;
    batch->sequence = ++self->sequence;
    batch->sent_ms = 0;
    batch->ref_count = self->ref_count;
    batch->copy_count = self->copy_count;
    self->sealed_size += self->body_size_last;
    self->batches++;
    if (self->last)
        self->last->next = batch;
    else
        self->first = batch;
    self->last = batch;
    if (!self->unsent)
        self->unsent = batch;
    dealer_writer_body_end(self);
}

void dealer_writer_close_body(dealer_writer_t *self)
{
    if (self->record_count > 0)
        dealer_writer_seal(self);
}

/* Makes room for a record: what does not fit goes into the next body. */
static void dealer_writer_open(dealer_writer_t *self, size_t size)
{
    if (self->record_count > 0 && buffer_size(&self->body) + size > self->batch_size)
        dealer_writer_seal(self);
    if (self->record_count > 0)
        return;
    size_t expected = size + self->body_size_last + self->body_size_last / 4;
    buffer_reserve(&self->body, expected < self->batch_size ? expected : self->batch_size);
    body_begin_down(&self->body);
}

/* `copies` copies of each of `count` messages from `index` on are in the body. */
static void dealer_writer_refer(
    dealer_writer_t *self, inbatch_t *batch, uint32_t index, uint32_t count, uint32_t copies)
{
    ref_t *last = self->ref_count ? (ref_t *)(void *)(self->refs.data + self->refs.end - sizeof *last) : NULL;
    if (last && last->batch == batch && last->index + last->count == index && last->copies == copies) {
        last->count += count;
        return;
    }
    ref_t ref = {.batch = batch, .index = index, .count = count, .copies = copies};
    buffer_append(&self->refs, &ref, sizeof ref);
    self->ref_count++;
}

/* N.B. handle 0 is nobody's, so a body's first copy always finds another run. */
static void dealer_writer_put_run(dealer_writer_t *self, const body_run_t *run)
{
    if (self->run.handle == run->handle && self->run.again == run->again)
        return;
    body_put_run(&self->body, run);
    self->run = *run;
    self->tail.batch = NULL;
    self->record_count++;
}

static unsigned count_copies(const uint64_t *sessions, unsigned session_count)
{
    unsigned count = 0;
    for (unsigned i = 0; i < session_count; i++)
        count += !link_session_is_group(sessions[i]);
    return count;
}

/* Whether the body ends with a copy of the message before, to the same sessions, from which this one differs in nothing
 * but its text. */
static bool dealer_writer_goes_on(const dealer_writer_t *self, const body_message_t *message, const inbatch_t *batch,
    uint32_t index, const uint64_t *sessions, unsigned session_count)
{
    if (!message->more || self->tail.batch != batch || self->tail.index + 1 != index ||
        self->tail.session_count != session_count)
        return false;
    for (unsigned i = 0; i < session_count; i++)
        if (bytes_get64(self->body.data + self->tail.sessions_at + 8 * (size_t)i) != sessions[i])
            return false;
    return true;
}

static void dealer_writer_put_copy(dealer_writer_t *self, const body_message_t *message, inbatch_t *batch,
    uint32_t index, const uint64_t *sessions, unsigned session_count)
{
    if (dealer_writer_goes_on(self, message, batch, index, sessions, session_count)) {
        body_put_more(&self->body, message->text);
    } else {
        self->tail.sessions_at = self->body.end + BODY_COPY_SIZE;
        self->tail.session_count = session_count;
        body_put_copy(&self->body, message, batch->first_number + index, sessions, session_count);
    }
    self->tail.batch = batch;
    self->tail.index = index;
}

unsigned dealer_writer_copy(dealer_writer_t *self, const body_run_t *run, const body_message_t *message,
    inbatch_t *batch, uint32_t index, const uint64_t *sessions, unsigned session_count)
{
    dealer_writer_open(self, COPY_ROOM + 8 * (size_t)session_count + message->sender.size + message->text.size);
    dealer_writer_put_run(self, run);
    dealer_writer_put_copy(self, message, batch, index, sessions, session_count);
    self->record_count++;
    unsigned count = count_copies(sessions, session_count);
    self->copy_count += count;
    dealer_writer_refer(self, batch, index, 1, session_count);
    return count;
}

size_t dealer_writer_more_room(const dealer_writer_t *self, const inbatch_t *batch, uint32_t index)
{
    size_t size = buffer_size(&self->body);
    if (self->tail.batch != batch || self->tail.index != index || self->tail.session_count != 1)
        return 0;
    return size < self->batch_size ? self->batch_size - size : 0;
}

void dealer_writer_more(dealer_writer_t *self, span_t bytes, uint32_t count)
{
    buffer_append(&self->body, bytes.data, bytes.size);
    dealer_writer_refer(self, self->tail.batch, self->tail.index + 1, count, 1);
    self->record_count += count;
    self->copy_count += count;
    self->tail.index += count;
}

void dealer_writer_notice(
    dealer_writer_t *self, const body_run_t *run, const body_notice_t *notice, inbatch_t *batch, uint32_t index)
{
    dealer_writer_open(self, COPY_ROOM + notice->name.size);
    if (run)
        dealer_writer_put_run(self, run);
    body_put_notice(&self->body, notice);
    self->tail.batch = NULL;
    self->record_count++;
    if (batch)
        dealer_writer_refer(self, batch, index, 1, 1);
}

void dealer_writer_control(dealer_writer_t *self, const control_t *control)
{
    control_put(&self->controls, control);
}

void dealer_writer_control_empty(dealer_writer_t *self, record_type_t type)
{
    control_put_empty(&self->controls, type);
}

void dealer_writer_early(dealer_writer_t *self, const control_t *control)
{
    control_put(&self->early, control);
}

void dealer_writer_origin(dealer_writer_t *self, uint32_t handle, const link_id_t *node)
{
    dealer_writer_early(self, &(control_t){.type = RECORD_ORIGIN, .origin = {.handle = handle, .node = *node}});
}

int64_t dealer_writer_acknowledge(dealer_writer_t *self, uint64_t sequence)
{
    if (sequence > dealer_writer_sent(self))
        return -CLOSE_BAD_SEQUENCE;
    int64_t copies = 0;
    while (self->first && self->first->sequence <= sequence)
        copies += dealer_writer_drop_first(self);
    return copies;
}

uint64_t dealer_writer_mark(const dealer_writer_t *self)
{
    return self->sequence + (self->record_count > 0);
}

size_t dealer_writer_open_size(const dealer_writer_t *self)
{
    return self->sealed_size + buffer_size(&self->body);
}

size_t dealer_writer_memory(const dealer_writer_t *self)
{
    return self->sealed_size + self->body.capacity + self->refs.capacity + self->early.capacity +
           self->controls.capacity;
}

uint64_t dealer_writer_open_copies(const dealer_writer_t *self)
{
    uint64_t count = self->copy_count;
    for (const outbatch_t *batch = self->first; batch; batch = batch->next)
        count += batch->copy_count;
    return count;
}

uint32_t dealer_writer_open_batches(const dealer_writer_t *self)
{
    uint32_t count = self->record_count > 0;
    for (const outbatch_t *batch = self->first; batch; batch = batch->next)
        count++;
    return count;
}

uint64_t dealer_writer_waiting_since(const dealer_writer_t *self)
{
    return self->first ? self->first->sent_ms : 0;
}

void dealer_writer_each_body(dealer_writer_t *self, void (*visit)(void *arg, span_t body), void *arg)
{
    dealer_writer_close_body(self);
    for (outbatch_t *batch = self->first; batch; batch = batch->next)
        visit(arg, span_of(zmq_msg_data(&batch->body), zmq_msg_size(&batch->body)));
}
