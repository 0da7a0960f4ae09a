/* SPDX-License-Identifier: MPL-2.0 */
/* stream_socket: connections to endpoints as ferryd logs them (tcp://127.0.0.1:7400, tcp://[::1]:7400,
 * ipc:///run/f.sock, http://127.0.0.1:7480). Any thread. */
#ifndef FERRY_TESTS_STREAM_SOCKET_H
#define FERRY_TESTS_STREAM_SOCKET_H

#include "lib/deadline.h"

/* Opens a non-blocking socket and starts to connect it. Buffer sizes of 0 leave the system's. Returns the descriptor,
 * perhaps not connected yet, or -errno. */
int stream_socket_connect(const char *endpoint, int receive_buffer, int send_buffer);

/* Waits until the connection stands. Returns 0 or -errno. */
int stream_socket_wait(int fd, deadline_t deadline);

#endif
