/* SPDX-License-Identifier: MPL-2.0 */
/* [7] link_in: what a node hears. The body first, then the control records, then the acknowledgement (proto/link.md,
 * section 1), but for ORIGIN, which the body may need. Copies and notices go to the owner; TAKEN, WAITS, HELD
 * and ENDED to custody. A message that breaks the protocol loses the link. Owner: the thread of the reactor. */
#include <czmq.h>

#include "base/handover.h"
#include "base/log.h"
#include "link/link_internal.h"
#include "wire/frame.h"

#define LINK_ACKNOWLEDGE_MS 1 /* that an acknowledgement may wait; proto/link.md, section 6 */

#define NOTICE_SESSION_UNKNOWN UINT64_MAX /* to the broker; the number tells it here */

void link_greet(link_t *self)
{
    buffer_t nodes = {0}, frame = {0};
    origins_ids(&self->origins, &nodes);
    frame_header_put(buffer_reserve(&frame, FRAME_HEADER_SIZE), &(frame_header_t){.epoch = self->epoch,
                                                                    .acknowledged = self->received,
                                                                    .floor = custody_floor(self->custody),
                                                                    .stamp = link_stamp(self)});
    buffer_commit(&frame, FRAME_HEADER_SIZE);
    control_put(&frame, &(control_t){.type = RECORD_HELLO,
                            .hello = {.version = LINK_VERSION,
                                .node = self->options.node,
                                .instance = self->instance,
                                .digest = self->options.digest,
                                .first = custody_kept_first(self->custody),
                                .term = self->term,
                                .broker = span_str(self->options.broker),
                                .nodes = buffer_span(&nodes)}});
    handover_send_bytes(self->dealer, frame.data, buffer_size(&frame), ZMQ_DONTWAIT);
    buffer_fini(&nodes);
    buffer_fini(&frame);
    watch_touch(self->watch);
    self->heard_ms = self->spoke_ms = reactor_now_ms(self->reactor);
}

/* What a message or report of a run may be: taken already, if the run was sent again. */
typedef struct {
    origin_t *origin; /* NULL until the first RUN */
    bool again;
} run_t;

static taken_log_answer_t run_ask(const run_t *run, uint64_t number, uint64_t session)
{
    return run->again ? taken_log_ask(&run->origin->log, number, session) : TAKEN_LOG_NEW;
}

static int link_read_run(link_t *self, const body_run_t *record, run_t *run)
{
    *run = (run_t){.origin = origins_get(&self->origins, record->handle), .again = record->again};
    if (!run->origin)
        return -CLOSE_BAD_RECORD;
    origin_cut(run->origin, record->floor, record->again);
    return 1;
}

static int link_read_notice(link_t *self, body_notice_t *notice, const run_t *run)
{
    if (notice->report) {
        if (!run->origin)
            return -CLOSE_BAD_RECORD;
        if (run_ask(run, notice->report, TAKEN_LOG_NOTICE) == TAKEN_LOG_KNOWN)
            return 1;
        taken_log_add(&run->origin->log, notice->report, TAKEN_LOG_NOTICE);
    }
    if (notice->session == NOTICE_SESSION_UNKNOWN)
        custody_session(self->custody, notice->number, &notice->session);
    if (custody_note(self->custody, notice))
        self->callbacks->on_notice(self->owner, self, notice);
    return 1;
}

/* N.B. a group's copy is none of its own: those of its members are made when it is taken. */
static void link_count_taken_over(link_t *self, const body_copy_t *copy)
{
    for (unsigned i = 0; i < copy->recipient_count; i++)
        self->options.ledger->taken_over += !link_session_is_group(body_session_at(copy, i));
}

/* Gives the owner those of a copy's sessions of which the log says `answer`. */
static void link_take_copy(link_t *self, const body_copy_t *copy, const run_t *run, const taken_log_answer_t *answers,
    taken_log_answer_t answer)
{
    uint8_t sessions[8 * BODY_RECIPIENTS_MAX];
    body_copy_t part = *copy;
    part.recipient_count = 0;
    part.recipients = sessions;
    for (unsigned i = 0; i < copy->recipient_count; i++)
        if (answers[i] == answer)
            memcpy(sessions + 8 * part.recipient_count++, copy->recipients + 8 * (size_t)i, 8);
    if (part.recipient_count == 0)
        return;
    link_count_taken_over(self, &part);
    if (answer == TAKEN_LOG_NEW)
        self->callbacks->on_copy(self->owner, self, &part, run->origin);
    else
        self->callbacks->on_late(self->owner, self, &part, run->origin);
}

/* A copy that was taken before: if it was reported then, it is now, too. */
static void link_report_again(link_t *self, uint64_t number, uint64_t session, const run_t *run)
{
    const reported_t *reported = &run->origin->reported;
    for (size_t at = reported_find(reported, number, session); reported_is(reported, at, number, session); at++)
        link_report(self, session, &reported->items[at].report);
}

static void link_read_copy_again(link_t *self, const body_copy_t *copy, const run_t *run)
{
    taken_log_answer_t answers[BODY_RECIPIENTS_MAX];
    for (unsigned i = 0; i < copy->recipient_count; i++) {
        uint64_t session = body_session_at(copy, i);
        answers[i] = run_ask(run, copy->number, session);
        if (answers[i] == TAKEN_LOG_KNOWN)
            link_report_again(self, copy->number, session, run);
        else
            taken_log_add(&run->origin->log, copy->number, session);
    }
    link_take_copy(self, copy, run, answers, TAKEN_LOG_NEW);
    link_take_copy(self, copy, run, answers, TAKEN_LOG_LATE);
}

static int link_read_copy(link_t *self, const body_copy_t *copy, const run_t *run)
{
    if (!run->origin)
        return -CLOSE_BAD_RECORD;
    if (run->again) {
        link_read_copy_again(self, copy, run);
        return 1;
    }
    for (unsigned i = 0; i < copy->recipient_count; i++)
        taken_log_add(&run->origin->log, copy->number, body_session_at(copy, i));
    self->acknowledge_now = self->acknowledge_now || copy->flags & BODY_FLAG_RECEIPT;
    link_count_taken_over(self, copy);
    self->callbacks->on_copy(self->owner, self, copy, run->origin);
    return 1;
}

static int link_read_body(link_t *self, span_t frame)
{
    body_t body;
    body_record_t record;
    run_t run = {0};
    int rc = body_open_down(&body, frame);
    if (rc == 0)
        rc = 1;
    while (rc == 1 && (rc = body_next_down(&body, &record)) == 1) {
        if (record.type == RECORD_RUN)
            rc = link_read_run(self, &record.run, &run);
        else if (record.type == RECORD_NOTICE)
            rc = link_read_notice(self, &record.notice, &run);
        else
            rc = link_read_copy(self, &record.copy, &run);
    }
    return rc;
}

static void link_resume(link_t *self, uint64_t acknowledged)
{
    custody_resume(self->custody, self->sent - acknowledged);
    self->sent = acknowledged;
}

static void link_begin_anew(link_t *self, bool given_up)
{
    link_seal(self);
    custody_begin_anew(self->custody, given_up ? CUSTODY_GIVEN_UP : CUSTODY_NEW_BROKER);
    origins_unbind_all(&self->origins);
    self->sent = self->received = 0;
}

/* Takes what WELCOME says of the link. */
static void link_configure(link_t *self, const control_t *record)
{
    self->window_size = record->welcome.window_size;
    self->heartbeat_ms = record->welcome.heartbeat_ms;
    self->timeout_ms = record->welcome.timeout_ms;
    self->instance = record->welcome.instance;
    self->batch_size = self->options.batch_size;
    if (self->batch_size > record->welcome.batch_size)
        self->batch_size = record->welcome.batch_size;
    self->largest_size = record->welcome.batch_size;
    self->backoff_ms = self->options.backoff_min_ms;
    if (self->term < record->welcome.term)
        self->term = record->welcome.term;
    link_keep_time(self);
}

static void link_read_nodes(link_t *self, span_t nodes)
{
    for (; nodes.size >= LINK_ID_SIZE; nodes = span_of(nodes.data + LINK_ID_SIZE, nodes.size - LINK_ID_SIZE)) {
        link_id_t node;
        memcpy(node.bytes, nodes.data, LINK_ID_SIZE);
        origins_expect(&self->origins, &node);
    }
}

static const char *welcome_word(bool resumed, bool given_up)
{
    return resumed ? "resumed" : given_up ? "given-up" : "fresh";
}

static void link_tell_called_in(void *arg, const body_notice_t *notice)
{
    link_t *self = arg;
    self->callbacks->on_notice(self->owner, self, notice);
}

static int link_welcome(link_t *self, const control_t *record, uint64_t acknowledged)
{
    bool resumed = record->welcome.resumed;
    bool is_known = link_id_equal(&record->welcome.instance, &self->instance);
    bool given_up = is_known && !resumed;
    if (resumed && !is_known)
        return -CLOSE_BAD_RECORD;
    if (resumed && self->sent - acknowledged > custody_sent_count(self->custody))
        return -CLOSE_BAD_SEQUENCE;
    self->doubts += given_up || link_was_silent(self, self->heard_before_ms);
    if (!is_known)
        custody_call_in(self->custody, link_tell_called_in, self);
    custody_unsettle(self->custody);
    if (resumed)
        link_resume(self, acknowledged);
    else
        link_begin_anew(self, given_up);
    link_configure(self, record);
    link_read_nodes(self, record->welcome.nodes);
    log_info("link-up", log_str("broker", self->options.broker), log_str("endpoint", self->options.endpoint),
        log_uint("epoch", self->epoch), log_uint("window", self->window_size),
        log_str("begins", welcome_word(resumed, given_up)));
    link_move(self, LINK_UP);
    self->callbacks->on_up(self->owner, self, given_up);
    link_registered(self);
    if (self->stop_wanted)
        link_control_empty(self, RECORD_STOPPING);
    if (self->leave_wanted)
        link_say_leave(self);
    self->room_wanted = true;
    return 0;
}

static void link_pause_read(link_t *self, span_t name, bool paused)
{
    self->pause_count = paused ? self->pause_count + 1 : self->pause_count - (self->pause_count > 0);
    self->callbacks->on_pause(self->owner, self, name, paused);
}

static void link_origin_read(link_t *self, const control_t *record)
{
    if (record->origin.handle)
        origins_put(&self->origins, record->origin.handle, &record->origin.node);
}

static void link_confirm(link_t *self, const control_t *record)
{
    link_claim_t claim = {.term = record->name.term,
        .serial = record->name.serial,
        .doubts = self->doubts,
        .took_over = record->name.took_over,
        .resumes = record->name.resumes};
    if (self->term < claim.term)
        self->term = claim.term;
    self->callbacks->on_confirmed(self->owner, self, record->name.session, claim);
}

static void link_settled(link_t *self)
{
    custody_settled(self->custody);
    origins_settle(&self->origins);
}

/* What a record means to a link that is up. */
static int link_read_record(link_t *self, const control_t *record)
{
    switch (record->type) {
    case RECORD_CONFIRMED:
        link_confirm(self, record);
        return 0;
    case RECORD_DENIED:
        self->callbacks->on_denied(self->owner, self, record->name.session, record->name.error);
        return 0;
    case RECORD_LEFT:
        self->callbacks->on_left(self->owner, self, record->name.session);
        return 0;
    case RECORD_PRESENCE:
        if (self->callbacks->on_presence)
            self->callbacks->on_presence(
                self->owner, self, record->name.session, record->name.name, record->name.is_on);
        return 0;
    case RECORD_WHO_IS:
        if (self->callbacks->on_who)
            self->callbacks->on_who(self->owner, self, record->who.session, record->who.names, record->who.more);
        return 0;
    case RECORD_PAUSE:
    case RECORD_RESUME:
        link_pause_read(self, record->name.name, record->type == RECORD_PAUSE);
        return 0;
    case RECORD_ORIGIN:
        link_origin_read(self, record);
        return 0;
    case RECORD_GONE:
        origins_drop(&self->origins, record->origin.handle, record->origin.orderly);
        return 0;
    case RECORD_TAKEN:
        if (record->taken.below > custody_sent_end(self->custody))
            return -CLOSE_BAD_SEQUENCE;
        custody_taken(self->custody, record);
        return 0;
    case RECORD_WAITS:
        custody_waits(self->custody, record->number);
        return 0;
    case RECORD_HELD:
        custody_held(self->custody, &record->held.numbers, record->held.again);
        if (record->held.lent)
            custody_lent(self->custody, &record->held.numbers, record->held.name);
        return 0;
    case RECORD_ENDED:
        if (record->held.lent)
            custody_repaid(self->custody, &record->held.numbers, record->held.name);
        custody_ended(self->custody, &record->held.numbers);
        return 0;
    case RECORD_SETTLED:
        link_settled(self);
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

/* Reads the records of a frame with that acknowledgement. Returns 0, 1 when the link was closed or lost by one of them,
 * or -CLOSE_…. */
static int link_read_controls(link_t *self, span_t controls, uint64_t acknowledged)
{
    control_t record;
    int rc;
    while ((rc = control_next(&record, &controls, CONTROL_FROM_BROKER)) == 1) {
        if (record.type == RECORD_REFUSE) {
            link_lose(self, record.refuse.close, record.refuse.text);
            return 1;
        }
        if (self->state == LINK_GREETING && record.type == RECORD_WELCOME) {
            rc = link_welcome(self, &record, acknowledged);
            if (rc != 0)
                return rc;
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

/* The broker has heard what was said at that time; it may have said so long ago. */
static void link_heard(link_t *self, uint32_t stamp)
{
    uint64_t now_ms = reactor_now_ms(self->reactor), heard_ms = now_ms - (uint32_t)((uint32_t)now_ms - stamp);
    if (stamp && heard_ms > self->heard_ms)
        self->heard_ms = heard_ms;
}

static void on_acknowledgement_due(uv_timer_t *timer)
{
    link_t *self = timer->data;
    self->acknowledge_now = self->acknowledge_now || self->received != self->acknowledged;
}

/* An acknowledgement of little waits for company: at a low load it would cost two threads more than the batch did. */
static void link_owe_acknowledgement(link_t *self, size_t size)
{
    self->unacknowledged_size += size;
    if (!uv_is_active((uv_handle_t *)self->acknowledging))
        uv_timer_start(self->acknowledging, on_acknowledgement_due, LINK_ACKNOWLEDGE_MS, 0);
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
    link_heard(self, header.stamp);
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
        link_owe_acknowledgement(self, zmq_msg_size(body));
    }
    return link_read_controls(self, controls, header.acknowledged);
}

void link_receive(link_t *self, zmq_msg_t *header, zmq_msg_t *body)
{
    int rc = link_read(self, header, body);
    if (rc < 0) {
        link_lose(self, -rc, span_str("the broker broke the protocol"));
    } else if (rc == 0 && self->room_wanted && link_has_room(self)) {
        self->room_wanted = false;
        self->callbacks->on_room(self->owner, self);
    }
}
