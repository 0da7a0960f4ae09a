/* SPDX-License-Identifier: MPL-2.0 */
/* dealer_writer_send [6]: ZeroMQ messages to a DEALER: a header with control records, and a body if there is one.
 * Bodies go once on a link, in order; the origins that they need go with the first, and everything else behind the
 * last. The only failure is a DEALER that is gone, which the ROUTER tells at the routing id. Owner: the router's
 * thread. */
#include <stdlib.h>

#include "base/handover.h"
#include "broker/dealer_writer_internal.h"
#include "wire/bytes.h"
#include "wire/frame.h"

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
    frame_header_put(to, &(frame_header_t){.epoch = self->epoch,
                             .sequence = batch ? batch->sequence : 0,
                             .acknowledged = self->acknowledged,
                             .stamp = self->stamp});
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

/* Sends the batches of the turn: what is early goes with the first message, the other controls with the last, since a
 * notice must come before the TAKEN that covers it. */
static bool dealer_writer_send_batches(dealer_writer_t *self, uint64_t now_ms)
{
    span_t none = {0};
    while (self->unsent && !self->is_held_back) {
        outbatch_t *batch = self->unsent;
        span_t early = controls_take(&self->early, FRAME_CONTROLS_SIZE);
        if (buffer_size(&self->early) > 0) {
            if (!dealer_writer_send(self, early, none, NULL))
                return false;
            continue;
        }
        span_t controls = batch->next ? none : controls_take(&self->controls, FRAME_CONTROLS_SIZE - early.size);
        if (!dealer_writer_send(self, early, controls, batch))
            return false;
        batch->sent_ms = now_ms;
        self->unsent = batch->next;
        self->due = false;
    }
    return true;
}

static void dealer_writer_send_controls(dealer_writer_t *self)
{
    while (self->connected && (self->due || buffer_size(&self->early) > 0 || buffer_size(&self->controls) > 0)) {
        span_t early = controls_take(&self->early, FRAME_CONTROLS_SIZE);
        span_t controls = controls_take(&self->controls, FRAME_CONTROLS_SIZE - early.size);
        self->due = false;
        dealer_writer_send(self, early, controls, NULL);
    }
}

void dealer_writer_flush(dealer_writer_t *self, uint64_t now_ms)
{
    dealer_writer_close_body(self);
    if (self->connected) {
        uint64_t send_turns = self->send_turns;
        if (dealer_writer_send_batches(self, now_ms))
            dealer_writer_send_controls(self);
        if (self->send_turns != send_turns)
            self->sent_ms = now_ms;
    }
    self->due = false;
    buffer_clear(&self->early);
    buffer_clear(&self->controls);
}

void dealer_writer_let_go(dealer_writer_t *self, uint64_t now_ms)
{
    dealer_writer_flush(self, now_ms);
    self->is_held_back = false;
}

void dealer_writer_welcome(dealer_writer_t *self, const control_t *welcome, uint64_t now_ms)
{
    buffer_t record = {0};
    control_put(&record, welcome);
    dealer_writer_send(self, buffer_span(&record), span_of("", 0), NULL);
    buffer_fini(&record);
    self->sent_ms = now_ms;
}

bool dealer_writer_probe(dealer_writer_t *self)
{
    int events;
    size_t size = sizeof events;
    if (!self->connected)
        return false;
    zmq_getsockopt(self->socket, ZMQ_EVENTS, &events, &size);
    return dealer_writer_send(self, span_of("", 0), span_of("", 0), NULL);
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
