/* SPDX-License-Identifier: MPL-2.0 */
/* peers_receive [1]: reads the messages of ZeroMQ programs, each behind its routing id, and gives them to their peers.
 * Of a message with more frames than any verb has, the others are dropped as they come. Who is not logged in can log
 * in, and is told so otherwise. Owner: the peers actor's thread. */
#include "base/handover.h"
#include "plain/peer_hear.h"
#include "plain/peers.h"

#define RECEIVE_FRAMES (1 + VERB_FRAMES_MAX) /* that are kept: the routing id first */

typedef struct {
    zmq_msg_t frames[RECEIVE_FRAMES];
    size_t count; /* of frames that came; may be more than are kept */
} received_t;

static span_t message_span(zmq_msg_t *message)
{
    return span_of(zmq_msg_data(message), zmq_msg_size(message));
}

/* Receives one message. Returns false if there is none. */
static bool received_take(received_t *self, void *socket)
{
    bool more = true;
    for (self->count = 0; more; self->count++) {
        zmq_msg_t extra, *frame = self->count < RECEIVE_FRAMES ? &self->frames[self->count] : &extra;
        zmq_msg_init(frame);
        if (handover_receive(frame, socket, ZMQ_DONTWAIT) < 0) {
            handover_close(frame);
            break;
        }
        more = zmq_msg_more(frame);
        if (frame == &extra)
            handover_close(frame);
    }
    return self->count > 0;
}

static void received_close(received_t *self)
{
    for (size_t i = 0; i < self->count && i < RECEIVE_FRAMES; i++)
        handover_close(&self->frames[i]);
}

/* Tells a connection without a login something, within bounds. */
static void peers_answer_stranger(peers_t *self, span_t route, int error, span_t culprit)
{
    self->counters.strangers++;
    if (!peers_may_answer(self, route))
        return;
    door_t door = {.socket = self->socket, .route = route};
    door_say(&door, (const span_t[]){span_str("ERROR"), span_str(error_code(error)), culprit}, culprit.size ? 3 : 2);
}

static void on_probed_name(peer_t *peer, void *arg)
{
    const span_t *name = arg;
    if (span_equal(peer->name, *name))
        peer_probe(peer);
}

/* N.B. a program that was restarted comes before anything tells that its old connection is gone: it is looked for. */
static void peers_hear_login(peers_t *self, span_t route, peer_t *before, verb_t *login)
{
    if (before && before->state == PEER_REGISTERING && span_equal(before->name, login->name))
        return;
    int error = 0;
    size_t unread_size = before ? peer_writer_open_size(&before->writer) : 0;
    if (self->phase != PEERS_RUNNING)
        error = FERRY_ERROR_DRAINING;
    else if (login->secret.size)
        error = FERRY_ERROR_SECRETS_NOT_ENABLED;
    else if (self->count >= self->limits.peer_count)
        error = FERRY_ERROR_TOO_MANY_SESSIONS;
    else if (before && (before->state == PEER_REGISTERING || !peers_may_answer(self, route)))
        error = FERRY_ERROR_BAD_LINE;
    if (error && before)
        peer_refuse(before, &(verb_t){.kind = VERB_LOGIN}, error);
    else if (error)
        peers_answer_stranger(self, route, error, span_of(NULL, 0));
    if (error)
        return;
    peers_open_links(self);
    if (before)
        peer_cut(before, CLOSE_CLIENT_GONE);
    peers_each(self, on_probed_name, &login->name);
    peers_login(self, route, login, unread_size);
}

static void peers_hear(peers_t *self, span_t route, size_t count)
{
    verb_t verb = {.message.recipients = self->recipients};
    peer_t *peer = (peer_t *)table_get(self->routes, route);
    int error = verb_parse(&verb, self->frames, count, &self->limits.verb);
    if (!error && verb.kind == VERB_LOGIN)
        peers_hear_login(self, route, peer, &verb);
    else if (peer && error)
        peer_refuse(peer, &verb, -error);
    else if (peer)
        peer_hear(peer, &verb, self->frames, count);
    else if (error && verb.kind == VERB_LOGIN)
        peers_answer_stranger(self, route, -error, verb.culprit);
    else if (error || verb.kind != VERB_PONG)
        peers_answer_stranger(self, route, FERRY_ERROR_UNKNOWN_PEER, span_of(NULL, 0));
}

bool peers_receive(peers_t *self, int budget)
{
    received_t received;
    for (; budget > 0; budget--) {
        if (!received_take(&received, self->socket))
            return true;
        size_t count = received.count - 1;
        for (size_t i = 0; i < count && i < VERB_FRAMES_MAX; i++)
            self->frames[i] = message_span(&received.frames[i + 1]);
        peers_hear(self, message_span(&received.frames[0]), count);
        received_close(&received);
    }
    return false;
}
