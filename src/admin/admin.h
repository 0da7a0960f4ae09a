/* SPDX-License-Identifier: MPL-2.0 */
/* admin: the actor of the HTTP endpoint: /livez, /readyz, /status, /metrics, and POST /drain (proto/admin.md). */
#ifndef FERRY_ADMIN_ADMIN_H
#define FERRY_ADMIN_ADMIN_H

#include <czmq.h>

typedef struct {
    const char *listen; /* "http://127.0.0.1:7480", borrowed until zactor_new returns */
    const char *role;   /* "all", "gateway" or "broker"; likewise */
} admin_args_t;

/* For zactor_new, with an admin_args_t. Signals once it listens, and then has logged where (event=listening). If it
 * cannot listen it logs the reason, says FAILED over the pipe after its signal, and waits for $TERM.
 *
 * Multipart string messages to the actor:
 *     READY 1|0 WHY           is the process ready; not ready, "starting", until it is said
 *     STATUS HEAD ACTOR…      the answer to STATUS: the process's JSON, then one for each actor
 *     STEP LINE               one line of a drain's progress
 *     RESULT CODE LEDGER      the drain's end: its exit code, and the process's ledger as JSON
 *     $TERM                   ends the actor
 * and from it:
 *     STATUS                  tell the state of things; never said again before it is answered
 *     DRAIN                   drain; said at most once
 *     DRAINED                 after RESULT: those who watch the drain have read its end, or had 1 s to
 *     FAILED                  it does not listen */
void admin_actor(zsock_t *pipe, void *args);

#endif
