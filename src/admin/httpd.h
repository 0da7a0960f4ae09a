/* SPDX-License-Identifier: MPL-2.0 */
/* httpd: the HTTP side of the admin endpoint: connections, their limits and deadlines. Everything here is the admin
 * actor's thread's; nothing blocks. */
#ifndef FERRY_ADMIN_HTTPD_H
#define FERRY_ADMIN_HTTPD_H

#include "admin/request.h"
#include "base/reactor.h"

typedef struct httpd httpd_t;

/* Serves on a listening socket, which it takes, in the reactor's loop (borrowed until httpd_close). on_request is
 * called for each request that has come in whole; it answers it (request_answer, request_say), lets it wait
 * (request_wait) or lets it follow (request_follow). */
httpd_t *httpd_new(reactor_t *reactor, int listen_fd, void (*on_request)(void *arg, request_t *request), void *arg);

/* To be called in each turn of the reactor, before it may sleep. */
void httpd_turn(httpd_t *self);

/* Calls `visit` for each request that waits; it may answer it. */
void httpd_each_waiting(httpd_t *self, void (*visit)(void *arg, request_t *request), void *arg);

/* Lets the requests that follow a progress read on. With `finished` each gets 1 s to be written out, then it is cut. */
void httpd_wake_followers(httpd_t *self, bool finished);

/* How many connections there are. */
unsigned httpd_connection_count(const httpd_t *self);

/* How many requests follow a progress and are not written out. */
unsigned httpd_follower_count(const httpd_t *self);

/* Answers what waits with 503, accepts nothing more and closes the handles of the loop. Then let the reactor run to its
 * end and destroy it, and only then destroy this, which closes the connections. */
void httpd_close(httpd_t *self);
void httpd_destroy(httpd_t **self_p);

#endif
