/* SPDX-License-Identifier: MPL-2.0 */
/* handoff: what goes through the pipe between listener and worker: an accepted connection one way, the news that it was
 * closed the other way. Copied by value; whoever holds it owns the descriptor. */
#ifndef FERRY_GATEWAY_HANDOFF_H
#define FERRY_GATEWAY_HANDOFF_H

#define HANDOFF_ADDRESS_SIZE 56 /* an IPv6 address in brackets, a port and a NUL */

typedef struct {
    int fd;    /* non-blocking, close-on-exec */
    int error; /* 0, or the error of errors.def that this client is to read before it is closed */
    char address[HANDOFF_ADDRESS_SIZE]; /* of the client, with its port: "127.0.0.1:50000", "unix" */
} handoff_t;

#endif
