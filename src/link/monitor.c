/* SPDX-License-Identifier: MPL-2.0 */
/* monitor: a PAIR socket that libzmq writes events of the DEALER to: CLOSED when TCP refuses, DISCONNECTED when the
 * connection goes before ZeroMQ's handshake, as with a listener that closes while connections are in its backlog. It is
 * read to its end in each turn (one that is not read freezes the I/O thread) and lives only until the connection is
 * made. Owner: the link's thread. */
#include "link/monitor.h"

#include <czmq.h>

struct monitor {
    void *dealer;
    void *pair;
    watch_t *watch;
    bool told;
    void (*on_refused)(void *arg);
    void *arg;
};

static void on_monitor(void *arg, short events)
{
    monitor_t *self = arg;
    (void)events;
    bool refused = false;
    char frame[256];
    while (zmq_recv(self->pair, frame, sizeof frame, ZMQ_DONTWAIT) >= 0)
        refused = true;
    if (!refused || self->told)
        return;
    self->told = true;
    self->on_refused(self->arg);
}

monitor_t *monitor_new(reactor_t *reactor, void *dealer, void (*on_refused)(void *arg), void *arg)
{
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "inproc://ferrymq-monitor-%p", dealer);
    if (zmq_socket_monitor(dealer, endpoint, ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED) != 0)
        return NULL;
    monitor_t *self = zmalloc(sizeof *self);
    self->dealer = dealer;
    self->on_refused = on_refused;
    self->arg = arg;
    self->pair = zmq_socket(zsys_init(), ZMQ_PAIR);
    int none = 0;
    if (!self->pair || zmq_setsockopt(self->pair, ZMQ_RCVHWM, &none, sizeof none) != 0 ||
        zmq_setsockopt(self->pair, ZMQ_LINGER, &none, sizeof none) != 0 || zmq_connect(self->pair, endpoint) != 0) {
        monitor_destroy(&self);
        return NULL;
    }
    self->watch = watch_new(reactor, self->pair, ZMQ_POLLIN, on_monitor, self);
    return self;
}

void monitor_destroy(monitor_t **self_p)
{
    monitor_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    zmq_socket_monitor(self->dealer, NULL, 0);
    watch_destroy(&self->watch);
    if (self->pair)
        zmq_close(self->pair);
    free(self);
}
