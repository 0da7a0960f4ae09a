/* SPDX-License-Identifier: MPL-2.0 */
/* front [4]: a ZeroMQ message is a routing id, a header frame and perhaps a body frame. Of a node the body is
 * dispatched first, then the control records in their order, then the acknowledgement (proto/link.md, section 1).
 * Whoever has no link may say HELLO; anything else is answered with REFUSE, and so is a node that breaks the protocol,
 * which is given up. Bytes from outside never reach an assert. Owner: the router's thread. */
#include "broker/front.h"

#include <zmq.h>

#include "base/handover.h"
#include "base/log.h"
#include "broker/dispatch.h"
#include "broker/drain.h"
#include "broker/held.h"
#include "broker/hello.h"
#include "broker/leaving.h"
#include "broker/loss.h"
#include "broker/names.h"
#include "broker/pauses.h"
#include "broker/services.h"
#include "wire/frame.h"

#define FRONT_MESSAGES 256           /* read in one turn */
#define FRONT_BYTES    (1024 * 1024) /* of bodies read in one turn; the message that passes it is the last */
#define FRONT_NS       20000000      /* that one turn may read for, so that nobody waits longer for a heartbeat */
#define FRONT_LOOK     8             /* messages between two looks at the clock */

/* One ZeroMQ message. */
typedef struct {
    zmq_msg_t routing_id, header, body;
    unsigned frame_count; /* without the routing id */
} arrival_t;

static span_t frame_span(zmq_msg_t *frame)
{
    return span_of(zmq_msg_data(frame), zmq_msg_size(frame));
}

static void front_refuse(broker_t *broker, span_t routing_id, uint32_t epoch, int close)
{
    broker->counters.links_refused[close]++;
    if (!strangers_answer(&broker->strangers, table_hash(broker->nodes.by_route, routing_id), broker_now_ms(broker)))
        return;
    log_info("link-refused", log_str("reason", close_code(close)), log_uint("epoch", epoch));
    dealer_writer_refuse(broker->socket, routing_id, epoch ? epoch : 1, close, span_str(close_meaning(close)));
}

void front_break(node_t *node, int close)
{
    log_warning("protocol-error", log_uint("handle", node->handle), log_str("reason", close_code(close)));
    dealer_writer_refuse(
        node->broker->socket, node->route->item.key, node->epoch, close, span_str(close_meaning(close)));
    loss_of_node(node, close);
}

static int front_name(node_t *node, const control_t *record)
{
    switch (record->type) {
    case RECORD_REGISTER:
        return names_register(node, record);
    case RECORD_LEAVING:
        return leaving_begin(node, record->name.session);
    default:
        pauses_set(node, record->name.name, record->type == RECORD_PAUSE);
        return 0;
    }
}

static int front_registered(node_t *node)
{
    if (node->registered)
        return -CLOSE_BAD_RECORD;
    node->registered = true;
    held_registered(node);
    names_registered(node);
    leaving_acknowledged(node);
    settle_registered(node);
    hello_registered(node);
    return 0;
}

static int front_bye(node_t *node, const control_t *record)
{
    node->bye_heard = true;
    return record->number == node->writer.acknowledged ? 0 : -CLOSE_BAD_SEQUENCE;
}

static int front_bye_ok(node_t *node)
{
    if (!node->bye_said)
        return -CLOSE_BAD_RECORD;
    node->bye_answered = true;
    return 0;
}

/* Whether that is the end of a copy behind BYE: the successor hears of it, and of the report that it may rest on. */
static bool front_comes_late(const node_t *node, record_type_t type)
{
    return broker_parts(node->broker) && (type == RECORD_DONE || type == RECORD_END);
}

static int front_control(node_t *node, const control_t *record)
{
    if (front_comes_late(node, record->type))
        return 0;
    switch (record->type) {
    case RECORD_REGISTER:
    case RECORD_LEAVING:
    case RECORD_PAUSE:
    case RECORD_RESUME:
        return front_name(node, record);
    case RECORD_CREDIT:
        return services_credit(node, record);
    case RECORD_DONE:
        return services_done(node, record);
    case RECORD_ONLY:
        return names_only(node, record);
    case RECORD_YIELD:
        return names_yield(node, record);
    case RECORD_YIELDED:
        return names_yielded(node, record);
    case RECORD_WATCH:
        return watches_set(node, record);
    case RECORD_WHO:
        return who_ask(node, record);
    case RECORD_REGISTERED:
        return front_registered(node);
    case RECORD_ORIGIN:
        return held_state_origin(node, record);
    case RECORD_HOLD:
        return held_hold(node, record);
    case RECORD_END:
        return held_end(node, record);
    case RECORD_DRAINED:
        return drain_answered(node, record->number);
    case RECORD_STOPPING:
        node->stopping = true;
        return 0;
    case RECORD_LEAVE:
        return leaving_begin_all(node);
    case RECORD_BYE:
        return front_bye(node, record);
    case RECORD_BYE_OK:
        return front_bye_ok(node);
    default:
        return -CLOSE_BAD_RECORD;
    }
}

static int front_body(node_t *node, const frame_header_t *header, span_t body)
{
    if (broker_parts(node->broker))
        return 0; /* it goes to the successor, since nobody may hear of it here any more */
    if (header->sequence != node->writer.acknowledged + 1 || node->bye_heard)
        return -CLOSE_BAD_SEQUENCE;
    if (body.size > node->broker->batch_size)
        return -CLOSE_BAD_FRAME;
    node->writer.acknowledged = header->sequence;
    return dispatch_body(node, body, header);
}

/* N.B. what a node took on a link that is resumed counts only when it has said which of it it holds. */
static int front_acknowledged(node_t *node, uint64_t sequence)
{
    if (node_is_restating(node))
        return 0;
    if (sequence < node->taken_before)
        sequence = node->taken_before;
    if (sequence <= node->writer.sequence_acknowledged)
        return 0;
    int64_t copies = dealer_writer_acknowledge(&node->writer, sequence);
    if (copies < 0)
        return (int)copies;
    node->broker->ledger.handed_over += (uint64_t)copies;
    leaving_acknowledged(node);
    services_acknowledged(node);
    return 0;
}

/* The last word of a link: what is taken is told before BYE-OK. */
static void front_end(node_t *node)
{
    if (node->bye_heard) {
        dispatch_taken(node);
        node_tell(node, &(control_t){.type = RECORD_BYE_OK, .number = node->writer.acknowledged});
    }
    loss_of_node(node, CLOSE_ORDERLY);
}

/* N.B. a program may know that it has joined a group, and another have sent to that group since, in one turn of their
 * node: so who is the only member is handled before the body. */
static void front_read_only(node_t *node, span_t controls)
{
    control_t record;
    while (control_next(&record, &controls, CONTROL_FROM_NODE) == 1)
        if (record.type == RECORD_ONLY && node_peer(node, record.name.session))
            names_only(node, &record);
}

static int front_read(node_t *node, const frame_header_t *header, span_t controls, arrival_t *arrival)
{
    control_t record;
    int rc = 0;
    if (header->epoch != node->epoch)
        return -CLOSE_OLD_EPOCH;
    node->writer.stamp = header->stamp;
    if ((header->sequence != 0) != (arrival->frame_count == 2))
        return -CLOSE_BAD_FRAME;
    if (arrival->frame_count == 2) {
        front_read_only(node, controls);
        rc = front_body(node, header, frame_span(&arrival->body));
    }
    while (rc == 0 && (rc = control_next(&record, &controls, CONTROL_FROM_NODE)) == 1)
        rc = front_control(node, &record);
    if (rc == 0)
        rc = front_acknowledged(node, header->acknowledged);
    return rc;
}

/* Somebody without a link: HELLO, alone, or a reason to refuse. */
static int front_stranger(
    broker_t *broker, span_t routing_id, const frame_header_t *header, span_t controls, unsigned frame_count)
{
    control_t record;
    const route_t *route = nodes_route(&broker->nodes, routing_id);
    if (route && !route->is_current)
        return -CLOSE_OLD_EPOCH;
    if (route || header->sequence != 0 || frame_count != 1)
        return -CLOSE_UNKNOWN_LINK;
    int rc = control_next(&record, &controls, CONTROL_FROM_NODE);
    if (rc < 0)
        return rc;
    if (rc == 0 || record.type != RECORD_HELLO)
        return -CLOSE_UNKNOWN_LINK;
    return controls.size == 0 ? hello_receive(broker, routing_id, header, &record) : -CLOSE_BAD_RECORD;
}

/* A message of a node; `rc` is what its header was. */
static void front_serve(node_t *node, int rc, const frame_header_t *header, span_t controls, arrival_t *arrival)
{
    node->heard_ms = broker_now_ms(node->broker);
    if (rc == 0)
        rc = front_read(node, header, controls, arrival);
    if (rc != 0) {
        front_break(node, -rc);
        return;
    }
    if (node->doubted && node->writer.connected && !node_is_restating(node))
        names_heard(node);
    if (node->bye_heard || node->bye_answered)
        front_end(node);
}

static void front_take(broker_t *broker, arrival_t *arrival)
{
    frame_header_t header = {0};
    span_t controls = {0}, routing_id = frame_span(&arrival->routing_id);
    route_t *route = nodes_route(&broker->nodes, routing_id);
    node_t *node = route && route->is_current && !route->node->ended ? route->node : NULL;
    int rc = -CLOSE_BAD_FRAME;
    if (arrival->frame_count == 1 || arrival->frame_count == 2)
        rc = frame_header_get(&header, frame_span(&arrival->header), &controls);
    if (node) {
        front_serve(node, rc, &header, controls, arrival);
        return;
    }
    if (rc == 0)
        rc = front_stranger(broker, routing_id, &header, controls, arrival->frame_count);
    if (rc != 0)
        front_refuse(broker, routing_id, header.epoch, -rc);
}

/* Receives one frame; false when there is none. */
static bool frame_receive(void *socket, zmq_msg_t *frame)
{
    handover_close(frame);
    zmq_msg_init(frame);
    return handover_receive(frame, socket, ZMQ_DONTWAIT) != -1;
}

/* Receives one message, with as many of its frames as may be; ZeroMQ has all of them or none. */
static bool arrival_receive(arrival_t *self, void *socket)
{
    self->frame_count = 0;
    if (!frame_receive(socket, &self->routing_id))
        return false;
    zmq_msg_t *last = &self->routing_id;
    zmq_msg_t spare;
    zmq_msg_init(&spare);
    while (zmq_msg_more(last)) {
        last = self->frame_count == 0 ? &self->header : self->frame_count == 1 ? &self->body : &spare;
        if (!frame_receive(socket, last))
            break;
        self->frame_count++;
    }
    handover_close(&spare);
    return true;
}

void front_receive(broker_t *broker)
{
    arrival_t arrival;
    size_t size = 0;
    zmq_msg_init(&arrival.routing_id);
    zmq_msg_init(&arrival.header);
    zmq_msg_init(&arrival.body);
    uint64_t until_ns = uv_hrtime() + FRONT_NS;
    for (unsigned i = 0; i < FRONT_MESSAGES && size < FRONT_BYTES; i++) {
        if (i % FRONT_LOOK == FRONT_LOOK - 1 && uv_hrtime() >= until_ns)
            break;
        if (!arrival_receive(&arrival, broker->socket))
            break;
        broker->counters.frames++;
        if (arrival.frame_count == 2)
            size += zmq_msg_size(&arrival.body);
        front_take(broker, &arrival);
    }
    handover_close(&arrival.routing_id);
    handover_close(&arrival.header);
    handover_close(&arrival.body);
}
