/* SPDX-License-Identifier: MPL-2.0 */
/* session_requests: what a session has asked services and not been answered (proto/line.md, section 6). Its worker's
 * thread's; nothing fails but by abort. */
#ifndef FERRY_GATEWAY_SESSION_REQUESTS_H
#define FERRY_GATEWAY_SESSION_REQUESTS_H

#include "gateway/session.h"

/* A request was sent; its answer is waited for as long as the line says. */
void session_request(session_t *session, const line_t *line);

/* Whether an answer to that label is waited for. */
bool session_awaits(const session_t *session, span_t label);

/* The request will not be answered; its client is told by who calls. */
void session_drop_request(session_t *session, span_t label);

/* A reply: writes `ok LABEL TEXT`. False if nobody waits for it. */
bool session_answer(session_t *session, const body_copy_t *copy, origin_t *origin);

/* Tells each client whose time is over `error timeout SERVICE LABEL`. */
void requests_tick(worker_t *worker, uint64_t now_ms);

/* The session is at its end. */
void session_requests_end(session_t *session);

#endif
