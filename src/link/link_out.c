/* SPDX-License-Identifier: MPL-2.0 */
/* [3] link_out: what a node says. Messages and reports gather in a body, control records in a buffer; at the end of a
 * turn both go, with the acknowledgement of what was taken, in one ZeroMQ message (more if they are large). A body is
 * kept in custody first and the kept buffer is what is sent. A send that fails means that the connection is gone, which
 * the watch finds out; what was not sent is kept. Owner: the thread of the reactor. */
#include <assert.h>
#include <czmq.h>

#include "base/handover.h"
#include "link/link_internal.h"
#include "wire/bytes.h"
#include "wire/error.h"
#include "wire/frame.h"

#define ACKNOWLEDGE_SHARE 8    /* of the window that has come is acknowledged at once */
#define LINK_COPY_SIZE    1024 /* smaller bodies are copied into ZeroMQ's own memory */

static void on_body_free(void *data, void *hint)
{
    (void)hint;
    handover_acquire(data);
    free(data);
}

void link_seal(link_t *self)
{
    if (self->body_count == 0)
        return;
    body_finish_up(&self->body, custody_next_number(self->custody) - self->body_count, self->body_count);
    size_t size = buffer_size(&self->body);
    zmq_msg_t body;
    if (size < LINK_COPY_SIZE) {
        if (zmq_msg_init_size(&body, size) != 0)
            abort();
        memcpy(zmq_msg_data(&body), self->body.data, size);
        buffer_clear(&self->body);
    } else {
        zmq_msg_init_data(&body, buffer_release(&self->body), size, on_body_free, NULL);
    }
    custody_keep(self->custody, self->body_count, &body);
    histogram_add(self->options.batch_records, self->body_count);
    histogram_add(self->options.batch_bytes, size);
    self->body_size_last = size;
    self->body_count = 0;
    self->last.is_message = false;
}

/* Sends one ZeroMQ message: the next kept body if `with_body`, and the control records. Returns 0, or -1 if the DEALER
 * has no connection any more, and then the body counts as not sent. */
static int link_transmit(link_t *self, bool with_body, span_t controls, uint64_t acknowledged)
{
    zmq_msg_t header, body;
    if (zmq_msg_init_size(&header, FRAME_HEADER_SIZE + controls.size) != 0)
        abort();
    bool again = with_body && custody_next_is_again(self->custody);
    frame_header_put(zmq_msg_data(&header), &(frame_header_t){
                                                .epoch = self->epoch,
                                                .sequence = with_body ? self->sent + 1 : 0,
                                                .acknowledged = acknowledged,
                                                .floor = custody_floor(self->custody),
                                                .flags = again ? FRAME_FLAG_AGAIN : 0,
                                                .stamp = link_stamp(self),
                                            });
    if (controls.size)
        memcpy((uint8_t *)zmq_msg_data(&header) + FRAME_HEADER_SIZE, controls.data, controls.size);
    watch_touch(self->watch);
    if (handover_send(&header, self->dealer, ZMQ_DONTWAIT | (with_body ? ZMQ_SNDMORE : 0)) < 0) {
        handover_close(&header);
        return -1;
    }
    self->spoke_ms = reactor_now_ms(self->reactor);
    if (!with_body)
        return 0;
    custody_send_next(self->custody, &body);
    self->sent++;
    self->batches_sent++;
    if (handover_send(&body, self->dealer, ZMQ_DONTWAIT) < 0)
        handover_close(&body);
    return 0;
}

/* Whether the broker listens: from WELCOME until BYE. */
static bool link_is_open(const link_t *self)
{
    return self->dealer && self->state >= LINK_UP && self->state <= LINK_LEFT;
}

/* Batches that may go and have not gone. */
static size_t link_unsent(const link_t *self)
{
    return link_is_open(self) && !self->bye_heard ? custody_unsent_count(self->custody) : 0;
}

/* The leading control records that fit into one frame. */
static span_t link_chunk(const link_t *self)
{
    span_t all = buffer_span(&self->controls);
    if (all.size <= FRAME_CONTROLS_SIZE)
        return all;
    size_t size = 0;
    for (;;) {
        size_t record = 4 + (bytes_get32((const uint8_t *)all.data + size) >> 8);
        if (size + record > FRAME_CONTROLS_SIZE)
            return span_of(all.data, size);
        size += record;
    }
}

/* Sends the control records, the first of them with the next body if `with_body`, and that acknowledgement with the
 * last. Returns 0, or -1 if the DEALER has no connection any more. */
static int link_send_controls(link_t *self, bool with_body, uint64_t acknowledged)
{
    self->hold_at = SIZE_MAX;
    do {
        span_t chunk = link_chunk(self);
        bool last = chunk.size == buffer_size(&self->controls);
        if (link_transmit(self, with_body, chunk, last ? acknowledged : self->acknowledged) != 0)
            return -1;
        if (last)
            self->acknowledged = acknowledged;
        if (last && acknowledged == self->received) {
            self->unacknowledged_size = 0;
            self->acknowledge_now = false;
        }
        buffer_consume(&self->controls, chunk.size);
        with_body = false;
    } while (buffer_size(&self->controls));
    return 0;
}

void link_registered(link_t *self)
{
    /* N.B. nothing is acknowledged before the reports that that rests on, and what was reported while there was no link
     * is not stated as held any more. */
    if (buffer_size(&self->controls) && link_send_controls(self, false, 0) != 0)
        return;
    link_seal(self);
    while (custody_unsent_count(self->custody) > 0)
        if (link_transmit(self, true, span_of(NULL, 0), 0) != 0)
            return;
    link_control_empty(self, RECORD_REGISTERED);
    link_send_controls(self, false, self->received);
}

void link_say_leave(link_t *self)
{
    link_control_empty(self, RECORD_LEAVE);
    link_move(self, LINK_LEAVING);
}

static void link_tell_stop(link_t *self)
{
    bool parting = self->state == LINK_LEFT && self->part_wanted && !self->body_count &&
                   custody_unsent_count(self->custody) == 0 && custody_is_clear(self->custody);
    if (self->broker_drains && !self->drained_told) {
        self->drained_told = true;
        uint64_t last = custody_next_number(self->custody) - 1;
        link_control(self, &(control_t){.type = RECORD_DRAINED, .number = last});
    }
    if (parting && !self->bye_heard) {
        link_control(self, &(control_t){.type = RECORD_BYE, .number = self->sent});
        link_move(self, LINK_PARTING);
    }
    if (self->bye_heard)
        link_control(self, &(control_t){.type = RECORD_BYE_OK, .number = self->received});
}

/* Whether an acknowledgement goes though nothing else does. */
static bool link_must_acknowledge(const link_t *self)
{
    if (self->received == self->acknowledged)
        return false;
    return self->acknowledge_now || self->unacknowledged_size >= self->window_size / ACKNOWLEDGE_SHARE ||
           self->state != LINK_UP || self->broker_drains || self->stop_wanted;
}

void link_flush(link_t *self)
{
    if (!self->dealer || self->state < LINK_UP)
        return;
    if (link_is_open(self) && !self->bye_heard)
        link_seal(self);
    link_tell_stop(self);
    bool with_body = link_unsent(self) > 0;
    bool due = link_must_acknowledge(self) || reactor_now_ms(self->reactor) - self->spoke_ms >= self->heartbeat_ms;
    if ((due || with_body || buffer_size(&self->controls)) && link_send_controls(self, with_body, self->received) != 0)
        return;
    if (self->bye_heard)
        link_lose(self, CLOSE_ORDERLY, span_str("the broker said BYE"));
}

/* Whether a record of that size goes into the body, which is `whole_size` if it is a MORE and has to be a message
 * again: a body that is sent again in part must still be one that the broker takes. */
static bool link_has_place(const link_t *self, size_t size, size_t whole_size)
{
    return buffer_size(&self->body) + size <= self->batch_size &&
           self->body_whole_size + whole_size <= link_largest(self);
}

/* Makes room in the body for one more record; a full batch is closed, and sent if it may be. */
static void link_make_room(link_t *self, size_t size)
{
    if (self->body_count && !link_has_place(self, size, size)) {
        link_seal(self);
        while (link_unsent(self) > 0)
            if (link_transmit(self, true, span_of(NULL, 0), self->acknowledged) != 0)
                break;
    }
    if (self->body_count == 0) {
        buffer_reserve(&self->body, self->body_size_last + size + BODY_UP_HEADER_SIZE);
        body_begin_up(&self->body);
        self->body_whole_size = 0;
    }
    self->body_whole_size += size;
}

bool link_has_room(link_t *self)
{
    size_t open = custody_open_size(self->custody);
    bool room = link_is_up(self) && !self->bye_heard &&
                (open == 0 || (open < self->window_size && open < self->limit)) && !custody_is_crowded(self->custody);
    if (!room)
        self->room_wanted = true;
    return room;
}

void link_limit(link_t *self, size_t size)
{
    self->limit = size;
}

size_t link_largest(const link_t *self)
{
    return self->largest_size < BODY_UP_HEADER_SIZE ? 0 : self->largest_size - BODY_UP_HEADER_SIZE;
}

bool link_fits(const link_t *self, size_t size)
{
    return size <= link_largest(self);
}

static unsigned count_groups(const span_t *recipients, unsigned recipient_count)
{
    unsigned count = 0;
    for (unsigned i = 0; i < recipient_count; i++)
        count += name_is_group(recipients[i]);
    return count;
}

/* Whether the body ends with a message that differs from this one in nothing but its text. */
static bool link_goes_on(
    const link_t *self, uint64_t session, unsigned flags, const span_t *recipients, unsigned recipient_count)
{
    if (!self->last.is_message || self->last.session != session || self->last.flags != flags ||
        self->last.recipient_count != recipient_count)
        return false;
    span_t rest = span_of((const char *)self->body.data + self->last.names_at, self->last.names_size);
    for (unsigned i = 0; i < recipient_count; i++)
        if (!span_equal(body_name_next(&rest), recipients[i]))
            return false;
    return true;
}

bool link_send_more(link_t *self, span_t text)
{
    size_t size = self->last.head_size + text.size;
    if (!self->last.is_message || (self->last.flags & ~BODY_MORE_FLAGS) != 0 || text.size > BODY_MORE_TEXT_MAX ||
        !link_has_place(self, BODY_MORE_SIZE + text.size, size))
        return false;
    body_put_more(&self->body, text);
    self->body_whole_size += size;
    self->body_count++;
    custody_accept(
        self->custody, self->last.session, (uint32_t)size, self->last.recipient_count, self->last.group_count);
    return true;
}

void link_send(link_t *self, uint64_t session, unsigned flags, span_t sender, const span_t *recipients,
    unsigned recipient_count, span_t text)
{
    if (link_goes_on(self, session, flags, recipients, recipient_count) && link_send_more(self, text))
        return;
    size_t size = body_message_size(sender, recipients, recipient_count, text);
    link_make_room(self, size);
    body_put_message(&self->body, session, flags, sender, recipients, recipient_count, text);
    self->body_count++;
    self->last.is_message = true;
    self->last.session = session;
    self->last.flags = flags;
    self->last.recipient_count = recipient_count;
    self->last.group_count = count_groups(recipients, recipient_count);
    self->last.head_size = size - text.size;
    self->last.names_size = self->last.head_size - BODY_MESSAGE_SIZE - sender.size;
    self->last.names_at = self->body.end - text.size - self->last.names_size;
    custody_accept(self->custody, session, (uint32_t)size, recipient_count, self->last.group_count);
}

void link_give_up(link_t *self, uint64_t number, span_t name, int reason)
{
    custody_note(self->custody,
        &(body_notice_t){.error = FERRY_ERROR_UNCONFIRMED, .reason = (uint16_t)reason, .number = number, .name = name});
}

void link_report(link_t *self, uint64_t recipient, const body_report_t *report)
{
    origins_reported(&self->origins, recipient, report);
    link_make_room(self, sizeof *report + report->name.size);
    body_put_report(&self->body, report);
    self->last.is_message = false;
    self->body_count++;
    custody_accept_report(self->custody);
}

void link_control(link_t *self, const control_t *record)
{
    control_put(&self->controls, record);
    self->hold_at = SIZE_MAX;
}

void link_control_empty(link_t *self, record_type_t type)
{
    control_put_empty(&self->controls, type);
    self->hold_at = SIZE_MAX;
}

void link_register(link_t *self, uint64_t session, span_t name, link_claim_t claim, bool paused)
{
    if (self->state == LINK_UP)
        link_control(self, &(control_t){.type = RECORD_REGISTER,
                               .name = {.session = session,
                                   .again = claim.term > 0,
                                   .doubtful = claim.term > 0 && claim.doubts != self->doubts,
                                   .paused = paused,
                                   .term = claim.term,
                                   .serial = claim.serial,
                                   .name = name}});
}

void link_who(link_t *self, uint64_t session, span_t prefix)
{
    if (self->state == LINK_UP)
        link_control(self, &(control_t){.type = RECORD_WHO, .who = {.session = session, .names = prefix}});
}

void link_only(link_t *self, uint64_t group, uint64_t member)
{
    if (self->state == LINK_UP)
        link_control(self, &(control_t){.type = RECORD_ONLY, .name = {.session = group, .member = member}});
}

void link_leaving(link_t *self, uint64_t session)
{
    if (link_is_open(self))
        link_control(self, &(control_t){.type = RECORD_LEAVING, .name.session = session});
}

void link_pause(link_t *self, span_t name, bool paused)
{
    if (link_is_open(self))
        link_control(self, &(control_t){.type = paused ? RECORD_PAUSE : RECORD_RESUME, .name.name = name});
}

void link_yield(link_t *self, uint64_t session, bool is_away)
{
    if (self->state == LINK_UP)
        link_control(self, &(control_t){.type = RECORD_YIELD, .name = {.session = session, .is_on = is_away}});
}

void link_yielded(link_t *self, span_t name)
{
    if (self->state == LINK_UP)
        link_control(self, &(control_t){.type = RECORD_YIELDED, .name.name = name});
}

void link_watch(link_t *self, uint64_t session, span_t name, bool is_on)
{
    if (self->state == LINK_UP)
        link_control(
            self, &(control_t){.type = RECORD_WATCH, .name = {.session = session, .is_on = is_on, .name = name}});
}

/* Adds a number to the HOLD record that was written last, if it goes on with the same session and origin. */
static bool link_extend_hold(link_t *self, const control_t *record)
{
    const control_t *last = &self->hold;
    uint64_t number = record->held.numbers.first;
    if (self->hold_at == SIZE_MAX || last->held.session != record->held.session ||
        last->held.handle != record->held.handle || last->held.again != record->held.again ||
        number <= self->hold_last || number - last->held.numbers.first > UINT32_MAX ||
        buffer_size(&self->controls) - self->hold_at > FRAME_CONTROLS_SIZE / 2)
        return false;
    bytes_put32(buffer_reserve(&self->controls, 4), (uint32_t)(number - last->held.numbers.first));
    buffer_commit(&self->controls, 4);
    uint8_t *head = self->controls.data + self->controls.start + self->hold_at;
    bytes_put32(head, bytes_get32(head) + (4u << 8));
    return true;
}

/* The handle under which this node has stated an origin on this link. */
static uint32_t link_state_origin(link_t *self, origin_t *origin)
{
    if (origin->stated_epoch != self->epoch) {
        origin->stated_epoch = self->epoch;
        origin->stated_handle = ++self->origins_stated;
        link_control(self,
            &(control_t){.type = RECORD_ORIGIN, .origin = {.handle = origin->stated_handle, .node = origin->node}});
    }
    return origin->stated_handle;
}

void link_hold(link_t *self, uint64_t session, origin_t *origin, uint64_t number, bool again)
{
    if (!link_is_open(self))
        return;
    control_t record = {.type = RECORD_HOLD,
        .held = {.session = session,
            .handle = again ? link_state_origin(self, origin) : origin->handle,
            .again = again,
            .numbers.first = number}};
    if (!link_extend_hold(self, &record)) {
        size_t at = buffer_size(&self->controls);
        link_control(self, &record);
        self->hold_at = at;
        self->hold = record;
    }
    self->hold_last = number;
}

void link_hold_over(link_t *self, uint64_t service, origin_t *origin, uint64_t number)
{
    if (link_is_open(self))
        link_control(self, &(control_t){.type = RECORD_HOLD,
                               .held = {.session = service,
                                   .handle = link_state_origin(self, origin),
                                   .again = true,
                                   .over = true,
                                   .numbers.first = number}});
}

void link_credit(link_t *self, uint64_t service, uint32_t count)
{
    if (self->state == LINK_UP)
        link_control(self, &(control_t){.type = RECORD_CREDIT, .held = {.session = service, .count = count}});
}

void link_done(link_t *self, uint64_t service, uint32_t place)
{
    link_control(self, &(control_t){.type = RECORD_DONE, .held = {.session = service, .count = place}});
}

bool link_can_end(const link_t *self)
{
    return link_is_open(self) && !self->bye_heard;
}

void link_end(link_t *self, uint64_t session, uint32_t count)
{
    link_control(self, &(control_t){.type = RECORD_END, .held = {.session = session, .count = count}});
}
