/* SPDX-License-Identifier: MPL-2.0 */
/* [7] link_in: what a node hears. The body first, then the control records, then the acknowledgement (proto/link.md,
 * section 1), but for ORIGIN, which the body may need. Copies and notices go to the owner; TAKEN, HELD and ENDED to
 * custody. A message that breaks the protocol loses the link. Owner: the thread of the reactor. */
#include <czmq.h>

#include "base/handover.h"
#include "base/log.h"
#include "link/link_internal.h"
#include "wire/frame.h"

#define NOTICE_SESSION_UNKNOWN UINT64_MAX /* to the broker; the number tells it here */

void link_greet(link_t *self)
{
    control_t hello = {.type = RECORD_HELLO,
        .hello = {.version = LINK_VERSION,
            .node = self->options.node,
            .instance = self->instance,
            .digest = self->options.digest,
            .first = custody_sent_end(self->custody),
            .broker = span_str(self->options.broker)}};
    zmq_msg_t frame;
    buffer_t record = {0};
    control_put(&record, &hello);
    if (zmq_msg_init_size(&frame, FRAME_HEADER_SIZE + buffer_size(&record)) != 0)
        abort();
    uint8_t *data = zmq_msg_data(&frame);
    frame_header_put(data, &(frame_header_t){.epoch = self->epoch, .floor = custody_floor(self->custody)});
    memcpy(data + FRAME_HEADER_SIZE, record.data, buffer_size(&record));
    buffer_fini(&record);
    if (handover_send(&frame, self->dealer, ZMQ_DONTWAIT) < 0)
        handover_close(&frame);
    watch_touch(self->watch);
    self->heard_ms = self->spoke_ms = reactor_now_ms(self->reactor);
}

static void link_read_notice(link_t *self, body_notice_t *notice)
{
    if (notice->session == NOTICE_SESSION_UNKNOWN)
        custody_session(self->custody, notice->number, &notice->session);
    if (notice->taken || custody_refuse(self->custody, notice))
        self->callbacks->on_notice(self->owner, self, notice);
}

static int link_read_copy(link_t *self, const body_copy_t *copy, origin_t *origin)
{
    if (!origin)
        return -CLOSE_BAD_RECORD;
    self->options.ledger->taken_over += copy->recipient_count;
    self->callbacks->on_copy(self->owner, self, copy, origin);
    return 0;
}

static int link_read_body(link_t *self, span_t frame)
{
    body_t body;
    body_record_t record;
    origin_t *origin = NULL;
    int rc = body_open_down(&body, frame);
    if (rc == 0)
        rc = 1;
    while (rc == 1 && (rc = body_next_down(&body, &record)) == 1) {
        if (record.type == RECORD_RUN)
            origin = origins_get(&self->origins, record.run.handle);
        else if (record.type == RECORD_NOTICE)
            link_read_notice(self, &record.notice);
        else if (link_read_copy(self, &record.copy, origin) != 0)
            return -CLOSE_BAD_RECORD;
    }
    return rc;
}

static void link_welcome(link_t *self, const control_t *record)
{
    self->window_size = record->welcome.window_size;
    self->heartbeat_ms = record->welcome.heartbeat_ms;
    self->timeout_ms = record->welcome.timeout_ms;
    self->instance = record->welcome.instance;
    self->batch_size = self->options.batch_size;
    if (self->batch_size > record->welcome.batch_size)
        self->batch_size = record->welcome.batch_size;
    self->backoff_ms = self->options.backoff_min_ms;
    link_keep_time(self);
    log_info("link-up", log_str("broker", self->options.broker), log_str("endpoint", self->options.endpoint),
        log_uint("epoch", self->epoch), log_uint("window", self->window_size));
    link_move(self, LINK_UP);
    self->callbacks->on_fresh(self->owner, self);
    link_registered(self);
    self->room_wanted = true;
}

static void link_pause_read(link_t *self, span_t name, bool paused)
{
    self->pause_count = paused ? self->pause_count + 1 : self->pause_count - (self->pause_count > 0);
    self->callbacks->on_pause(self->owner, self, name, paused);
}

static void link_origin_read(link_t *self, const control_t *record)
{
    if (record->origin.handle && !origins_get(&self->origins, record->origin.handle))
        origins_put(&self->origins, record->origin.handle, &record->origin.node);
}

/* What a record means to a link that is up. */
static int link_read_record(link_t *self, const control_t *record)
{
    switch (record->type) {
    case RECORD_CONFIRMED:
        self->callbacks->on_confirmed(self->owner, self, record->name.session);
        return 0;
    case RECORD_DENIED:
        self->callbacks->on_denied(self->owner, self, record->name.session, record->name.error);
        return 0;
    case RECORD_LEFT:
        self->callbacks->on_left(self->owner, self, record->name.session);
        return 0;
    case RECORD_PAUSE:
    case RECORD_RESUME:
        link_pause_read(self, record->name.name, record->type == RECORD_PAUSE);
        return 0;
    case RECORD_ORIGIN:
        link_origin_read(self, record);
        return 0;
    case RECORD_GONE:
        origins_drop(&self->origins, record->origin.handle);
        return 0;
    case RECORD_TAKEN:
        if (record->taken.below > custody_sent_end(self->custody))
            return -CLOSE_BAD_SEQUENCE;
        custody_taken(self->custody, record);
        return 0;
    case RECORD_HELD:
        custody_held(self->custody, &record->held.numbers);
        return 0;
    case RECORD_ENDED:
        custody_ended(self->custody, &record->held.numbers);
        return 0;
    case RECORD_DRAIN:
        log_info("broker-drains", log_str("broker", self->options.broker));
        self->broker_drains = true;
        self->callbacks->on_state(self->owner, self);
        return 0;
    case RECORD_LEAVE_OK:
        if (self->state == LINK_LEAVING)
            link_move(self, LINK_LEFT);
        return 0;
    case RECORD_BYE:
        self->bye_heard = true;
        return record->number == self->received ? 0 : -CLOSE_BAD_SEQUENCE;
    case RECORD_BYE_OK:
        return self->state == LINK_PARTING && record->number == self->sent ? 1 : -CLOSE_BAD_SEQUENCE;
    default:
        return -CLOSE_BAD_RECORD;
    }
}

/* Reads the records of a frame. Returns 0, 1 when the link was closed or lost by one of them, or -CLOSE_…. */
static int link_read_controls(link_t *self, span_t controls)
{
    control_t record;
    int rc;
    while ((rc = control_next(&record, &controls, CONTROL_FROM_BROKER)) == 1) {
        if (record.type == RECORD_REFUSE) {
            link_lose(self, record.refuse.close, record.refuse.text);
            return 1;
        }
        if (self->state == LINK_GREETING && record.type == RECORD_WELCOME) {
            link_welcome(self, &record);
            continue;
        }
        rc = self->state >= LINK_UP ? link_read_record(self, &record) : -CLOSE_BAD_RECORD;
        if (rc == 1) {
            self->loss = CLOSE_ORDERLY;
            link_close(self);
        }
        if (rc != 0)
            return rc;
    }
    return rc;
}

/* The origins that the body of the same message needs. */
static int link_read_origins(link_t *self, span_t controls)
{
    control_t record;
    int rc;
    while ((rc = control_next(&record, &controls, CONTROL_FROM_BROKER)) == 1)
        if (record.type == RECORD_ORIGIN)
            link_origin_read(self, &record);
    return rc;
}

static int link_read(link_t *self, zmq_msg_t *header_frame, zmq_msg_t *body)
{
    frame_header_t header;
    span_t controls;
    int rc = frame_header_get(&header, span_of(zmq_msg_data(header_frame), zmq_msg_size(header_frame)), &controls);
    if (rc != 0)
        return rc;
    if (header.epoch != self->epoch)
        return -CLOSE_OLD_EPOCH;
    if ((header.sequence != 0) != (body != NULL) || header.acknowledged > self->sent)
        return -CLOSE_BAD_SEQUENCE;
    if (body) {
        if (self->state < LINK_UP || header.sequence != self->received + 1)
            return -CLOSE_BAD_SEQUENCE;
        rc = link_read_origins(self, controls);
        if (rc == 0)
            rc = link_read_body(self, span_of(zmq_msg_data(body), zmq_msg_size(body)));
        if (rc != 0)
            return rc;
        self->received = header.sequence;
        self->batches_received++;
    }
    return link_read_controls(self, controls);
}

void link_receive(link_t *self, zmq_msg_t *header, zmq_msg_t *body)
{
    self->heard_ms = reactor_now_ms(self->reactor);
    int rc = link_read(self, header, body);
    if (rc < 0) {
        link_lose(self, -rc, span_str("the broker broke the protocol"));
    } else if (rc == 0 && self->room_wanted && link_has_room(self)) {
        self->room_wanted = false;
        self->callbacks->on_room(self->owner, self);
    }
}
