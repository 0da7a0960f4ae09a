/* SPDX-License-Identifier: MPL-2.0 */
/* door: what is sent to one ZeroMQ program through the ROUTER that all share. N.B. a send that succeeds says that
 * ZeroMQ had a connection and has the message, and no more. The peers actor's thread. */
#ifndef FERRY_PLAIN_DOOR_H
#define FERRY_PLAIN_DOOR_H

#include <zmq.h>

#include "base/span.h"

typedef struct {
    void *socket; /* the ROUTER; borrowed */
    span_t route; /* the routing id; borrowed */
} door_t;

/* Sends frames, one at least, that are copied. Returns 0, or -1 when the connection is gone. */
int door_say(const door_t *self, const span_t *frames, size_t count);

/* Sends a MESSAGE from `sender` to `destination`; or a REPLY to the request with that label. Takes both messages if it
 * succeeds, which returns 0; -1 as above. */
int door_deliver(const door_t *self, zmq_msg_t *sender, span_t destination, zmq_msg_t *payload);
int door_answer(const door_t *self, zmq_msg_t *label, zmq_msg_t *payload);

#endif
