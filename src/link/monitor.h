/* SPDX-License-Identifier: MPL-2.0 */
/* monitor: tells when a DEALER that is connecting was refused, or cut off before it was connected. A socket with
 * RECONNECT_IVL -1 does not say so by itself, and waiting for the connect timeout would make each restart of a broker a
 * pause of seconds. The link's thread's. */
#ifndef FERRY_LINK_MONITOR_H
#define FERRY_LINK_MONITOR_H

#include "base/reactor.h"

typedef struct monitor monitor_t;

/* Watches `dealer` (borrowed; it must outlive the monitor); call it before zmq_connect. on_refused is called from
 * within the loop, at most once, and may destroy the monitor. Returns NULL if ZeroMQ has no monitor for it. */
monitor_t *monitor_new(reactor_t *reactor, void *dealer, void (*on_refused)(void *arg), void *arg);
void monitor_destroy(monitor_t **self_p);

#endif
