/* SPDX-License-Identifier: MPL-2.0 */
/* dispatch [5]: the recipients of a message are looked up one by one, a group at each node with members; those at the
 * same node share a copy, and who is not there is refused by a notice to the sender, or kept while the broker settles.
 * What was routed is expected in the sender's intake until it is acknowledged. A REPORT becomes a NOTICE to the node
 * that sent the message; one that was given up is owed it, one that has left is not told. Only bytes that are no
 * records fail. Owner: the router's thread.
 */
#include "broker/dispatch.h"

#include "broker/broker.h"
#include "broker/held_origins.h"
#include "broker/names.h"
#include "broker/pauses.h"
#include "broker/services.h"
#include "broker/shared_names.h"
#include "wire/error.h"
#include "wire/reason.h"

/* N.B. whoever had the name may have delivered a copy that is sent again, so nobody can say that there is no such peer.
 */
void transit_refuse(const transit_t *self, span_t name)
{
    body_notice_t notice = {.error = self->run.again ? FERRY_ERROR_UNCONFIRMED : FERRY_ERROR_NO_SUCH_PEER,
        .reason = self->run.again ? FERRY_REASON_BROKER_LOST : 0,
        .number = self->batch->first_number + self->index,
        .session = self->message->session,
        .name = name};
    dealer_writer_notice(&self->node->writer, NULL, &notice, NULL, 0);
    node_touch(self->node);
    self->broker->counters.refused++;
}

void transit_copies(const transit_t *self, node_t *to, const uint64_t *sessions, unsigned session_count)
{
    self->broker->ledger.taken_over +=
        dealer_writer_copy(&to->writer, &self->run, self->message, self->batch, self->index, sessions, session_count);
    self->broker->counters.copies += session_count;
    if (link_session_is_service(sessions[0]))
        services_sent(to, sessions[0]);
    node_touch(to);
}

static void transit_meet_pause(const transit_t *self, peer_t *peer)
{
    if (peer_is_paused(peer))
        pauses_tell(peer, self->node);
}

void transit_copy(const transit_t *self, peer_t *to)
{
    transit_meet_pause(self, to);
    transit_copies(self, to->node, &to->session, 1);
}

/* A copy that no owner of its name can be given now. Returns how many are to be expected of it. */
static unsigned transit_miss(const transit_t *self, span_t name)
{
    if (settle_keeps(self->broker, name)) {
        kept_add(&self->broker->kept, self, name);
        return 1;
    }
    transit_refuse(self, name);
    return 0;
}

/* A copy that comes behind those that the owner of a name still gets from the one before is kept until then. */
static bool transit_comes_later(const transit_t *self, const peer_t *peer, span_t name)
{
    if (!peer->resumed_from || body_is_forward(self->message->flags))
        return false;
    kept_add(&self->broker->kept, self, name);
    return true;
}

/* Adds a recipient. */
static void transit_add(const transit_t *self, peer_t *peer)
{
    transit_meet_pause(self, peer);
    buffer_append(&self->broker->recipients, &peer, sizeof peer);
}

/* Whether a node's peer of a group has a member that is not the sender. */
static bool transit_reaches(const transit_t *self, const peer_t *peer)
{
    return peer->state == PEER_OWNER && !(peer->node == self->node && peer->more->only == self->message->session);
}

/* Adds all nodes with members of a group but the sender. Returns how many there are. */
static unsigned transit_add_group(const transit_t *self, span_t name)
{
    const shared_name_t *shared = shared_names_find(self->broker, name);
    unsigned count = 0;
    for (peer_t *peer = shared ? shared->first : NULL; peer; peer = peer->more->shared_next) {
        if (!transit_reaches(self, peer))
            continue;
        transit_add(self, peer);
        count++;
    }
    return count;
}

/* Gives a copy to one of those who serve the name. Returns how many are to be expected. */
static unsigned transit_serve(const transit_t *self, span_t name)
{
    services_answer_t answer = services_route(self, name);
    self->batch->is_awaited = true; /* a job is known to be somebody's as soon as may be */
    if (answer == SERVICES_KEPT)
        kept_add(&self->broker->kept, self, name);
    return answer != SERVICES_REFUSED;
}

/* Adds a recipient, or misses it. Returns how many copies are to be expected that are not in broker->recipients. */
static unsigned transit_find(const transit_t *self, span_t name)
{
    if (name_is_service(name))
        return transit_serve(self, name);
    if (name_is_group(name))
        return !settle_keeps(self->broker, name) && transit_add_group(self, name) ? 0 : transit_miss(self, name);
    peer_t *peer = names_find(self->broker, name);
    if (!peer)
        return transit_miss(self, name);
    if (transit_comes_later(self, peer, name))
        return 1;
    transit_add(self, peer);
    return 0;
}

/* Copies to the node of the first of `peers`, and takes its peers out of the array. Returns how many are left. */
static unsigned transit_copy_first(const transit_t *self, peer_t **peers, unsigned count)
{
    uint64_t sessions[BODY_RECIPIENTS_MAX];
    node_t *to = peers[0]->node;
    unsigned session_count = 0, left = 0;
    for (unsigned i = 0; i < count; i++) {
        if (peers[i]->node == to)
            sessions[session_count++] = peers[i]->session;
        else
            peers[left++] = peers[i];
    }
    transit_copies(self, to, sessions, session_count);
    return left;
}

/* Copies to all in broker->recipients. Returns how many there were. */
static unsigned transit_copy_all(const transit_t *self)
{
    buffer_t *recipients = &self->broker->recipients;
    if (buffer_size(recipients) == 0)
        return 0;
    peer_t **peers = (peer_t **)(void *)(recipients->data + recipients->start);
    unsigned count = (unsigned)(buffer_size(recipients) / sizeof *peers);
    for (unsigned left = count; left > 0;)
        left = transit_copy_first(self, peers, left);
    buffer_clear(recipients);
    return count;
}

static unsigned transit_route_many(const transit_t *self)
{
    unsigned kept = 0;
    span_t rest = self->message->recipients;
    for (unsigned i = 0; i < self->message->recipient_count; i++)
        kept += transit_find(self, body_name_next(&rest));
    return transit_copy_all(self) + kept;
}

void transit_release(const transit_t *self, span_t name)
{
    unsigned count = transit_add_group(self, name);
    if (count == 0)
        transit_refuse(self, name);
    inbatch_expect(self->batch, self->index, count);
    transit_copy_all(self);
}

/* Routes to one name, that of a peer. */
static unsigned transit_route_one(transit_t *self, span_t name)
{
    peer_t *peer = names_find(self->broker, name);
    if (!peer)
        return transit_miss(self, name);
    if (transit_comes_later(self, peer, name))
        return 1;
    transit_copy(self, peer);
    self->last = peer;
    return 1;
}

/* N.B. who has a name cannot change between the records of a batch. */
static unsigned transit_route(transit_t *self)
{
    span_t rest = self->message->recipients, name = body_name_next(&rest);
    if (self->message->more && self->last) {
        transit_copy(self, self->last);
        return 1;
    }
    self->last = NULL;
    if (self->message->recipient_count > 1 || link_session_kind(name))
        return transit_route_many(self);
    return transit_route_one(self, name);
}

static body_notice_t notice_of(const body_report_t *report)
{
    return (body_notice_t){.error = report->error,
        .reason = report->reason,
        .taken = true,
        .number = report->number,
        .session = report->session,
        .name = report->name};
}

/* Keeps a notice for a node that is not here, if it may come back. */
static void notice_owe(struct broker *broker, const link_id_t *origin, const body_notice_t *notice)
{
    if (owed_add(&broker->owed, origin, notice))
        broker->counters.notices++;
    else
        broker->counters.notices_dropped++;
}

void transit_notify(const transit_t *self, node_t *origin, const body_report_t *report)
{
    body_notice_t notice = notice_of(report);
    notice.report = self->batch->first_number + self->index;
    self->broker->counters.notices++;
    dealer_writer_notice(&origin->writer, &self->run, &notice, self->batch, self->index);
    node_touch(origin);
}

static unsigned transit_report(const transit_t *self, const body_report_t *report)
{
    struct broker *broker = self->broker;
    node_t *origin = nodes_find(&broker->nodes, &report->origin);
    body_notice_t notice = notice_of(report);
    broker->counters.reports++;
    if (origin)
        transit_notify(self, origin, report);
    else if (broker->settle.is_active)
        kept_add_report(&broker->kept, self, report);
    else
        notice_owe(broker, &report->origin, &notice);
    return origin || broker->settle.is_active;
}

/* Routes a record. Returns how many acknowledgements are to be expected of it. */
static unsigned transit_record(transit_t *self, const body_record_t *record)
{
    if (record->type == RECORD_GAP)
        return 0;
    if (record->type == RECORD_REPORT)
        return transit_report(self, &record->report);
    self->message = &record->message;
    self->batch->is_awaited = self->batch->is_awaited || record->message.flags & BODY_FLAG_RECEIPT;
    self->broker->counters.messages++;
    return transit_route(self);
}

/* The messages that differ from the last one in nothing but their texts go where that went, as they stand. */
static void transit_go_on(transit_t *self, body_t *body)
{
    struct broker *broker = self->broker;
    dealer_writer_t *writer = &self->last->node->writer;
    span_t bytes;
    uint32_t count = body_next_more(body, dealer_writer_more_room(writer, self->batch, self->index), &bytes);
    if (count == 0)
        return;
    dealer_writer_more(writer, bytes, count);
    for (uint32_t i = 1; i <= count; i++)
        inbatch_expect(self->batch, self->index + i, 1);
    self->index += count;
    broker->ledger.taken_over += count;
    broker->counters.copies += count;
    broker->counters.messages += count;
}

int dispatch_body(node_t *node, span_t frame, const frame_header_t *header)
{
    body_t body;
    body_record_t record;
    struct broker *broker = node->broker;
    int rc = body_open_up(&body, frame);
    if (rc != 0)
        return rc;
    if (body.number + 1 != node->intake.below)
        return -CLOSE_BAD_SEQUENCE;
    broker->counters.batches++;
    histogram_add(&broker->batch_records, body.left);
    histogram_add(&broker->batch_bytes, frame.size);
    transit_t transit = {.broker = broker,
        .node = node,
        .batch = intake_open(&node->intake, body.left, broker_now_ms(broker)),
        .run = {.handle = node->handle, .floor = header->floor, .again = header->flags & FRAME_FLAG_AGAIN}};
    transit.batch->size = (uint32_t)frame.size;
    for (; (rc = body_next_up(&body, &record)) == 1; transit.index++) {
        inbatch_expect(transit.batch, transit.index, transit_record(&transit, &record));
        if (transit.last)
            transit_go_on(&transit, &body);
    }
    return rc;
}

static body_notice_t notice_of_loss(uint64_t number, uint64_t session, span_t name)
{
    return (body_notice_t){.error = FERRY_ERROR_UNCONFIRMED,
        .reason = FERRY_REASON_GATEWAY_LOST,
        .taken = true,
        .number = number,
        .session = session,
        .name = name};
}

static void dispatch_lost(node_t *origin, const body_notice_t *notice)
{
    origin->broker->counters.notices++;
    dealer_writer_notice(&origin->writer, NULL, notice, NULL, 0);
    node_touch(origin);
}

void dispatch_lost_held(struct broker *broker, const held_origin_t *origin, uint64_t number, span_t name)
{
    body_notice_t notice = notice_of_loss(number, DISPATCH_SESSION_UNKNOWN, name);
    if (origin->node)
        dispatch_lost(origin->node, &notice);
    else
        notice_owe(broker, &origin->id, &notice);
}

/* Tells the origin of a lost copy, or owes it to one that was given up, as `node` itself is being. */
static void dispatch_lose_copy(node_t *node, uint32_t handle, const body_copy_t *copy, span_t name)
{
    struct broker *broker = node->broker;
    node_t *origin = nodes_by_handle(&broker->nodes, handle);
    body_notice_t notice = notice_of_loss(copy->number, copy->session, name);
    link_id_t id = node->id;
    if (origin && origin != node)
        dispatch_lost(origin, &notice);
    else if (origin || gone_find(&broker->gone, handle, &id))
        notice_owe(broker, &id, &notice);
    else
        broker->counters.notices_dropped++;
}

static void dispatch_lose_copies(node_t *node, uint32_t handle, const body_copy_t *copy)
{
    node->broker->ledger.unconfirmed[FERRY_REASON_GATEWAY_LOST] += copy->recipient_count;
    for (unsigned i = 0; i < copy->recipient_count; i++) {
        node->broker->ledger.made += link_session_is_group(body_session_at(copy, i));
        const peer_t *peer = node_peer(node, body_session_at(copy, i));
        if (peer && peer->item.key.size > 0)
            dispatch_lose_copy(node, handle, copy, peer->item.key);
        else
            node->broker->counters.notices_dropped++;
    }
}

static void on_lost_body(void *arg, span_t frame)
{
    node_t *node = arg;
    uint32_t handle = 0;
    body_t body;
    body_record_t record;
    if (body_open_down(&body, frame) != 0)
        return;
    while (body_next_down(&body, &record) == 1) {
        if (record.type == RECORD_RUN)
            handle = record.run.handle;
        else if (record.type == RECORD_COPY)
            dispatch_lose_copies(node, handle, &record.copy);
        else if (record.notice.taken) /* of others the message is sent again */
            notice_owe(node->broker, &node->id, &record.notice);
    }
}

void dispatch_lose(node_t *node)
{
    dealer_writer_each_body(&node->writer, on_lost_body, node);
    dealer_writer_clear(&node->writer);
}

void dispatch_taken(node_t *node)
{
    struct broker *broker = node->broker;
    uint64_t due_ms;
    if (intake_taken(&node->intake, broker_now_ms(broker), &due_ms))
        dealer_writer_control(
            &node->writer, &(control_t){.type = RECORD_TAKEN,
                               .taken = {.below = node->intake.told, .exceptions = buffer_span(&node->intake.ranges)}});
    if (due_ms)
        broker_taken_due(broker, due_ms);
}
