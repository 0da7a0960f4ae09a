/* SPDX-License-Identifier: MPL-2.0 */
/* played_gateway: a gateway that the test plays, for answers and ends that a real one cannot be brought to give at
 * will. The test's thread. */
#ifndef FERRY_TESTS_PLAYED_GATEWAY_H
#define FERRY_TESTS_PLAYED_GATEWAY_H

#include "lib/client.h"

/* Listens on a free port of 127.0.0.1, until the test ends. Returns the address, valid until then. */
const char *played_gateway_open(void);

/* Waits for the next connection. Returns the gateway's end of it, which reads and writes lines as a client's does. */
client_t *played_gateway_accept(void);

/* The same, and then the login of `name`, and the answer to the /ping behind it. */
client_t *played_gateway_login(const char *name);

/* Waits for this line, and answers each /ping that comes before it, since a client may send one whenever it likes. */
void played_gateway_take(client_t *self, const char *line);

/* Ends the conversation as a gateway does: the end of file, then whatever the client still says, so that no reset
 * destroys what it has not read. */
void played_gateway_leave(client_t **self_p);

void played_gateway_close_all(void);

#endif
