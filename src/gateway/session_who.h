/* SPDX-License-Identifier: MPL-2.0 */
/* session_who: a session asks who is there (proto/line.md, section 6). Its worker's thread's; nothing fails but by
 * abort. */
#ifndef FERRY_GATEWAY_SESSION_WHO_H
#define FERRY_GATEWAY_SESSION_WHO_H

#include "gateway/session.h"

/* /who: `info who NAME` for each name, and `ok who COUNT`, are written when all brokers have answered. Returns 1, or 0
 * if an earlier question is still open: then `waiting` waits for its end. */
int session_who(session_t *session, span_t prefix);

/* What a broker says: names in byte order, each u8 size and bytes, and whether there are more. */
void session_who_is(session_t *session, const uplink_t *uplink, span_t names, bool more);

/* A new link is up: asks again what its broker has not answered. */
void session_who_restate(session_t *session, const uplink_t *uplink);

/* The session is at its end. */
void session_who_end(session_t *session);

#endif
