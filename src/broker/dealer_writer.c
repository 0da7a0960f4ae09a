/* SPDX-License-Identifier: MPL-2.0 */
/* dealer_writer [6]: copies and notices are appended to a body; a body that is full, or that a turn has ended with, is
 * sealed: it gets its sequence and its ZeroMQ message, which the I/O thread and the wait for the acknowledgement share.
 * The refs say what an acknowledgement settles: runs of messages of the senders' batches, in the order of the bodies,
 * so that acknowledging is a walk from the front. The only failure is a DEALER that is gone; then batches wait for the
 * node to be given up, or to open a new link. Owner: the router's thread. */
#include "broker/dealer_writer.h"

#include <assert.h>
#include <stdlib.h>
#include <zmq.h>

#include "base/handover.h"
#include "wire/bytes.h"
#include "wire/frame.h"

#define BODY_COPIED_MAX 1024 /* a body up to this size is copied, and its buffer is used again */
#define COPY_ROOM       128  /* what a copy may need besides its text, sender and sessions, with its RUN; generous */

struct outbatch {
    outbatch_t *next;
    zmq_msg_t body;
    uint64_t sequence;
    uint64_t sent_ms; /* 0: not yet */
    uint32_t ref_count;
    uint32_t copy_count;
};

/* `copies` copies of each of `count` messages of `batch` from `index` on. */
typedef struct {
    inbatch_t *batch;
    uint32_t index;
    uint16_t count;
    uint16_t copies;
} ref_t;

void dealer_writer_init(dealer_writer_t *self, void *socket, size_t batch_size)
{
    *self = (dealer_writer_t){.socket = socket, .batch_size = batch_size};
}

void dealer_writer_connect(dealer_writer_t *self, span_t routing_id, uint32_t epoch)
{
    assert(!self->first && self->record_count == 0);
    buffer_clear(&self->origins);
    buffer_clear(&self->controls);
    self->routing_id = routing_id;
    self->epoch = epoch;
    self->acknowledged = self->sequence = self->sequence_acknowledged = 0;
    self->connected = true;
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
    self->run_handle = 0;
}

void dealer_writer_clear(dealer_writer_t *self)
{
    while (self->first)
        dealer_writer_drop_first(self);
    dealer_writer_settle(self, self->ref_count);
    buffer_clear(&self->body);
    dealer_writer_body_end(self);
}

void dealer_writer_fini(dealer_writer_t *self)
{
    dealer_writer_clear(self);
    buffer_fini(&self->body);
    buffer_fini(&self->refs);
    buffer_fini(&self->origins);
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

static void dealer_writer_refer(dealer_writer_t *self, inbatch_t *batch, uint32_t index, uint16_t copies)
{
    ref_t *last = self->ref_count ? (ref_t *)(void *)(self->refs.data + self->refs.end - sizeof *last) : NULL;
    if (last && last->batch == batch && last->index + last->count == index && last->copies == copies &&
        last->count < UINT16_MAX) {
        last->count++;
        return;
    }
    ref_t ref = {.batch = batch, .index = index, .count = 1, .copies = copies};
    buffer_append(&self->refs, &ref, sizeof ref);
    self->ref_count++;
}

void dealer_writer_copy(dealer_writer_t *self, const body_run_t *run, const body_message_t *message, inbatch_t *batch,
    uint32_t index, const uint64_t *sessions, unsigned session_count)
{
    dealer_writer_open(self, COPY_ROOM + 8 * (size_t)session_count + message->sender.size + message->text.size);
    if (self->run_handle != run->handle) {
        body_put_run(&self->body, run);
        self->run_handle = run->handle;
        self->record_count++;
    }
    body_put_copy(&self->body, message, batch->first_number + index, sessions, session_count);
    self->record_count++;
    self->copy_count += session_count;
    dealer_writer_refer(self, batch, index, (uint16_t)session_count);
}

void dealer_writer_notice(dealer_writer_t *self, const body_notice_t *notice, inbatch_t *batch, uint32_t index)
{
    dealer_writer_open(self, COPY_ROOM + notice->name.size);
    body_put_notice(&self->body, notice);
    self->record_count++;
    if (batch)
        dealer_writer_refer(self, batch, index, 1);
}

void dealer_writer_control(dealer_writer_t *self, const control_t *control)
{
    control_put(&self->controls, control);
}

void dealer_writer_control_empty(dealer_writer_t *self, record_type_t type)
{
    control_put_empty(&self->controls, type);
}

void dealer_writer_origin(dealer_writer_t *self, uint32_t handle, const link_id_t *node)
{
    control_put(&self->origins, &(control_t){.type = RECORD_ORIGIN, .origin = {.handle = handle, .node = *node}});
}

/* Sends a frame that has no errors of its own: once the routing id has passed, the rest does. */
static void frame_send(void *socket, zmq_msg_t *frame, int flags)
{
    if (handover_send(frame, socket, flags | ZMQ_DONTWAIT) == -1)
        handover_close(frame);
}

static bool routing_id_send(void *socket, span_t routing_id)
{
    return handover_send_bytes(socket, routing_id.data, routing_id.size, ZMQ_SNDMORE | ZMQ_DONTWAIT) == 0;
}

/* Sends one ZeroMQ message: header, controls in two parts (`second` may be empty), and the batch unless it is NULL. */
static bool dealer_writer_send(dealer_writer_t *self, span_t first, span_t second, outbatch_t *batch)
{
    zmq_msg_t header, body;
    if (!routing_id_send(self->socket, self->routing_id)) {
        self->connected = false;
        return false;
    }
    if (zmq_msg_init_size(&header, FRAME_HEADER_SIZE + first.size + second.size) != 0)
        abort();
    uint8_t *to = zmq_msg_data(&header);
    frame_header_put(
        to, &(frame_header_t){
                .epoch = self->epoch, .sequence = batch ? batch->sequence : 0, .acknowledged = self->acknowledged});
    if (first.size)
        memcpy(to + FRAME_HEADER_SIZE, first.data, first.size);
    if (second.size)
        memcpy(to + FRAME_HEADER_SIZE + first.size, second.data, second.size);
    frame_send(self->socket, &header, batch ? ZMQ_SNDMORE : 0);
    if (batch) {
        zmq_msg_init(&body);
        zmq_msg_copy(&body, &batch->body);
        frame_send(self->socket, &body, 0);
    }
    self->send_turns++;
    return true;
}

/* Takes whole control records of at most `room` bytes from the front. */
static span_t controls_take(buffer_t *controls, size_t room)
{
    span_t all = buffer_span(controls);
    size_t size = 0;
    while (size < all.size) {
        size_t next = 4 + (bytes_get32((const uint8_t *)all.data + size) >> 8);
        if (size + next > room)
            break;
        size += next;
    }
    controls->start += size; /* N.B. not buffer_consume: the bytes stay where they are until they are sent */
    return span_of(all.data, size);
}

/* Sends the batches of the turn: the origins go with the first message, the controls with the last, since a notice must
 * come before the TAKEN that covers it. */
static bool dealer_writer_send_batches(dealer_writer_t *self, uint64_t now_ms)
{
    span_t none = {0};
    while (self->unsent) {
        outbatch_t *batch = self->unsent;
        span_t origins = controls_take(&self->origins, FRAME_CONTROLS_SIZE);
        if (buffer_size(&self->origins) > 0) {
            if (!dealer_writer_send(self, origins, none, NULL))
                return false;
            continue;
        }
        span_t controls = batch->next ? none : controls_take(&self->controls, FRAME_CONTROLS_SIZE - origins.size);
        if (!dealer_writer_send(self, origins, controls, batch))
            return false;
        batch->sent_ms = now_ms;
        self->unsent = batch->next;
        self->due = false;
    }
    return true;
}

static void dealer_writer_send_controls(dealer_writer_t *self)
{
    while (self->connected && (self->due || buffer_size(&self->origins) > 0 || buffer_size(&self->controls) > 0)) {
        span_t origins = controls_take(&self->origins, FRAME_CONTROLS_SIZE);
        span_t controls = controls_take(&self->controls, FRAME_CONTROLS_SIZE - origins.size);
        self->due = false;
        dealer_writer_send(self, origins, controls, NULL);
    }
}

void dealer_writer_flush(dealer_writer_t *self, uint64_t now_ms)
{
    if (self->record_count > 0)
        dealer_writer_seal(self);
    if (self->connected) {
        uint64_t send_turns = self->send_turns;
        if (dealer_writer_send_batches(self, now_ms))
            dealer_writer_send_controls(self);
        if (self->send_turns != send_turns)
            self->sent_ms = now_ms;
    }
    self->due = false;
    buffer_clear(&self->origins);
    buffer_clear(&self->controls);
}

int64_t dealer_writer_acknowledge(dealer_writer_t *self, uint64_t sequence)
{
    uint64_t sent = self->unsent ? self->unsent->sequence - 1 : self->sequence;
    if (sequence > sent)
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
    return self->sealed_size + self->body.capacity + self->refs.capacity + self->origins.capacity +
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
    if (self->record_count > 0)
        dealer_writer_seal(self);
    for (outbatch_t *batch = self->first; batch; batch = batch->next)
        visit(arg, span_of(zmq_msg_data(&batch->body), zmq_msg_size(&batch->body)));
}

bool dealer_writer_refuse(void *socket, span_t routing_id, uint32_t epoch, int close, span_t text)
{
    buffer_t frame = {0};
    frame_header_put(buffer_reserve(&frame, FRAME_HEADER_SIZE), &(frame_header_t){.epoch = epoch});
    buffer_commit(&frame, FRAME_HEADER_SIZE);
    control_put(&frame, &(control_t){.type = RECORD_REFUSE, .refuse = {.close = (uint16_t)close, .text = text}});
    bool is_sent = routing_id_send(socket, routing_id);
    if (is_sent)
        handover_send_bytes(socket, frame.data, buffer_size(&frame), ZMQ_DONTWAIT);
    buffer_fini(&frame);
    return is_sent;
}
