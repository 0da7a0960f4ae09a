/* SPDX-License-Identifier: MPL-2.0 */
/* admin: the actor of the HTTP endpoint: /livez, /readyz, /status, /metrics, and POST /drain (proto/admin.md). */
#ifndef FERRY_ADMIN_ADMIN_H
#define FERRY_ADMIN_ADMIN_H

#include <czmq.h>

typedef struct {
    const char *listen; /* "http://127.0.0.1:7480"; borrowed until the second signal */
} admin_args_t;

/* For zactor_new, with an admin_args_t. Signals 0 when it runs, as zactor_new wants it, and then whether it listens: 0,
 * or 1 after logging why it cannot, and then it ends. Where it listens it has logged by then (event=listening).
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
 *     DRAINED                 after RESULT: those who watch the drain have read its end, or had 1 s to */
void admin_actor(zsock_t *pipe, void *args);

#endif
