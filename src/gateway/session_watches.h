/* SPDX-License-Identifier: MPL-2.0 */
/* session_watches: the names whose coming and going a session wants to be told of (proto/line.md, section 6). Few, so a
 * list. Its worker's thread's; nothing fails but by abort. */
#ifndef FERRY_GATEWAY_SESSION_WATCHES_H
#define FERRY_GATEWAY_SESSION_WATCHES_H

#include "gateway/session.h"

/* /watch: `ok watch NAME here` or `away` is written when its broker says which. Returns 1, or
 * -FERRY_ERROR_TOO_MANY_WATCHES above gateway/max_watches. */
int session_watch(session_t *session, span_t name);

/* /unwatch: writes `ok unwatch NAME`, whether it was watched or not. */
void session_unwatch(session_t *session, span_t name);

/* What the broker says of a name that is watched: writes the answer, or what has changed. */
void session_presence(session_t *session, span_t name, bool is_here);

/* A new link is up: states the watches that belong to it. */
void session_watches_restate(session_t *session, const uplink_t *uplink);

/* The session is at its end. */
void session_watches_end(session_t *session);

#endif
