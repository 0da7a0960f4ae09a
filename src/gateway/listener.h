/* SPDX-License-Identifier: MPL-2.0 */
/* listener: the actor that accepts clients and hands each to the worker with the fewest sessions. It alone knows how
 * many there are, of each address too, so limits are kept here. */
#ifndef FERRY_GATEWAY_LISTENER_H
#define FERRY_GATEWAY_LISTENER_H

#include <czmq.h>

#include "base/config.h"

/* What main gives the listener; borrowed for the actor's life, but for the pipes, which are the listener's. */
typedef struct {
    const config_t *config;
    const int *sockets;  /* already listening (socket activation), instead of gateway/listen */
    size_t socket_count; /* 0: listen on gateway/listen */
    zsock_t **workers;   /* the listener's end of a pipe to each worker */
    size_t worker_count;
} listener_args_t;

/* The actor (a zactor_fn). It signals 0 when it listens, 1 when it cannot and has said why. It hears STATUS; DRAIN,
 * upon which it accepts what the kernel has queued and closes; $TERM. It says STATUS and JSON; DRAINED, 0, {}. */
void listener_actor(zsock_t *pipe, void *args);

#endif
