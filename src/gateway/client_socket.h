/* SPDX-License-Identifier: MPL-2.0 */
/* client_socket: how the socket of a client is set up. Any thread. */
#ifndef FERRY_GATEWAY_CLIENT_SOCKET_H
#define FERRY_GATEWAY_CLIENT_SOCKET_H

#include "gateway/worker.h"

/* Sets a listening socket up so that its connections are from the first what client_socket_prepare makes of them. */
void client_socket_listen(int fd, const worker_limits_t *limits);

/* Unless it has that from its listening socket, sets the buffers of `limits`, and deadlines for a connection whose
 * other end says nothing any more. Returns whether it is a TCP socket; a Unix socket goes without what it does not
 * know. */
bool client_socket_prepare(int fd, const worker_limits_t *limits);

#endif
