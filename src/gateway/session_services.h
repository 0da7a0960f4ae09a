/* SPDX-License-Identifier: MPL-2.0 */
/* session_services: the services that a session serves, and the jobs that its client has and has not done
 * (proto/line.md, section 6). Its worker's thread's; nothing fails but by abort. */
#ifndef FERRY_GATEWAY_SESSION_SERVICES_H
#define FERRY_GATEWAY_SESSION_SERVICES_H

#include "gateway/session.h"

/* What the offers of a worker call; the owner is the worker. */
extern const offers_owner_t session_services_owner;

/* /serve: `ok serve SERVICE` is written once that is so, each time. Returns 1, or -FERRY_ERROR_TOO_MANY_SERVICES above
 * gateway/max_services. */
int session_serve(session_t *session, span_t service, uint32_t credit);

/* /unserve: writes `ok unserve SERVICE`; jobs that the client has go on. */
void session_unserve(session_t *session, span_t service);

/* /done and /reply. Returns 1; 0 if a reply must wait (`waiting` is in the list of what it waits for); or
 * -FERRY_ERROR_NO_SUCH_JOB, or another if the answer cannot be sent. */
int session_done(session_t *session, uint64_t job);
int session_reply(session_t *session, uint64_t job, span_t text);

/* The client will do no more: its jobs are returned for that reason of proto/reasons.def, and its services end. */
void session_services_end(session_t *session, int reason);

#endif
