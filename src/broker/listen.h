/* SPDX-License-Identifier: MPL-2.0 */
/* listen: the ROUTER's socket options and the endpoints that it is bound to. The router's thread. */
#ifndef FERRY_BROKER_LISTEN_H
#define FERRY_BROKER_LISTEN_H

#include <jansson.h>

#include "base/config.h"

/* A batch may be as large as this and a bit, and so may what comes before a HELLO. */
#define LISTEN_MESSAGE_SLACK (128 * 1024)

/* Sets the options of a ROUTER that is not bound yet; `batch_size` is the largest body that may come. */
void listen_prepare(void *socket, uint32_t batch_size);

/* Binds inproc://ferrymq-broker-NAME and every broker/listen; port 0 becomes a free port below 32768. Each endpoint is
 * logged and appended to `listening` (a JSON array). Returns 0, or -1 when one failed, which was logged. */
int listen_bind(void *socket, const config_t *config, const char *name, json_t *listening);

/* Frees the inproc name at once, which closing the socket would do some time later. Its connections stay. */
void listen_release(void *socket, const char *name);

#endif
