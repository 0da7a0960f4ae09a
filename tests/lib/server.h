/* SPDX-License-Identifier: MPL-2.0 */
/* server: a ferryd for a test, on ports of the system's choice that are read back from its log. All functions belong to
 * the test's thread and fail the running cmocka test when what they wait for does not come. */
#ifndef FERRY_TESTS_SERVER_H
#define FERRY_TESTS_SERVER_H

#include "lib/process.h"

typedef struct server server_t;

/* Starts `ferryd ROLE` ("all", "gateway" or "broker") with further arguments, ended by NULL:
 *
 *     server_start ("gateway", "-s", broker_option, "-s", "drain/timeout=60s", NULL)
 *
 * and waits until it is ready. Each of gateway/listen, broker/listen, broker/peer_listen and admin/listen gets port 0
 * of 127.0.0.1, unless the arguments set it; a slow build gets a longer link/timeout and link/settling_time. */
server_t *server_start(const char *role, ...) __attribute__((sentinel));

/* The same without waiting: for a server that is to fail, or to wait for its broker. */
server_t *server_launch(const char *role, ...) __attribute__((sentinel));

void server_wait_ready(server_t *self);

/* Closes every client and program of the test, since a drain waits for them; sends SIGTERM, and fails the test unless
 * the exit code is 0 and the ledger in the log balances; then destroys. */
void server_stop(server_t **self_p);

/* Destroys without more ado: kills what still runs. */
void server_destroy(server_t **self_p);

/* Frees every server that is left; their processes are process_end_all's. */
void server_forget_all(void);

/* The process; the server's own. */
process_t *server_process(server_t *self);

/* Where it listens, read back from its log (waiting for that line): endpoints such as tcp://127.0.0.1:50000. Valid as
 * long as the server. */
const char *server_gateway(server_t *self);
const char *server_broker(server_t *self);
const char *server_peers(server_t *self);
const char *server_admin(server_t *self);

/* Field `key` of the ledger that the log ends with; waits for it. */
int64_t server_ledger(server_t *self, const char *key);

#endif
