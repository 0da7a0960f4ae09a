/* SPDX-License-Identifier: MPL-2.0 */
/* binding: a ROUTER that listens: its options, and the endpoints that it is bound to. The thread of the socket. */
#ifndef FERRY_BASE_BINDING_H
#define FERRY_BASE_BINDING_H

#include <jansson.h>
#include <stddef.h>

/* Sets the options of a ROUTER that is not bound yet; no frame may be larger than `frame_size` bytes. Peers older than
 * ZMTP 3.0 will be disconnected. */
void binding_prepare(void *socket, size_t frame_size);

/* Binds tcp://, ipc:// or inproc://; port 0 becomes a free port below 32768. The endpoint is logged for that role and
 * appended to `listening` (a JSON array). Returns 0, or -1 when that failed, which was logged. */
int binding_open(void *socket, const char *role, const char *wanted, json_t *listening);

/* Logs an endpoint that is bound, and appends it; logs one that could not be bound, and returns -1. */
void binding_note(const char *role, json_t *listening, const char *text);
int binding_fail(const char *role, const char *text, const char *reason);

#endif
