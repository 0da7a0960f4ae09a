/* SPDX-License-Identifier: MPL-2.0 */
/* dial: from a gateway's address, as users write it, to a connection. */
#ifndef FERRY_FERRY_DIAL_H
#define FERRY_FERRY_DIAL_H

#include <stdbool.h>

#include "base/endpoint.h"

typedef struct {
    bool is_ipc;
    endpoint_t ipc; /* if it is */
    char host[256]; /* else a name or an address, without brackets, */
    char port[8];   /* and a decimal number */
} dial_target_t;

/* Takes tcp://HOST:PORT, HOST:PORT, tcp://[IPV6]:PORT, [IPV6]:PORT and ipc://PATH; without a port it is 7400. Pure.
 * Returns 0, or -1 with half a sentence in `why`, a static string. */
int dial_parse(dial_target_t *self, const char *address, const char **why);

/* Connects to `address`, trying every address that a host name has, each for up to 5 s. Returns a non-blocking,
 * close-on-exec descriptor that the caller owns, or -1 after one sentence on stderr, which `quiet` suppresses. */
int dial(const char *address, bool quiet);

#endif
