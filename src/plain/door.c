/* SPDX-License-Identifier: MPL-2.0 */
/* door: the routing id goes first, and fails if there is no such connection (ZMQ_ROUTER_MANDATORY); the frames behind
 * it cannot fail, since there are no high-water marks: if the connection dies in between, ZeroMQ drops them. Owner: the
 * peers actor's thread. */
#include "plain/door.h"

#include "base/handover.h"

static int door_send_bytes(const door_t *self, span_t bytes, int flags)
{
    return handover_send_bytes(self->socket, bytes.data, bytes.size, flags | ZMQ_DONTWAIT);
}

int door_say(const door_t *self, const span_t *frames, size_t count)
{
    if (door_send_bytes(self, self->route, ZMQ_SNDMORE) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        door_send_bytes(self, frames[i], i + 1 < count ? ZMQ_SNDMORE : 0);
    return 0;
}

static void door_hand(const door_t *self, zmq_msg_t *message, int flags)
{
    if (handover_send(message, self->socket, flags | ZMQ_DONTWAIT) < 0)
        handover_close(message);
}

int door_deliver(const door_t *self, zmq_msg_t *sender, span_t destination, zmq_msg_t *payload)
{
    if (door_send_bytes(self, self->route, ZMQ_SNDMORE) != 0)
        return -1;
    door_send_bytes(self, span_str("MESSAGE"), ZMQ_SNDMORE);
    door_hand(self, sender, ZMQ_SNDMORE);
    door_send_bytes(self, destination, ZMQ_SNDMORE);
    door_hand(self, payload, 0);
    return 0;
}

int door_answer(const door_t *self, zmq_msg_t *label, zmq_msg_t *payload)
{
    if (door_send_bytes(self, self->route, ZMQ_SNDMORE) != 0)
        return -1;
    door_send_bytes(self, span_str("REPLY"), ZMQ_SNDMORE);
    door_hand(self, label, ZMQ_SNDMORE);
    door_hand(self, payload, 0);
    return 0;
}
