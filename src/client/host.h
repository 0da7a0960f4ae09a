/* SPDX-License-Identifier: MPL-2.0 */
/* host: the process that the library is a guest in, and how it goes about its signals. Any thread. */
#ifndef FERRY_CLIENT_HOST_H
#define FERRY_CLIENT_HOST_H

#include <czmq.h>

#include "base/list.h"

/* Something that holds sockets, and must let go of them before the process ends. Embedded in its owner. */
typedef struct host_guest {
    list_node_t node;
    void (*on_exit)(struct host_guest *self);
} host_guest_t;

/* Makes czmq's context unless there is one, without the signal handlers that come with it; and lets the library's log
 * be as FERRY_LOG says. May be called again and again. */
void host_enter(void);

/* From now on, until host_part, on_exit is called if the program ends by exit (3) or a return from main, before czmq
 * ends its context, which would not come to its end otherwise. On the thread that ends the program. */
void host_join(host_guest_t *guest, void (*on_exit)(host_guest_t *self));
void host_part(host_guest_t *guest);

/* zactor_new and zactor_destroy with all signals blocked: the actor's thread is to get none, and its end must not be
 * taken for reached because one came. */
zactor_t *host_start_actor(zactor_fn *actor, void *args);
void host_end_actor(zactor_t **actor_p);

#endif
